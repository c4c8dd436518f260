"""Paths of a part of the series that go with joint paths of the parts' totals."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

BLOCK = 500
"""Paths among which partners are sought at once: more would take time by the cube of their number."""


def matched(sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Which path of a part goes with each path of its total.

    Whole paths are given out, so that no series loses its course over time: those whose ranks among all paths are
    nearest to those of the total, step by step and over the whole horizon, the latter as much as all steps together.
    The sum of squared distances is the least there is (linear assignment). As each path is used once, what a part
    forecasts of itself does not change, while several parts get the dependence of the paths of their totals, as ranks
    are given out by a Schaake shuffle (Clark et al. 2004, doi 10.1175/1525-7541(2004)005<0243:TSSAMF>2.0.CO;2), here of
    paths and not of single values.

    Arguments:
        sums: of the part's own paths ``[S, H]``.
        totals: joint paths of the total ``[S, H]``.

    Returns:
        int ``[S]``: for each path of the total the number of the part's.

    Example:
        >>> matched(np.array([[1.0], [9.0], [5.0]]), np.array([[30.0], [10.0], [20.0]])).tolist()
        [1, 0, 2]
    """
    order = np.empty(len(sums), dtype=np.int64)
    for first in range(0, len(sums), BLOCK):
        own, wanted = _ranks(sums[first : first + BLOCK]), _ranks(totals[first : first + BLOCK])
        distance = (wanted**2).sum(1)[:, None] - 2 * wanted @ own.T + (own**2).sum(1)
        order[first : first + BLOCK] = first + linear_sum_assignment(distance)[1]
    return order


def _ranks(courses: np.ndarray) -> np.ndarray:
    """Ranks from 0 to 1 of courses ``[S, H]`` at each step, and of their sums with the weight of all steps."""
    values = np.concatenate([courses, courses.sum(1, keepdims=True)], axis=1)
    ranks = values.argsort(0, kind="stable").argsort(0, kind="stable") / len(values)
    ranks[:, -1] *= np.sqrt(courses.shape[1])
    return ranks


def correction(paths: np.ndarray, totals: np.ndarray, strength: float, fixed: np.ndarray | None = None) -> np.ndarray:
    """By what share of their sizes paths are moved towards totals that go with them.

    Arguments:
        paths: ``[S, H, D]``, each matched with its total.
        totals: ``[S, H]``.
        strength: 0 leaves the paths; with 1 their sums are the totals.
        fixed: bool ``[H, D]``, values that have to stay as they are; ``None`` for none.

    Returns:
        ``[S, H]``, for `corrected`; 0 where a path has nothing to scale.
    """
    values = paths.astype(np.float64)
    sizes = np.abs(values) if fixed is None else np.where(fixed, 0, np.abs(values))
    whole = sizes.sum(-1)
    return np.where(whole > 0, strength * (totals - values.sum(-1)), 0) / np.where(whole > 0, whole, 1)
