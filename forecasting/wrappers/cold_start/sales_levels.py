"""At which level each article sells, apart from the season that all share."""

from __future__ import annotations

import numpy as np

_SWEEPS = 30


def levels_and_index(sales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Levels of articles and the index of the steps that all share, :math:`y_{it} \approx a_i c_t`.

    The maximum-likelihood estimate of a Poisson model with both effects, which sums do without logarithms: an article
    that was sold in the high season only is not taken for one that sells well.

    Arguments:
        sales: ``[D, T]``, at least 0, NaN where missing.

    Returns:
        The levels ``[D]``, NaN of an article without a value, of one that sold nothing as if it had sold half of the
        smallest sale of all, and the index ``[T]``, mean 1 over the steps at which
        something was seen, and 1 elsewhere.

    Example:
        >>> season = np.array([1.0, 3.0, 1.0, 3.0])
        >>> levels, index = levels_and_index(np.array([10 * season, 2 * np.where(season > 1, season, np.nan)]))
        >>> levels.round(2), index.round(2)
        (array([20.,  4.]), array([0.5, 1.5, 0.5, 1.5]))
    """
    seen = ~np.isnan(sales)
    values = np.where(seen, sales, 0.0)
    index = np.ones(sales.shape[1])
    told = seen.any(0)
    levels = np.zeros(len(sales))
    for _ in range(_SWEEPS):
        levels = values.sum(1) / np.maximum(seen @ index, 1e-300)
        found = values.sum(0) / np.maximum(levels @ seen, 1e-300)
        mean = found[told].mean() if told.any() else 1.0
        index = np.where(told, found / mean, 1.0) if mean > 0 else index
    return np.where(seen.any(1), _above_0(values, seen) / np.maximum(seen @ index, 1e-300), np.nan), index


def last_levels(sales: np.ndarray, index: np.ndarray, steps: int) -> np.ndarray:
    """Levels ``[D]`` by the last steps of each article at which it was seen, on top of an index of the steps.

    Arguments:
        sales: ``[D, T]``, NaN where missing.
        index: ``[T]`` of the steps; see `levels_and_index`.
        steps: of each article, at most.
    """
    seen = ~np.isnan(sales)
    latest = seen & (np.cumsum(seen[:, ::-1], axis=1)[:, ::-1] <= steps)
    return _above_0(np.where(latest, sales, 0.0), latest) / np.maximum(latest @ index, 1e-300)


def _above_0(sales: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """What articles sold in all ``[D]``; half of the smallest sale where that was nothing."""
    return np.maximum(sales.sum(1), least(sales[seen]))


def least(sales: np.ndarray) -> float:
    """Continuity correction for zeros: half of the smallest sale; 0.5 if there is none.

    Example:
        >>> least(np.array([0.0, 0.02, np.nan, 0.03]))
        0.01
    """
    sold = sales[sales > 0]
    return float(sold.min()) / 2 if len(sold) else 0.5
