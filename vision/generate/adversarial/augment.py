"""Random changes that both real and generated images go through before the critic sees them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from .changes import equalised, noisy, quarter_turned, toned, warped


def shifted(images: Tensor, most: float = 0.125) -> Tensor:
    """Each image moved by its own whole number of pixels, at most a share of its side; what enters is 0."""
    count, _, high, wide = images.shape
    far = max(1, int(high * most + 0.5)), max(1, int(wide * most + 0.5))
    down, across = (torch.randint(-each, each + 1, (count, 1, 1), device=images.device) for each in far)
    padded = pad(images, (far[1], far[1], far[0], far[0]))
    rows = torch.arange(high, device=images.device)[None, :, None] + down + far[0]
    columns = torch.arange(wide, device=images.device)[None, None, :] + across + far[1]
    chosen = torch.arange(count, device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[chosen, rows, columns].permute(0, 3, 1, 2)


def recoloured(images: Tensor) -> Tensor:
    """Each image with a brightness, a saturation and a contrast of its own."""
    count = len(images)
    brightness, saturation, contrast = torch.rand(3, count, 1, 1, 1, device=images.device, dtype=images.dtype)
    images = images + (brightness - 0.5)
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * (2 * saturation)
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    return middle + (images - middle) * (contrast + 0.5)


def cut_out(images: Tensor, share: float = 0.5) -> Tensor:
    """Each image with a square of 0 somewhere, whose side is a share of the image's."""
    count, _, high, wide = images.shape
    side = int(high * share + 0.5), int(wide * share + 0.5)
    top = torch.randint(0, high + 1 - side[0] % 2, (count, 1, 1), device=images.device) - side[0] // 2
    left = torch.randint(0, wide + 1 - side[1] % 2, (count, 1, 1), device=images.device) - side[1] // 2
    rows = torch.arange(high, device=images.device)[None, :, None]
    columns = torch.arange(wide, device=images.device)[None, None, :]
    inside = (rows >= top) & (rows < top + side[0]) & (columns >= left) & (columns < left + side[1])
    return images * ~inside[:, None]


def mirrored(images: Tensor) -> Tensor:
    """Each image as it is or mirrored, with even chances."""
    chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(chosen, images.flip(-1), images)


class DiffAugment(nn.Module):
    """Every image shifted and with a square cut out, and coloured ones recoloured; gradients pass through.

    Arguments:
        grey: whether images have no colours.

    Source: S. Zhao et al. (2020), arXiv 2006.10738, policy "color, translation, cutout".
    """

    def __init__(self, grey: bool = False) -> None:
        super().__init__()
        self.grey = grey

    def forward(self, images: Tensor) -> Tensor:
        """Images ``[B, C, S, S]``, −1…1, to changed ones."""
        images = images if self.grey else recoloured(images)
        return cut_out(shifted(images))


class AdaptiveAugment(nn.Module):
    """Each change with a probability that rises while the critic knows the training images by heart.

    The sign of the critic's logits on real images has the mean 1 where it knows them all and 0 where it cannot tell
    them from generated ones; the probability follows it, by at most one in `images`. Each change of an image happens
    with this probability by itself: mirror, quarter turns and shifts by whole pixels; scale, turns, stretch and moves;
    brightness, contrast, a flip of light and dark, hue and saturation; gains of four bands of frequencies; noise and a
    cut-out.

    Arguments:
        grey: whether images have no colours.
        target: the mean sign at which the probability stays.
        images: real images over which it could rise from 0 to 1.

    Source: T. Karras et al. (2020), arXiv 2006.06676, appendix B; pixels between others are bilinear here, and bands of
    frequencies those of repeated binomial filters, where the authors' code has wavelets.
    """

    probability: Tensor

    def __init__(self, grey: bool = False, target: float = 0.6, images: int = 500_000) -> None:
        super().__init__()
        self.grey, self.target, self.images = grey, target, images
        self.register_buffer("probability", torch.zeros(()))

    def forward(self, images: Tensor) -> Tensor:
        """Images ``[B, C, S, S]``, −1…1, to changed ones."""
        chance = self.probability
        for change in (mirrored, quarter_turned, shifted):
            images = torch.where(_some(images, chance)[:, None, None, None], change(images), images)
        images = toned(warped(images, chance), chance, self.grey)
        images = noisy(equalised(images, chance), chance)
        return torch.where(_some(images, chance)[:, None, None, None], cut_out(images), images)

    def follow(self, real: Tensor) -> None:
        """Move the probability by the logits ``[B]`` of real images."""
        step = (real.detach().sign().mean() - self.target).sign() * len(real) / self.images
        self.probability.copy_((self.probability + step).clamp(0, 1))


def _some(images: Tensor, chance: Tensor | float) -> Tensor:
    """Which images are changed, bool ``[B]``."""
    return torch.rand(len(images), device=images.device) < chance
