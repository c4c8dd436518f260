"""Scores of mixtures: the energy score and the CRPS of models, or of sample paths, with weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from scipy.spatial.distance import cdist


class _Matrix(Protocol):
    """An array of any library, so that a score can be differentiated by that library."""

    def __matmul__(self, other: Any, /) -> Any: ...


Array = TypeVar("Array", bound=_Matrix)


def weighted_energy(distance: Array, between: Array, weights: Array) -> Array:
    """Energy score of a mixture as a function of its weights: ``w·a − ½ w·B·w``.

    It is quadratic in w; its gradient is ``a − B·w``.

    Arguments:
        distance: a ``[K]``, mean distance to the outcome of each part of the mixture, data units.
        between: B ``[K, K]``, symmetric, mean distance between two parts, data units.
        weights: w ``[K]``, not negative, 1 in all; an array of the same library as the others.

    Returns:
        The score, a number without axes, data units; lower is better.

    Example:
        >>> parts = path_distances(np.array([[[0.0]], [[2.0]]]), np.array([[1.0]]))
        >>> float(weighted_energy(*parts, np.array([0.5, 0.5])))
        0.5

    Source: T. Gneiting, A. E. Raftery (2007), doi:10.1198/016214506000001437, equation 22, for a discrete distribution.
    """
    return cast(Array, distance @ weights - weights @ between @ weights / 2)


def path_distances(paths: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances of sample paths to the outcome and to each other, for `weighted_energy` of one forecast.

    All pairs of a step come from one product of matrices, at the speed of the processor's linear algebra, and are right
    to some 1e-8 of the distances to the outcome.

    Arguments:
        paths: ``[K, H, D]``, data units.
        truth: ``[H, D]``, data units, NaN where missing.

    Returns:
        Euclidean distances over the series observed at a step, summed over the steps: a ``[K]`` of each path to the
        outcome and B ``[K, K]`` between paths, data units.

    Raises:
        ValueError: the shapes do not fit together.

    Example:
        >>> path_distances(np.array([[[0.0]], [[2.0]]]), np.array([[1.0]]))
        (array([1., 1.]), array([[0., 2.],
               [2., 0.]]))
    """
    _check_shapes("paths", paths.shape, "[K, H, D]", truth.shape, "[H, D]")
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


def model_distances(drawn: Sequence[np.ndarray], truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean distances of models to the outcome and to each other, for `weighted_energy` of a mixture of models.

    Two paths of one model are never the same path: the mean is over the ``S (S − 1)`` pairs of different ones, so that
    a model's score does not depend on how many paths were drawn from it.

    Arguments:
        drawn: for each of J models S > 1 paths ``[W, S, H, D]`` of W windows, data units.
        truth: ``[W, H, D]``, data units, NaN where missing.

    Returns:
        Euclidean distances over the series observed at a step, summed over windows and steps: a ``[J]`` to the outcome
        and B ``[J, J]`` between paths of two models, data units.

    Raises:
        ValueError: there is no model, a model has fewer than two paths, or the shapes do not fit together.

    Example:
        >>> low, high = np.zeros((1, 50, 1, 1)), np.full((1, 50, 1, 1), 2.0)
        >>> model_distances([low, high], np.ones((1, 1, 1)))
        (array([1., 1.]), array([[0., 2.],
               [2., 0.]]))
    """
    if not drawn:
        raise ValueError("drawn: expected the paths of at least one model, got none")
    for number, each in enumerate(drawn):
        _check_shapes(f"drawn[{number}]", each.shape, "[W, S, H, D]", truth.shape, "[W, H, D]")
        if each.shape[1] < 2:
            raise ValueError(f"drawn[{number}]: expected at least 2 paths, got {each.shape[1]}")
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
                pairs = len(first) * (len(first) - 1) if i == j else len(first) * len(paths[j])
                between[i, j] += cdist(first, paths[j]).sum() / pairs
    return distance, np.triu(between) + np.triu(between, 1).T


def mixture_score(drawn: Sequence[np.ndarray], truth: np.ndarray, weights: Sequence[float]) -> float:
    """Energy score of a mixture of models, of one series its CRPS, summed over windows and steps.

    Of the mixture itself: all paths count with their weights, none is left out to make up a sample of it.

    Arguments:
        drawn: for each of J models S > 1 paths ``[W, S, H, D]`` of W windows, data units.
        truth: ``[W, H, D]``, data units, NaN where missing.
        weights: ``[J]``, not negative, 1 in all.

    Returns:
        The score, data units; lower is better.

    Raises:
        ValueError: there is not a weight for each model, a model has fewer than two paths, or the shapes do not fit.

    Example:
        >>> low, high = np.zeros((1, 50, 1, 1)), np.full((1, 50, 1, 1), 2.0)
        >>> mixture_score([low, high], np.ones((1, 1, 1)), [0.5, 0.5])
        0.5
    """
    if len(weights) != len(drawn):
        raise ValueError(f"weights: expected {len(drawn)}, one for each model, got {len(weights)}")
    return float(weighted_energy(*model_distances(drawn, truth), np.asarray(weights, dtype=float)))


def weighted_crps(values: np.ndarray, weights: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """CRPS of discrete distributions: ``Σ_k w_k |x_k − y| − ½ Σ_{k,l} w_k w_l |x_k − x_l|``, by one sort of each.

    Arguments:
        values: x ``[N, K]``, any unit.
        weights: w ``[N, K]``, not negative, 1 in all in each row.
        truth: y ``[N]``, the unit of the values.

    Returns:
        ``[N]``, the unit of the values; lower is better.

    Raises:
        ValueError: the shapes do not fit together.

    Example:
        >>> weighted_crps(np.array([[0.0, 2.0]]), np.array([[0.5, 0.5]]), np.array([1.0]))
        array([0.5])

    Source: T. Gneiting, A. E. Raftery (2007), doi:10.1198/016214506000001437, equation 21, for a discrete distribution.
    """
    if values.ndim != 2 or weights.shape != values.shape or truth.shape != values.shape[:1]:
        raise ValueError(
            "values: expected [N, K] beside weights [N, K] and truth [N], "
            f"got {list(values.shape)} beside {list(weights.shape)} and {list(truth.shape)}"
        )
    order = values.argsort(axis=1)
    values, weights = np.take_along_axis(values, order, 1), np.take_along_axis(weights, order, 1)
    below = weights.cumsum(1)
    spread = (weights * values * (2 * below - weights - 1)).sum(1)
    return np.asarray((weights * np.abs(values - truth[:, None])).sum(1) - spread)


def _check_shapes(name: str, paths: tuple[int, ...], axes: str, truth: tuple[int, ...], of_truth: str) -> None:
    if len(paths) != axes.count(",") + 1 or paths[:-3] + paths[-2:] != truth:
        raise ValueError(f"{name}: expected {axes} beside truth {of_truth}, got {list(paths)} beside {list(truth)}")
