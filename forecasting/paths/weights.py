"""The weights of a mixture of forecasts that had the best energy score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from ...evaluation.scores.mixtures import model_distances, weighted_energy

_DIGITS = 1e9
"""How much further from the truth than the nearest model one may be, for the digits to tell its score."""

_HOPELESS = 1e3
"""Relative score of a model that is no part of a mixture; one beyond leaves the search for weights no digits."""


def pool_weights(
    drawn: Sequence[np.ndarray], truth: np.ndarray, smallest: float = 0.0, shrinkage: float = 0.0
) -> np.ndarray:
    """The weights of the mixture with the best energy score, of one series the CRPS, relative to the best model.

    Arguments:
        drawn: for each of J models the paths ``[W, S, H, D]`` of W windows.
        truth: ``[W, H, D]``, NaN where missing.
        smallest: smaller weights are set to 0, and the others found again without them.
        shrinkage: of the weights towards equal ones, on the scale of the relative score.

    Returns:
        ``[J]``, not negative, 1 in all.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> truth = rng.normal(size=(5, 4, 3))
        >>> low, high, off = (rng.normal(size=(5, 60, 4, 3)) * 0.5 + bias for bias in (-1, 1, 4))
        >>> pool_weights([low, high, off], truth, smallest=0.1).round(1)
        array([0.5, 0.5, 0. ])
    """
    return weights_of(*model_distances(drawn, truth), smallest, shrinkage)


def weights_of(distance: np.ndarray, between: np.ndarray, smallest: float = 0.0, shrinkage: float = 0.0) -> np.ndarray:
    """The same from distances ``[J]`` to what came and ``[J, J]`` between models, as `model_distances` finds them."""
    count = len(distance)
    alone = np.array([weighted_energy(distance, between, only) for only in np.eye(count)])
    known = distance <= _DIGITS * distance.min()
    # Without pairs of a path with itself a score may be 0, or by chance less.
    best = max(float(alone[known].min()), 1e-6 * float(distance.min())) or 1.0
    allowed = np.flatnonzero(known & (alone <= _HOPELESS * best))
    # The squared distance to equal weights is that to 0, but for a constant: they are 1 in all.
    distance, between = distance / best, between / best - 2 * shrinkage * np.eye(count)
    while True:
        weights = np.zeros(count)
        weights[allowed] = _on_simplex(distance[allowed], between[np.ix_(allowed, allowed)])
        kept = np.flatnonzero(weights >= min(smallest, weights.max()))
        if len(kept) == len(allowed) or not smallest:
            return weights
        allowed = kept


def _on_simplex(distance: np.ndarray, between: np.ndarray) -> np.ndarray:
    """The weights of least energy score, not negative and 1 in all."""
    count = len(distance)
    found = minimize(
        lambda w: weighted_energy(distance, between, w),
        np.full(count, 1 / count),
        jac=lambda w: distance - between @ w,
        bounds=[(0, 1)] * count,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(count)},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    weights = found.x.clip(0)
    return weights / weights.sum()
