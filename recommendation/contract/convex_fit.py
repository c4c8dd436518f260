"""Logistic regressions with a normal prior, of many at once that share their inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import expit

_SOME = 500
"""Trained customers whose chances are looked at, at least, where there are so many."""

_IMPOSSIBLE = -60.0
"""Log odds of what could not happen."""


@dataclass(frozen=True, eq=False)
class NormalPrior:
    """What is expected of weights before any data.

    Arguments:
        mean: ``[d]``.
        root: ``[d, d]``, a matrix whose product with its transpose is the covariance.
    """

    mean: np.ndarray
    root: np.ndarray

    @classmethod
    def of(cls, weights: np.ndarray, ridge: float = 0.1) -> NormalPrior:
        """The mean and covariance of some weights ``[C, d]``, the latter drawn towards its diagonal.

        Arguments:
            weights: those of trained customers.
            ridge: how far: 0 for the covariance as it is, 1 for its diagonal.
        """
        weights = np.asarray(weights, dtype=float)
        apart = weights - weights.mean(0)
        covariance = apart.T @ apart / max(len(weights), 1)
        spread = np.diag(covariance)
        covariance = (1 - ridge) * covariance + ridge * np.diag(spread) + 1e-8 * np.eye(len(spread))
        return cls(weights.mean(0), np.linalg.cholesky(covariance))

    @classmethod
    def learnt(cls, weights: np.ndarray, inputs: np.ndarray, offset: np.ndarray, steps: int = 5) -> NormalPrior:
        """The prior that customers come from, by empirical Bayes: what is found of them differs less than they do.

        What is found of a customer is drawn to the mean as far as it is not known; by EM the covariance of the true
        weights is that of the found ones and, beside it, the mean of their posterior covariances. These are taken at
        the mean chances of all customers (Laplace).

        Arguments:
            weights: those of trained customers ``[C, d]``.
            inputs: ``[n, d]``, those of the regressions that they were found by.
            offset: ``[n]``.
            steps: of EM.
        """
        found = cls.of(weights, ridge=0.0)
        known = found.root @ found.root.T
        some = np.asarray(weights, dtype=float)[:: max(1, len(weights) // _SOME)]
        chance = np.mean([expit(offset + inputs @ each) for each in some], axis=0)
        told = inputs.T @ (inputs * (chance * (1 - chance))[:, None])
        covariance = known
        for _ in range(steps):
            covariance = known + np.linalg.inv(told + np.linalg.inv(covariance))
        return cls(found.mean, np.linalg.cholesky((covariance + covariance.T) / 2))


def fit_logistic(
    inputs: np.ndarray,
    happened: sparse.csr_matrix,
    offset: np.ndarray,
    prior: NormalPrior,
    *,
    tolerance: float = 1e-4,
    most: int = 300,
) -> np.ndarray:
    """Weights of logistic regressions with a normal prior, the maximum of each posterior, which is unique.

    Minimises ``Σ_i [softplus(z_i) − y_i z_i] + ½ |root⁻¹ (w − mean)|²`` with ``z = offset + inputs · w`` by Newton's
    method with line search, whose Hessian is that at the prior's mean times one number for each regression.

    Arguments:
        inputs: float ``[n, d]``, shared by all.
        happened: sparse ``[m, n]``, 1 where y is.
        offset: ``[n]`` or, one for each regression, ``[m, n]``, added to the log odds; −∞ for what could not happen.
        prior: of the weights.
        tolerance: the largest entry of the gradient, in units of the prior's spread, at which it ends.
        most: steps.

    Returns:
        float64 ``[m, d]``.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> inputs, prior = rng.normal(size=(400, 2)), NormalPrior(np.zeros(2), 10 * np.eye(2))
        >>> happened = rng.random(400) < 1 / (1 + np.exp(-inputs @ [1.0, -2.0]))
        >>> fit_logistic(inputs, sparse.csr_matrix(happened[None] * 1.0), np.zeros(400), prior).round(0).tolist()
        [[1.0, -2.0]]
    """
    inputs = np.asarray(inputs, dtype=float)
    # Every regression has the same row where there is one offset for all.
    common = np.atleast_2d(np.maximum(offset, _IMPOSSIBLE) + inputs @ prior.mean)
    each = np.arange(happened.shape[0]) if len(common) > 1 else np.zeros(happened.shape[0], dtype=int)
    whitened = inputs @ prior.root
    chance = expit(common)
    weight = (chance * (1 - chance)).mean(0)
    curvature, axes = np.linalg.eigh(whitened.T @ (whitened * weight[:, None]))
    turned = whitened @ axes
    target = np.asarray(happened @ turned)
    found = np.zeros((happened.shape[0], inputs.shape[1]))
    events = np.asarray(happened.multiply(common[each]).sum(1)).ravel()

    def objective(rows: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        odds = common[each[rows]] + values @ turned.T
        cost = np.logaddexp(0, odds).sum(1) - events[rows] - (values * target[rows]).sum(1) + 0.5 * (values**2).sum(1)
        return cost, odds

    rows = np.arange(len(found))
    cost, odds = objective(rows, found)
    for _ in range(most):
        chance = expit(odds)
        gradient = chance @ turned - target[rows] + found[rows]
        open_rows = np.abs(gradient).max(1) > tolerance
        if not open_rows.any():
            break
        rows, gradient, chance, cost = rows[open_rows], gradient[open_rows], chance[open_rows], cost[open_rows]
        size = (chance * (1 - chance)).sum(1) / weight.sum()
        step = gradient / (size[:, None] * np.maximum(curvature, 0) + 1)
        slope, length = (gradient * step).sum(1), np.ones(len(rows))
        for _ in range(30):
            tried = found[rows] - length[:, None] * step
            new_cost, odds = objective(rows, tried)
            worse = new_cost > cost - 1e-4 * length * slope + 1e-10 * np.abs(cost)
            if not worse.any():
                break
            length = np.where(worse, length / 2, length)
        found[rows], cost = tried, new_cost
    return prior.mean + found @ (prior.root @ axes).T
