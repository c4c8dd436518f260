"""Reconciliation against hierarchicalforecast on the same base forecasts and residuals."""

from __future__ import annotations

import numpy as np
import pytest
from hemline.datasets.hierarchies.hierarchy import Hierarchy
from hemline.forecasting.paths.reconciliation import error_covariance, moves, reconciling_gain

METHODS = {"ols": "ols", "structural": "wls_struct", "variance": "wls_var", "shrink": "mint_shrink"}


@pytest.fixture
def shop() -> Hierarchy:
    items = tuple(f"a{number}" for number in range(7))
    return Hierarchy(
        items,
        {"category": ("x", "x", "x", "y", "y", "z", "z"), "brand": ("p", "q", "p", "q", "p", "q", "p")},
    )


@pytest.mark.parametrize("weights", sorted(METHODS))
def test_paths_are_those_of_hierarchicalforecast(shop: Hierarchy, weights: str) -> None:
    methods = pytest.importorskip("hierarchicalforecast.methods", reason="hierarchicalforecast is not installed")
    rng = np.random.default_rng(0)
    names, matrix = shop.aggregates()
    series = len(shop.item_ids)
    mixing = rng.normal(size=(len(names) + series,) * 2) * 0.3 + np.eye(len(names) + series)
    errors = mixing @ rng.normal(size=(len(mixing), 60)) * rng.gamma(2, size=(len(mixing), 1))
    base = rng.normal(50, 10, size=(len(mixing), 5))
    summing = np.vstack([matrix, np.eye(series)])
    insample = rng.normal(size=errors.shape)
    theirs = methods.MinTrace(method=METHODS[weights], nonnegative=False, mint_shr_ridge=0.0).fit_predict(
        S=summing, y_hat=base, y_insample=insample, y_hat_insample=insample - errors
    )["mean"]
    gain = reconciling_gain(error_covariance(errors, weights, matrix), matrix)
    below, above = base[len(names) :].T[None], base[: len(names)].T[None]
    ours = (below + moves(below, above, matrix, gain))[0].T
    np.testing.assert_allclose(ours, theirs[len(names) :], rtol=1e-6)
    np.testing.assert_allclose(matrix @ ours, theirs[: len(names)], rtol=1e-6)
