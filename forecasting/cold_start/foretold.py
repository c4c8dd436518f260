"""How much articles without a past will sell, judged by what describes them and by those that have one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from ..seeding import as_often
from .levels import levels_and_index

RIDGES = (1e-3, 1e-2, 1e-1, 1.0, np.inf)
"""Penalties that are tried, as shares of the articles; infinite, descriptors move no level."""

WIDTHS = (0.25, 0.5, 1.0, np.inf)
"""Widths of likeness that are tried, in median distances of two articles; infinite, all articles count the same."""

JUDGED = 400
"""Articles left out in turn, at most."""

STEPS = 60
"""Steps at which their courses are judged, at most, spread over the past."""


def descriptors(numbers: np.ndarray | None, categories: np.ndarray | None, known: np.ndarray) -> np.ndarray:
    """Static features as columns of one size: numbers standardised over the known articles, 0 or 1 for categories.

    Arguments:
        numbers: ``[D, k]``, or ``None``.
        categories: whole numbers ``[D, c]``, or ``None``; one that no known article has is like none of them.
        known: bool ``[D]``.

    Returns:
        ``[D, p]``; p is 0 where nothing tells the known articles apart.

    Example:
        >>> descriptors(np.array([[1.0], [3.0], [5.0]]), np.array([[0], [0], [1]]), np.array([True, True, False]))
        array([[-1.],
               [ 1.],
               [ 3.]])
    """
    columns = [np.empty((len(known), 0))]
    if numbers is not None:
        columns.append(np.asarray(numbers, dtype=float))
    for kind in () if categories is None else np.asarray(categories).T:
        columns.append((kind[:, None] == np.unique(kind[known])).astype(float))
    table = np.concatenate(columns, axis=1)
    first = 0 if numbers is None else np.shape(numbers)[1]
    spread = table[known].std(0)
    told = spread > 1e-9 * np.maximum(np.abs(table[known]).max(0, initial=0), 1e-300)
    # Categories keep their size: two articles of another kind are equally far apart, however rare the kind is.
    size = np.where(np.arange(table.shape[1]) < first, spread, 1.0)
    return (table[:, told] - table[known][:, told].mean(0)) / size[told]


@dataclass(frozen=True)
class Likeness:
    """How much descriptors tell of the level of an article, and of whose course it takes.

    Arguments:
        ridge: penalty of the regression of log levels on descriptors, as a share of the articles: 1 halves what a
            descriptor on its own would do.
        width: of the likeness of two articles where their levels are compared, in median distances.
        course: of their likeness where their courses are.
    """

    ridge: float = np.inf
    width: float = np.inf
    course: float = np.inf


def foretold_levels(
    levels: np.ndarray,
    told: np.ndarray,
    asked: np.ndarray,
    likeness: Likeness,
    count: int,
    generator: np.random.Generator,
) -> np.ndarray:
    r"""Log levels of new articles, drawn from what those of others say.

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
    fit = _Regression(told, np.log(levels), likeness.ridge)
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


def learnt_likeness(sales: np.ndarray, told: np.ndarray, seed: int = 0) -> Likeness:
    """The likeness with the best CRPS, each known article foretold from the others: of log levels, and of courses.

    A course is what an article sells at a step beside its level and the index of the step (`levels_and_index`).

    Arguments:
        sales: ``[D, T]`` of the known articles, at least 0, NaN where missing.
        told: ``[D, p]`` descriptors.
        seed: of which articles are judged, of more than `JUDGED`.
    """
    if len(sales) < 3 or not told.shape[1]:
        return Likeness()
    judged = np.random.default_rng(seed).permutation(len(sales))[:JUDGED]
    weights = {width: alike(told, told[judged], width, of=judged) for width in WIDTHS[::-1]}
    levels, index = levels_and_index(sales)
    ridge, width = _best_of_levels(np.log(levels), told, judged)
    steps = np.linspace(0, sales.shape[1] - 1, min(STEPS, sales.shape[1])).astype(int)
    courses = sales[:, steps] / np.maximum(levels[:, None] * index[steps], 1e-300)
    return Likeness(ridge, width, _best_of_courses(courses, judged, weights))


def _best_of_levels(logs: np.ndarray, told: np.ndarray, judged: np.ndarray) -> tuple[float, float]:
    """The penalty, and then the width, with the best CRPS of log levels ``[D]``."""

    def scores(ridge: float, width: float) -> np.ndarray:
        fit = _Regression(told, logs, ridge)
        foretold = fit.foretold[:, None]
        # What the others foretell of an article, and the errors that were made with them.
        drawn = foretold[judged] + fit.errors_of(judged)
        return weighted_crps(drawn, alike(foretold, foretold[judged], width, of=judged), logs[judged])

    ridge = _clearly_best({ridge: scores(ridge, np.inf) for ridge in RIDGES})
    if np.isinf(ridge):
        # Without descriptors, what is foretold of an article is the mean of the others, which tells its own value.
        return ridge, np.inf
    return ridge, _clearly_best({width: scores(ridge, width) for width in WIDTHS})


def _best_of_courses(courses: np.ndarray, judged: np.ndarray, alike: Mapping[float, np.ndarray]) -> float:
    """The width with the best CRPS of courses ``[D, T]``, NaN where missing."""
    found = {}
    for width, weights in alike.items():
        scores = np.full((len(judged), courses.shape[1]), np.nan)
        for step, course in enumerate(courses.T):
            seen = ~np.isnan(course)
            chance = weights[:, seen]
            told = seen[judged] & (chance.sum(1) > 0)
            chance = chance[told] / chance[told].sum(1, keepdims=True)
            drawn = np.broadcast_to(course[seen], chance.shape)
            scores[told, step] = weighted_crps(drawn, chance, course[judged][told])
        found[width] = scores
    of_all = ~np.isnan(np.stack(list(found.values()))).any(0)
    kept = of_all.any(1)
    if not kept.any():  # no two articles were ever seen at the same step
        return np.inf
    return _clearly_best(
        {width: np.nanmean(np.where(of_all, scores, np.nan)[kept], axis=1) for width, scores in found.items()}
    )


def _clearly_best(scores: Mapping[float, np.ndarray]) -> float:
    """The setting with the best mean score; the infinite one unless that is worse by more than a standard error."""
    best = min(scores, key=lambda setting: float(scores[setting].mean()))
    gain = scores[np.inf] - scores[best]
    return best if gain.mean() > gain.std() / np.sqrt(max(len(gain) - 1, 1)) else np.inf


def explained(levels: np.ndarray, told: np.ndarray, ridge: float) -> float:
    """The share of the variance of log levels that descriptors foretell, each article from the others; 0 for none.

    Arguments:
        levels: ``[D]``, above 0.
        told: ``[D, p]`` descriptors.
        ridge: see `Likeness`.
    """
    logs = np.log(levels)
    missed = [float(((logs - _Regression(told, logs, each).foretold) ** 2).mean()) for each in (ridge, np.inf)]
    return max(0.0, 1 - missed[0] / missed[1]) if missed[1] else 0.0


def weighted_crps(values: np.ndarray, weights: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """CRPS of discrete distributions.

    Arguments:
        values: ``[N, D]``.
        weights: ``[N, D]``, not negative, 1 in all in each row.
        truth: ``[N]``.

    Returns:
        ``[N]``.

    Example:
        >>> weighted_crps(np.array([[0.0, 2.0]]), np.array([[0.5, 0.5]]), np.array([1.0]))
        array([0.5])
    """
    order = values.argsort(axis=1)
    values, weights = np.take_along_axis(values, order, 1), np.take_along_axis(weights, order, 1)
    below = weights.cumsum(1)
    return (weights * np.abs(values - truth[:, None])).sum(1) - (weights * values * (2 * below - weights - 1)).sum(1)


class _Regression:
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
        """Log levels ``[N]`` that descriptors ``[N, p]`` usually mean."""
        return self.mean + (asked - self.centre) @ self.slope

    def doubts(self, asked: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
        """Draws ``[S, N]`` of how far the means may be off, for all articles of a draw from the same coefficients."""
        slopes = generator.normal(size=(count, self.root.shape[1])) @ self.root.T
        return self.level_doubt * generator.normal(size=(count, 1)) + slopes @ (asked - self.centre).T

    def errors_of(self, judged: np.ndarray) -> np.ndarray:
        """Errors ``[N, D]`` of foretelling known articles from the others, as large as they are for each."""
        return self.errors / np.sqrt(1 - self.own[judged, None])


def alike(told: np.ndarray, asked: np.ndarray, width: float, of: np.ndarray | None = None) -> np.ndarray:
    """How much articles are like known ones ``[N, D]``, 1 in all for each; one far from all is like the nearest.

    Arguments:
        told: ``[D, p]`` descriptors of the known ones.
        asked: ``[N, p]``.
        width: of likeness, in median distances; infinite, all count the same.
        of: ``[N]`` places among the known, of articles that are known themselves, each left out for itself.
    """
    squares = cdist(asked, told, "sqeuclidean") if told.shape[1] else np.zeros((len(asked), len(told)))
    if of is not None:
        squares[np.arange(len(of)), of] = np.inf
    if np.isinf(width):
        strength = np.where(np.isinf(squares), -np.inf, 0.0)
    else:
        between = cdist(told[:JUDGED], told[:JUDGED])
        usual = float(np.median(between[np.triu_indices(len(between), 1)])) or 1.0
        strength = -squares / (2 * (width * usual) ** 2)
    strength = np.exp(strength - strength.max(1, keepdims=True))
    return strength / strength.sum(1, keepdims=True)
