"""The choice of a backbone network: a small CNN or a pretrained architecture."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from .preprocessing import Preprocessing

SMALL_CNN, AUTO = "small-cnn", "auto"


class BackboneForm(ABC):
    """The form of a backbone, as files hold it: a frozen dataclass that builds the network."""

    @abstractmethod
    def build(self) -> Backbone:
        """The network of this form, with random weights."""


class Backbone(nn.Module, ABC):
    """A network from images to vectors.

    Attributes:
        name: what it was made from, as in names of encoders.
        features: the width F of the vectors.
        pooling: how the vector is drawn from the network's last map, in words.
        preprocessing: what its inputs must look like.
        pretrained: whether it came with weights that were learned elsewhere.
        grey_maps: depths, as numbers of `maps`, at which it sees an article best without its colours.
        colour_maps: depths at which it sees an article best in colour.
        depths: depths, as numbers of `maps`, that together tell more of an image than the vector does; none where only
            the vector is known.
        deep_features: the width of `deep_vectors`.
    """

    name: str
    pretrained: bool = False
    grey_maps: tuple[int, ...] = ()
    colour_maps: tuple[int, ...] = (-1,)
    depths: tuple[int, ...] = ()
    deep_features: int = 0
    features: int
    pooling: str
    preprocessing: Preprocessing

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Prepared images ``[N, channels, size, size]`` to vectors ``[N, F]``."""

    def maps(self, images: Tensor, *, last: int | None = None) -> list[Tensor]:
        """Feature maps at each depth, ``[N, C, h, w]`` each; by default the vector alone, as a 1 × 1 map.

        Arguments:
            images: prepared images ``[N, channels, size, size]``.
            last: the number of the last map that is needed; all if ``None``.
        """
        return [self(images)[:, :, None, None]]

    def deep_vectors(self, images: Tensor) -> Tensor:
        """Mean and standard deviation over each of the maps of `depths`, ``[N, deep_features]``.

        Arguments:
            images: prepared images ``[N, channels, size, size]``.
        """
        maps = self.maps(images)
        return torch.cat([part for depth in self.depths for part in _mean_and_spread(maps[depth].flatten(2))], dim=1)

    @abstractmethod
    def stages(self) -> list[list[nn.Parameter]]:
        """All parameters, from the first layers to the last, for learning rates that fall with depth."""

    @property
    @abstractmethod
    def form(self) -> BackboneForm:
        """All that the network is but its weights."""

    def for_inference(self) -> Backbone:
        """An equivalent network optimised for inference; by default the network itself."""
        return self

    @abstractmethod
    def first_filters(self) -> Tensor:
        """The weights ``[filters, channels, h, w]`` of the layer that sees the pixels."""


def _mean_and_spread(places: Tensor) -> tuple[Tensor, Tensor]:
    return places.mean(dim=2), places.var(dim=2, correction=0).clamp_min(1e-12).sqrt()
