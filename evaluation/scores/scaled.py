"""Scores that mean something where hardly anything is sold: errors over those of the past, and of sums over steps."""

from __future__ import annotations

import numpy as np

from .univariate import checked, crps, median_error


def scaled_error(ordered: np.ndarray, observed: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Absolute error of the median over the seasonal error of each series; its mean is MASE.

    Arguments:
        ordered: sorted paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.
        error: ``[..., D]`` or ``[D]``, as `seasonal_error` gives it.

    Returns:
        ``[..., H, D]``, without unit; NaN where the observation is missing or the error is 0.

    Example:
        >>> scaled_error(np.full((5, 1, 1), 3.0), np.array([[1.0]]), np.array([4.0]))
        array([[0.5]])

    Source: R. J. Hyndman, A. B. Koehler (2006), doi:10.1016/j.ijforecast.2006.03.001.
    """
    return np.asarray(median_error(ordered, observed) / _positive(error))


def scaled_squared_error(mean: np.ndarray, observed: np.ndarray, squared: np.ndarray) -> np.ndarray:
    """Squared error of the mean over that of the last value in the past; the root of its mean is RMSSE.

    Arguments:
        mean: ``[..., H, D]`` the mean forecast, data units.
        observed: ``[..., H, D]``, data units.
        squared: ``[..., D]`` or ``[D]``, as `squared_change` gives it.

    Returns:
        ``[..., H, D]``, without unit; NaN where the observation is missing or the series never changed.

    Example:
        >>> scaled_squared_error(np.array([[3.0]]), np.array([[1.0]]), np.array([16.0]))
        array([[0.25]])

    Source: S. Makridakis, E. Spiliotis, V. Assimakopoulos (2022), the M5 competition,
        doi:10.1016/j.ijforecast.2021.07.007.
    """
    return np.asarray((mean - observed) ** 2 / _positive(squared))


def squared_change(past: np.ndarray) -> np.ndarray:
    """Mean squared change from one step to the next, from the first value other than 0 on: ``mean_t (y_t − y_{t−1})²``.

    Arguments:
        past: ``[D, T]``, data units, NaN where missing.

    Returns:
        ``[D]``, data units squared; NaN where no two values can be compared.

    Example:
        >>> squared_change(np.array([[0.0, 0.0, 2.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0, 0.0]]))
        array([ 4., nan])
    """
    values = np.asarray(past, dtype=np.float64)
    begun = np.maximum.accumulate(np.nan_to_num(values) != 0, axis=1)[:, :-1]
    change = np.where(begun, (values[:, 1:] - values[:, :-1]) ** 2, np.nan)
    present = ~np.isnan(change)
    count = present.sum(1)
    return np.where(count > 0, np.where(present, change, 0).sum(1) / np.maximum(count, 1), np.nan)


def crps_of_lead_time(samples: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """CRPS of the sum of each series over the steps of the horizon: what has to be in stock until the next delivery.

    Steps at which a series is missing are left out, of paths and observation alike.

    Arguments:
        samples: sample paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.

    Returns:
        ``[..., D]``, data units; lower is better; NaN of a series without any observation.

    Raises:
        ValueError: the shapes do not fit together.

    Example:
        >>> paths = np.array([[[0.0], [0.0]], [[1.0], [1.0]]])
        >>> crps_of_lead_time(paths, np.array([[1.0], [0.0]]))
        array([0.5])
    """
    sums, came = _over_steps(samples, observed)
    return crps(sums, came)[..., 0, :]


def lead_time_size(observed: np.ndarray) -> np.ndarray:
    """Size of the sum of each series over the steps of the horizon, ``|Σ_h y_h|``: what `crps_of_lead_time` is beside.

    Arguments:
        observed: ``[..., H, D]``, data units, NaN where missing.

    Returns:
        ``[..., D]``, data units; NaN of a series without any observation.
    """
    missing = np.isnan(observed)
    return np.where(missing.all(-2), np.nan, np.abs(np.where(missing, 0, observed).sum(-2)))


def _over_steps(samples: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over the known steps ``[..., S, 1, D]`` and ``[..., 1, D]``."""
    samples, observed = checked(samples, observed)
    present = ~np.isnan(observed)
    came = np.where(present, observed, 0).sum(-2, keepdims=True)
    sums = np.where(present[..., None, :, :], samples, 0).sum(-2, keepdims=True, dtype=np.float64)
    return sums, np.where(present.any(-2, keepdims=True), came, np.nan)


def _positive(size: np.ndarray) -> np.ndarray:
    """Sizes ``[..., 1, D]`` to divide by, NaN for 0."""
    return np.where(size > 0, size, np.nan)[..., None, :]
