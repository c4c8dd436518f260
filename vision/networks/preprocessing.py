"""From stored bytes to the numbers a network was made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

import torch
from torch import Tensor, nn

from ...datasets.pictures.photos import Fit
from ...runtime.arguments.kinds import Checked, Within

Side = Annotated[int, Within(1, 4096)]
"""Side of the images that a network sees, pixels."""


class PhotoFormat(TypedDict):
    """How photos are read from files, as arguments of `Source.load`."""

    size: int
    channels: int
    fit: Fit


@dataclass(frozen=True)
class Preprocessing(Checked):
    """How a photo becomes the input of a network; part of every checkpoint and of every embedding's name.

    Arguments:
        size: side of the square the network sees, pixels.
        channels: 3, or 1 for grey.
        mean: what is subtracted from each channel, in units of full brightness (0…1).
        std: by what each channel is divided, in the same units.
        fit: how a photo that is not square becomes one (``"pad"`` or ``"crop"``).

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> prepare = Prepare(Preprocessing(size=2, channels=1, mean=(0.5,), std=(0.25,)))
        >>> prepare(torch.full((1, 1, 2, 2), 255, dtype=torch.uint8)).unique()
        tensor([2.])
    """

    size: Side
    channels: int = 3
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.25, 0.25, 0.25)
    fit: Fit = "pad"

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels: expected 1 or 3, got {self.channels}")
        if not len(self.mean) == len(self.std) == self.channels or min(self.std) <= 0:
            raise ValueError(
                f"mean, std: expected {self.channels} numbers each, std positive, got {self.mean} and {self.std}"
            )

    @property
    def photos(self) -> PhotoFormat:
        """What of it says how photos are read from files."""
        return {"size": self.size, "channels": self.channels, "fit": self.fit}


class Prepare(nn.Module):
    """Bring stored pixels to the size, channels and scale of a network, on its device.

    Arguments:
        preprocessing: what the network expects.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.preprocessing = preprocessing
        shape = (1, preprocessing.channels, 1, 1)
        self.register_buffer("mean", torch.tensor(preprocessing.mean).reshape(shape), persistent=False)
        self.register_buffer("std", torch.tensor(preprocessing.std).reshape(shape), persistent=False)

    def bright(self, pixels: Tensor) -> Tensor:
        """Stored pixels in units of full brightness, at the network's size and channels.

        Arguments:
            pixels: uint8 ``[N, 1 or 3, S, S]``.

        Returns:
            ``[N, channels, size, size]``, 0…1.
        """
        images = pixels.float() / 255.0
        wanted = self.preprocessing
        if images.shape[1] != wanted.channels:
            images = images.expand(-1, 3, -1, -1) if wanted.channels == 3 else images.mean(dim=1, keepdim=True)
        if images.shape[-2:] != (wanted.size, wanted.size):
            images = nn.functional.interpolate(
                images, (wanted.size, wanted.size), mode="bilinear", antialias=True, align_corners=False
            )
        return images

    def normalise(self, images: Tensor) -> Tensor:
        """Brightness to the scale of the network's inputs."""
        return (images - self.mean) / self.std

    def brightness(self, images: Tensor) -> Tensor:
        """The inverse of `normalise`: the scale of the network's inputs to brightness, 0…1."""
        return images * self.std + self.mean

    def forward(self, pixels: Tensor) -> Tensor:
        """Stored pixels to network inputs ``[N, channels, size, size]``."""
        return self.normalise(self.bright(pixels))
