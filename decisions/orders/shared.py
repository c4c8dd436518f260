"""How much of what several articles are made of to have before it is known which of them will sell."""

from __future__ import annotations

import numpy as np


def shared_stock(needs: np.ndarray, missing: np.ndarray, left: float) -> float:
    r"""The common stock of least expected cost, from which what sells is served, the dearest first.

    Fabric, a warehouse behind many stores, or a producer's capacity is bought before it is known which article takes
    it. A path with demand beyond the stock leaves out what costs least to miss. Without differences between articles
    it is the newsvendor's quantile of the sum of all needs, so that needs which rise together ask for more of it, or,
    where a missing unit costs less than one that is left over, for less.

    Arguments:
        needs: ``[S, D]``, units.
        missing: what a missing unit of each article costs, ``[D]``, money.
        left: what a unit costs that is left over, money.

    Returns:
        Units: the smallest quantity of which one more would not save anything.

    Example:
        >>> needs = np.array([[1.0, 3.0], [4.0, 2.0], [5.0, 5.0], [9.0, 9.0]])
        >>> shared_stock(needs, np.array([3.0, 3.0]), left=1.0)
        10.0
    """
    dearest = np.argsort(-missing, kind="stable")
    ends = np.maximum(needs[:, dearest], 0).cumsum(1)
    worth = np.append(missing[dearest], -left)
    edges = np.unique(np.concatenate([[0.0], ends.ravel()]))

    def saves(quantity: float) -> float:
        return float(worth[(ends <= quantity).sum(1)].mean())

    low, high = 0, len(edges) - 1
    if saves(edges[low]) <= 0:
        return 0.0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if saves(edges[middle]) > 0 else (low, middle)
    return float(edges[high])
