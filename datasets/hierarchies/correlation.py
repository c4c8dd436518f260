"""Series in parts of limited size, those that change together in one part."""

from __future__ import annotations

import numpy as np


def correlated_parts(values: np.ndarray, size: int) -> np.ndarray:
    """Divide series into parts of nearly equal size, in each of which changes are as correlated as can be had cheaply.

    The changes of each series from step to step are standardised, so that the distance of two series falls with their
    correlation. A set that is too large is divided where its series lie along the direction in which they differ most:
    principal direction divisive partitioning (Boley 1998, doi 10.1023/A:1009740529316), here into halves that differ by
    one part at most. It takes T² D numbers and a decomposition of T by T a division, so that any number of series will
    do, and nothing is drawn.

    Arguments:
        values: ``[D, T]``, data units, NaN where missing.
        size: the most series of a part.

    Returns:
        int ``[D]``, the part of each series, from 0.

    Example:
        >>> up, swing = np.array([1.0, 2.0, 4.0, 8.0]), np.array([1.0, 3.0, 1.0, 3.0])
        >>> correlated_parts(np.stack([up, swing, 2 * up, 5 * swing]), 2).tolist()
        [0, 1, 0, 1]
    """
    changes = np.diff(values.astype(np.float64), axis=1)
    known = ~np.isnan(changes)
    count = np.maximum(known.sum(1, keepdims=True), 1)
    centred = np.where(known, changes - np.where(known, changes, 0).sum(1, keepdims=True) / count, 0)
    length = np.sqrt((centred**2).sum(1, keepdims=True))
    unit = centred / np.where(length > 0, length, 1)
    places = np.zeros(len(values), dtype=np.int64)
    waiting, found = [np.arange(len(values))], 0
    while waiting:
        rows = waiting.pop()
        wanted = -(-len(rows) // size)
        if wanted <= 1:
            places[rows] = found
            found += 1
            continue
        inside = unit[rows] - unit[rows].mean(0)
        direction = np.linalg.eigh(inside.T @ inside)[1][:, -1]
        # An eigenvector has no sign of its own: the first series says where the first half is.
        along = inside @ direction
        order = np.argsort(along if along[0] <= 0 else -along, kind="stable")
        first = -(-len(rows) * ((wanted + 1) // 2) // wanted)
        waiting += [np.sort(rows[order[first:]]), np.sort(rows[order[:first]])]
    return places
