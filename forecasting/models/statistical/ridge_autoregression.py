"""Vector autoregression of many short series: each equation from its own start, coefficients shrunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...windows.gaps import previous_values

WIDEST = 400
"""Regressors of an equation, at most: of more series fewer steps are looked back on."""

OTHERS = (0.0, 0.1, 0.3, 1.0)
"""Prior standard deviations that are tried for what another series tells, beside that of a series itself."""

PENALTIES = np.logspace(-4, 3, 15)
"""Ridge penalties that are tried, in mean squared lengths of a row of regressors."""

FEWEST = 8
"""Steps with errors of its own below which a series is given those of another."""

_CONSTANT = 100.0
"""Prior variance of the constant of an equation, in variances of its series: hardly any shrinkage."""


@dataclass(frozen=True)
class Equations:
    """A fitted vector autoregression.

    Arguments:
        coefficients: ``[1 + p * D, D]``, the constant first, then lag by lag, in units of each series' spread.
        residuals: ``[R, D]`` errors of steps that had no say in what told them, likewise.
        center: ``[D]`` means, data units.
        spread: ``[D]`` standard deviations, data units, positive.
        last: ``[p, D]`` the values that the first step looks back on, in units of spread.
    """

    coefficients: np.ndarray
    residuals: np.ndarray
    center: np.ndarray
    spread: np.ndarray
    last: np.ndarray


def ridge_equations(target: np.ndarray, max_lags: int) -> Equations:
    r"""Regress each series on the last values of all by ridge regression, on the steps at which it was seen.

    The coefficients of an equation minimise :math:`\sum_t e_t^2 + \lambda \sum_{lj} (l\, a_{lj} / w_{j})^2` with w = 1
    for the series itself: what happened longer ago, and to others, is shrunk more (Litterman 1986, doi
    10.1080/07350015.1986.10509491). :math:`\lambda` and the w of others are one pair for all equations, with the least
    squared error of steps that are left out in turn, which ridge regression has in closed form (Allen 1974, doi
    10.1080/00401706.1974.10489157); errors of steps left out are what paths add too. Before its first value a series
    tells nothing, as at its mean; later gaps hold the last value.

    Arguments:
        target: ``[D, T]``, NaN where missing.
        max_lags: steps looked back on, at most.

    Example:
        >>> noise = np.random.default_rng(0).normal(size=400)
        >>> ridge_equations(noise[None, 1:] + 0.5 * noise[None, :-1], 1).coefficients.shape
        (2, 1)
    """
    dim, length = target.shape
    order = max(1, min(max_lags, WIDEST // dim))
    seen = ~np.isnan(target)
    center, spread = _center_and_spread(target, seen)
    values = (np.where(seen, target, previous_values(target, 1)) - center[:, None]) / spread[:, None]
    values = np.nan_to_num(values).T
    # Divided by the lag, so that one penalty shrinks a coefficient the more the longer ago its value was.
    lagged = np.stack([values[order - lag : length - lag] / lag for lag in range(1, order + 1)])
    told = seen[:, order:].T
    penalties = PENALTIES * (float((lagged**2).sum((0, 2)).mean()) or 1.0)
    errors = np.array([_left_out(lagged, values[order:], told, penalties, other) for other in OTHERS])
    best, penalty = np.unravel_index(int(np.argmin(errors)), errors.shape)
    coefficients = np.zeros((1 + order * dim, dim))
    residuals = np.full((length - order, dim), np.nan)
    for series, rows in enumerate(told.T):
        if rows.any():
            weights = _weights(dim, series, OTHERS[best])
            outcome = values[order:][rows, series]
            dual, diagonal = _solved(lagged[:, rows], outcome, weights, penalties[[penalty]])
            residuals[rows, series] = (dual / diagonal)[:, 0]
            slopes = np.einsum("trd,r->td", lagged[:, rows], dual[:, 0]) * weights
            coefficients[1:, series] = (slopes / np.arange(1, order + 1)[:, None]).ravel()
            coefficients[0, series] = _CONSTANT * dual.sum()
    return Equations(coefficients, _whole(residuals), center, spread, values[-order:])


def _center_and_spread(target: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each series; one seen hardly ever has the relative spread of the others."""
    count = np.maximum(seen.sum(1), 1)
    center = np.where(seen, target, 0).sum(1, dtype=np.float64) / count
    spread = np.sqrt(np.where(seen, (target - center[:, None]) ** 2, 0).sum(1) / count)
    enough = (seen.sum(1) >= FEWEST) & (center != 0)
    if enough.any():
        relative = float(np.median(spread[enough] / np.abs(center[enough])))
        spread = np.where(seen.sum(1) < FEWEST, np.maximum(spread, relative * np.abs(center)), spread)
    return center, np.where(spread > 0, spread, 1.0)


def _weights(dim: int, series: int, other: float) -> np.ndarray:
    """Prior variances ``[D]`` of what each series tells of one."""
    weights = np.full(dim, other**2)
    weights[series] = 1.0
    return weights


def _solved(
    lagged: np.ndarray, outcome: np.ndarray, weights: np.ndarray, penalties: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The inverse of the covariance of n steps, times the outcome and its diagonal, each ``[n, J]``.

    Their ratio are the errors of steps left out in turn.

    Arguments:
        lagged: ``[p, n, D]`` regressors.
        outcome: ``[n]``.
        weights: ``[D]`` prior variances.
        penalties: ``[J]``.
    """
    constant = np.full((len(outcome), 1), np.sqrt(_CONSTANT))
    scaled = np.concatenate([constant, *(lagged * np.sqrt(weights))], axis=1)
    left, sizes, _ = np.linalg.svd(scaled, full_matrices=False)
    shrunk = 1 / (sizes[:, None] ** 2 + penalties)
    turned = left.T @ outcome
    beside = (outcome - left @ turned)[:, None] / penalties
    alone = (1 - (left**2).sum(1)).clip(0)[:, None] / penalties
    return left @ (shrunk * turned[:, None]) + beside, left**2 @ shrunk + alone


def _left_out(
    lagged: np.ndarray, values: np.ndarray, told: np.ndarray, penalties: np.ndarray, other: float
) -> np.ndarray:
    """Mean squared errors ``[J]`` of steps left out in turn, summed over the equations, for each of the penalties."""
    found = np.zeros(len(penalties))
    for series, rows in enumerate(told.T):
        if rows.sum() >= FEWEST:
            weights = _weights(values.shape[1], series, other)
            dual, diagonal = _solved(lagged[:, rows], values[rows, series], weights, penalties)
            found += ((dual / diagonal) ** 2).mean(0)
    return found


def _whole(residuals: np.ndarray) -> np.ndarray:
    """Residuals ``[R, D]`` of the steps with any, those that a series lacks taken from other steps of its own.

    They are those of steps at which the other series erred likewise, each step's as often as the others', so that what
    a young series shares with them is not lost. A series with fewer than `FEWEST` has those of another one, half way
    round, which are in units of their spread as well.
    """
    known = ~np.isnan(residuals)
    residuals, known = residuals[known.any(1)], known[known.any(1)]
    held = np.where(known, residuals, 0)
    steps, filled = np.arange(len(residuals)), residuals.copy()
    lenders = np.flatnonzero(known.sum(0) >= FEWEST)
    for series in range(residuals.shape[1]):
        own, missing = steps[known[:, series]], steps[~known[:, series]]
        if len(own) < FEWEST and len(lenders):
            lender = int(lenders[series % len(lenders)])
            of_lender = steps[known[:, lender]]
            filled[:, series] = residuals[of_lender[(steps + len(of_lender) // 2) % len(of_lender)], lender]
        elif len(own):
            others = (held.sum(1) - held[:, series]) / np.maximum(known.sum(1) - known[:, series], 1)
            own, missing = own[others[own].argsort()], missing[others[missing].argsort()]
            filled[missing, series] = residuals[
                own[(np.arange(len(missing)) * len(own)) // max(len(missing), 1)], series
            ]
        else:
            filled[:, series] = 0.0
    return filled
