"""Scores of mixtures of models: the energy score and the CRPS with weighted sample paths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import cdist


def weighted_crps(values: np.ndarray, weights: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """CRPS of discrete distributions.

    Arguments:
        values: ``[N, D]``.
        weights: ``[N, D]``, not negative, 1 in all in each row.
        truth: ``[N]``.

    Returns:
        ``[N]``.

    Example:
        >>> weighted_crps(np.array([[0.0, 2.0]]), np.array([[0.5, 0.5]]), np.array([1.0]))
        array([0.5])
    """
    order = values.argsort(axis=1)
    values, weights = np.take_along_axis(values, order, 1), np.take_along_axis(weights, order, 1)
    below = weights.cumsum(1)
    spread = (weights * values * (2 * below - weights - 1)).sum(1)
    return np.asarray((weights * np.abs(values - truth[:, None])).sum(1) - spread)


def mixture_score(drawn: Sequence[np.ndarray], truth: np.ndarray, weights: Sequence[float]) -> float:
    """The energy score of a mixture, of one series the CRPS, summed over windows and steps.

    Of the mixture itself: all paths count with their weights, none is left out to make up a sample of it.

    Arguments:
        drawn: for each of J models the paths ``[W, S, H, D]`` of W windows.
        truth: ``[W, H, D]``, NaN where missing.
        weights: ``[J]``, not negative, 1 in all.

    Example:
        >>> low, high = np.zeros((1, 50, 1, 1)), np.full((1, 50, 1, 1), 2.0)
        >>> mixture_score([low, high], np.ones((1, 1, 1)), [0.5, 0.5])
        0.5
    """
    linear, quadratic = score_parts(drawn, truth)
    shares = np.asarray(weights, dtype=float)
    return float(linear @ shares - shares @ quadratic @ shares / 2)


def score_parts(drawn: Sequence[np.ndarray], truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean distances of models to the truth ``[J]``, and between paths of two models ``[J, J]``, over all steps."""
    count = len(drawn)
    distance, between = np.zeros(count), np.zeros((count, count))
    for place in np.ndindex(truth.shape[:2]):
        window, step = place
        known = ~np.isnan(truth[place])
        paths = [np.ascontiguousarray(each[window, :, step, known].T, dtype=np.float64) for each in drawn]
        outcome = truth[place][known].astype(np.float64)[None]
        for i, first in enumerate(paths):
            distance[i] += cdist(first, outcome).mean()
            for j in range(i, count):
                # Within a model a path has distance 0 to itself, which is no pair.
                pairs = len(first) * (len(first) - 1) if i == j else len(first) * len(paths[j])
                between[i, j] += cdist(first, paths[j]).sum() / pairs
    return distance, np.triu(between) + np.triu(between, 1).T


def path_distances(paths: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parts of the energy score of one forecast whose paths are yet to be weighted, summed over the steps.

    With weights w it is ``w·a − ½ w·B·w``, the energy score of the distribution that has path k with probability w_k.

    Arguments:
        paths: ``[K, H, D]``, data units.
        truth: ``[H, D]``, data units, NaN where missing.

    Returns:
        Euclidean distances over the series observed at a step, a ``[K]`` of each path to the truth and B ``[K, K]``
        between paths, data units.

    Example:
        >>> path_distances(np.array([[[0.0]], [[2.0]]]), np.array([[1.0]]))
        (array([1., 1.]), array([[0., 2.],
               [2., 0.]]))

    Source: T. Gneiting, A. E. Raftery (2007), doi:10.1198/016214506000001437, equation 22.
    """
    distance, between = np.zeros(len(paths)), np.zeros((len(paths), len(paths)))
    for step, outcome in enumerate(truth):
        known = ~np.isnan(outcome)
        # Apart from the outcome, so that squares of large levels leave the digits of small distances.
        errors = paths[:, step, known] - outcome[known]
        squares = (errors**2).sum(1)
        distance += np.sqrt(squares)
        between += np.sqrt(np.maximum(squares[:, None] + squares - 2 * errors @ errors.T, 0))
    np.fill_diagonal(between, 0)
    return distance, between
