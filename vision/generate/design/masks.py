"""Where the article is on a packshot, pixel by pixel, and its colour."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import binary_fill_holes, label
from torch import Tensor

from ...networks.colours import foreground

_WHITE = 0.9
"""Of full brightness; a darker border is no white ground."""

_LEAST, _MOST = 0.05, 0.9
"""Shares of the image that an article may take."""


def article_masks(pixels: np.ndarray, tolerance: float = 0.08) -> np.ndarray:
    """The largest connected part of each image that differs from the border, without holes.

    Arguments:
        pixels: uint8 ``[N, 3, S, S]``, packshots.
        tolerance: the largest difference, in one of red, green and blue (0…1), at which a pixel is ground.

    Returns:
        bool ``[N, S, S]``; all true where next to nothing differs.

    Example:
        >>> photo = np.full((1, 3, 8, 8), 255, dtype=np.uint8)
        >>> photo[:, :, 2:6, 2:6] = 40
        >>> photo[:, :, 4, 4] = 255
        >>> int(article_masks(photo).sum())
        16
    """
    found = np.empty((len(pixels), *pixels.shape[2:]), dtype=bool)
    for number, image in enumerate(pixels):
        article = foreground(torch.from_numpy(image[None]).float() / 255, tolerance)[0].numpy()
        parts, count = label(article)
        if count > 1:
            article = parts == 1 + np.bincount(parts[parts > 0] - 1).argmax()
        found[number] = binary_fill_holes(article)
    return found


def are_packshots(pixels: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Which images have a white ground with an article of a usual size inside, that touches at most two sides.

    Arguments:
        pixels: uint8 ``[N, 3, S, S]``.
        masks: bool ``[N, S, S]``, of `article_masks`.

    Returns:
        bool ``[N]``.
    """
    edges = np.concatenate([pixels[:, :, 0], pixels[:, :, -1], pixels[:, :, :, 0], pixels[:, :, :, -1]], axis=2)
    white = np.median(edges, axis=2).min(axis=1) / 255 >= _WHITE
    share = masks.mean(axis=(1, 2))
    touched = np.stack([masks[:, 0], masks[:, -1], masks[:, :, 0], masks[:, :, -1]]).any(axis=2).sum(axis=0)
    usable: np.ndarray = white & (share > _LEAST) & (share < _MOST) & (touched <= 2)
    return usable


def mean_colours(images: Tensor, masks: Tensor) -> Tensor:
    """The mean colour of each image within its mask.

    Arguments:
        images: ``[B, 3, S, S]``.
        masks: shares of each pixel ``[B, 1, S, S]``, 0…1.

    Returns:
        ``[B, 3]``, in units of the images.
    """
    return (images * masks).sum(dim=(2, 3)) / masks.sum(dim=(2, 3)).clamp_min(1e-6)
