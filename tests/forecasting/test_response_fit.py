"""The fit of a response to all series at once is that of each of them, by dense formulas."""

import numpy as np
import pytest
from hemline.datasets import simulated_sales
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting.response import fit as response_fit
from hemline.forecasting.response.prior import EffectPrior
from hemline.forecasting.response.response import LogLinear
from hemline.forecasting.windows.spec import infer_spec
from scipy.optimize import brentq

DATA = simulated_sales(articles=6, weeks=90, seed=3, windows=1, style_size=3, stockouts=0.1)
ENTRIES = as_multivariate(DATA.train)
STEPS = 4


def fitted(domain, iterations=STEPS):
    spec = infer_spec(ENTRIES, freq="W-SUN", prediction_length=8)
    return response_fit.fit_response(ENTRIES, spec, LogLinear(iterations=iterations), domain)


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
        return brentq(lambda each: (squares / (each + 1 / expected)).sum() - freedom, 1e-6, 10.0, xtol=1e-14)


@pytest.mark.parametrize("domain", ["count", "nonnegative"])
def test_the_fit_is_that_of_each_series_by_dense_formulas(domain):
    assert np.isnan(ENTRIES[0]["target"]).any(axis=1).all()  # gaps everywhere, in places of their own
    response = fitted(domain)
    inputs = response.inputs(ENTRIES[0]["feat_dynamic_real"][:, : ENTRIES[0]["target"].shape[1]])
    fits = [Dense(sales, inputs, domain == "count") for sales in ENTRIES[0]["target"].astype(float)]
    prior = EffectPrior(response.names, DATA.metadata.item_ids, prior=0.5, own_prior=3.0)
    for _ in range(STEPS):
        steps = [fit.step(*known) for fit, *known in zip(fits, prior.mean, prior.variance, strict=True)]
        means, posteriors = (np.array(each) for each in zip(*steps, strict=True))
        prior.learn(means, np.diagonal(posteriors, axis1=1, axis2=2))
    np.testing.assert_allclose(response.mean, means, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(response.deviation**2, np.diagonal(posteriors, axis1=1, axis2=2), rtol=1e-5)
    for root, posterior, direct in zip(response.root, posteriors, response.direct, strict=True):
        np.testing.assert_allclose(root @ root.T, posterior[direct][:, direct], rtol=1e-5, atol=1e-8)


def test_series_side_by_side_are_fitted_as_in_turns(monkeypatch):
    together = fitted("count")
    monkeypatch.setattr(response_fit, "_ROOM", 1)
    in_turns = fitted("count")
    np.testing.assert_allclose(in_turns.mean, together.mean, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(in_turns.root, together.root, rtol=1e-7, atol=1e-9)
