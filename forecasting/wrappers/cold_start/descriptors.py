"""Descriptors of articles and the similarity between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from ....runtime.arguments.kinds import Checked

JUDGED = 400
"""Articles left out in turn, at most."""


def descriptors(numbers: np.ndarray | None, categories: np.ndarray | None, known: np.ndarray) -> np.ndarray:
    """Static features as columns of one size: numbers standardised over the known articles, 0 or 1 for categories.

    Arguments:
        numbers: ``[D, k]``, or ``None``.
        categories: whole numbers ``[D, c]``, or ``None``; one that no known article has is like none of them.
        known: bool ``[D]``.

    Returns:
        ``[D, p]``; p is 0 where nothing tells the known articles apart.

    Example:
        >>> descriptors(np.array([[1.0], [3.0], [5.0]]), np.array([[0], [0], [1]]), np.array([True, True, False]))
        array([[-1.],
               [ 1.],
               [ 3.]])
    """
    columns = [np.empty((len(known), 0))]
    if numbers is not None:
        columns.append(np.asarray(numbers, dtype=float))
    for kind in () if categories is None else np.asarray(categories).T:
        columns.append((kind[:, None] == np.unique(kind[known])).astype(float))
    table = np.concatenate(columns, axis=1)
    first = 0 if numbers is None else np.shape(numbers)[1]
    spread = table[known].std(0)
    told = spread > 1e-9 * np.maximum(np.abs(table[known]).max(0, initial=0), 1e-300)
    # Categories keep their size: two articles of another kind are equally far apart, however rare the kind is.
    size = np.where(np.arange(table.shape[1]) < first, spread, 1.0)
    return (table[:, told] - table[known][:, told].mean(0)) / size[told]


@dataclass(frozen=True)
class Likeness(Checked):
    """Similarity weights of descriptors, for the level of an article and for its seasonal course.

    Arguments:
        ridge: penalty of the regression of log levels on descriptors, as a share of the articles: 1 halves what a
            descriptor on its own would do.
        width: of the likeness of two articles where their levels are compared, in median distances.
        course: of their likeness where their courses are.
    """

    ridge: float = np.inf
    width: float = np.inf
    course: float = np.inf


def alike(told: np.ndarray, asked: np.ndarray, width: float, of: np.ndarray | None = None) -> np.ndarray:
    """Similarities of new to known articles ``[N, D]``, summing to 1; of an outlier all on the nearest.

    Arguments:
        told: ``[D, p]`` descriptors of the known ones.
        asked: ``[N, p]``.
        width: of likeness, in median distances; infinite, all count the same.
        of: ``[N]`` places among the known, of articles that are known themselves, each left out for itself.
    """
    squares = cdist(asked, told, "sqeuclidean") if told.shape[1] else np.zeros((len(asked), len(told)))
    if of is not None:
        squares[np.arange(len(of)), of] = np.inf
    if np.isinf(width):
        strength = np.where(np.isinf(squares), -np.inf, 0.0)
    else:
        between = cdist(told[:JUDGED], told[:JUDGED])
        usual = float(np.median(between[np.triu_indices(len(between), 1)])) or 1.0
        strength = -squares / (2 * (width * usual) ** 2)
    strength = np.exp(strength - strength.max(1, keepdims=True))
    return strength / strength.sum(1, keepdims=True)
