"""Calibration of probabilities of events: whether what is said to happen one time in ten does."""

from __future__ import annotations

import numpy as np


def calibration_line(
    log_odds: np.ndarray, happened: np.ndarray, offset: np.ndarray | float = 0.0, steps: int = 50
) -> tuple[float, float]:
    """Calibration intercept and slope: the maximum-likelihood a and b of ``P(event) = σ(a + b · log_odds + offset)``.

    0 and 1 are those of a calibrated forecast; a slope below 1 is over-confidence.

    Arguments:
        log_odds: ``[N]``, what was forecast.
        happened: ``[N]``, whether it happened, 0 or 1.
        offset: ``[N]`` or a number, what is added in any case.
        steps: of Newton's method, at most.

    Returns:
        Intercept and slope.

    Raises:
        ValueError: all events happened, or none did, so that no line is determined.

    Source: D. R. Cox (1958), doi:10.1093/biomet/45.3-4.562.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> odds = rng.normal(-1, 1, 20000)
        >>> line = calibration_line(odds, rng.random(20000) < 1 / (1 + np.exp(-0.5 * odds)))
        >>> [round(part, 1) for part in line]
        [0.0, 0.5]
    """
    happened = np.asarray(happened, dtype=float)
    if not 0 < happened.mean() < 1:
        raise ValueError(f"happened: expected some events that happened and some that did not, got {happened.mean():g}")
    columns = np.column_stack([np.ones(len(log_odds)), np.asarray(log_odds, dtype=float)])
    line = np.array([0.0, 1.0])
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-np.clip(columns @ line + offset, -500, 500)))
        weight = np.maximum(chance * (1 - chance), 1e-12)
        step = np.linalg.solve(columns.T @ (columns * weight[:, None]), columns.T @ (happened - chance))
        line = line + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    return float(line[0]), float(line[1])


def reliability(probability: np.ndarray, happened: np.ndarray, bins: int = 10) -> np.ndarray:
    """Reliability curve: mean forecast and observed frequency in bins of equally many events.

    Arguments:
        probability: ``[N]``, forecast.
        happened: ``[N]``, 0 or 1.
        bins: how many; fewer where forecasts are equal.

    Returns:
        ``[bins, 3]``: the mean probability of each bin, the share of its events that happened, and their number.

    Example:
        >>> reliability(np.array([0.1, 0.1, 0.9, 0.9]), np.array([0, 0, 1, 1]), bins=2).tolist()
        [[0.1, 0.0, 2.0], [0.9, 1.0, 2.0]]
    """
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.searchsorted(edges, probability, side="right")
    count = np.bincount(place, minlength=len(edges) + 1).astype(float)
    some = count > 0
    mean = np.bincount(place, probability, len(edges) + 1)[some] / count[some]
    share = np.bincount(place, np.asarray(happened, dtype=float), len(edges) + 1)[some] / count[some]
    return np.column_stack([mean, share, count[some]])
