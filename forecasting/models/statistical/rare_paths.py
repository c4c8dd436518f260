"""Paths of one article that sells now and then: a rate that is foretold, and sizes that were sold."""

from __future__ import annotations

import numpy as np

SMOOTHING = 0.1
"""Weight of the newest interval and the newest size in exponential smoothing, as in the literature."""

OCCASIONS = 50
"""Steps with a sale after which it is forgotten where smoothing began."""


def foretold_rate(sold: np.ndarray, family: str) -> float:
    """Units a step by Croston's method with the correction of its bias, or by that of Teunter, Syntetos and Babai.

    Croston (1972, doi 10.1057/jors.1972.50) smooths sizes and the intervals between them; Syntetos and Boylan (2005,
    doi 10.1016/j.ijforecast.2004.10.001) take the bias of their ratio out. Teunter et al. (2011, doi
    10.1016/j.ejor.2011.05.018) smooth how often there is a sale at every step, so that the rate of an article that is
    no longer sold falls: here as fast as that of Croston's, by the mean share of steps with a sale. Both read the past
    over again until it has `OCCASIONS`: they begin with the first interval, and the first step, as if these were
    means, so that an article that sold on its first day alone would be foretold a sale a day.

    Arguments:
        sold: ``[T]`` at least 0, without gaps.
        family: ``"croston"`` or ``"tsb"``.

    Raises:
        ModuleNotFoundError: statsforecast is not installed.
    """
    from statsforecast.models import TSB, CrostonSBA

    share = float((sold > 0).mean())
    if share == 0:
        return 0.0
    model = CrostonSBA() if family == "croston" else TSB(alpha_d=SMOOTHING, alpha_p=max(SMOOTHING * share, 1e-6))
    read = np.tile(sold, 1 + int(OCCASIONS / (share * len(sold))))
    read = read[int((sold == 0).argmax()) :]  # a sale at the first step would be the certainty of one
    return max(float(model.forecast(y=read, h=1)["mean"][0]), 0.0)


def rare_paths(sold: np.ndarray, family: str, horizon: int, count: int, seed: int) -> np.ndarray:
    r"""Paths ``[S, H]`` whose steps sell nothing or a size of the past, with the foretold rate as their mean.

    With the rate m and the mean :math:`\bar z` of the sizes sold, a step has a sale with the probability
    :math:`m / \bar z`, drawn anew for each step; its size is one of the past, so that whole numbers stay whole. Where
    that is above 1, sizes are larger by it, rounded up or down by chance. A path has a rate of its own, gamma
    distributed around m with the variance that smoothing leaves: :math:`\tfrac{\alpha}{2-\alpha}` of that of single
    sizes and intervals, and at least that of the mean of all.

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
    kept = max(SMOOTHING / (2 - SMOOTHING), 1 / len(sizes))
    variance = kept * (sizes.var() / sizes.mean() ** 2 + 1 - share)
    rates = rate * (generator.gamma(1 / variance, variance, size=(count, 1)) if variance > 1e-9 else 1.0)
    chance = rates / sizes.mean()
    drawn = generator.choice(sizes, size=(count, horizon)) * np.maximum(chance, 1)
    if (sizes == np.round(sizes)).all():
        drawn = np.floor(drawn + generator.random(drawn.shape))
    return np.where(generator.random(drawn.shape) < chance, drawn, 0.0)
