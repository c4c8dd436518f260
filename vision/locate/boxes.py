"""Boxes on photos: left, upper, right and lower side as shares of the photo's width and height."""

from __future__ import annotations

import numpy as np


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The intersection of boxes over their union (IoU), 0…1.

    Arguments:
        first: ``[..., 4]``.
        second: ``[..., 4]``, of the same shape or one that is repeated to it.

    Returns:
        ``[...]``; 0 where a box has no area.

    Example:
        >>> overlap(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.5, 0.0, 1.5, 1.0]))
        array(0.33333333)
    """
    least, most = np.maximum(first[..., :2], second[..., :2]), np.minimum(first[..., 2:], second[..., 2:])
    both = np.clip(most - least, 0, None).prod(axis=-1)
    either = area(first) + area(second) - both
    return np.asarray(np.where(either > 0, both / np.where(either > 0, either, 1), 0.0))


def area(boxes: np.ndarray) -> np.ndarray:
    """The area of boxes ``[..., 4]``; 0 where a side stands on the wrong side of the other."""
    return np.asarray(np.clip(boxes[..., 2:] - boxes[..., :2], 0, None).prod(axis=-1))


def mirrored(boxes: np.ndarray) -> np.ndarray:
    """Boxes ``[..., 4]`` on the mirror images of their photos."""
    return np.stack([1 - boxes[..., 2], boxes[..., 1], 1 - boxes[..., 0], boxes[..., 3]], axis=-1)


def on_square(boxes: np.ndarray, width: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Boxes on photos as boxes on the squares to which the photos are padded.

    Arguments:
        boxes: ``[n, 4]``.
        width: ``[n]``, pixels.
        height: ``[n]``, pixels.
    """
    scale, shift = _fitted(width, height)
    return boxes * scale + shift


def from_square(boxes: np.ndarray, width: np.ndarray, height: np.ndarray) -> np.ndarray:
    """The inverse of `on_square`, within the photo."""
    scale, shift = _fitted(width, height)
    found: np.ndarray = np.clip((boxes - shift) / scale, 0, 1)
    return found


def _fitted(width: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sides = np.stack([width, height, width, height], axis=-1).astype(float)
    scale = sides / sides.max(axis=-1, keepdims=True)
    return scale, (1 - scale) / 2
