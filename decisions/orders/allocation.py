"""Order quantities of least expected cost, alone and under limits that articles share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from .needs import expected

_HALVINGS = 60
"""Of the interval in which the price of a limit lies."""

_FEW = 500
"""Packs up to which the best choice is found by integer programming; beyond, a pack more or less matters little."""


@dataclass(frozen=True, eq=False)
class Limit:
    """What all articles share, such as money or room.

    Arguments:
        name: of the argument that it came from.
        each: what a unit of an article takes of it, ``[D]``, at least 0.
        most: what there is.
    """

    name: str
    each: np.ndarray
    most: float


@dataclass(frozen=True, eq=False)
class UnitCosts:
    """What a unit costs that is missing, or left over.

    Arguments:
        missing: ``[D]``, money, at least 0: the margin that is lost, and goodwill.
        left: ``[D]``, money, at least 0: what was paid for it less what it still brings. Both are not 0.
    """

    missing: np.ndarray
    left: np.ndarray

    def of(self, needs: np.ndarray, quantities: np.ndarray) -> np.ndarray:
        """The expected cost of each quantity ``[D]`` over the paths ``[S, D]``."""
        missing, left = expected(needs, quantities)
        return np.asarray(self.missing * missing + self.left * left)


@dataclass(frozen=True, eq=False)
class _Lots:
    """What can be added to the orders, article by article, each lot with less use than the one before.

    Arguments:
        article: ``[L]``.
        size: units ``[L]``.
        saving: expected cost that each unit of it saves ``[L]``.
    """

    article: np.ndarray
    size: np.ndarray
    saving: np.ndarray


def least_cost(
    needs: np.ndarray, costs: UnitCosts, limits: Sequence[Limit] = (), pack: np.ndarray | None = None
) -> np.ndarray:
    r"""The quantities of least expected cost over the paths (sample-average approximation).

    Without limits they are the newsvendor's: the quantile of an article's needs at :math:`c_u / (c_u + c_o)` (Arrow,
    Harris and Marschak 1951, doi 10.2307/1906813). The expected cost is convex in each quantity, so that under one
    limit it is best to add what saves the most for what it takes of it, until nothing fits; a second limit gets a
    price that is taken off the savings, the smallest at which it holds (Hadley and Whitin 1963, section 6.2).

    Arguments:
        needs: ``[S, D]``, units.
        costs: of a unit.
        limits: at most two.
        pack: ``[D]``, units in which an article is ordered; ``None`` for any quantity.

    Returns:
        ``[D]``, at least 0; whole packs where they are given, the best ones where there are few, else as good but for
        some that fit a limit less well.

    Raises:
        ValueError: there are more than two limits.

    Example:
        >>> needs = np.array([[4.0, 0.0], [6.0, 2.0], [8.0, 10.0], [9.0, 30.0]])
        >>> costs = UnitCosts(np.array([3.0, 3.0]), np.array([1.0, 1.0]))
        >>> least_cost(needs, costs, pack=np.ones(2)).tolist()
        [8.0, 10.0]
        >>> least_cost(needs, costs, [Limit("budget", np.ones(2), 8.0)], pack=np.ones(2)).tolist()
        [6.0, 2.0]
    """
    if len(limits) > 2:
        raise ValueError(f"limits: expected at most 2, got {len(limits)}")
    lots = _lots(needs, costs, pack)
    quantities = np.bincount(lots.article, lots.size, minlength=needs.shape[1])
    binding = [limit for limit in limits if quantities @ limit.each > limit.most]
    if not binding:
        return quantities
    if pack is not None and len(lots.size) <= _FEW:
        return _exact(lots, limits, needs.shape[1])
    first, *second = binding if len(binding) == 2 else [*binding, *(one for one in limits if one is not binding[0])]
    price = _price(lots, first, second[0]) if second else 0.0
    worth = lots.saving - price * second[0].each[lots.article] if second else lots.saving
    taken = _taken(lots, worth, first)
    return _filled(lots, worth, taken, [first, *second], needs.shape[1], whole=pack is not None)


def _lots(needs: np.ndarray, costs: UnitCosts, pack: np.ndarray | None) -> _Lots:
    """The packs, or else the steps from one need to the next, that save anything."""
    article, size, saving = [], [], []
    for number, column in enumerate(np.sort(needs, axis=0).T):
        missing, left = float(costs.missing[number]), float(costs.left[number])
        top = max(float(column[-1]), 0.0)
        if pack is None:
            ends = np.unique(np.concatenate([[0.0], column[column > 0]]))
        else:
            ends = np.arange(int(np.ceil(top / pack[number])) + 1) * pack[number]
        # E (need - q)+ at each end, from the needs above it.
        above = np.searchsorted(column, ends, side="right")
        sums = np.concatenate([np.cumsum(column[::-1])[::-1], [0.0]])
        lost = (sums[above] - ends * (len(column) - above)) / len(column)
        cost = (missing + left) * lost + left * ends
        width = np.diff(ends)
        saved = -np.diff(cost) / width
        useful = saved > 1e-12 * (missing + left)
        article.append(np.full(useful.sum(), number))
        size.append(width[useful])
        saving.append(saved[useful])
    return _Lots(np.concatenate(article), np.concatenate(size), np.concatenate(saving))


def _exact(lots: _Lots, limits: Sequence[Limit], articles: int) -> np.ndarray:
    """The best whole packs under limits, by integer programming (HiGHS).

    The savings of an article fall from pack to pack, so that none is taken before the one ahead of it.
    """
    takes = np.stack([limit.each[lots.article] * lots.size for limit in limits])
    found = milp(
        -lots.saving * lots.size,
        constraints=LinearConstraint(takes, -np.inf, [limit.most for limit in limits]),
        bounds=Bounds(0, 1),
        integrality=np.ones(len(lots.size)),
    )
    return np.bincount(lots.article, np.round(found.x) * lots.size, minlength=articles)


def _taken(lots: _Lots, worth: np.ndarray, limit: Limit) -> np.ndarray:
    """Which lots are worth the most for what they take of a limit, as many as it holds; bool ``[L]``."""
    each = limit.each[lots.article]
    order = np.argsort(-worth / np.maximum(each, 1e-300), kind="stable")
    order = order[worth[order] > 0]
    fits = np.cumsum((each * lots.size)[order]) <= limit.most * (1 + 1e-12)
    taken = np.zeros(len(worth), dtype=bool)
    taken[order[fits]] = True
    return taken


def _price(lots: _Lots, first: Limit, second: Limit) -> float:
    """The smallest price of a unit of the second limit at which both hold."""
    each = second.each[lots.article]

    def holds(price: float) -> bool:
        taken = _taken(lots, lots.saving - price * each, first)
        return float((each * lots.size)[taken].sum()) <= second.most

    low, high = 0.0, float((lots.saving / np.maximum(each, 1e-300)).max(initial=0.0))
    if holds(low):
        return 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _filled(
    lots: _Lots, worth: np.ndarray, taken: np.ndarray, limits: Sequence[Limit], articles: int, whole: bool
) -> np.ndarray:
    """The quantities of the lots taken, and of others that still fit, the most useful first."""
    quantities = np.bincount(lots.article[taken], lots.size[taken], minlength=articles)
    free = [limit.most - float(quantities @ limit.each) for limit in limits]
    rest = np.flatnonzero(~taken & (lots.saving > 0))
    closed = np.zeros(articles, dtype=bool)
    for lot in rest[np.argsort(-worth[rest] / np.maximum(limits[0].each[lots.article[rest]], 1e-300), kind="stable")]:
        article, size = lots.article[lot], float(lots.size[lot])
        if closed[article]:
            continue
        room = min(
            (left / limit.each[article] for left, limit in zip(free, limits, strict=True) if limit.each[article] > 0),
            default=np.inf,
        )
        if room < size:
            closed[article] = True  # what comes behind it is no smaller, or of less use
            size = 0.0 if whole else max(room, 0.0)
        quantities[article] += size
        free = [left - size * limit.each[article] for left, limit in zip(free, limits, strict=True)]
        if closed.all():
            break
    return quantities
