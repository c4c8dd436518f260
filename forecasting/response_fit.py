"""The fit of a log-linear response: all series side by side, their effects under a prior that they share."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from .effect_prior import EffectPrior
from .grouping import Entry
from .response import PRICE, LogLinear, Response, logged
from .scaling import Domain
from .spec import SeriesSpec

logger = logging.getLogger(__name__)

_START = 10.0
"""Prior standard deviation of the first log level: wide enough for any data."""

_STILL = 1e-3
"""The coefficients are found when none moves by more."""


def fit_response(entries: Sequence[Entry], spec: SeriesSpec, config: LogLinear, domain: Domain) -> Response:
    """Fit the response of every series to all channels.

    Arguments:
        entries: multivariate training entries.
        spec: names and numbers of series and channels.
        config: priors.
        domain: the values that sales can take.

    Returns:
        The posterior.

    Raises:
        ValueError: there are no covariates or they have no names, sales are negative, or a price is not above 0.
    """
    if not spec.covariates or not spec.covariate_names:
        raise ValueError(
            "response: expected feat_dynamic_real with names in 'covariates' to respond to, "
            f"got {spec.covariates} channels and {len(spec.covariate_names)} names"
        )
    names, target = spec.covariate_names, np.concatenate([entry["target"] for entry in entries], axis=1).astype(float)
    if np.nanmin(target) < 0:
        series = int(np.argwhere(target < 0)[0][0])
        raise ValueError(
            f"response: expected sales of at least 0, got {np.nanmin(target):g} in {spec.item_ids[series]!r}"
        )
    raw = np.concatenate([entry["feat_dynamic_real"][:, : entry["target"].shape[1]] for entry in entries], axis=1)
    values = logged(raw, names)
    priced = np.array([name.partition("[")[0] == PRICE for name in names])
    width = np.ptp(values, axis=1)
    span = np.where(priced | (width == 0), 1.0, width)
    centre = values.mean(axis=1)
    inputs = (values.T - centre) / span
    fits = [_SeriesFit(sales, inputs, domain == "count") for sales in target]
    prior = EffectPrior(names, spec.item_ids, prior=config.prior, own_prior=config.own_prior)
    mean = prior.mean
    for iteration in range(1, config.iterations + 1):
        before = mean
        steps = [fit.step(*known) for fit, *known in zip(fits, prior.mean, prior.variance, strict=True)]
        mean, variance = (np.array(each) for each in zip(*steps, strict=True))
        prior.learn(mean, variance)
        moved = np.abs(mean - before).max()
        if iteration % 10 == 0:
            logger.info("response: step %d of at most %d, effects moved by %.3g", iteration, config.iterations, moved)
        if moved < _STILL:
            break
    return Response(mean, np.sqrt(variance), centre, span, names, domain)


class _SeriesFit:
    """Iteratively reweighted least squares of one series, in the space of its T steps: cost does not grow with K².

    The log level is a random walk whose step size is set by EM, the dispersion is set by moments.

    Arguments:
        sales: ``[T]``, NaN for gaps.
        inputs: ``[T, K]``.
        counts: whether sales are counts.
    """

    def __init__(self, sales: np.ndarray, inputs: np.ndarray, counts: bool) -> None:
        seen = np.flatnonzero(~np.isnan(sales))
        self.counts, self.y, self.x = counts, sales[seen], inputs[seen]
        # A random walk is its start and the steps taken so far: one column a step of the data.
        self.steps = (seen[:, None] >= np.arange(1, seen[-1] + 1)).astype(float)
        self.walk = self.steps @ self.steps.T
        positive = self.y[self.y > 0]
        smallest = 0.5 if counts else max(float(positive.min()), 1e-12) / 2 if len(positive) else 1.0
        self.log_mean = np.log(np.maximum(self.y, smallest))
        self.offset, self.drift, self.dispersion = float(self.log_mean.mean()), 0.01, 0.1

    def step(self, mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One step.

        Arguments:
            mean: ``[K]`` prior means of the coefficients.
            variance: ``[K]`` prior variances.

        Returns:
            Posterior means and variances ``[K]``.
        """
        expected = np.exp(self.log_mean)
        noise = self.dispersion + (1 / expected if self.counts else 0.0)
        before = self.offset + self.x @ mean
        working = self.log_mean + (self.y - expected) / expected - before
        covariance = (self.x * variance) @ self.x.T + _START**2 + self.drift * self.walk
        inverse = np.linalg.inv(covariance + np.diag(np.broadcast_to(noise, self.y.shape)))
        weights = inverse @ working
        # A step of the Newton kind may overshoot where counts are near 0.
        self.log_mean = np.clip(before + covariance @ weights, self.log_mean - 2, self.log_mean + 2)
        taken = self.drift * self.steps.T @ weights
        left = self.drift - self.drift**2 * ((inverse @ self.steps) * self.steps).sum(0)
        self.drift = max(float(np.mean(taken**2 + left)), 1e-6)
        freedom = len(self.y) - (covariance * inverse).sum()
        self.dispersion = _dispersion(self.y, np.exp(self.log_mean), freedom, self.counts)
        known = variance**2 * ((inverse @ self.x) * self.x).sum(0)
        return mean + variance * (self.x.T @ weights), np.maximum(variance - known, 1e-12)


def _dispersion(y: np.ndarray, expected: np.ndarray, freedom: float, counts: bool) -> float:
    """The dispersion at which Pearson's statistic equals the degrees of freedom."""
    squares = ((y - expected) / expected) ** 2
    freedom = max(freedom, 1.0)
    if not counts:
        return max(float(squares.sum()) / freedom, 1e-6)
    low, high = 1e-6, 10.0
    for _ in range(40):
        middle = np.sqrt(low * high)
        more = float((squares / (middle + 1 / expected)).sum()) > freedom
        low, high = (middle, high) if more else (low, middle)
    return float(np.sqrt(low * high))
