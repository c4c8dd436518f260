"""How much articles without a past will sell, judged by what describes them and by those that have one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

RIDGES = (1e-3, 1e-2, 1e-1, 1.0, np.inf)
"""Penalties that are tried, as shares of the articles; infinite, descriptors move no level."""

WIDTHS = (0.25, 0.5, 1.0, np.inf)
"""Widths of likeness that are tried, in median distances of two articles; infinite, all articles count the same."""

JUDGED = 1000
"""Articles left out in turn, at most."""

STEPS = 60
"""Steps at which their courses are judged, at most, spread over the past."""

_SWEEPS = 30


def levels_and_index(sales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Levels of articles and the index of the steps that all share, :math:`y_{it} \approx a_i c_t`.

    The maximum-likelihood estimate of a Poisson model with both effects, which sums do without logarithms: an article
    that was sold in the high season only is not taken for one that sells well.

    Arguments:
        sales: ``[D, T]``, at least 0, NaN where missing.

    Returns:
        The levels ``[D]``, NaN of an article without a value, of one that sold nothing as if it had sold half of the
        smallest sale of all, and the index ``[T]``, mean 1 over the steps at which
        something was seen, and 1 elsewhere.

    Example:
        >>> season = np.array([1.0, 3.0, 1.0, 3.0])
        >>> levels, index = levels_and_index(np.array([10 * season, 2 * np.where(season > 1, season, np.nan)]))
        >>> levels.round(2), index.round(2)
        (array([20.,  4.]), array([0.5, 1.5, 0.5, 1.5]))
    """
    seen = ~np.isnan(sales)
    values = np.where(seen, sales, 0.0)
    index = np.ones(sales.shape[1])
    told = seen.any(0)
    levels = np.zeros(len(sales))
    for _ in range(_SWEEPS):
        levels = values.sum(1) / np.maximum(seen @ index, 1e-300)
        found = values.sum(0) / np.maximum(levels @ seen, 1e-300)
        mean = found[told].mean() if told.any() else 1.0
        index = np.where(told, found / mean, 1.0) if mean > 0 else index
    return np.where(seen.any(1), _above_0(values, seen) / np.maximum(seen @ index, 1e-300), np.nan), index


def last_levels(sales: np.ndarray, index: np.ndarray, steps: int) -> np.ndarray:
    """Levels ``[D]`` by the last steps of each article at which it was seen, on top of an index of the steps.

    Arguments:
        sales: ``[D, T]``, NaN where missing.
        index: ``[T]`` of the steps; see `levels_and_index`.
        steps: of each article, at most.
    """
    seen = ~np.isnan(sales)
    latest = seen & (np.cumsum(seen[:, ::-1], axis=1)[:, ::-1] <= steps)
    return _above_0(np.where(latest, sales, 0.0), latest) / np.maximum(latest @ index, 1e-300)


def _above_0(sales: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """What articles sold in all ``[D]``; half of the smallest sale where that was nothing."""
    sold = sales[seen & (sales > 0)]
    return np.maximum(sales.sum(1), sold.min() / 2 if len(sold) else 0.5)


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


def candidates(
    levels: np.ndarray, told: np.ndarray, asked: np.ndarray, likeness: Likeness
) -> tuple[np.ndarray, np.ndarray]:
    r"""Log levels that new articles may have, one for each known article d, and how likely each is.

    .. math:: \ell_{nd} = \hat m_{-d}(x_n) + (\log a_d - \hat m_{-d}(x_d)), \qquad
        w_{nd} \propto \exp\left(-\lVert x_n - x_d\rVert^2 / 2 h^2\right)

    with :math:`\hat m_{-d}` the ridge regression of log levels on descriptors without article d: the predictive
    distribution of the jackknife+ (Barber et al. 2021, arXiv 1905.02928, eq. 1.5), whose spread holds both what
    descriptors do not say and how little is known of what they do. Ours are the weights by likeness, and that nothing
    is foretold beyond the levels seen.

    Arguments:
        levels: ``[D]`` of the known articles, above 0.
        told: ``[D, p]`` their descriptors.
        asked: ``[N, p]`` those of the new ones.
        likeness: what descriptors count.

    Returns:
        Log levels and weights, both ``[N, D]``; the weights of a row are 1 in all.
    """
    fit = _Regression(told, np.log(levels), likeness.ridge)
    likely = alike(fit.foretold[:, None], fit.usual(asked)[:, None], likeness.width)
    return fit.without_each(asked) + fit.left, likely


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
        drawn = fit.foretold[judged, None] + fit.left
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
    left, plain = (float((_Regression(told, logs, each).left ** 2).mean()) for each in (ridge, np.inf))
    return max(0.0, 1 - left / plain) if plain else 0.0


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
    """Ridge regression of log levels on descriptors, and what it is without each article.

    What it foretells stays within the levels that were seen: a descriptor unlike all others is no reason to sell a
    thousand times as much.

    Arguments:
        told: ``[D, p]``.
        logs: ``[D]``.
        ridge: see `Likeness`.
    """

    def __init__(self, told: np.ndarray, logs: np.ndarray, ridge: float) -> None:
        count, columns = told.shape
        self.centre, self.mean = told.mean(0), logs.mean()
        centred = told - self.centre
        self.projector = np.zeros((columns, count))
        if columns and np.isfinite(ridge):
            self.projector = np.linalg.solve(centred.T @ centred + ridge * count * np.eye(columns), centred.T)
        self.slope = self.projector @ (logs - self.mean)
        own = 1 / count + np.einsum("dp,pd->d", centred, self.projector)
        self.moves = (logs - self.mean - centred @ self.slope) / np.maximum(1 - own, 1e-6)
        self.seen = logs.min(), logs.max()
        self.foretold = (logs - self.moves).clip(*self.seen)
        """What the regression without an article says of it ``[D]``."""
        self.left = logs - self.foretold
        """Errors ``[D]``, each of the regression without the article."""

    def usual(self, asked: np.ndarray) -> np.ndarray:
        """Log levels ``[N]`` that descriptors ``[N, p]`` usually mean."""
        return (self.mean + (asked - self.centre) @ self.slope).clip(*self.seen)

    def without_each(self, asked: np.ndarray) -> np.ndarray:
        """Log levels ``[N, D]`` of articles with descriptors ``[N, p]``, each without one of the known articles."""
        moved = asked - self.centre
        gain = 1 / len(self.left) + moved @ self.projector
        return (self.mean + (moved @ self.slope)[:, None] - gain * self.moves).clip(*self.seen)


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
