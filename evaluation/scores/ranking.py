"""Scores of rankings: how far in front what was right stands, for each customer.

Where items have equal scores, each order of them is as likely as any other, and the score is the expected one: a
ranking that says nothing has what chance has. An item without a score (NaN) stands behind all that have one.
"""

from __future__ import annotations

import numpy as np


def recall_at(scores: np.ndarray, relevant: np.ndarray, k: int, among: np.ndarray | None = None) -> np.ndarray:
    """Recall at k: the share of the relevant items that are among the k with the largest scores.

    Arguments:
        scores: ``[C, n]``, more is better; NaN for an item without a score.
        relevant: bool ``[C, n]``.
        k: how many items are looked at.
        among: bool ``[C, n]`` or ``[n]``, the items that are ranked; ``None`` for all.

    Returns:
        ``[C]``; NaN where nothing is relevant.

    Example:
        >>> recall_at(np.array([[3.0, 2.0, 1.0]]), np.array([[True, False, True]]), 2).tolist()
        [0.5]
        >>> recall_at(np.zeros((1, 4)), np.array([[True, False, False, False]]), 1).tolist()
        [0.25]
    """
    return np.array([_shares(*one, k).mean() if len(one[0]) else np.nan for one in _places(scores, relevant, among)])


def ndcg_at(scores: np.ndarray, relevant: np.ndarray, k: int, among: np.ndarray | None = None) -> np.ndarray:
    """Normalised discounted cumulative gain at k, of items that are relevant or not.

    ``DCG / ideal DCG`` with ``DCG = Σ 1 / log2(1 + place)`` over the relevant items among the first k.

    Arguments:
        scores: ``[C, n]``, more is better; NaN for an item without a score.
        relevant: bool ``[C, n]``.
        k: how many items are looked at.
        among: bool ``[C, n]`` or ``[n]``, the items that are ranked; ``None`` for all.

    Returns:
        ``[C]``; NaN where nothing is relevant.

    Source: K. Järvelin, J. Kekäläinen (2002), doi:10.1145/582415.582418, with the discount ``log2(1 + place)``.

    Example:
        >>> ndcg_at(np.array([[3.0, 2.0, 1.0]]), np.array([[True, False, True]]), 3).round(4).tolist()
        [0.9197]
    """
    discount = 1 / np.log2(2 + np.arange(k))
    total = np.concatenate([[0.0], np.cumsum(discount)])
    found = []
    for above, equal in _places(scores, relevant, among):
        if not len(above):
            found.append(np.nan)
            continue
        gain = (total[np.minimum(above + equal, k)] - total[np.minimum(above, k)]) / equal
        found.append(float(gain.sum() / total[min(len(above), k)]))
    return np.array(found)


def reciprocal_rank(scores: np.ndarray, relevant: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """Reciprocal rank: one divided by the place of the first relevant item. Its mean is the MRR.

    Arguments:
        scores: ``[C, n]``, more is better; NaN for an item without a score.
        relevant: bool ``[C, n]``.
        among: bool ``[C, n]`` or ``[n]``, the items that are ranked; ``None`` for all.

    Returns:
        ``[C]``; NaN where nothing is relevant.

    Example:
        >>> reciprocal_rank(np.array([[3.0, 2.0, 1.0]]), np.array([[False, True, True]])).tolist()
        [0.5]
        >>> float(reciprocal_rank(np.zeros((1, 2)), np.array([[True, False]]))[0])
        0.75
    """
    found = []
    for above, equal in _places(scores, relevant, among):
        if not len(above):
            found.append(np.nan)
            continue
        first, size = int(above.min()), int(equal[above.argmin()])
        right = int((above == first).sum())
        # Of `size` equal items `right` are relevant: the chance that the first of them is the j-th.
        chance, sure = right / size, 0.0
        for j in range(size - right + 1):
            sure += chance / (first + j + 1)
            chance *= (size - j - right) / (size - j - 1) if size - j > 1 else 0.0
        found.append(sure)
    return np.array(found)


def auc(scores: np.ndarray, relevant: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """Area under the ROC curve: the chance that a relevant item has a larger score than another one; equals count half.

    Arguments:
        scores: ``[C, n]``, more is better; NaN for an item without a score.
        relevant: bool ``[C, n]``.
        among: bool ``[C, n]`` or ``[n]``, the items that are ranked; ``None`` for all.

    Returns:
        ``[C]``; NaN where nothing is relevant, or all is. Of the transposed arrays it is that by item.

    Example:
        >>> auc(np.array([[3.0, 2.0, 1.0]]), np.array([[True, False, True]])).tolist()
        [0.5]
    """
    counts = _counts(scores.shape, among)
    found = []
    for number, (above, equal) in enumerate(_places(scores, relevant, among)):
        right, ranked = len(above), int(counts[number])
        if not right or right == ranked:
            found.append(np.nan)
            continue
        # Of the items that stand above or equal, the relevant ones are no rivals.
        rank = above + (equal + 1) / 2
        rivals = rank.sum() - right * (right + 1) / 2
        found.append(float(1 - rivals / (right * (ranked - right))))
    return np.array(found)


def catalogue_coverage(scores: np.ndarray, k: int, among: np.ndarray | None = None) -> float:
    """The share of the items that stand among the first k of at least one customer.

    Arguments:
        scores: ``[C, n]``, more is better; NaN for an item without a score. Equals keep their order.
        k: how many items each customer is shown.
        among: bool ``[C, n]`` or ``[n]``, the items that are ranked; ``None`` for all.

    Example:
        >>> catalogue_coverage(np.array([[3.0, 2.0, 1.0], [3.0, 1.0, 2.0]]), 1)
        0.3333333333333333
    """
    able = ~np.isnan(scores) if among is None else ~np.isnan(scores) & among
    order = np.argsort(np.where(able, -scores, np.inf), axis=1, kind="stable")[:, :k]
    shown = np.take_along_axis(able, order, axis=1)
    ranked = scores.shape[1] if among is None else int(np.atleast_2d(among).any(0).sum())
    return len(np.unique(order[shown])) / max(ranked, 1)


def bootstrap_mean(
    values: np.ndarray, *, level: float = 0.95, draws: int = 1000, seed: int = 0
) -> tuple[float, float, float]:
    """A mean over customers with its percentile bootstrap interval; of differences, that of a paired comparison.

    Arguments:
        values: ``[C]``, a score of each customer, or what one model has more than another; NaN is left out.
        level: of the interval.
        draws: resamples of customers.
        seed: draws them.

    Returns:
        The mean, and the lower and upper end; NaN of no values.

    Example:
        >>> bootstrap_mean(np.array([0.5, 0.5, np.nan]))
        (0.5, 0.5, 0.5)
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    means = np.array([known[rng.integers(0, len(known), len(known))].mean() for _ in range(draws)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(known.mean()), float(low), float(high)


def _counts(shape: tuple[int, ...], among: np.ndarray | None) -> np.ndarray:
    return np.full(shape[0], shape[1]) if among is None else np.broadcast_to(among, shape).sum(1)


def _places(scores: np.ndarray, relevant: np.ndarray, among: np.ndarray | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each relevant item, how many items have a larger score, and how many an equal one, itself included."""
    if scores.shape != relevant.shape or scores.ndim != 2:
        raise ValueError(f"relevant: expected the shape of scores, {scores.shape}, got {relevant.shape}")
    told = np.where(np.isnan(scores), -np.inf, scores)
    if among is not None:
        ranked = np.broadcast_to(among, scores.shape)
        relevant = relevant & ranked
    found = []
    for number in range(len(scores)):
        right = told[number][relevant[number]]
        if not len(right):
            found.append((np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)))
            continue
        ascending = np.sort(told[number] if among is None else told[number][ranked[number]])
        above = len(ascending) - np.searchsorted(ascending, right, side="right")
        equal = len(ascending) - np.searchsorted(ascending, right, side="left") - above
        found.append((above, equal))
    return found


def _shares(above: np.ndarray, equal: np.ndarray, k: int) -> np.ndarray:
    """The chance of each relevant item to be among the first k."""
    chance: np.ndarray = np.clip((k - above) / equal, 0.0, 1.0)
    return chance
