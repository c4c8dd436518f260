"""Calibration: whether what happens is as likely as the forecast says."""

from __future__ import annotations

import numpy as np

from .univariate import checked


def pit(samples: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability integral transform, as the span of probability that an observation among the paths takes.

    Of S paths, ``below`` are smaller than the observation and ``equal`` are equal to it. If all come from the same
    law, its rank is uniform, and the span ``[below/(S+1), (below+equal+1)/(S+1)]``, with its mass spread
    evenly, is uniform on [0, 1] in expectation: also for counts with many ties, and without a random number.

    Arguments:
        samples: sample paths ``[..., S, H, D]``, in any order, data units.
        observed: ``[..., H, D]``, data units.

    Returns:
        Lower and upper end, each ``[..., H, D]`` in [0, 1]; NaN where the observation is missing.

    Example:
        >>> lower, upper = pit(np.arange(9.0)[:, None, None], np.array([[4.5]]))
        >>> float(lower[0, 0]), float(upper[0, 0])
        (0.5, 0.6)

    Source: C. Czado, T. Gneiting, L. Held (2009), doi:10.1111/j.1541-0420.2009.01191.x, the nonrandomised PIT.
    """
    below, equal = _ranks(samples, observed)
    count, missing = samples.shape[-3], np.isnan(observed)
    lower, upper = below / (count + 1), (below + equal + 1) / (count + 1)
    return np.where(missing, np.nan, lower), np.where(missing, np.nan, upper)


def randomised_pit(samples: np.ndarray, observed: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Randomised probability integral transform: a place in the span that `pit` gives, chosen by a uniform number.

    ``(below + u (equal + 1)) / (S + 1)``, where ``below`` of S paths are smaller than the observation and ``equal`` are
    equal to it. It is uniform on [0, 1] if the observation is of the law of the paths.

    Arguments:
        samples: sample paths ``[..., S, H, D]``, in any order, data units.
        observed: ``[..., H, D]``, data units.
        uniform: u ``[..., H, D]`` in [0, 1].

    Returns:
        ``[..., H, D]`` in [0, 1]; NaN where the observation is missing.

    Example:
        >>> randomised_pit(np.arange(9.0)[:, None, None], np.array([[4.5]]), np.array([[0.5]]))
        array([[0.55]])

    Source: C. Czado, T. Gneiting, L. Held (2009), doi:10.1111/j.1541-0420.2009.01191.x, equation 1.
    """
    below, equal = _ranks(samples, observed)
    return np.where(np.isnan(observed), np.nan, (below + uniform * (equal + 1)) / (samples.shape[-3] + 1))


def _ranks(samples: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many paths are smaller than the observation, and how many are equal to it, each ``[..., H, D]``."""
    outcome = np.expand_dims(observed, -3)
    return (samples < outcome).sum(-3), (samples == outcome).sum(-3)


def pit_histogram(lower: np.ndarray, upper: np.ndarray, bins: int = 10) -> np.ndarray:
    """Share of observations in each of equally wide bins of the probability integral transform.

    A calibrated forecast gives ``1/bins`` everywhere; a hump means too wide, a bowl too narrow, a slope biased.

    Arguments:
        lower: lower ends from `pit`, any shape.
        upper: upper ends from `pit`, the same shape.
        bins: the number of bins.

    Returns:
        ``[bins]``, adding up to 1.

    Raises:
        ValueError: there is no observation, or no bin.

    Example:
        >>> pit_histogram(np.array([0.0, 0.45]), np.array([0.1, 0.55]), bins=2)
        array([0.75, 0.25])
    """
    if bins < 1:
        raise ValueError(f"bins: expected at least 1, got {bins}")
    present = ~np.isnan(lower)
    lower, upper = lower[present], upper[present]
    if not lower.size:
        raise ValueError("lower: expected at least one observation, all are missing")
    edges = np.linspace(0, 1, bins + 1)
    # The distribution function at an edge: the mean share of each span that lies below it.
    below = np.array([np.clip((edge - lower) / (upper - lower), 0, 1).mean() for edge in edges])
    return np.diff(below)


def pit_deviation(lower: np.ndarray, upper: np.ndarray, bins: int = 10) -> float:
    """Mean absolute deviation of a PIT histogram from uniform: ``mean_b |share_b · bins − 1|``.

    Arguments:
        lower: lower ends from `pit`, any shape.
        upper: upper ends from `pit`, the same shape.
        bins: the number of bins.

    Returns:
        The mean relative deviation, at most 2.
    """
    return float(np.abs(pit_histogram(lower, upper, bins) * bins - 1).mean())


def calibration_histogram(samples: np.ndarray, observed: np.ndarray, bins: int = 10) -> np.ndarray:
    """PIT histogram of sample paths.

    Arguments:
        samples: sample paths ``[..., S, H, D]``, data units.
        observed: ``[..., H, D]``, data units.
        bins: the number of bins.

    Returns:
        ``[bins]``, adding up to 1.

    Raises:
        ValueError: the shapes do not fit together, nothing was observed, or there is no bin.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> shares = calibration_histogram(rng.normal(size=(50, 400, 5)), rng.normal(size=(400, 5)))
        >>> bool(abs(shares - 0.1).max() < 0.03)
        True
    """
    return pit_histogram(*pit(*checked(samples, observed)), bins)
