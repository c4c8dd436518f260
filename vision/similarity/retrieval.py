"""How well a similarity finds what belongs together."""

from __future__ import annotations

from math import comb

import numpy as np


def first_right(
    similar: np.ndarray, query: np.ndarray, gallery: np.ndarray, same: np.ndarray | None = None
) -> np.ndarray:
    """The place at which the first right answer to each query stands, 0 for the first.

    Arguments:
        similar: ``[Q, N]``, the similarity of each query to each photo of the gallery; equals keep their order.
        query: ``[Q]``, the group of each query.
        gallery: ``[N]``, the group of each photo.
        same: bool ``[Q, N]``, where a query meets itself, which is no answer.

    Returns:
        int64 ``[Q]``.

    Example:
        >>> first_right(np.array([[0.9, 0.5, 0.1]]), np.array([1]), np.array([0, 1, 1]))
        array([1])
    """
    scores = similar if same is None else np.where(same, -np.inf, similar)
    right = query[:, None] == gallery[None]
    if same is not None:
        right &= ~same
    if not right.any(axis=1).all():
        raise ValueError(
            f"gallery: expected an answer to each query, got none to query {int(np.argmin(right.any(axis=1)))}"
        )
    order = np.argsort(-scores, axis=1, kind="stable")
    found: np.ndarray = np.take_along_axis(right, order, axis=1).argmax(axis=1)
    return found


def chance_recall(relevant: np.ndarray, others: np.ndarray, k: int) -> float:
    """The mean recall at k of answers in an order that is drawn: ``1 − C(N − R, k) / C(N, k)``.

    Arguments:
        relevant: ``[Q]``, right answers R to each query.
        others: ``[Q]``, wrong answers N − R.
        k: how many answers are looked at.

    Example:
        >>> chance_recall(np.array([1]), np.array([3]), 1)
        0.25
    """
    missed = [comb(int(wrong), k) / comb(int(wrong + right), k) for right, wrong in zip(relevant, others, strict=True)]
    return float(1 - np.mean(missed))


def gain_interval(
    better: np.ndarray,
    base: np.ndarray,
    cluster: np.ndarray,
    *,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> tuple[float, float, float]:
    """The mean gain of one row over another, and its bootstrap interval over clusters of queries.

    Arguments:
        better: ``[Q]``, hits of the one row, 0 or 1.
        base: ``[Q]``, hits of the other.
        cluster: int64 ``[Q]``, the garment of each query: those of one garment are drawn together.
        level: of the interval, between percentiles.
        draws: resamples.
        seed: draws them.

    Returns:
        The gain, and the lower and upper end of the interval.
    """
    numbers = np.unique(cluster, return_inverse=True)[1]
    gain = np.bincount(numbers, weights=better.astype(float) - base.astype(float))
    size = np.bincount(numbers).astype(float)
    drawn = np.random.default_rng(seed).integers(0, len(size), (draws, len(size)))
    means = gain[drawn].sum(axis=1) / size[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(gain.sum() / size.sum()), float(low), float(high)
