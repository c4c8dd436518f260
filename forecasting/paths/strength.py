"""How far paths are moved towards totals that were forecast separately: chosen in held-out windows."""

from __future__ import annotations

import logging

import numpy as np

logger = logging.getLogger(__name__)

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the way to the totals of which the held-out windows choose one."""


def chosen_strength(scores: np.ndarray, levels: str) -> float:
    """The share of the way to the totals that was best in held-out windows, if it was surely better than none.

    It is the share of the least score relative to that of 0, as a mean of logarithms over the levels; and 0 where it is
    not better by a standard error of the windows, that is where what is gained may be chance.

    Arguments:
        scores: ``[C, L, W]``, of each share of `STRENGTHS`, level and window, at least 0; NaN where nothing came.
        levels: what the L levels are, in words, for the log.

    Example:
        >>> scores = np.ones((5, 2, 3))
        >>> scores[2] = 0.9
        >>> chosen_strength(scores, "series and total")
        0.5
        >>> scores[2] = 0.7, 1.2, 1.0
        >>> chosen_strength(scores, "series and total")
        0.0
    """
    told = np.maximum(scores[..., ~np.isnan(scores).any((0, 1))], np.finfo(float).tiny)
    if not told.shape[2]:
        return 0.0
    relative = np.log(told.mean(2)) - np.log(told[0].mean(1))
    best = int(relative.mean(1).argmin())
    gains = (np.log(told[0]) - np.log(told[best])).mean(0)
    if len(gains) > 1 and gains.mean() < gains.std(ddof=1) / len(gains) ** 0.5:
        best = 0
    logger.info(
        "share of the way to the totals: %g; energy score of %s, relative to their own: %s",
        STRENGTHS[best],
        levels,
        ", ".join(f"{value:.3f}" for value in np.exp(relative[best])),
    )
    return STRENGTHS[best]


def over_steps(scores: np.ndarray) -> np.ndarray:
    """The mean ``[...]`` of scores ``[..., H]`` over those steps at which something came; NaN where nothing did."""
    seen = ~np.isnan(scores)
    count = seen.sum(-1)
    return np.asarray(np.where(count > 0, np.where(seen, scores, 0).sum(-1) / np.maximum(count, 1), np.nan))
