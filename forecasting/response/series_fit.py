"""The fit of one series to what its channels do: its level, its noise, and the weights of its steps."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack
from scipy.optimize import brentq

from .level_filter import LevelFilter

_START = 10.0
"""Prior standard deviation of the first log level: wide enough for any data."""

_ROUNDING = 1e-10
"""Share of the prior variance above the rounding errors of what is taken from it."""


class SeriesFit:
    """Iteratively reweighted least squares of one series; gaps are steps without a weight.

    The log level is a random walk whose step size is set by EM, the dispersion is set by moments.

    Arguments:
        sales: ``[T]``, NaN for gaps.
        direct: ``[T, k]`` the inputs whose coefficients have a covariance.
        counts: whether sales are counts.
    """

    def __init__(self, sales: np.ndarray, direct: np.ndarray, counts: bool) -> None:
        self.counts, self.direct = counts, direct
        self.seen = ~np.isnan(sales)
        self.y = sales[self.seen]
        # Steps of the walk that some value seen has within; of an article that is yet to be launched, none.
        self.walked = slice(1, int(np.flatnonzero(self.seen)[-1]) + 1 if len(self.y) else 1)
        positive = self.y[self.y > 0]
        smallest = 0.5 if counts else max(float(positive.min()), 1e-12) / 2 if len(positive) else 1.0
        self.log_mean = np.log(np.maximum(self.y, smallest))
        self.offset = float(self.log_mean.mean()) if len(self.y) else 0.0
        self.drift, self.dispersion = 0.01, 0.1

    def step(
        self, expected: np.ndarray, covariance: np.ndarray, variance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One step, by matrices of the T steps: at most T^3 operations, however many channels there are.

        Arguments:
            expected: ``[T]`` what the channels add to the log mean, by the prior means of their coefficients.
            covariance: ``[T, T]`` of what they add, under the prior; its lower triangle is read.
            variance: ``[k]`` prior variances of the direct coefficients.

        Returns:
            The weights ``[T]`` of the steps; the lower triangle ``[T, T]`` of their inverse covariance, both 0 in gaps;
            and the posterior covariance ``[k, k]`` of the direct coefficients.
        """
        seen = self.seen
        noise, working = self._linearised(expected)
        # A random walk is its start and the steps taken so far: two of its values share those of the earlier one.
        steps = np.arange(len(seen))
        level = _START**2 + self.drift * np.minimum.outer(steps, steps)
        whole = (covariance + level) * np.outer(seen, seen)
        whole.flat[:: len(seen) + 1] += noise
        # The inverse of the whole covariance is that of its root, transposed, times it.
        root = _inverse_root(whole)
        root[~seen] = 0
        inverse = lapack.dlauum(root, lower=True)[0]
        weights = root.T @ (root @ working)
        # A step of the walk is in all values from its first one on.
        known = _from_each_on(2 * inverse.sum(0) - inverse.diagonal())[self.walked].sum()
        freedom = float((noise * inverse.diagonal())[seen].sum())
        self._settle(expected, working, noise, weights, known, freedom)
        told = (root @ self.direct) * variance
        return weights, inverse, np.diag((1 + _ROUNDING) * variance) - told.T @ told

    def step_by_state(
        self, mean: np.ndarray, variance: np.ndarray, inputs: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same step with the level as a state (`LevelFilter`): its operations grow with T K^2.

        Arguments:
            mean: ``[K]`` prior means of the coefficients.
            variance: ``[K]`` their prior variances.
            inputs: ``[K, T]`` the channels.

        Returns:
            The posterior means ``[K]`` of the coefficients and their posterior covariance ``[K, K]``.
        """
        expected = mean @ inputs
        noise, working = self._linearised(expected)
        level = LevelFilter(noise, self.seen, self.drift, _START**2)
        white = level.whitened(np.vstack([inputs, working]))
        scaled = white[:-1] * np.sqrt(variance)[:, None]
        precision = scaled @ scaled.T
        precision.flat[:: len(variance) + 1] += 1
        # The posterior covariance is the square of this, [K, K].
        root = _inverse_root(precision) * np.sqrt(variance)
        moved = root.T @ (root @ (white[:-1] @ white[-1]))
        weights = level.weighed(white[-1:] - moved @ white[:-1])[0]
        weighed = level.weighed(white[:-1])
        covariance = root.T @ root
        later = weighed[:, ::-1].cumsum(1)[:, ::-1][:, self.walked]
        known = level.steps[self.walked].sum() - (covariance * (later @ later.T)).sum()
        noisy = weighed * np.sqrt(noise)
        freedom = float((noise * level.diagonal).sum() - (covariance * (noisy @ noisy.T)).sum())
        self._settle(expected, working, noise, weights, known, freedom)
        return mean + moved, covariance

    def _linearised(self, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The noise ``[T]`` around the log mean, 1 in gaps, and what there is to explain beside what is expected."""
        seen, mean = self.seen, np.exp(self.log_mean)
        noise, working = np.ones(len(seen)), np.zeros(len(seen))
        noise[seen] = self.dispersion + (1 / mean if self.counts else 0.0)
        working[seen] = self.log_mean + (self.y - mean) / mean - (self.offset + expected[seen])
        return noise, working

    def _settle(
        self,
        expected: np.ndarray,
        working: np.ndarray,
        noise: np.ndarray,
        weights: np.ndarray,
        known: float,
        freedom: float,
    ) -> None:
        """Take in what was found: the log mean, the size of the steps of the walk, and the dispersion.

        Arguments:
            expected: ``[T]`` what the channels were to add.
            working: ``[T]`` what there was to explain beside it.
            noise: ``[T]`` variances around the log mean.
            weights: ``[T]`` the weights of the steps.
            known: the sum, over the steps of the walk, of what the data say of each, in precision.
            freedom: the degrees of freedom that the explained leave.
        """
        seen = self.seen
        found = (self.offset + expected + working - noise * weights)[seen]
        # A step of the Newton kind may overshoot where counts are near 0.
        self.log_mean = np.clip(found, self.log_mean - 2, self.log_mean + 2)
        taken = self.drift * _from_each_on(weights)[self.walked]
        if len(taken):
            self.drift = max(float(np.mean(taken**2) + self.drift - self.drift**2 * known / len(taken)), 1e-6)
        self.dispersion = _dispersion(self.y, np.exp(self.log_mean), freedom, self.counts)


def _inverse_root(matrix: np.ndarray) -> np.ndarray:
    """The inverse, lower triangular, of the Cholesky factor of a positive definite matrix."""
    factor, wrong = lapack.dpotrf(matrix, lower=True, clean=True)
    if wrong:
        raise np.linalg.LinAlgError("response: the covariance of a series is not positive definite")
    return lapack.dtrtri(factor, lower=True)[0]


def _from_each_on(values: np.ndarray) -> np.ndarray:
    """Sums from each place to the end."""
    return values[::-1].cumsum()[::-1]


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
