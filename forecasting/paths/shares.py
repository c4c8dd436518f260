"""How many sample paths each member of a mixture gives, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def first_paths(paths: Sequence[np.ndarray], shares: Sequence[int]) -> np.ndarray:
    """The first paths of each member in number of its share, concatenated.

    Example:
        >>> first_paths([np.array([1, 2, 3]), np.array([4, 5, 6])], [2, 1])
        array([1, 2, 4])
    """
    return np.concatenate([each[:share] for each, share in zip(paths, shares, strict=True)])


def in_turns(shares: Sequence[int]) -> np.ndarray:
    """The order in which paths that lie member by member take turns.

    Example:
        >>> in_turns([4, 2])
        array([0, 4, 1, 2, 5, 3])
    """
    return np.concatenate([(np.arange(share) + 0.5) / max(share, 1) for share in shares]).argsort(kind="stable")


def shares_of(count: int, weights: Sequence[float]) -> list[int]:
    """Whole shares of `count` by the largest remainders, at least 1 for each weight that is not 0 if there are enough.

    Arguments:
        count: what is shared.
        weights: not negative, 1 in all.

    Example:
        >>> shares_of(100, [0.5, 0.3, 0.2]), shares_of(10, [0.98, 0.02])
        ([50, 30, 20], [9, 1])
        >>> shares_of(2, [0.1, 0.5, 0.4])
        [0, 1, 1]
    """
    due = np.asarray(weights, dtype=float) * count
    enough = np.count_nonzero(due) <= count
    shares = np.maximum(np.floor(due).astype(int), (due > 0) & enough)
    while shares.sum() < count:
        shares[np.argmax(due - shares)] += 1
    while shares.sum() > count:
        shares[np.argmax(np.where(shares > 1, shares - due, -np.inf))] -= 1
    return shares.tolist()


def as_often(probability: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Numbers ``[count]`` from 0 in random order, each as often as its probability says, or once more or less.

    Arguments:
        probability: of each, 1 in all.
        count: how many are drawn.
        generator: of the draws.

    Example:
        >>> np.sort(as_often(np.array([0.5, 0.25, 0.25]), 4, np.random.default_rng(0)))
        array([0, 0, 1, 2])
    """
    edges = np.cumsum(probability)
    levels = (np.arange(count) + generator.random()) / count
    return generator.permutation(np.searchsorted(edges, levels).clip(0, len(edges) - 1))
