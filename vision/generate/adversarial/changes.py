"""The changes of adaptive augmentation: geometry, tones, bands of frequencies and noise, each by chance.

Every function takes images ``[B, C, S, S]`` and the chance of each of its changes; an image that none of them met is
returned to the last digit, and gradients pass through.

Source: T. Karras et al. (2020), arXiv 2006.06676, appendix B, whose strengths these are.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, conv2d, grid_sample, pad

_SCALE, _STRETCH, _FAR = 0.2, 0.2, 0.125
"""Spreads of the binary logarithm of scale and stretch, and of the distance in shares of the side."""

_BRIGHTNESS, _CONTRAST, _SATURATION, _GAIN, _NOISE = 0.2, 0.5, 1.0, 1.0, 0.1
"""Spreads of brightness, of binary logarithms of contrast, saturation and gains, and of the spread of noise."""

_POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)
"""Shares of the power of natural images in four octaves, the lowest first."""


def quarter_turned(images: Tensor) -> Tensor:
    """Each image turned by 0 to 3 quarters."""
    turns = torch.randint(4, (len(images), 1, 1, 1), device=images.device)
    found = images
    for count in range(1, 4):
        found = torch.where(turns == count, torch.rot90(images, count, (2, 3)), found)
    return found


def warped(images: Tensor, chance: Tensor | float) -> Tensor:
    """Each image scaled, turned, stretched, turned again and moved; what lies outside is mirrored inwards."""
    count = len(images)
    # The chance that one of two turns happens is that of all other changes.
    turn = 1 - (1 - torch.as_tensor(chance, device=images.device)).clamp_min(0).sqrt()
    scale, first, stretch, second, far = (_happens(images, each) for each in (chance, turn, chance, turn, chance))
    wide = torch.exp2(scale * _SCALE * _normal(images))
    across = torch.exp2(stretch * _STRETCH * _normal(images))
    angles = [each * math.pi * (2 * torch.rand_like(wide) - 1) for each in (first, second)]
    moved = torch.stack([far * 2 * _FAR * _normal(images) for _ in range(2)], dim=1)
    stretched = torch.diag_embed(torch.stack([wide * across, wide / across], dim=1))
    matrix = _turn(angles[1]) @ stretched @ _turn(angles[0])
    # Places in 16 bits would be off by pixels.
    kind = torch.promote_types(images.dtype, torch.float32)
    grid = affine_grid(torch.cat([matrix, moved[:, :, None]], dim=2).to(kind), list(images.shape), False)
    found = grid_sample(images.to(kind), grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    changed = (scale + first + stretch + second + far > 0).view(count, 1, 1, 1)
    return torch.where(changed, found.to(images.dtype), images)


def toned(images: Tensor, chance: Tensor | float, grey: bool = False) -> Tensor:
    """Each image with a brightness, a contrast, light for dark, a hue and a saturation of its own.

    Arguments:
        images: −1…1.
        chance: of each.
        grey: whether images have no colours; the last two are left out then.
    """
    channels = images.shape[1]
    bright, contrast, flip, hue, colours = (_happens(images, chance) for _ in range(5))
    offset = bright * _BRIGHTNESS * _normal(images)
    gain = torch.exp2(contrast * _CONTRAST * _normal(images))
    flipped = flip * (torch.rand_like(flip) < 0.5)
    equal = torch.full((channels, channels), 1 / channels, device=images.device, dtype=gain.dtype)
    unit = torch.eye(channels, device=images.device, dtype=gain.dtype)
    # Along grey the light, across it the colours.
    light = (gain * (1 - 2 * flipped))[:, None, None] * equal
    matrix = light + gain[:, None, None] * (unit - equal)
    changed = bright + contrast + flipped
    if not grey and channels == 3:
        angle = hue * math.pi * (2 * torch.rand_like(hue) - 1)
        more = torch.exp2(colours * _SATURATION * _normal(images))
        matrix = matrix @ (equal + more[:, None, None] * (_hue_turn(angle) - equal))
        changed = changed + hue + colours
    shown = torch.einsum("bij,bjhw->bihw", matrix.to(images.dtype), images)
    shown = shown + (matrix.sum(dim=2) * offset[:, None])[:, :, None, None].to(images.dtype)
    return torch.where((changed > 0)[:, None, None, None], shown, images)


def equalised(images: Tensor, chance: Tensor | float) -> Tensor:
    """Each image with gains of its own for four octaves of frequencies, of the same power as before on average."""
    bands = octaves(images)
    power = torch.tensor(_POWER[: len(bands)], device=images.device)
    power = power / power.sum()
    gains = torch.ones(len(images), len(bands), device=images.device)
    changed = torch.zeros(len(images), device=images.device)
    for number in range(len(bands)):
        met = _happens(images, chance)
        one = torch.ones_like(gains)
        one[:, number] = torch.exp2(met * _GAIN * _normal(images))
        gains = gains * one / (power * one.square()).sum(dim=1, keepdim=True).sqrt()
        changed = changed + met
    shown = torch.stack([gain[:, None, None, None] * band for gain, band in zip(gains.T, bands, strict=True)]).sum(
        dim=0
    )
    return torch.where((changed > 0)[:, None, None, None], shown.to(images.dtype), images)


def octaves(images: Tensor) -> list[Tensor]:
    """Images as a sum of up to four bands of frequencies, the lowest first; fewer where the side is too small."""
    channels, left = images.shape[1], images
    bands: list[Tensor] = []
    line = torch.tensor([0.25, 0.5, 0.25], device=images.device, dtype=images.dtype)
    kernel = torch.outer(line, line).expand(channels, 1, 3, 3)
    for step in (1, 2, 4):
        if step >= min(images.shape[2:]):
            break
        smooth = conv2d(pad(left, (step,) * 4, mode="reflect"), kernel, groups=channels, dilation=step)
        bands.insert(0, left - smooth)
        left = smooth
    return [left, *bands]


def noisy(images: Tensor, chance: Tensor | float) -> Tensor:
    """Each image with noise, whose spread is drawn too."""
    strength = _happens(images, chance) * _NOISE * _normal(images).abs()
    return images + (strength[:, None, None, None] * torch.randn_like(images)).to(images.dtype)


def _happens(images: Tensor, chance: Tensor | float) -> Tensor:
    """1 for each image that is changed, else 0, ``[B]``."""
    return (torch.rand(len(images), device=images.device) < chance).float()


def _normal(images: Tensor) -> Tensor:
    return torch.randn(len(images), device=images.device)


def _turn(angles: Tensor) -> Tensor:
    """Matrices ``[B, 2, 2]`` of turns in the plane."""
    cosine, sine = angles.cos(), angles.sin()
    return torch.stack([torch.stack([cosine, -sine], dim=1), torch.stack([sine, cosine], dim=1)], dim=1)


def _hue_turn(angles: Tensor) -> Tensor:
    """Matrices ``[B, 3, 3]`` of turns of red, green and blue about grey (Rodrigues)."""
    cosine, sine = angles.cos()[:, None, None], angles.sin()[:, None, None]
    third = 1 / math.sqrt(3)
    across = third * torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]], device=angles.device)
    grey = torch.full((3, 3), 1 / 3, device=angles.device)
    return cosine * torch.eye(3, device=angles.device) + sine * across + (1 - cosine) * grey
