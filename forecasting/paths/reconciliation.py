"""Paths of series and of their totals that agree at every level."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

Weights = Literal["ols", "structural", "variance", "shrink"]


def error_covariance(errors: np.ndarray, weights: Weights, matrix: np.ndarray) -> np.ndarray:
    r"""The covariance W of base-forecast errors by which forecasts are reconciled, up to a factor.

    ``"ols"`` takes equal errors, ``"structural"`` variances by the number of series in a total (Athanasopoulos et al.
    2017, doi 10.1016/j.ejor.2017.02.046), ``"variance"`` their mean squares, and ``"shrink"`` their covariance,
    whose correlations are shrunk towards 0 (Schäfer and Strimmer 2005, doi 10.2202/1544-6115.1175; MinT of
    Wickramasuriya, Athanasopoulos and Hyndman 2019, doi 10.1080/01621459.2018.1448825).

    Arguments:
        errors: ``[N, K]`` of the A totals and, below them, the D series in K steps; NaN where not known.
        weights: which of them.
        matrix: ``[A, D]``, the summing matrix of the totals.

    Returns:
        ``[N, N]``.

    Raises:
        ValueError: `weights` is none of these, or a row has fewer than two known errors.
    """
    totals, series = matrix.shape
    if weights not in get_args(Weights):
        raise ValueError(f"weights: expected one of {', '.join(get_args(Weights))}, got {weights!r}")
    if weights == "ols":
        return np.eye(totals + series)
    if weights == "structural":
        return np.diag(np.concatenate([matrix.sum(1), np.ones(series)]))
    known = ~np.isnan(errors)
    count = known.astype(np.float64) @ known.T
    few = int(np.diagonal(count).argmin())
    if count[few, few] < 2:
        raise ValueError(f"errors: expected at least 2 known ones a row, got {int(count[few, few])} in row {few}")
    if weights == "variance":
        return np.diag(_positive(np.nanmean(errors.astype(np.float64) ** 2, axis=1)))
    centred = np.where(known, errors - np.nanmean(errors, axis=1, keepdims=True), 0.0)
    deviation = np.sqrt(_positive((centred**2).sum(1) / (np.diagonal(count) - 1)))
    standard = centred / deviation[:, None]
    pairs = np.maximum(count, 2)
    products = standard @ standard.T
    correlation = products / (pairs - 1)
    # The variance of each estimated correlation, from that of the products that it is the mean of.
    variance = (standard**2 @ (standard**2).T - products**2 / pairs) * pairs / (pairs - 1) ** 3
    off = ~np.eye(len(errors), dtype=bool)
    size = (correlation[off] ** 2).sum()
    shrinkage = float(np.clip(variance[off].sum() / size, 0, 1)) if size > 0 else 1.0
    shrunk = np.where(off, (1 - shrinkage) * correlation, 1.0)
    return deviation[:, None] * (shrunk if known.all() else _definite(shrunk)) * deviation


def _positive(variances: np.ndarray) -> np.ndarray:
    """Variances above 0: a forecast that never erred has one that is tiny beside the largest."""
    return np.maximum(variances, 1e-16 * max(float(variances.max()), 1e-300))


def _definite(matrix: np.ndarray) -> np.ndarray:
    """The matrix without negative eigenvalues, which correlations of different steps may have."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 1e-8)) @ vectors.T)


def reconciling_gain(covariance: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    r"""By how much series move for a unit that their totals' forecasts differ from their sums.

    The reconciled series of least error variance are :math:`b + K (a - A b)` with base forecasts a of the totals and b
    of the series, :math:`K = (W_b A' - W_{ba}) (W_a - W_{ab} A' - A W_{ba} + A W_b A')^{-1}`, which is the same as
    :math:`(S' W^{-1} S)^{-1} S' W^{-1}` of MinT (Wickramasuriya et al. 2019, eq. 11), but with an inverse of the size
    of the totals alone.

    Arguments:
        covariance: ``[N, N]`` of the errors of A totals, then D series.
        matrix: ``[A, D]``, the summing matrix.

    Returns:
        K ``[D, A]``.

    Example:
        >>> reconciling_gain(np.eye(3), np.ones((1, 2))).round(3).tolist()
        [[0.333], [0.333]]
    """
    count = len(matrix)
    above, across, below = covariance[:count, :count], covariance[count:, :count], covariance[count:, count:]
    gap = above - matrix @ across - (matrix @ across).T + matrix @ below @ matrix.T
    return np.asarray(np.linalg.lstsq(gap.T, (below @ matrix.T - across).T, rcond=None)[0].T)


def ranked_totals(paths: np.ndarray, totals: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Draws of totals in the order of the sums that series' paths have, step by step.

    The r-th smallest draw of a total goes to the path with the r-th smallest sum (Jeon, Panagiotelis and Petropoulos
    2019, doi 10.1016/j.ejor.2019.05.020): so both are of one future, as far as that can be told.

    Arguments:
        paths: of the series ``[S, H, D]``.
        totals: ``[S, H, A]``, in any order.
        matrix: ``[A, D]``.

    Returns:
        ``[S, H, A]``.
    """
    ranks = (paths.astype(np.float64) @ matrix.T).argsort(0, kind="stable").argsort(0, kind="stable")
    return np.take_along_axis(np.sort(totals, axis=0), ranks, axis=0)


def moves(paths: np.ndarray, totals: np.ndarray, matrix: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """What reconciles paths of series with the totals that go with them.

    Each path is reconciled as a point forecast is (Panagiotelis et al. 2023, doi 10.1016/j.ejor.2022.07.040).

    Arguments:
        paths: ``[..., S, H, D]``.
        totals: ``[..., S, H, A]`` of the same futures (`ranked_totals`).
        matrix: ``[A, D]``.
        gain: ``[D, A]`` (`reconciling_gain`).

    Returns:
        ``[..., S, H, D]``, float64, to be added to the paths, whose sums are then the reconciled totals.
    """
    return (totals - paths.astype(np.float64) @ matrix.T) @ gain.T


def observed_totals(values: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Totals of observations, NaN where a series of theirs is.

    Arguments:
        values: ``[..., D]``, NaN where missing.
        matrix: ``[A, D]``.

    Returns:
        ``[..., A]``.

    Example:
        >>> observed_totals(np.array([1.0, np.nan, 3.0]), np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]))
        array([ 4., nan])
    """
    missing = np.isnan(values)
    return np.where(missing @ (matrix.T > 0), np.nan, np.where(missing, 0.0, values) @ matrix.T)
