"""Paths of one article that sells now and then: a rate that is foretold, and sizes that were sold."""

from __future__ import annotations

import numpy as np

SMOOTHING = 0.05
"""Weight of the newest interval and the newest size in exponential smoothing, at the slow end of the literature."""


def smoothed(values: np.ndarray, weight: float, start: float) -> float:
    """The exponentially smoothed level of values ``[n]``, which starts at `start`.

    Example:
        >>> smoothed(np.array([2.0, 4.0]), 0.5, 2.0)
        3.0
    """
    kept = (1 - weight) ** np.arange(len(values))
    return float(weight * (values[::-1] @ kept) + (1 - weight) ** len(values) * start)


def foretold_rate(sold: np.ndarray, family: str, smoothing: float = SMOOTHING) -> float:
    r"""Demand rate by Croston's method (bias-corrected) or by Teunter, Syntetos and Babai.

    Croston (1972, doi 10.1057/jors.1972.50) smooths sizes z and the intervals p between them with the weight a. The
    bias of their ratio is taken out as Syntetos (2001, Forecasting for intermittent demand, thesis, Brunel University)
    has it, :math:`(1 - a/2)\, z / (p - a/2)`; the factor :math:`1 - a/2` alone, of Syntetos and Boylan (2005, doi
    10.1016/j.ijforecast.2004.10.001), takes half a weight from articles that are sold at every step, and have no bias
    (Teunter and Sani 2009, European Journal of Operational Research 194, 177-183). Teunter et al. (2011, doi
    10.1016/j.ejor.2011.05.018) smooth how often there is a sale at every step, so that the rate of an article that is
    no longer sold falls: here as fast as that of Croston's, by the mean share of steps with a sale.

    Both start at the means of the whole past and not, as published, at its first interval and size: an article that
    sold on its first day alone would be foretold a sale a day. As far as the means are what is left of them, as of few
    sales, there is no bias to be taken out.

    Arguments:
        sold: ``[T]`` at least 0, without gaps.
        family: ``"croston"`` or ``"tsb"``.
        smoothing: the weight a.

    Example:
        >>> sold = np.array([0.0, 0.0, 0.0, 1.0] * 25)
        >>> round(foretold_rate(sold, "croston", 0.1), 3), round(foretold_rate(sold, "tsb", 0.1), 3)
        (0.24, 0.259)
    """
    steps = np.flatnonzero(sold > 0)
    if not len(steps):
        return 0.0
    share, sizes = len(steps) / len(sold), sold[steps]
    size = smoothed(sizes, smoothing, float(sizes.mean()))
    if family == "tsb":
        return size * smoothed((sold > 0).astype(float), smoothing * share, share)
    # Of n sales at random of T steps, the intervals that are over are (T + 1) / (n + 1) steps long on average.
    intervals = np.diff(steps, prepend=-1) * (1 + 1 / len(steps)) - 1 / len(steps)
    interval = smoothed(intervals, smoothing, 1 / share)
    bias = max(_kept(len(steps), smoothing) - 1 / len(steps), 0.0) * (1 - 1 / interval)
    return size / interval / (1 + bias)


def rare_paths(sold: np.ndarray, family: str, horizon: int, count: int, seed: int) -> np.ndarray:
    r"""Paths ``[S, H]`` whose steps sell nothing or a size of the past, with the foretold rate as their mean.

    With the rate m and the mean :math:`\bar z` of the sizes sold, a step has a sale with the probability
    :math:`m / \bar z`, drawn anew for each step; its size is one of the past, so that whole numbers stay whole. Where
    that is above 1, sizes are larger by it, rounded up or down by chance. A path has a rate of its own, gamma
    distributed around m with the variance that smoothing leaves: that of single sizes and intervals by how many of them
    the smoothed ones are worth, :math:`(2 - a) / a` of a long past.

    Arguments:
        sold: ``[T]`` at least 0, without gaps.
        family: as in `foretold_rate`.
        horizon: steps H.
        count: paths S.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    rate, sizes = foretold_rate(sold, family), sold[sold > 0]
    if rate <= 0:
        return np.zeros((count, horizon))
    share = len(sizes) / len(sold)
    variance = _kept(len(sizes), SMOOTHING) * (sizes.var() / sizes.mean() ** 2 + 1 - share)
    rates = rate * (generator.gamma(1 / variance, variance, size=(count, 1)) if variance > 1e-9 else 1.0)
    chance = rates / sizes.mean()
    drawn = generator.choice(sizes, size=(count, horizon)) * np.maximum(chance, 1)
    if (sizes == np.round(sizes)).all():
        drawn = np.floor(drawn + generator.random(drawn.shape))
    return np.where(generator.random(drawn.shape) < chance, drawn, 0.0)


def _kept(count: int, smoothing: float) -> float:
    """Variance of a smoothed level by that of single values, of so many that it also started from the mean of."""
    fading = (1 - smoothing) ** np.arange(count)
    return float(((smoothing * fading + (1 - smoothing) ** count / count) ** 2).sum())
