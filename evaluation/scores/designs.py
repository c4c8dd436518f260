"""Scores of designed images: whether they have the colour, the shape and the pattern that were asked for."""

from __future__ import annotations

import numpy as np


def colour_errors(images: np.ndarray, masks: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Euclidean distance of the mean colour within the mask to a colour.

    Arguments:
        images: ``[n, 3, S, S]``, 0…1.
        masks: shares of each pixel ``[n, S, S]``, 0…1.
        colours: red, green and blue ``[n, 3]``, 0…1.

    Returns:
        ``[n]``, 0 to the square root of 3.

    Example:
        >>> grey = np.full((1, 3, 2, 2), 0.5)
        >>> colour_errors(grey, np.ones((1, 2, 2)), np.array([[0.5, 0.5, 0.9]])).round(3).tolist()
        [0.4]
    """
    found: np.ndarray = np.linalg.norm(mean_colours(images, masks) - colours, axis=1)
    return found


def mean_colours(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The mean colour within the mask, ``[n, 3]``, of images ``[n, 3, S, S]`` and masks ``[n, S, S]``."""
    images, masks = _checked(images, masks)
    weights = masks / masks.sum(axis=(1, 2), keepdims=True)
    found: np.ndarray = np.einsum("nchw,nhw->nc", images, weights)
    return found


def mask_overlaps(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Pixels in both masks over pixels in either (IoU), ``[n]``; 1 where both are empty.

    Arguments:
        found: bool ``[n, S, S]``.
        wanted: likewise.
    """
    both, either = (found & wanted).sum(axis=(1, 2)), (found | wanted).sum(axis=(1, 2))
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


def pattern_similarities(first: np.ndarray, second: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Correlation over the pixels of the mask of the brightness of two images.

    Arguments:
        first: ``[n, 3, S, S]``.
        second: likewise.
        masks: shares of each pixel ``[n, S, S]``, 0…1, the same for both.

    Returns:
        ``[n]``, −1…1; 0 where one of the images has no pattern.
    """
    one, other = (_patterns(images, masks) for images in (first, second))
    spreads = np.sqrt((one**2 * masks).sum(axis=(1, 2)) * (other**2 * masks).sum(axis=(1, 2)))
    products = (one * other * masks).sum(axis=(1, 2))
    return np.where(spreads > 1e-9, products / np.maximum(spreads, 1e-9), 0.0)


def contrasts(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Standard deviation of the brightness over the pixels of the mask, ``[n]``, in units of the images."""
    images, masks = _checked(images, masks)
    patterns = _patterns(images, masks)
    found: np.ndarray = np.sqrt((patterns**2 * masks).sum(axis=(1, 2)) / masks.sum(axis=(1, 2)))
    return found


def _patterns(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    images, masks = _checked(images, masks)
    grey = images.mean(axis=1)
    middle = (grey * masks).sum(axis=(1, 2), keepdims=True) / masks.sum(axis=(1, 2), keepdims=True)
    found: np.ndarray = grey - middle
    return found


def _checked(images: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    images, masks = np.asarray(images, dtype=np.float64), np.asarray(masks, dtype=np.float64)
    if images.ndim != 4 or images.shape[1] != 3 or masks.shape != (len(images), *images.shape[2:]):
        raise ValueError(
            f"images, masks: expected [n, 3, S, S] and [n, S, S], got {list(images.shape)} and {list(masks.shape)}"
        )
    if (empty := np.flatnonzero(masks.sum(axis=(1, 2)) <= 0)).size:
        raise ValueError(f"masks: expected pixels in each, got none in mask {empty[0]}")
    return images, masks
