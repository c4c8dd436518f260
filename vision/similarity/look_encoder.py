"""Photos to vectors of two parts, shape and colours, whose weights are chosen when two photos are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ...datasets.pictures.photos import Cut, Pictures
from ...runtime.digest import sha256_of
from ...runtime.run_folder import RunFolder
from ..embed.encoder import ArticleEncoder
from ..locate.border_crop import cut_to_article
from ..locate.locate import Locator
from ..networks.backbone import Backbone
from ..networks.colours import ColourHistogram
from ..networks.efficientnet_lite import FORMS
from ..networks.preprocessing import Prepare
from .features import photo_features
from .look_space import LookSpace

SHAPE, COLOURS, LEARNT = "shape", "colours", "learnt"

SIZE = 320
"""Pixels of the side at which a network that takes any size sees an article."""

SAME_COLOUR = {SHAPE: 1.0, COLOURS: 1.5}
"""Weights of the parts by which the same article is found in other views."""

ANY_COLOUR = {SHAPE: 1.0, COLOURS: 0.25}
"""Weights by which it is found in other colours too."""


@dataclass(frozen=True)
class LookEncoder:
    """A network, a space of its features, and what was learnt on top.

    Arguments:
        backbone: the network, in evaluation mode.
        space: the space; fitted on the photos among which is searched.
        described: where the network comes from: ``{"backbone": …, "size": …}`` or ``{"run": …}``; and a
            ``"locator"`` if photos are cut by one.
        network: the name of the network, with a digest of its weights.
        projection: what was learnt: ``[k, k]`` of the shape, which stays a part beside the colours, or
            ``[k + 300, k + 300]``, which makes one part of the two; ``None``: nothing.

    Raises:
        ValueError: the projection is not of this size.
    """

    backbone: Backbone
    space: LookSpace
    described: Mapping[str, str | int]
    network: str
    projection: Tensor | None = None

    def __post_init__(self) -> None:
        sides = (self.given[SHAPE], sum(self.given.values()))
        if self.projection is not None and self.projection.shape not in [(side, side) for side in sides]:
            expected = " or ".join(str([side, side]) for side in sides)
            raise ValueError(f"projection: expected weights {expected}, got {list(self.projection.shape)}")

    @property
    def name(self) -> str:
        """What made the vectors: the network, and the first digits of the digest of all on top of it."""
        held = sorted(self.tensors().items())
        return f"{self.network}+{sha256_of(*(part for name, value in held for part in (name, value.numpy())))[:12]}"

    @property
    def given(self) -> dict[str, int]:
        """The parts of a vector before a projection."""
        return {SHAPE: len(self.space.axes), COLOURS: ColourHistogram().features}

    @property
    def parts(self) -> dict[str, int]:
        """The parts of a vector."""
        whole = self.projection is not None and len(self.projection) != self.given[SHAPE]
        return {LEARNT: sum(self.given.values())} if whole else self.given

    def tensors(self) -> dict[str, Tensor]:
        """All on top of the network, as tensors."""
        held = self.space.tensors()
        return held if self.projection is None else {**held, "projection": self.projection}

    def encode(self, pictures: Pictures) -> np.ndarray:
        """The vectors of photos, float32 ``[N, F]``; each part of a row has length 1."""
        pixels = torch.from_numpy(pictures.pixels)
        features, _ = seen(self.backbone, pixels)
        return self.of_features(features, colours_of(self.backbone, pixels))

    def of_features(self, features: Tensor, colours: Tensor) -> np.ndarray:
        """The vectors of photos whose features and colours were taken already."""
        vectors = self.projected(torch.cat([self.space.project(features), colours], dim=1))
        found: np.ndarray = vectors.numpy().astype(np.float32)
        return found

    def projected(self, vectors: Tensor) -> Tensor:
        """Vectors of two parts ``[N, k + 300]`` as vectors of this encoder: what was learnt on has length 1 again."""
        if self.projection is None:
            return vectors
        side = len(self.projection)
        return torch.cat([normalize(vectors[:, :side] @ self.projection, dim=1), vectors[:, side:]], dim=1)


def open_network(described: Mapping[str, str | int]) -> tuple[Backbone, str]:
    """The network that is described, as fast as it can be, and its name.

    Arguments:
        described: ``{"backbone": name}``, with a ``"size"`` if it is not the default; or ``{"run": folder}``, for the
            network of a classifier. A ``"locator"``, which cuts the photos, is named too.
    """
    if "run" in described:
        encoder = ArticleEncoder.of_run(str(described["run"]))
    else:
        name = str(described["backbone"])
        size = described.get("size", SIZE if name in FORMS else None)
        encoder = ArticleEncoder.of_backbone(name, size=None if size is None else int(size))
    name = f"{encoder.name}/{encoder.preprocessing.size}"
    if "locator" in described:
        name += f"/{Locator.load(RunFolder(str(described['locator']))).name_of_weights}"
    return encoder.network.backbone.for_inference().eval(), name


def cutter(described: Mapping[str, str | int]) -> Cut:
    """What cuts photos to the article: a locator where one is described, else the colour of the border."""
    return Locator.load(RunFolder(str(described["locator"]))).cut if "locator" in described else cut_to_article


def open_look_encoder(described: Mapping[str, str | int], name: str, tensors: Mapping[str, Tensor]) -> LookEncoder:
    """The encoder that made the vectors of an index.

    Raises:
        ValueError: its weights are others than those, or do not fit each other.
    """
    backbone, network = open_network(described)
    encoder = LookEncoder(backbone, LookSpace.of_tensors(tensors), described, network, tensors.get("projection"))
    if encoder.name != name:
        raise ValueError(f"encoder: expected the weights that made the index, {name}, got {encoder.name}")
    return encoder


def seen(backbone: Backbone, pixels: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """See `photo_features`; without gradients."""
    with torch.inference_mode():
        return photo_features(backbone, pixels)


def colours_of(backbone: Backbone, pixels: Tensor) -> Tensor:
    """The colours of the article on photos, ``[N, bins]``, each row of length 1; see `ColourHistogram`."""
    prepare = Prepare(replace(backbone.preprocessing, channels=3, mean=(0.0,) * 3, std=(1.0,) * 3))
    histogram = ColourHistogram()
    with torch.inference_mode():
        return torch.cat([normalize(histogram(prepare.bright(some)), dim=1) for some in pixels.split(64)])
