"""The fit of a log-linear response: all series side by side, their effects under a prior that they share."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.linalg import blas, lapack
from scipy.optimize import brentq

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

_ROUNDING = 1e-10
"""Share of the prior variance above the rounding errors of what is taken from it."""

_TWINS = 0.95
"""Correlation beyond which two channels of an article are one."""


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
        ValueError: there are no covariates or they have no names, no channel is one of the series, sales are negative,
            or a price is not above 0.
    """
    if not spec.covariates or not spec.covariate_names:
        raise ValueError(
            "response: expected feat_dynamic_real with names in 'covariates' to respond to, "
            f"got {spec.covariates} channels and {len(spec.covariate_names)} names"
        )
    owners = {name.partition("[")[2].removesuffix("]") for name in spec.covariate_names} - {""}
    if owners and not owners & set(spec.item_ids):
        raise ValueError(
            f"item_ids: expected the series to be named as the owners of channels, such as {min(owners)!r}, got "
            f"{', '.join(map(repr, spec.item_ids[:3]))}"
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
    span = np.where(priced, 1.0, _spans(values, names))
    centre = values.mean(axis=1)
    inputs = (values.T - centre) / span
    fits = [SeriesFit(sales, inputs, domain == "count") for sales in target]
    prior = EffectPrior(names, spec.item_ids, prior=config.prior, own_prior=config.own_prior)
    direct = [np.flatnonzero(channels) for channels in prior.direct]
    _warn_of_twins(inputs, direct, names, spec.item_ids)
    mean = prior.mean
    for iteration in range(1, config.iterations + 1):
        before = mean
        steps = [fit.step(*known) for fit, *known in zip(fits, prior.mean, prior.variance, direct, strict=True)]
        found, spread, blocks = zip(*steps, strict=True)
        mean, variance = np.array(found), np.array(spread)
        prior.learn(mean, variance)
        moved = np.abs(mean - before).max()
        if iteration % 10 == 0:
            logger.info("response: step %d of at most %d, effects moved by %.3g", iteration, config.iterations, moved)
        if moved < _STILL:
            break
    root = np.zeros((len(blocks), *[max(map(len, blocks))] * 2))
    for series, block in enumerate(blocks):
        root[series, : len(block), : len(block)] = np.linalg.cholesky(block)
    return Response(mean, np.sqrt(variance), prior.direct, root, centre, span, names, domain)


def _spans(values: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The spans ``[K]`` of channels; one that never moved has the usual span of its kind, whose effects it takes."""
    width = np.ptp(values, axis=1)
    kinds = np.array([name.partition("[")[0] for name in names])
    usual = {kind: width[(kinds == kind) & (width > 0)] for kind in kinds}
    return np.array(
        [
            own or (float(np.median(usual[kind])) if len(usual[kind]) else 1.0)
            for own, kind in zip(width, kinds, strict=True)
        ]
    )


def _warn_of_twins(
    inputs: np.ndarray, direct: Sequence[np.ndarray], names: Sequence[str], item_ids: Sequence[str]
) -> None:
    """Warn of articles whose own channels say the same: no data tell apart what each of them does."""
    twins: dict[str, str] = {}
    for item, channels in zip(item_ids, direct, strict=True):
        own = [column for column in channels if names[column].endswith(f"[{item}]") and np.ptp(inputs[:, column]) > 0]
        for first, second in combinations(own, 2):
            if abs(np.corrcoef(inputs[:, first], inputs[:, second])[0, 1]) > _TWINS:
                twins.setdefault(item, f"{names[first]} and {names[second]}")
    if twins:
        warnings.warn(
            f"covariates: {next(iter(twins.values()))} move together (correlation above {_TWINS}), as do channels of "
            f"{len(twins)} of {len(item_ids)} articles; what each does alone cannot be told from such data: leave one "
            "out, or change both in a scenario",
            stacklevel=3,
        )


class SeriesFit:
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
        # A random walk is its start and the steps taken so far: two of its values share those of the earlier one.
        self.walk = np.minimum.outer(seen, seen).astype(float)
        # For each step of the walk the first value seen that has it within.
        self.first = np.searchsorted(seen, np.arange(1, seen[-1] + 1))
        positive = self.y[self.y > 0]
        smallest = 0.5 if counts else max(float(positive.min()), 1e-12) / 2 if len(positive) else 1.0
        self.log_mean = np.log(np.maximum(self.y, smallest))
        self.offset, self.drift, self.dispersion = float(self.log_mean.mean()), 0.01, 0.1

    def step(
        self, mean: np.ndarray, variance: np.ndarray, direct: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One step.

        Arguments:
            mean: ``[K]`` prior means of the coefficients.
            variance: ``[K]`` prior variances.
            direct: ``[k]`` numbers of the coefficients whose covariance is wanted.

        Returns:
            Posterior means and variances ``[K]``, and the covariance ``[k, k]``.
        """
        expected = np.exp(self.log_mean)
        noise = np.broadcast_to(self.dispersion + (1 / expected if self.counts else 0.0), self.y.shape)
        before = self.offset + self.x @ mean
        working = self.log_mean + (self.y - expected) / expected - before
        scaled = self.x * np.sqrt(variance)
        covariance = scaled @ scaled.T + _START**2 + self.drift * self.walk
        # The inverse of the whole covariance is that of its root, transposed, times it.
        root = _inverse_root(covariance + np.diag(noise))
        weights = root.T @ (root @ working)
        # A step of the Newton kind may overshoot where counts are near 0.
        self.log_mean = np.clip(before + covariance @ weights, self.log_mean - 2, self.log_mean + 2)
        # A step of the walk is in all values from its first one on.
        taken = self.drift * _from_each_on(weights)[self.first]
        left = self.drift - self.drift**2 * np.square(_from_each_on(root)).sum(0)[self.first]
        if len(self.first):
            self.drift = max(float(np.mean(taken**2 + left)), 1e-6)
        freedom = float((noise * np.square(root).sum(0)).sum())
        self.dispersion = _dispersion(self.y, np.exp(self.log_mean), freedom, self.counts)
        told = blas.dtrmm(1.0, root, self.x, lower=True) * variance
        left_over = np.maximum(variance - np.square(told).sum(0), 1e-12)
        block = np.diag((1 + _ROUNDING) * variance[direct]) - told[:, direct].T @ told[:, direct]
        return mean + variance * (self.x.T @ weights), left_over, block


def _inverse_root(matrix: np.ndarray) -> np.ndarray:
    """The inverse, lower triangular, of the Cholesky factor of a positive definite matrix."""
    factor, wrong = lapack.dpotrf(matrix, lower=True, clean=True)
    if wrong:
        raise np.linalg.LinAlgError("response: the covariance of a series is not positive definite")
    return lapack.dtrtri(factor, lower=True)[0]


def _from_each_on(values: np.ndarray) -> np.ndarray:
    """Sums along the last axis from each place to the end."""
    return values[..., ::-1].cumsum(-1)[..., ::-1]


def _dispersion(y: np.ndarray, expected: np.ndarray, freedom: float, counts: bool) -> float:
    """The dispersion at which Pearson's statistic equals the degrees of freedom."""
    squares = ((y - expected) / expected) ** 2
    freedom = max(freedom, 1.0)
    if not counts:
        return max(float(squares.sum()) / freedom, 1e-6)

    def surplus(log_dispersion: float) -> float:
        return float((squares / (np.exp(log_dispersion) + 1 / expected)).sum()) - freedom

    low, high = np.log(1e-6), np.log(10.0)
    if surplus(low) <= 0 or surplus(high) >= 0:
        return float(np.exp(low if surplus(low) <= 0 else high))
    return float(np.exp(brentq(surplus, low, high, xtol=1e-9)))
