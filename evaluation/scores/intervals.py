"""Central intervals of a forecast: where they lie, how wide they are, what they cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .univariate import pick_quantiles

COVERAGES: tuple[float, ...] = (0.5, 0.8, 0.95)
"""The nominal coverages that tables and charts show."""


def plotting_quantiles(ordered: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Quantiles at plotting position ``(S + 1) α``, interpolated between neighbouring paths.

    If paths and observation come from the same law, the observation lies below this quantile with probability
    α, for any number of paths with ``1/(S + 1) ≤ α ≤ S/(S + 1)``; beyond, the outermost path is taken. The
    quantiles of the published scores (`univariate.sample_quantiles`) are narrower: of 100 paths their 80 % interval
    covers 78.2 %.

    Arguments:
        ordered: sorted paths ``[..., S, H, D]``, data units.
        levels: L quantile levels in (0, 1).

    Returns:
        ``[L, ..., H, D]``, data units.

    Raises:
        ValueError: a level lies outside (0, 1).

    Example:
        >>> plotting_quantiles(np.arange(1.0, 100.0)[:, None, None], [0.1, 0.5, 0.9])[:, 0, 0]
        array([10., 50., 90.])
    """
    count = ordered.shape[-3]
    quantiles = []
    for level in levels:
        if not 0 < level < 1:
            raise ValueError(f"levels: expected quantile levels in (0, 1), got {level}")
        # Rounded, because (S + 1) α is meant to hit whole numbers and floats miss them by a digit.
        place = min(max(round((count + 1) * level - 1, 9), 0.0), count - 1.0)
        low = int(place)
        high = min(low + 1, count - 1)
        below, above = ordered[..., low, :, :], ordered[..., high, :, :]
        quantiles.append(below + (place - low) * (above - below))
    return np.stack(quantiles)


def central_interval(ordered: np.ndarray, coverage: float) -> tuple[np.ndarray, np.ndarray]:
    """The interval between the quantiles ``(1 ∓ coverage) / 2`` at plotting positions.

    Arguments:
        ordered: sorted paths ``[..., S, H, D]``, data units.
        coverage: nominal coverage in (0, 1).

    Returns:
        Lower and upper ends, each ``[..., H, D]``, data units.

    Raises:
        ValueError: ``coverage`` lies outside (0, 1).
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage: expected a share in (0, 1), got {coverage}")
    lower, upper = plotting_quantiles(ordered, [(1 - coverage) / 2, (1 + coverage) / 2])
    return lower, upper


def covered(ordered: np.ndarray, observed: np.ndarray, coverage: float) -> np.ndarray:
    """Whether the observation lies in the central interval, its ends included: 1 or 0, NaN where it is missing.

    For small counts more than the nominal share is right: an observation is often equal to an end, and then lies
    inside. The law of Poisson counts of mean 1.5 covers 94 % at 80 %, and a law that is too narrow may come nearer to
    80 %. Whether such a forecast is calibrated is seen in its PIT histogram (`calibration.pit`), which spreads ties.

    Arguments:
        ordered: sorted paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.
        coverage: nominal coverage in (0, 1).

    Returns:
        ``[..., H, D]``.

    Example:
        >>> covered(np.arange(1.0, 100.0)[:, None, None], np.array([[95.0]]), 0.8)
        array([[0.]])
    """
    lower, upper = central_interval(ordered, coverage)
    return np.where(np.isnan(observed), np.nan, (lower <= observed) & (observed <= upper))


def width(ordered: np.ndarray, observed: np.ndarray, coverage: float) -> np.ndarray:
    """Width of the central interval, NaN where the observation is missing and its coverage is not counted either.

    Arguments:
        ordered: sorted paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.
        coverage: nominal coverage in (0, 1).

    Returns:
        ``[..., H, D]``, data units.

    Example:
        >>> width(np.arange(1.0, 100.0)[:, None, None], np.array([[95.0]]), 0.8)
        array([[80.]])
    """
    lower, upper = central_interval(ordered, coverage)
    return np.where(np.isnan(observed), np.nan, upper - lower)


def interval_score(lower: np.ndarray, upper: np.ndarray, observed: np.ndarray, alpha: float) -> np.ndarray:
    """Interval score (Winkler): ``u − l + 2/α (l − y)⁺ + 2/α (y − u)⁺``.

    Arguments:
        lower: ``[...]``, data units.
        upper: ``[...]``, data units.
        observed: ``[...]``, data units.
        alpha: share of observations that may lie outside, in (0, 1).

    Returns:
        ``[...]``, data units; lower is better; NaN where the observation is missing.

    Raises:
        ValueError: ``alpha`` lies outside (0, 1).

    Example:
        >>> interval_score(np.array([0.0]), np.array([2.0]), np.array([3.0]), 0.05)
        array([42.])

    Source: T. Gneiting, A. E. Raftery (2007), doi:10.1198/016214506000001437, equation 43.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha: expected a share in (0, 1), got {alpha}")
    missed = np.maximum(lower - observed, 0) + np.maximum(observed - upper, 0)
    return np.asarray(upper - lower + 2.0 / alpha * missed)


def seasonal_error(past: np.ndarray, season: int) -> np.ndarray:
    """Mean error of the seasonal naive forecast over the past: ``mean_t |y_t − y_{t−m}|``.

    A history not longer than a season is compared step by step, with m = 1, as gluonts does.

    Arguments:
        past: ``[D, T]``, data units, NaN where missing.
        season: steps m of a season.

    Returns:
        ``[D]``, data units; NaN where no two values can be compared.

    Raises:
        ValueError: ``season`` is not positive.

    Example:
        >>> seasonal_error(np.array([[1.0, 5.0, 2.0, 7.0]]), 2)
        array([1.5])
    """
    if season < 1:
        raise ValueError(f"season: expected at least 1 step, got {season}")
    lag = season if season < past.shape[1] else 1
    change = np.abs(past[:, lag:].astype(np.float64) - past[:, :-lag])
    present = ~np.isnan(change)
    count = present.sum(1)
    return np.where(count > 0, np.where(present, change, 0.0).sum(1) / np.maximum(count, 1), np.nan)


def scaled_interval_score(
    ordered: np.ndarray, observed: np.ndarray, error: np.ndarray, alpha: float = 0.05
) -> np.ndarray:
    """Interval score over the seasonal error of each series; its mean is the M4 competition's MSIS.

    The ends are quantiles as published (`univariate.sample_quantiles`), so that the mean equals gluonts' ``MSIS``.

    Arguments:
        ordered: sorted paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.
        error: seasonal error ``[D]``, data units.
        alpha: share of observations that may lie outside.

    Returns:
        ``[..., H, D]``, without unit; NaN where the observation is missing or the seasonal error is 0 or unknown.

    Source: S. Makridakis, E. Spiliotis, V. Assimakopoulos (2020), doi:10.1016/j.ijforecast.2019.04.014.
    """
    lower, upper = pick_quantiles(ordered, [alpha / 2, 1 - alpha / 2])
    scale = np.where(error > 0, error, np.nan)
    return interval_score(lower, upper, observed, alpha) / scale
