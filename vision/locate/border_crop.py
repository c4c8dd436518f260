"""The article on a packshot: what differs from the colour of the border."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from ..networks.colours import foreground

_SIDE = 256
"""Pixels of the longer side at which the article is looked for."""


def border_box(photo: Image.Image, tolerance: float = 0.08) -> tuple[int, int, int, int]:
    """The smallest box around all pixels that differ from the colour of the border.

    Arguments:
        photo: an RGB photo.
        tolerance: the largest difference, in one of red, green and blue (0…1), at which a pixel is ground.

    Returns:
        Left, upper, right and lower side in pixels of the photo; the whole photo where next to nothing differs.

    Example:
        >>> photo = Image.new("RGB", (60, 40), "white")
        >>> photo.paste("navy", (10, 5, 30, 25))
        >>> border_box(photo)
        (10, 5, 30, 25)
    """
    small = photo.copy()
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    pixels = torch.from_numpy(np.array(small, dtype=np.float32) / 255).permute(2, 0, 1)
    article = foreground(pixels[None], tolerance)[0].numpy()
    across, down = np.flatnonzero(article.any(axis=0)), np.flatnonzero(article.any(axis=1))
    wide, high = photo.width / small.width, photo.height / small.height
    return (
        int(across[0] * wide),
        int(down[0] * high),
        min(photo.width, int(np.ceil((across[-1] + 1) * wide))),
        min(photo.height, int(np.ceil((down[-1] + 1) * high))),
    )


def cut_to_article(photo: Image.Image) -> Image.Image:
    """The photo within its `border_box`."""
    return photo.crop(border_box(photo))
