"""Ridge regression of log sales levels on descriptors, with its posterior."""

from __future__ import annotations

import numpy as np

from ...paths.shares import as_often
from .descriptors import Likeness, alike


def foretold_levels(
    levels: np.ndarray,
    told: np.ndarray,
    asked: np.ndarray,
    likeness: Likeness,
    count: int,
    generator: np.random.Generator,
) -> np.ndarray:
    r"""Draws of the log levels of new articles from those of known articles.

    .. math:: \ell_{sn} = \hat m(x_n) + \tilde x_n^\top \delta_s + z_{d(s, n)} + \log\kappa, \qquad
        \delta_s \sim N(0, \hat\sigma^2 A^{-1}), \qquad z_d = (\log a_d - \hat m(x_d)) / \sqrt{1 - h_d}

    with :math:`\hat m` the ridge regression of log levels on descriptors. How little is known of its coefficients
    (:math:`\delta_s`, their posterior) is shared by all new articles of a path; what descriptors do not say is the
    error of one of the known articles, by its leverage h of the size of an error in foretelling, drawn for each new one
    by how close what was foretold of it lies. As errors of logarithms do not cancel in units, :math:`\kappa` makes the
    known articles, each foretold from the others, sum to what they sell, as far as it stands out of its own error
    (the smearing estimate of Duan 1983, doi 10.1080/01621459.1983.10478017, has the mean error there). Nothing is
    foretold beyond the levels seen.

    Arguments:
        levels: ``[D]`` of the known articles, above 0.
        told: ``[D, p]`` their descriptors.
        asked: ``[N, p]`` those of the new ones.
        likeness: what descriptors count.
        count: draws S.
        generator: of the draws.

    Returns:
        ``[S, N]``.
    """
    fit = LevelRegression(told, np.log(levels), likeness.ridge)
    likely = alike(fit.foretold[:, None], fit.means(asked).clip(*fit.seen)[:, None], likeness.width)
    everyone = np.arange(len(levels))
    known = alike(fit.foretold[:, None], fit.foretold[:, None], likeness.width, of=everyone)
    expected = (known * np.exp(fit.foretold[:, None] + fit.errors_of(everyone))).sum(1)
    drawn = (fit.means(asked) + fit.doubts(asked, count, generator)).clip(*fit.seen)
    errors = [fit.errors[as_often(chances, count, generator)] for chances in likely]
    return drawn + np.reshape(errors, (len(asked), count)).T + _common_error(levels, expected)


def _common_error(levels: np.ndarray, expected: np.ndarray) -> float:
    """The logarithm of what levels have to be multiplied by to sum up, as far as it stands out of its own error."""
    times = levels.sum() / expected.sum()
    doubt = np.sqrt(len(levels)) * (levels - times * expected).std() / levels.sum()
    found = float(np.log(times))
    return found * max(0.0, 1 - (doubt / found) ** 2) if found else 0.0


def explained(levels: np.ndarray, told: np.ndarray, ridge: float) -> float:
    """Leave-one-out R² of log levels on descriptors, at least 0.

    Arguments:
        levels: ``[D]``, above 0.
        told: ``[D, p]`` descriptors.
        ridge: see `Likeness`.
    """
    logs = np.log(levels)
    missed = [float(((logs - LevelRegression(told, logs, each).foretold) ** 2).mean()) for each in (ridge, np.inf)]
    return max(0.0, 1 - missed[0] / missed[1]) if missed[1] else 0.0


class LevelRegression:
    """Ridge regression of log levels on descriptors: the posterior under a normal prior of the coefficients.

    Arguments:
        told: ``[D, p]``.
        logs: ``[D]``.
        ridge: see `Likeness`.
    """

    def __init__(self, told: np.ndarray, logs: np.ndarray, ridge: float) -> None:
        count, columns = told.shape
        self.centre, self.mean, self.seen = told.mean(0), float(logs.mean()), (logs.min(), logs.max())
        centred = told - self.centre
        inverse = np.zeros((columns, columns))
        if columns and np.isfinite(ridge):
            inverse = np.linalg.inv(centred.T @ centred + ridge * count * np.eye(columns))
            inverse = (inverse + inverse.T) / 2
        self.slope = inverse @ (centred.T @ (logs - self.mean))
        self.own = (1 / count + np.einsum("dp,pq,dq->d", centred, inverse, centred)).clip(max=1 - 1e-6)
        left = logs - self.means(told)
        self.errors = left / np.sqrt(1 - self.own)
        """``[D]``, of the variance of what descriptors do not say."""
        spread = float(self.errors.std())
        values, vectors = np.linalg.eigh(inverse)
        self.root, self.level_doubt = spread * vectors * np.sqrt(values.clip(0)), spread / np.sqrt(count)
        self.foretold = (logs - left / (1 - self.own)).clip(*self.seen)
        """What the regression without an article says of it ``[D]``."""

    def means(self, asked: np.ndarray) -> np.ndarray:
        """Posterior mean of log levels ``[N]`` given descriptors ``[N, p]``."""
        return self.mean + (asked - self.centre) @ self.slope

    def doubts(self, asked: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
        """Draws ``[S, N]`` of the error of the means, coefficients shared within a draw."""
        slopes = generator.normal(size=(count, self.root.shape[1])) @ self.root.T
        return self.level_doubt * generator.normal(size=(count, 1)) + slopes @ (asked - self.centre).T

    def errors_of(self, judged: np.ndarray) -> np.ndarray:
        """Leave-one-out errors ``[N, D]`` of known articles, scaled to each new article."""
        return self.errors / np.sqrt(1 - self.own[judged, None])
