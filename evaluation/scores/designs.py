"""Scores of designed images: whether they have the colour, the shape and the pattern that were asked for."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

_SPREAD, _REACH = 1.5, 3.5
"""Of the window of the structural similarity, in pixels and in spreads: 11 × 11 pixels."""


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


def structural_similarities(first: np.ndarray, second: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Structural similarity (SSIM) of two images, the mean over the pixels of the mask and the channels.

    Means, variances and the covariance are those of a Gaussian window of 11 × 11 pixels about each pixel.

    Arguments:
        first: ``[n, 3, S, S]``, 0…1.
        second: likewise.
        masks: shares of each pixel ``[n, S, S]``, 0…1.

    Returns:
        ``[n]``, −1…1; 1 for equal images.

    Example:
        >>> image = np.random.default_rng(0).random((1, 3, 16, 16))
        >>> structural_similarities(image, image, np.ones((1, 16, 16))).round(6).tolist()
        [1.0]

    Source: Z. Wang et al. (2004), doi:10.1109/TIP.2003.819861, equation 13, with K = 0.01 and 0.03.
    """
    (first, masks), (second, _) = _checked(first, masks), _checked(second, masks)

    def smooth(images: np.ndarray) -> np.ndarray:
        found: np.ndarray = gaussian_filter(images, (0, 0, _SPREAD, _SPREAD), truncate=_REACH, mode="mirror")
        return found

    one, other = smooth(first), smooth(second)
    within = smooth(first**2) - one**2 + smooth(second**2) - other**2
    between = smooth(first * second) - one * other
    alike = (2 * one * other + 1e-4) * (2 * between + 9e-4) / ((one**2 + other**2 + 1e-4) * (within + 9e-4))
    found: np.ndarray = mean_colours(alike, masks).mean(axis=1)
    return found


def colour_leaks(first: np.ndarray, second: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Euclidean distance of the mean colours of two designs that differ in the texture alone.

    Arguments:
        first: ``[n, 3, S, S]``, 0…1.
        second: likewise, the same colours and masks with other textures.
        masks: shares of each pixel ``[n, S, S]``, 0…1.

    Returns:
        ``[n]``, 0 to the square root of 3; 0 where the texture says nothing of the colour.
    """
    return colour_errors(first, masks, mean_colours(second, masks))


def changes_outside(before: np.ndarray, after: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Mean absolute difference of two images where a mask is 0, over pixels and channels, ``[n]``.

    Arguments:
        before: ``[n, 3, H, W]``, 0…1.
        after: likewise.
        masks: shares of each pixel ``[n, H, W]``, 0…1; 0 where nothing was to change.

    Example:
        >>> one, mask = np.zeros((1, 3, 2, 2)), np.array([[[1.0, 0.0], [0.0, 0.0]]])
        >>> changes_outside(one, one + 0.3, mask).round(3).tolist()
        [0.3]
    """
    outside = (np.asarray(masks) == 0).astype(np.float64)
    changed = (np.abs(np.asarray(after) - np.asarray(before)).mean(axis=1) * outside).sum(axis=(1, 2))
    found: np.ndarray = changed / np.maximum(outside.sum(axis=(1, 2)), 1)
    return found


def explained_share(told: np.ndarray, found: np.ndarray) -> float:
    """Share of the variance of numbers that a linear probe finds in others: R² of ridge regression, leave-one-out.

    ``1 − Σ (y − ŷ)² / Σ (y − ȳ)²``, where each row is predicted by a fit to all others, with the ridge that is best.

    Arguments:
        told: what the probe reads, ``[n, F]``, such as the latent vectors of textures.
        found: what it is to tell, ``[n, K]``, such as the differences of mean colours from those that were asked for.

    Returns:
        At most 1; 0 or less where nothing linear leaks.

    Raises:
        ValueError: there are fewer than three rows, or not as many of both.

    Source: as a probe of representations G. Alain and Y. Bengio (2016), arXiv 1610.01644; leave-one-out in closed form
    D. M. Allen (1974), doi:10.1080/00401706.1974.10489157.
    """
    told, found = np.asarray(told, dtype=np.float64), np.asarray(found, dtype=np.float64)
    if told.ndim != 2 or found.ndim != 2 or len(told) != len(found) or len(told) < 3:
        raise ValueError(
            f"told, found: expected three or more rows of both, got {list(told.shape)} and {list(found.shape)}"
        )
    left, values, _ = np.linalg.svd(told - told.mean(axis=0), full_matrices=False)
    apart = found - found.mean(axis=0)
    count, total = len(told), float(np.square(apart * len(told) / (len(told) - 1)).sum())
    if total < 1e-12:
        return 0.0
    best = -np.inf
    for ridge in np.square(max(float(values[0]), 1e-12)) * np.logspace(-6, 3, 28):
        shrink = values**2 / (values**2 + ridge)
        leverage = np.square(left) @ shrink + 1 / count
        missed = (apart - left @ (shrink[:, None] * (left.T @ apart))) / (1 - leverage).clip(1e-9)[:, None]
        best = max(best, 1 - float(np.square(missed).sum()) / total)
    return best


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
