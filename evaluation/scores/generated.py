"""Scores of generated images: how near their features are to those of real ones, and how much of these they reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh

_ROWS = 1024


class Manifold(NamedTuple):
    """Shares of images that lie where the others are, see `manifold_scores`.

    Arguments:
        precision: of the generated, those near a real one.
        recall: of the real, those near a generated one.
        density: real neighbourhoods around a generated image, in shares of k; above 1 where they are many.
        coverage: of the real, those whose own neighbourhood holds a generated one.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Fréchet distance between normal laws: ``‖m − n‖² + tr(A + B − 2 (AB)^½)``; FID where features are Inception's.

    Arguments:
        first: features ``[n, F]``.
        second: features ``[m, F]``.

    Returns:
        At least 0, in squared units of the features, whose network belongs to the number; smaller is nearer. It falls
        with the number of images, so that only values of equal numbers compare.

    Raises:
        ValueError: the widths differ, or there are fewer than two images.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> points = rng.normal(size=(500, 3))
        >>> round(frechet_distance(points, points + 2), 6)
        12.0

    Source: M. Heusel et al. (2017), arXiv 1706.08500, equation 6.
    """
    first, second = _checked(first, second)
    mean = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
    one, other = (np.atleast_2d(np.cov(each, rowvar=False)) for each in (first, second))
    # tr (AB)^½ is the sum of the roots of the eigenvalues of A^½ B A^½, which is symmetric.
    values, vectors = eigh(one)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(eigh(root @ other @ root, eigvals_only=True).clip(0)).sum()
    return float(max(mean + np.trace(one) + np.trace(other) - 2 * cross, 0.0))


def kernel_distance(first: np.ndarray, second: np.ndarray, *, subset: int = 1000, seed: int = 0) -> float:
    """Squared maximum mean discrepancy with the kernel ``(x·y / F + 1)³``, the mean over subsets; KID.

    Arguments:
        first: features ``[n, F]``.
        second: features ``[m, F]``.
        subset: images of a subset, at most; those that fill no further one are left out.
        seed: draws the subsets.

    Returns:
        Without bias, 0 for equal laws, and so below 0 by chance; smaller is nearer.

    Raises:
        ValueError: the widths differ, or there are fewer than two images.

    Source: M. Bińkowski et al. (2018), arXiv 1801.01401, §3.1.
    """
    first, second = _checked(first, second)
    rng = np.random.default_rng(seed)
    size = min(subset, len(first), len(second))
    parts = [rng.permutation(len(each))[: len(each) // size * size].reshape(-1, size) for each in (first, second)]
    return float(np.mean([_discrepancy(first[a], second[b]) for a, b in zip(*parts, strict=False)]))


def manifold_scores(real: np.ndarray, generated: np.ndarray, k: int = 5) -> Manifold:
    """Precision, recall, density and coverage by neighbourhoods that reach to the k-th nearest image of the same kind.

    Arguments:
        real: features ``[n, F]``.
        generated: features ``[m, F]``.
        k: neighbours, the image itself not counted.

    Raises:
        ValueError: the widths differ, or there are not more than k images of each.

    Source: T. Kynkäänniemi et al. (2019), arXiv 1904.06991, equations 1 and 2; M. F. Naeem et al. (2020),
    arXiv 2002.09797, equations 3 and 4.
    """
    real, generated = _checked(real, generated)
    if not 0 < k < min(len(real), len(generated)):
        raise ValueError(f"k: expected 1 to {min(len(real), len(generated)) - 1} neighbours, got {k}")
    reach, other = _reach(real, k), _reach(generated, k)
    precise, dense, recalled, covered = 0, 0.0, np.zeros(len(real), bool), np.zeros(len(real), bool)
    for distances in _distances(generated, real):
        within = distances < reach
        precise += int(within.any(axis=1).sum())
        dense += float(within.sum()) / k
        covered |= within.any(axis=0)
    for place, distances in enumerate(_distances(real, generated)):
        recalled[place * _ROWS : place * _ROWS + len(distances)] = (distances < other).any(axis=1)
    return Manifold(precise / len(generated), float(recalled.mean()), dense / len(generated), float(covered.mean()))


def nearest_distances(found: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The distance of each image to the nearest of others.

    Arguments:
        found: features ``[n, F]``.
        among: features ``[m, F]``.

    Returns:
        ``[n]``, in units of the features; 0 for a copy.
    """
    found, among = _checked(found, among)
    return np.concatenate([distances.min(axis=1) for distances in _distances(found, among)])


def inception_score(probabilities: np.ndarray) -> float:
    """``exp mean KL(p(y|x) ‖ p(y))`` of a classifier's answers: 1 to the number of classes, larger is better.

    Arguments:
        probabilities: ``[n, classes]``, each row with the sum 1.

    Example:
        >>> inception_score(np.eye(4)), inception_score(np.full((4, 4), 0.25))
        (4.0, 1.0)

    Source: T. Salimans et al. (2016), arXiv 1606.03498, §4, which has the classifier Inception.
    """
    told = np.asarray(probabilities, dtype=np.float64)
    marginal = told.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.where(told > 0, told * (np.log(told) - np.log(marginal)), 0.0)
    return round(float(np.exp(apart.sum(axis=1).mean())), 12)


def _checked(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first, second = (np.asarray(each, dtype=np.float64) for each in (first, second))
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or min(len(first), len(second)) < 2:
        raise ValueError(
            f"features: expected two or more rows of equal width, got {list(first.shape)} and {list(second.shape)}"
        )
    return first, second


def _discrepancy(first: np.ndarray, second: np.ndarray) -> float:
    def kernel(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        found: np.ndarray = (one @ other.T / one.shape[1] + 1) ** 3
        return found

    def without_itself(points: np.ndarray) -> float:
        matrix = kernel(points, points)
        return float((matrix.sum() - np.trace(matrix)) / (len(points) * (len(points) - 1)))

    return without_itself(first) + without_itself(second) - 2 * float(kernel(first, second).mean())


def _distances(rows: np.ndarray, columns: np.ndarray) -> Iterator[np.ndarray]:
    """Euclidean distances, so many rows at a time."""
    squares = np.square(columns).sum(axis=1)
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        yield np.sqrt((np.square(some).sum(axis=1)[:, None] + squares - 2 * some @ columns.T).clip(0))


def _reach(points: np.ndarray, k: int) -> np.ndarray:
    return np.concatenate([np.partition(distances, k, axis=1)[:, k] for distances in _distances(points, points)])
