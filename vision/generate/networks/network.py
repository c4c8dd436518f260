"""What is asked of generators and critics, and of the frozen forms that files hold of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from ....runtime.arguments.kinds import Checked, Within

ImageSide = Annotated[int, Within(8, 1024)]
"""Side of a generated image, pixels."""

Layers = Annotated[int, Within(1, 64)]
"""How many layers stand one behind the other."""

Truncation = Annotated[float, Within(0, 10, above=True)]
"""How far from the middle latents are drawn, in standard deviations; for styles, the share of the way to the middle."""

_FIRST = 4


@dataclass(frozen=True)
class ImageSpec(Checked):
    """The images that are learnt.

    Arguments:
        size: side of the square, pixels: 4, 5, 6 or 7, doubled some times.
        channels: 3, or 1 for grey.
        classes: the classes of an image, in the order of the labels; empty where none are told.

    Raises:
        ValueError: a network of doublings cannot make this size, or the channels are of neither kind.

    Example:
        >>> ImageSpec(28, 1).first_side, ImageSpec(28, 1).doublings
        (7, 2)
    """

    size: ImageSide
    channels: int = 3
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels: expected 1 or 3, got {self.channels}")
        if self.first_side >= 2 * _FIRST:
            possible = [side << times for times in range(1, 9) for side in range(_FIRST, 2 * _FIRST)]
            near = [max(side for side in possible if side < self.size), min(s for s in possible if s > self.size)]
            raise ValueError(
                f"size: expected 4, 5, 6 or 7, doubled some times, such as {near[0]} or {near[1]}, got {self.size}"
            )
        if len(self.classes) == 1:
            raise ValueError(f"classes: expected two or more, or none, got {self.classes[0]!r} alone")

    @property
    def first_side(self) -> int:
        """The side of the smallest map, 4…7 pixels."""
        return self.size >> self.doublings

    @property
    def doublings(self) -> int:
        """How often the side doubles from the smallest map to the image."""
        side, times = self.size, 0
        while side % 2 == 0 and side // 2 >= _FIRST:
            side, times = side // 2, times + 1
        return times

    def widths(self, least: int, most: int) -> list[int]:
        """Channels of the maps, from the smallest map to the image: half as many at each doubling.

        Arguments:
            least: channels at the full side.
            most: channels of any map, at most.
        """
        return [min(most, least << times) for times in range(self.doublings, -1, -1)]


class Generator(nn.Module, ABC):
    """A network from latent vectors, and from labels where there are classes, to images.

    Arguments:
        spec: the images.
        latent: width Z of the latent vectors.
    """

    def __init__(self, spec: ImageSpec, latent: int) -> None:
        super().__init__()
        self.spec, self.latent = spec, latent

    @abstractmethod
    def forward(self, latents: Tensor, labels: Tensor | None = None, truncation: float | None = None) -> Tensor:
        """Images, −1…1.

        Arguments:
            latents: ``[B, Z]``, standard normal.
            labels: int64 ``[B]`` where there are classes.
            truncation: how far from the middle an image may be, see `Truncation`; ``None`` for no bound.

        Returns:
            ``[B, channels, size, size]``.
        """

    @property
    def styled(self) -> bool:
        """Whether it has styles between latents and images, see `StyleGenerator`."""
        return False


class Critic(nn.Module, ABC):
    """A network from images, and their labels where there are classes, to logits of being real.

    The logit is a linear function of the image's features, and where there are classes also their product with a
    vector of the class (T. Miyato, M. Koyama (2018), arXiv 1802.05637, equation 3).
    """

    @abstractmethod
    def features(self, images: Tensor) -> Tensor:
        """Images ``[B, channels, size, size]``, −1…1, to the vectors ``[B, F]`` that logits are made from."""

    @abstractmethod
    def judged(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        """Logits ``[B]`` of features ``[B, F]``."""

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Logits ``[B]``."""
        return self.judged(self.features(images), labels)


class GeneratorForm(ABC):
    """The form of a generator: a frozen dataclass that builds the network."""

    @abstractmethod
    def build(self, spec: ImageSpec) -> Generator:
        """The network of this form for these images, with random weights."""


class CriticForm(ABC):
    """The form of a critic: a frozen dataclass that builds the network."""

    @abstractmethod
    def build(self, spec: ImageSpec) -> Critic:
        """The network of this form for these images, with random weights."""


def truncated_normal(latents: Tensor, most: float | None) -> Tensor:
    """Standard normal numbers to normal numbers within ``[−most, most]``, each to one at the same quantile.

    What comes out has the law of redrawing all that are too far (A. Brock et al. (2019), arXiv 1809.11096, §3.1), and
    is the same again for the same latents.

    Example:
        >>> truncated_normal(torch.tensor([-9.0, 0.0, 9.0]), 0.5)
        tensor([-0.5000,  0.0000,  0.5000])
    """
    if most is None:
        return latents
    least = torch.special.ndtr(torch.tensor(-most, dtype=torch.float64))
    quantile = least + torch.special.ndtr(latents.double()) * (1 - 2 * least)
    return torch.special.ndtri(quantile).clamp(-most, most).to(latents.dtype)


def require_labels(labels: Tensor | None, classes: int) -> Tensor | None:
    """The labels, where the network has classes.

    Raises:
        ValueError: labels are missing, or were given to a network without classes.
    """
    if (labels is None) == (classes > 0):
        expected = f"a label of {classes} classes for each image" if classes else "none for images without classes"
        raise ValueError(f"labels: expected {expected}, got {'none' if labels is None else 'some'}")
    return labels
