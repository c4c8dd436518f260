"""The photos of some articles of a catalogue."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .photos import Pictures


def photos_of(pictures: Pictures, numbers: np.ndarray) -> Pictures:
    """The photos of some articles, which are numbered anew in the order in which they are given.

    Arguments:
        pictures: the photos of a catalogue.
        numbers: int64 ``[n]``, numbers of articles in the catalogue, each once.

    Example:
        >>> three = Pictures(np.zeros((3, 1, 2, 2), np.uint8), np.array([0, 1, 1]), ("a", "b", "c"), ("x", "y", "z"))
        >>> some = photos_of(three, np.array([1, 0]))
        >>> some.article.tolist(), some.addresses
        ([0, 0, 1], ('b', 'c', 'a'))
    """
    first = np.searchsorted(pictures.article, numbers)
    counts = np.searchsorted(pictures.article, numbers, side="right") - first
    rows = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    return replace(
        pictures,
        pixels=pictures.pixels[rows],
        article=np.repeat(np.arange(len(numbers)), counts),
        addresses=tuple(pictures.addresses[row] for row in rows),
        content=tuple(pictures.content[row] for row in rows),
        quarantine=(),
    )
