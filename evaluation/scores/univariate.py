"""Scores as pure functions: sample paths and what happened in, numbers out.

Axes: ``S`` sample paths, ``H`` steps of the horizon, ``D`` series; ``...`` stands for any leading axes, such as
windows. Sample paths are ``[..., S, H, D]`` and observations ``[..., H, D]``, both in data units. A missing
observation is NaN, and so is a score at its place; functions that pool leave it out of every sum.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEVELS: tuple[float, ...] = tuple(float(level) for level in (np.arange(20) / 20.0)[1:])
"""The 19 quantile levels 0.05 … 0.95 of the published CRPS-sum."""


def sample_quantiles(samples: np.ndarray, levels: Sequence[float] = LEVELS) -> np.ndarray:
    """Quantiles as the published scores take them: one of the sorted paths, without interpolation.

    ``q̂_α = x_(round((S − 1) α))``, counted from 0, halves rounded to even; gluonts' ``SampleForecast.quantile``.

    Arguments:
        samples: sample paths ``[..., S, H, D]``, data units.
        levels: L quantile levels in [0, 1].

    Returns:
        ``[L, ..., H, D]``, data units.

    Raises:
        ValueError: a level lies outside [0, 1], or there are no paths.

    Example:
        >>> sample_quantiles(np.arange(100.0)[:, None, None], [0.05, 0.5])[:, 0, 0]
        array([ 5., 50.])
    """
    return pick_quantiles(sorted_paths(samples), levels)


def sorted_paths(samples: np.ndarray) -> np.ndarray:
    """Sort the paths at each step of each series.

    Arguments:
        samples: sample paths ``[..., S, H, D]``.

    Returns:
        ``[..., S, H, D]`` float64, ascending over S.

    Raises:
        ValueError: ``samples`` has fewer than three axes or no paths.
    """
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim < 3 or samples.shape[-3] == 0:
        raise ValueError(f"samples: expected [..., S, H, D] with at least one path, got {list(samples.shape)}")
    return np.sort(samples, axis=-3)


def pick_quantiles(ordered: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """`sample_quantiles` of paths that are sorted already.

    Arguments:
        ordered: sorted paths ``[..., S, H, D]``.
        levels: L quantile levels in [0, 1].

    Returns:
        ``[L, ..., H, D]``.

    Raises:
        ValueError: a level lies outside [0, 1].
    """
    _check_levels(levels)
    places = np.round((ordered.shape[-3] - 1) * np.asarray(levels, dtype=np.float64)).astype(int)
    return np.moveaxis(np.take(ordered, places, axis=-3), -3, 0)


def quantile_loss(quantile: np.ndarray, observed: np.ndarray, level: float) -> np.ndarray:
    """Pinball loss of a quantile: ``2 |(q̂ − y) (1[y ≤ q̂] − α)|``.

    Arguments:
        quantile: the forecast of the quantile, ``[...]``, data units.
        observed: what happened, ``[...]``, data units.
        level: α in [0, 1].

    Returns:
        The loss ``[...]``, data units; NaN where the observation is missing.

    Raises:
        ValueError: ``level`` lies outside [0, 1].

    Example:
        >>> quantile_loss(np.array([3.0]), np.array([5.0]), 0.9)
        array([3.6])
    """
    _check_levels([level])
    return np.asarray(2 * np.abs((quantile - observed) * ((observed <= quantile) - level)))


def mean_quantile_loss(ordered: np.ndarray, observed: np.ndarray, levels: Sequence[float] = LEVELS) -> np.ndarray:
    """Quantile loss, averaged over levels, at each step of each series.

    Arguments:
        ordered: sorted paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.
        levels: quantile levels.

    Returns:
        ``[..., H, D]``, data units.
    """
    total = np.zeros(observed.shape)
    for level in levels:
        total += quantile_loss(pick_quantiles(ordered, [level])[0], observed, level)
    return total / len(levels)


def weighted_quantile_loss(samples: np.ndarray, observed: np.ndarray, levels: Sequence[float] = LEVELS) -> float:
    """Quantile loss of all steps and series, pooled: ``mean_α Σ QL_α / Σ |y|``.

    This is gluonts' ``mean_wQuantileLoss``; the sums run over everything that was observed.

    Arguments:
        samples: sample paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.
        levels: quantile levels.

    Returns:
        The loss as a share of ``Σ |y|``; NaN where that is 0.

    Raises:
        ValueError: the shapes do not fit together.
    """
    samples, observed = checked(samples, observed)
    return _ratio(mean_quantile_loss(sorted_paths(samples), observed, levels), np.abs(observed))


def sum_over_series(samples: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add up the series, path by path, so that their dependence counts.

    At a step where some series are missing, paths and observation are both summed over the others; at a step
    where all are missing the sum is missing.

    Arguments:
        samples: sample paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.

    Returns:
        The sums ``[..., S, H, 1]`` and ``[..., H, 1]``, float64, data units.

    Raises:
        ValueError: the shapes do not fit together.

    Example:
        >>> paths, sums = sum_over_series(np.ones((4, 1, 3)), np.array([[1.0, np.nan, 2.0]]))
        >>> paths[0], sums
        (array([[2.]]), array([[3.]]))
    """
    samples, observed = checked(samples, observed)
    present = ~np.isnan(observed)
    sums = np.where(present, observed, 0.0).sum(-1, keepdims=True)
    sums[~present.any(-1)] = np.nan
    if present.all():
        return samples.sum(-1, keepdims=True, dtype=np.float64), sums
    weights = present.astype(np.float64)
    return np.einsum("...shd,...hd->...sh", samples, weights)[..., None], sums


def crps_sum(samples: np.ndarray, observed: np.ndarray, levels: Sequence[float] = LEVELS) -> float:
    """CRPS-sum as published: the quantile losses of the sum of the series, pooled.

    ``mean_α Σ_{w,t} QL_α(Σ_d ŷ, Σ_d y) / Σ_{w,t} |Σ_d y|`` over windows w and steps t: gluonts'
    ``m_sum_mean_wQuantileLoss`` from ``MultivariateEvaluator(quantiles=LEVELS, target_agg_funcs={"sum": np.sum})``.
    Missing values are where we differ: see `sum_over_series`.

    Arguments:
        samples: sample paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.
        levels: quantile levels.

    Returns:
        The score, without unit; lower is better; NaN where the normaliser is 0.

    Raises:
        ValueError: the shapes do not fit together.

    Example:
        >>> paths = np.zeros((100, 2, 3)); paths[50:] = 2.0
        >>> round(crps_sum(paths, np.ones((2, 3))), 6)
        0.526316

    Source: D. Salinas, M. Bohlke-Schneider, L. Callot, R. Medico, J. Gasthaus (2019), arXiv:1910.03002.
    """
    return _ratio(*crps_sum_parts(samples, observed, levels))


def crps_sum_parts(
    samples: np.ndarray, observed: np.ndarray, levels: Sequence[float] = LEVELS
) -> tuple[np.ndarray, np.ndarray]:
    """Numerator and denominator of `crps_sum` at each step, ``mean_α QL_α(Σ_d ŷ, Σ_d y)`` and ``|Σ_d y|``.

    Arguments:
        samples: sample paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.
        levels: quantile levels.

    Returns:
        Both ``[..., H]``, data units; NaN where no series was observed.

    Raises:
        ValueError: the shapes do not fit together.

    Example:
        >>> crps_sum_parts(np.full((5, 1, 2), 3.0), np.array([[1.0, 3.0]]))
        (array([2.]), array([4.]))
    """
    paths, sums = sum_over_series(samples, observed)
    return mean_quantile_loss(sorted_paths(paths), sums, levels)[..., 0], np.abs(sums)[..., 0]


def median_error(ordered: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Absolute error of the median forecast, ``|q̂_½ − y|``: the numerator of ND.

    Arguments:
        ordered: sorted paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.

    Returns:
        ``[..., H, D]``, data units; NaN where the observation is missing.
    """
    return np.asarray(np.abs(pick_quantiles(ordered, [0.5])[0] - observed))


def squared_error(mean: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Squared error of the mean forecast, ``(x̄ − y)²``: what NRMSE is the root of.

    Arguments:
        mean: ``[...]``, data units.
        observed: ``[...]``, data units.

    Returns:
        ``[...]``, data units squared; NaN where the observation is missing.
    """
    return np.asarray(np.square(mean - observed))


def crps(samples: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of the paths: ``mean_s |x_s − y| − ½ mean_{s,r} |x_s − x_r|``.

    It is taken over the empirical distribution of the paths, as properscoring's ``crps_ensemble`` does, but at
    the cost of one sort instead of S² differences.

    Arguments:
        samples: sample paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.

    Returns:
        ``[..., H, D]``, data units; lower is better; NaN where the observation is missing.

    Raises:
        ValueError: the shapes do not fit together.

    Example:
        >>> crps(np.array([0.0, 2.0])[:, None, None], np.array([[1.0]]))
        array([[0.5]])

    Source: T. Gneiting, A. E. Raftery (2007), doi:10.1198/016214506000001437, equation 21.
    """
    samples, observed = checked(samples, observed)
    return crps_of_sorted(sorted_paths(samples), observed)


def crps_of_sorted(ordered: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """`crps` of paths that are sorted already.

    Arguments:
        ordered: sorted paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.

    Returns:
        ``[..., H, D]``, data units.
    """
    count = ordered.shape[-3]
    error = np.zeros(observed.shape)
    spread = np.zeros(observed.shape)
    for number in range(count):
        path = ordered[..., number, :, :]
        error += np.abs(path - observed)
        # Centred at the smallest path, so that a high level costs no digits.
        spread += (2 * number + 1 - count) * (path - ordered[..., 0, :, :])
    return np.asarray(error / count - spread / count**2)


def checked(samples: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sample paths and float64 observations whose shapes fit together.

    Raises:
        ValueError: they do not.
    """
    samples, observed = np.asarray(samples), np.asarray(observed, dtype=np.float64)
    fits = samples.ndim >= 3 and samples.shape[:-3] + samples.shape[-2:] == observed.shape
    if not fits or samples.shape[-3] == 0:
        raise ValueError(
            f"samples: expected [..., S, H, D] beside observed [..., H, D], "
            f"got {list(samples.shape)} beside {list(observed.shape)}"
        )
    return samples, observed


def _check_levels(levels: Sequence[float]) -> None:
    for level in levels:
        if not 0 <= level <= 1:
            raise ValueError(f"levels: expected quantile levels in [0, 1], got {level}")


def _ratio(values: np.ndarray, weights: np.ndarray) -> float:
    """Pooled ``Σ values / Σ weights`` over what was observed."""
    total = float(np.nansum(weights))
    return float(np.nansum(values)) / total if total > 0 else float("nan")
