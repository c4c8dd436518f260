"""Scores of the whole vector of series, which see their dependence; axes as in `univariate`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .univariate import checked


def energy_score(samples: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Energy score over the series, step by step: ``mean_s ‖x_s − y‖ − ½ mean_{s,r} ‖x_s − x_r‖``.

    The norm is Euclidean and runs over the series observed at the step. One step of one window is worked on at
    a time, so memory beyond the paths themselves is ``S (S + D)`` numbers.

    Arguments:
        samples: sample paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.

    Returns:
        ``[..., H]``, data units; lower is better; NaN where no series was observed.

    Raises:
        ValueError: the shapes do not fit together.

    Example:
        >>> energy_score(np.array([[[0.0, 0.0]], [[6.0, 8.0]]]), np.array([[3.0, 4.0]]))
        array([2.5])

    Source: T. Gneiting, A. E. Raftery (2007), doi:10.1198/016214506000001437, equation 22.
    """
    samples, observed = checked(samples, observed)
    scores = np.full(observed.shape[:-1], np.nan)
    for place, paths, outcome in _steps(samples, observed):
        scores[place] = _energy(paths.astype(np.float64), outcome)
    return scores


def trajectory_energy_score(samples: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Energy score of whole trajectories: the norm runs over all series and all steps of the horizon at once.

    Where `energy_score` cannot see how a path goes from one step to the next, this one can.

    Arguments:
        samples: sample paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.

    Returns:
        ``[...]``, data units; lower is better; NaN where nothing was observed.

    Raises:
        ValueError: the shapes do not fit together.
    """
    samples, observed = checked(samples, observed)
    flat = (*samples.shape[:-2], 1, -1)
    return energy_score(samples.reshape(flat), observed.reshape(*observed.shape[:-2], 1, -1))[..., 0]


def norm(observed: np.ndarray) -> np.ndarray:
    """``‖y‖`` over the series observed at a step: the energy score of a forecast that is 0 on every path.

    Arguments:
        observed: ``[..., H, D]``, data units, NaN where missing.

    Returns:
        ``[..., H]``, data units; NaN where no series was observed.

    Example:
        >>> norm(np.array([[3.0, np.nan, 4.0], [np.nan, np.nan, np.nan]]))
        array([ 5., nan])
    """
    return np.where(np.isnan(observed).all(-1), np.nan, np.sqrt(np.nansum(observed**2, axis=-1)))


def trajectory_norm(observed: np.ndarray) -> np.ndarray:
    """``‖y‖`` over all series and all steps: the trajectory energy score of a forecast that is 0 on every path.

    Arguments:
        observed: ``[..., H, D]``, data units, NaN where missing.

    Returns:
        ``[...]``, data units; NaN where nothing was observed.

    Example:
        >>> float(trajectory_norm(np.array([[3.0], [np.nan], [4.0]])))
        5.0
    """
    length = np.sqrt(np.nansum(observed**2, axis=(-2, -1)))
    return np.where(np.isnan(observed).all((-2, -1)), np.nan, length)


def variogram_score(samples: np.ndarray, observed: np.ndarray, order: float = 0.5) -> np.ndarray:
    """Variogram score over the series: ``Σ_{i,j} (|y_i − y_j|^p − mean_s |x_si − x_sj|^p)²``, step by step.

    It sees wrong correlations that the energy score hardly notices, but not a shift common to all series. All
    weights are 1 and missing series take no part. Differences are taken in the precision of the paths, of one
    series from all later ones at a time, so memory beyond the paths themselves is ``S D`` numbers.

    Arguments:
        samples: sample paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.
        order: p, positive.

    Returns:
        ``[..., H]``, data units to the power 2p; lower is better; NaN where fewer than two series were observed.

    Raises:
        ValueError: the shapes do not fit together, or ``order`` is not positive.

    Example:
        >>> variogram_score(np.array([[[0.0, 4.0]]]), np.array([[0.0, 1.0]]))
        array([2.])

    Source: M. Scheuerer, T. M. Hamill (2015), doi:10.1175/MWR-D-14-00269.1, equation 12.
    """
    if not order > 0:
        raise ValueError(f"order: expected a positive power, got {order}")
    samples, observed = checked(samples, observed)
    scores = np.full(observed.shape[:-1], np.nan)
    for place, paths, outcome in _steps(samples, observed):
        if len(outcome) > 1:
            series = np.ascontiguousarray(paths.T)
            if not np.issubdtype(series.dtype, np.floating):
                series = series.astype(np.float64)
            scores[place] = _variogram(series, outcome, order)
    return scores


def variogram_size(observed: np.ndarray) -> np.ndarray:
    """``Σ_{i,j} |y_i − y_j|``: the variogram score, order ½, of a forecast whose paths are all level.

    Arguments:
        observed: ``[..., H, D]``, data units, NaN where missing.

    Returns:
        ``[..., H]``, data units; 0 where fewer than two series were observed.

    Example:
        >>> variogram_size(np.array([[0.0, 1.0, np.nan]]))
        array([2.])
    """
    ordered = np.sort(observed, axis=-1)
    count = (~np.isnan(ordered)).sum(-1, keepdims=True)
    places = 2 * np.arange(ordered.shape[-1]) + 1 - count
    return np.asarray(2 * np.nansum(places * ordered, axis=-1))


def _energy(paths: np.ndarray, outcome: np.ndarray) -> float:
    """Energy score of paths ``[S, D]``."""
    from scipy.spatial.distance import pdist  # here, because a list of the metrics computes none

    count = len(paths)
    return float(np.linalg.norm(paths - outcome, axis=1).mean() - pdist(paths).sum() / count**2)


def _variogram(series: np.ndarray, outcome: np.ndarray, order: float) -> float:
    """Variogram score of paths ``[D, S]``, each pair of series once and counted twice."""
    total = 0.0
    differences = np.empty_like(series)
    # A product with equal weights is a mean that runs at the speed of the processor's linear algebra.
    weights = np.full(series.shape[1], 1 / series.shape[1], dtype=series.dtype)
    for i in range(len(series) - 1):
        later = np.subtract(series[i + 1 :], series[i], out=differences[i + 1 :])
        expected = _power(later, order) @ weights
        total += 2 * float(np.square(_power(outcome[i + 1 :] - outcome[i], order) - expected).sum())
    return total


def _power(differences: np.ndarray, order: float) -> np.ndarray:
    """``|differences| ** order``, written over them."""
    np.abs(differences, out=differences)
    if order == 0.5:
        np.sqrt(differences, out=differences)
    else:
        np.power(differences, order, out=differences)
    return differences


def _steps(samples: np.ndarray, observed: np.ndarray) -> Iterator[tuple[tuple[int, ...], np.ndarray, np.ndarray]]:
    """Each step at which something was observed: its place, paths ``[S, d]`` and outcome ``[d]``."""
    for place in np.ndindex(observed.shape[:-1]):
        present = ~np.isnan(observed[place])
        if present.any():
            paths = samples[(*place[:-1], slice(None), place[-1])]
            yield place, paths if present.all() else paths[:, present], observed[place][present]
