"""The fit of a response to all series at once is that of each of them, by dense formulas."""

import numpy as np
import pytest
from hemline.datasets import simulated_sales
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting.response import fit as response_fit
from hemline.forecasting.response.prior import EffectPrior
from hemline.forecasting.response.response import LogLinear
from hemline.forecasting.response.series_fit import SeriesFit
from hemline.forecasting.windows.spec import infer_spec
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

LONG = simulated_sales(articles=6, weeks=90, seed=3, windows=1, style_size=3, stockouts=0.1)
WIDE = simulated_sales(articles=12, weeks=32, seed=2, windows=1, style_size=3, stockouts=0.1)
"""25 channels over 24 steps: fitted by matrices of the steps."""
STEPS = 4


def fitted(domain, data=LONG, iterations=STEPS):
    entries = as_multivariate(data.train)
    spec = infer_spec(entries, freq="W-SUN", prediction_length=8)
    return response_fit.fit_response(entries, spec, LogLinear(iterations=iterations), domain)


class Dense:
    """One series in the space of the coefficients; the walk as a column a step, inverses in full."""

    def __init__(self, sales, inputs, counts):
        seen = np.flatnonzero(~np.isnan(sales))
        self.x, self.y, self.counts = inputs[seen], sales[seen], counts
        self.walk = (seen[:, None] >= np.arange(1, seen[-1] + 1)).astype(float)
        self.log_mean = np.log(np.maximum(self.y, 0.5 if counts else self.y[self.y > 0].min() / 2))
        self.offset, self.drift, self.dispersion = self.log_mean.mean(), 0.01, 0.1

    def step(self, mean, variance):
        x, y, walk, expected = self.x, self.y, self.walk, np.exp(self.log_mean)
        noise = self.dispersion + (1 / expected if self.counts else 0 * expected)
        working = self.log_mean + y / expected - 1 - self.offset
        level = 10.0**2 + self.drift * walk @ walk.T
        weighed = x.T @ np.linalg.inv(level + np.diag(noise))
        posterior = np.linalg.inv(np.diag(1 / variance) + weighed @ x)
        found = posterior @ (weighed @ working + mean / variance)
        covariance = (x * variance) @ x.T + level
        inverse = np.linalg.inv(covariance + np.diag(noise))
        weights = inverse @ (working - x @ mean)
        moved = self.offset + x @ mean + covariance @ weights
        self.log_mean = np.clip(moved, self.log_mean - 2, self.log_mean + 2)
        steps = self.drift * walk.T @ weights
        spread = self.drift - self.drift**2 * np.diag(walk.T @ inverse @ walk)
        self.drift = np.mean(steps**2 + spread)
        self.dispersion = self._dispersion(len(y) - np.trace(covariance @ inverse))
        return found, posterior

    def _dispersion(self, freedom):
        expected = np.exp(self.log_mean)
        squares = (self.y / expected - 1) ** 2
        if not self.counts:
            return squares.sum() / freedom

        def surplus(each):
            return (squares / (each + 1 / expected)).sum() - freedom

        return 1e-6 if surplus(1e-6) <= 0 else brentq(surplus, 1e-6, 10.0, xtol=1e-14)


@pytest.mark.parametrize("data", [LONG, WIDE], ids=["by state", "by steps"])
@pytest.mark.parametrize("domain", ["count", "nonnegative"])
def test_the_fit_is_that_of_each_series_by_dense_formulas(domain, data):
    (entry,) = as_multivariate(data.train)
    assert np.isnan(entry.target).any()  # out of stock, each in weeks of its own
    response = fitted(domain, data)
    inputs = response.inputs(entry["feat_dynamic_real"][:, : entry.length])
    fits = [Dense(sales, inputs, domain == "count") for sales in entry.target.astype(float)]
    prior = EffectPrior(response.names, data.metadata.item_ids, prior=0.5, own_prior=3.0)
    for _ in range(STEPS):
        steps = [fit.step(*known) for fit, *known in zip(fits, prior.mean, prior.variance, strict=True)]
        means, posteriors = (np.array(each) for each in zip(*steps, strict=True))
        prior.learn(means, np.diagonal(posteriors, axis1=1, axis2=2))
    np.testing.assert_allclose(response.mean, means, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(response.deviation**2, np.diagonal(posteriors, axis1=1, axis2=2), rtol=1e-5)
    for root, posterior, direct in zip(response.root, posteriors, response.direct, strict=True):
        np.testing.assert_allclose(root @ root.T, posterior[direct][:, direct], rtol=1e-5, atol=1e-8)


def test_series_side_by_side_are_fitted_as_in_turns(monkeypatch):
    together = fitted("count", WIDE)
    monkeypatch.setattr(response_fit, "_ROOM", 1)
    in_turns = fitted("count", WIDE)
    np.testing.assert_allclose(in_turns.mean, together.mean, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(in_turns.root, together.root, rtol=1e-7, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    steps=st.integers(3, 80),
    channels=st.integers(1, 30),
    counts=st.booleans(),
    gaps=st.floats(0, 0.7),
    level=st.floats(-2, 6),
    seed=st.integers(0, 10_000),
)
def test_a_step_by_state_is_that_by_matrices_of_the_steps(steps, channels, counts, gaps, level, seed):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(channels, steps))
    sales = rng.poisson(np.exp(level + 0.3 * inputs[0] + rng.normal(0, 0.1, steps).cumsum())).astype(float)
    sales += 0.0 if counts else rng.random(steps)
    sales[rng.random(steps) < gaps] = np.nan
    sales[rng.integers(steps)] = 1.0
    mean, variance = 0.1 * rng.normal(size=channels), rng.gamma(1, 1, channels) * rng.choice([1e-6, 1, 9], channels)
    own = np.arange(min(channels, 3))
    by_steps, by_state = (SeriesFit(sales, inputs[own].T, counts) for _ in range(2))
    for _ in range(5):
        weights, triangle, block = by_steps.step(mean @ inputs, (inputs.T * variance) @ inputs, variance[own])
        inverse = np.tril(triangle) + np.tril(triangle, -1).T
        told = np.einsum("kt,ts,ks->k", inputs, inverse, inputs)
        found, covariance = by_state.step_by_state(mean, variance, inputs)
        np.testing.assert_allclose(found, mean + variance * (inputs @ weights), atol=1e-6)
        np.testing.assert_allclose(covariance.diagonal(), variance - variance**2 * told, atol=1e-6 * variance.max())
        np.testing.assert_allclose(covariance[np.ix_(own, own)], block, atol=1e-6 * variance.max())
        for name in ("drift", "dispersion", "log_mean"):
            np.testing.assert_allclose(getattr(by_state, name), getattr(by_steps, name), rtol=1e-6, atol=1e-6)
