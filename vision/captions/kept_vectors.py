"""The vectors of a catalogue's articles, computed once and kept in a run."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch
from torch import Tensor

from ...datasets.pictures.catalogue import Catalogue
from ...datasets.pictures.photos import Pictures
from ...runtime.arguments.kinds import Checked
from ...runtime.plain import Plain
from ...runtime.run_folder import RunFolder
from ..embed.encoder import ArticleEncoder

VECTORS, DESCRIBED = "features.safetensors", "features.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeptVectors(Checked):
    """Vectors of articles with item ids and the name of their encoder.

    Arguments:
        vectors: ``[n, F]``.
        encoder: the name of what made them.
        photos: item id -> its first good photo, in the order of the vectors.
        quarantine: the photos that could not be used.

    Raises:
        ValueError: an argument is of another kind, or there are more or fewer vectors than articles.
    """

    vectors: Tensor
    encoder: str
    photos: dict[str, str | None]
    quarantine: list[dict[str, str]]

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.photos):
            shape = list(self.vectors.shape)
            raise ValueError(f"vectors: expected one for each of {len(self.photos)} articles, got {shape}")

    @classmethod
    def of(cls, encoder: ArticleEncoder, catalogue: Catalogue, pictures: Pictures, *, device: str) -> KeptVectors:
        """Encode the photos of all articles."""
        vectors = torch.from_numpy(encoder.encode(pictures, len(catalogue), device=device))
        photos: dict[str, str | None] = dict.fromkeys(catalogue.item_ids)
        for number, address in zip(pictures.article[::-1], pictures.addresses[::-1], strict=True):
            photos[catalogue.articles[number].item_id] = address
        quarantine = [{"address": bad.address, "reason": bad.reason} for bad in pictures.quarantine]
        return cls(vectors, encoder.name, photos, quarantine)

    @classmethod
    def read(cls, folder: RunFolder) -> KeptVectors | None:
        """The vectors stored in a run; ``None`` where there are none or they cannot be read."""
        try:
            return cls(folder.read_tensors(VECTORS)["vectors"], **folder.read_json(DESCRIBED))
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("the vectors in %s are made again, they cannot be read: %s", folder.address, error)
            return None

    def write(self, folder: RunFolder) -> None:
        """Store the vectors in a run."""
        folder.write_tensors(VECTORS, {"vectors": self.vectors})
        described: Plain = {"encoder": self.encoder, "photos": self.photos, "quarantine": self.quarantine}
        folder.write_json(DESCRIBED, described)

    def in_order(self, folder: RunFolder, catalogue: Catalogue) -> tuple[Tensor, list[str | None]]:
        """The vectors ``[n, F]`` and first good photos of a catalogue, by item id and in its order.

        Raises:
            ValueError: the articles are not those of training.
        """
        if strange := sorted(self.photos.keys() ^ set(catalogue.item_ids)):
            how = "without" if strange[0] in self.photos else "with"
            raise ValueError(
                f"data: expected the articles of the training in {folder.address}, got them {how} item {strange[0]!r}"
            )
        place = {item_id: row for row, item_id in enumerate(self.photos)}
        rows = [place[item_id] for item_id in catalogue.item_ids]
        return self.vectors[rows], [self.photos[item] for item in catalogue.item_ids]
