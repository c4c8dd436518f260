"""The colours of an article, without those of the ground that it lies on."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ColourHistogram(nn.Module):
    """Square roots of the shares of an article's pixels in 300 bins of hue, saturation and brightness.

    The ground is what has nearly the colour of the border of the photo, as on packshots. Where next to nothing
    differs from the border, the whole photo counts.

    Arguments:
        bins: of hue, saturation and brightness.
        tolerance: the largest difference, in one of red, green and blue (0…1), at which a pixel is ground.

    Example:
        >>> red = torch.ones(1, 3, 8, 8)
        >>> red[:, 1:, 2:6, 2:6] = 0
        >>> histogram = ColourHistogram()(red)
        >>> float(histogram.max()), int((histogram > 0).sum())
        (1.0, 1)
    """

    def __init__(self, bins: tuple[int, int, int] = (12, 5, 5), tolerance: float = 0.08) -> None:
        super().__init__()
        self.bins, self.tolerance = bins, tolerance
        self.features = bins[0] * bins[1] * bins[2]

    def forward(self, images: Tensor) -> Tensor:
        """Brightness ``[N, 3, h, w]``, 0…1, to ``[N, bins]``, each row of length 1."""
        article = foreground(images, self.tolerance).flatten(1)
        hue, saturation, value = hue_saturation_value(images)
        place = torch.zeros_like(hue, dtype=torch.int64)
        for part, bins in zip((hue, saturation, value), self.bins, strict=True):
            place = place * bins + (part * bins).long().clamp(0, bins - 1)
        counts = images.new_zeros(len(images), self.features)
        counts.scatter_add_(1, place.flatten(1), article.to(images.dtype))
        return (counts / counts.sum(dim=1, keepdim=True).clamp_min(1)).sqrt()


class LabColours(nn.Module):
    """The colours of an article as they are seen: a histogram in CIELAB, and the mean colour place by place.

    The histogram has bins of lightness, chroma and hue, closer where little chroma makes another colour of grey; a
    pixel between two hues counts for both, and what has next to no chroma has no hue. Square roots of shares, the
    ground left out as in `ColourHistogram`. The places tell which colour is where: on a shoe, on its sole, around it.

    Arguments:
        levels: bins of lightness.
        hues: bins of hue.
        places: mean colours are taken of so many by so many places of the photo.
        tolerance: see `foreground`.

    Example:
        >>> grey = torch.full((1, 3, 16, 16), 0.5)
        >>> LabColours()(grey).shape, int((LabColours()(grey)[:, :584] > 0).sum())
        (torch.Size([1, 776]), 1)
    """

    chromas: Tensor

    def __init__(self, levels: int = 8, hues: int = 12, places: int = 8, tolerance: float = 0.08) -> None:
        super().__init__()
        self.levels, self.hues, self.places, self.tolerance = levels, hues, places, tolerance
        self.register_buffer("chromas", torch.tensor(_CHROMAS), persistent=False)
        self.of_a_level = 1 + hues * len(_CHROMAS)
        self.bins = levels * self.of_a_level
        self.features = self.bins + 3 * places**2

    def forward(self, images: Tensor) -> Tensor:
        """Brightness ``[N, 3, h, w]``, 0…1, to ``[N, bins + 3 · places²]``; the histogram has length 1."""
        article = foreground(images, self.tolerance)[:, None].to(images.dtype)
        if min(images.shape[2:]) >= 2 * _SMALL:
            images, article = (nn.functional.avg_pool2d(each, 2) for each in (images, article))
        lab = cielab(images)
        means = nn.functional.adaptive_avg_pool2d(lab, self.places).flatten(1) / 100
        return torch.cat([self._histogram(lab, article[:, 0].flatten(1)), means], dim=1)

    def _histogram(self, lab: Tensor, weight: Tensor) -> Tensor:
        lightness, a, b = (part.flatten(1) for part in lab.unbind(dim=1))
        level = (lightness / 100 * self.levels).long().clamp(0, self.levels - 1) * self.of_a_level
        ring = torch.bucketize((a * a + b * b).sqrt(), self.chromas)
        angle = torch.atan2(b, a) / (2 * torch.pi) % 1 * self.hues
        share = angle - angle.floor()
        shares = lab.new_zeros(len(lab), self.bins)
        for step, part in ((0, 1 - share), (1, share)):
            hue = (angle.long() + step) % self.hues
            place = level + torch.where(ring > 0, 1 + (ring - 1) * self.hues + hue, 0)
            shares.scatter_add_(1, place, weight * part)
        return (shares / shares.sum(dim=1, keepdim=True).clamp_min(1e-6)).sqrt()


_CHROMAS = (4.0, 9.0, 16.0, 26.0, 40.0, 60.0)
"""Chroma at which a bin ends and the next begins; below the first one, colours are grey."""

_SMALL = 64
"""Pixels of the side below which a photo is not made smaller before its colours are taken."""

_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
"""Linear sRGB to CIE XYZ under D65 (IEC 61966-2-1)."""

_WHITE = (0.95047, 1.0, 1.08883)


def cielab(images: Tensor) -> Tensor:
    """Lightness (0…100), a and b of CIELAB under D65, ``[N, 3, h, w]``, of sRGB ``[N, 3, h, w]`` (0…1).

    Source: CIE 15:2004, 8.2.1.
    """
    linear = torch.where(images <= 0.04045, images / 12.92, ((images.clamp_min(0) + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("ij,njhw->nihw", images.new_tensor(_XYZ), linear)
    ratio = xyz / images.new_tensor(_WHITE)[:, None, None]
    edge = 6 / 29
    bent = torch.where(ratio > edge**3, ratio.clamp_min(edge**3) ** (1 / 3), ratio / (3 * edge**2) + 4 / 29)
    x, y, z = bent.unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def foreground(images: Tensor, tolerance: float = 0.08) -> Tensor:
    """Which pixels differ from the colour of the border.

    Arguments:
        images: brightness ``[N, 3, h, w]``, 0…1.
        tolerance: the largest difference, in one of red, green and blue, at which a pixel is ground.

    Returns:
        bool ``[N, h, w]``; all true for an image in which less than 3 % differ.
    """
    border = torch.cat([images[:, :, 0], images[:, :, -1], images[:, :, :, 0], images[:, :, :, -1]], dim=2)
    ground = border.median(dim=2).values[:, :, None, None]
    article = (images - ground).abs().amax(dim=1) > tolerance
    bare = article.flatten(1).float().mean(dim=1) < 0.03
    return article | bare[:, None, None]


def hue_saturation_value(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue (0…1, red at 0), saturation and value of pixels ``[N, 3, h, w]``, each ``[N, h, w]``; grey has hue 0."""
    red, green, blue = images.unbind(dim=1)
    value, least = images.amax(dim=1), images.amin(dim=1)
    chroma = value - least
    safe = torch.where(chroma > 0, chroma, 1.0)
    sixths = torch.where(
        value == red,
        (green - blue) / safe % 6,
        torch.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    hue = torch.where(chroma > 0, sixths / 6, 0.0)
    return hue, torch.where(value > 0, chroma / torch.where(value > 0, value, 1.0), 0.0), value
