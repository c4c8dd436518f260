"""The first steps after a launch: how they usually go, and what those of an article say of its level."""

from __future__ import annotations

import numpy as np

from .sales_levels import least

DOUBT = 3.0
"""Launches without any course of their own that are counted beside those seen."""


def ages_of(sales: np.ndarray) -> np.ndarray:
    """Steps ``[D, T]`` since the first value of each article, below 0 before it; of one without a value, all are.

    Arguments:
        sales: ``[D, T]``, NaN where missing.

    Example:
        >>> ages_of(np.array([[np.nan, 5.0, np.nan], [np.nan, np.nan, np.nan]]))
        array([[-1,  0,  1],
               [-3, -2, -1]])
    """
    seen = ~np.isnan(sales)
    first = np.where(seen.any(1), seen.argmax(1), sales.shape[1])
    return np.arange(sales.shape[1]) - first[:, None]


def launch_course(
    sales: np.ndarray, levels: np.ndarray, index: np.ndarray, ages: int, likely: np.ndarray | None = None
) -> np.ndarray:
    """Launch curve: sales of the first steps relative to level and seasonal index.

    The mean over the launches that the data show: articles whose first value comes a while after the first of all,
    and who were then seen for a while. `DOUBT` launches that sold their level from the first step on are counted with
    them, so that one launch says little and without any the course is 1.

    Arguments:
        sales: ``[D, T]``, at least 0, NaN where missing.
        levels: ``[D]``, above 0, NaN of an article that says nothing.
        index: ``[T]``.
        ages: steps A of the course; an article counts if its first value comes no earlier than that, and if it was seen
            for twice as long.
        likely: ``[D]`` how much each is like the article that is asked for, so that the nearest launches count most,
            together as many as their weights are worth (the effective sample size of Kish 1965); ``None``, all alike.

    Returns:
        ``[A]``.

    Example:
        >>> sales = np.full((7, 12), 10.0)
        >>> sales[1:, :4], sales[1:, 4] = np.nan, 20.0
        >>> launch_course(sales, np.full(7, 10.0), np.ones(12), ages=4).round(2)
        array([1.67, 1.  , 1.  , 1.  ])
    """
    age, seen = ages_of(sales), ~np.isnan(sales)
    begun = np.where(seen.any(1), seen.argmax(1), sales.shape[1])
    counts = (begun >= begun.min() + ages) & (age[:, -1] + 1 >= 2 * ages) & (levels > 0)
    course = np.empty(ages)
    for step in range(ages):
        of = counts[:, None] & seen & (age == step)
        ratios = sales[of] / np.maximum((levels[:, None] * index)[of], 1e-300)
        weights = np.ones(len(ratios))
        if likely is not None:
            chosen = likely[np.nonzero(of)[0]]
            weights = chosen * chosen.sum() / max((chosen**2).sum(), 1e-300)
        course[step] = (DOUBT + (weights * ratios).sum()) / (DOUBT + weights.sum())
    return course


def at_ages(course: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Launch factors at given ages; 1 after the launch curve ends.

    Example:
        >>> at_ages(np.array([2.0, 1.5]), np.array([1, 2]))
        array([1.5, 1. ])
    """
    return np.where(ages < len(course), course[ages.clip(max=len(course) - 1)], 1.0)


def said_by_first(sales: np.ndarray, index: np.ndarray, course: np.ndarray, nothing: float) -> float:
    """Estimate of the log level from the first sales of an article.

    Arguments:
        sales: ``[T]``, NaN where missing.
        index: ``[T]``.
        course: ``[A]``; later steps go by 1.
        nothing: what is read where nothing was sold; see `least`.
    """
    seen = ~np.isnan(sales)
    age = ages_of(sales[None])[0][seen]
    return float(np.log(max(sales[seen].sum(), nothing) / (at_ages(course, age) * index[seen]).sum()))


def doubt_in_means(sales: np.ndarray, levels: np.ndarray, index: np.ndarray, steps: int) -> float:
    """Mean squared log error of the mean of a few steps as an estimate of the level.

    Arguments:
        sales: ``[D, T]``, NaN where missing.
        levels: ``[D]``, above 0.
        index: ``[T]``.
        steps: that a mean is of.
    """
    squares, nothing = [], least(sales)
    for first in range(0, sales.shape[1] - steps + 1, steps):
        part = sales[:, first : first + steps]
        whole = ~np.isnan(part).any(1) & (levels > 0)
        usual = levels[whole] * index[first : first + steps].sum()
        squares.append(np.log(np.maximum(part[whole].sum(1), nothing) / np.maximum(usual, 1e-300)) ** 2)
    found = np.concatenate(squares) if squares else np.empty(0)
    return float(found.mean()) if len(found) else 1.0


def brought_to(logs: np.ndarray, said: float, doubt: float, generator: np.random.Generator) -> np.ndarray:
    r"""Posterior draws of a log level given first sales with normal error.

    .. math:: \ell' = \ell + \frac{v}{v + \sigma^2} (z + \varepsilon - \ell), \qquad \varepsilon \sim N(0, \sigma^2)

    with v the variance of the draws: the update of the ensemble Kalman filter (Evensen 1994, doi 10.1029/94JC00572;
    with perturbed observations Burgers et al. 1998), exact where the draws are normal.

    Arguments:
        logs: ``[S]`` draws before.
        said: the log level z that the first sales say.
        doubt: the variance of its error.
        generator: of the errors.

    Returns:
        ``[S]``.
    """
    spread = logs.var()
    share = spread / (spread + doubt) if spread else 0.0
    return logs + share * (said + generator.normal(scale=np.sqrt(doubt), size=len(logs)) - logs)
