"""How much articles without a past will sell, judged by what describes them and by those that have one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ....evaluation.scores.mixtures import weighted_crps
from .descriptors import JUDGED, Likeness, alike
from .level_regression import LevelRegression
from .sales_levels import levels_and_index

RIDGES = (1e-3, 1e-2, 1e-1, 1.0, np.inf)
"""Penalties that are tried, as shares of the articles; infinite, descriptors move no level."""

WIDTHS = (0.25, 0.5, 1.0, np.inf)
"""Widths of likeness that are tried, in median distances of two articles; infinite, all articles count the same."""

STEPS = 60
"""Steps at which their courses are judged, at most, spread over the past."""


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
        fit = LevelRegression(told, logs, ridge)
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
