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
