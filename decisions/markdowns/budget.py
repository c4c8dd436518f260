"""Plans that give away no more than a budget: a price of money for all articles, and whole schedules that fit it."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

from .search import Effects, Found, Search

_ROUNDS = 4

_HALVINGS = 50

_KEPT = 20
"""Schedules of an article among which whole ones are chosen that fit the budget together."""


def within_budget(search: Search, start: Found, budget: float) -> Found:
    """The plan that is worth the most of those that are expected to give away at most a budget.

    Money given away gets a price that is the same for all articles (a Lagrange multiplier): the smallest at which the
    budget holds for what each schedule would change. A search under this price and the choice of whole schedules by
    integer programming (HiGHS), in turn, come near it; what follows are steps within the budget.

    Arguments:
        search: over the paths.
        start: the best plan without a budget.
        budget: expected money.

    Returns:
        The plan; one beyond the budget where none is within it.
    """
    if start.spent <= budget:
        return start
    now, within, price = start, [], 0.0
    for _ in range(_ROUNDS):
        effects = search.effects(now.plan)
        price = price_of_money(effects, budget - now.spent)
        now = search.best_from(now.plan, price)
        whole = search.judged(_whole(search.effects(now.plan), now, budget))
        for found in (now, whole):
            if found.spent <= budget:
                within.append(found)
        if within and now.spent <= budget:
            break
    # From no markdown at all every plan can be reached by steps that the budget allows.
    nothing = search.judged(np.zeros_like(start.plan))
    if nothing.spent <= budget:
        within.append(nothing)
    if not within:
        return now
    ranked = sorted(within, key=lambda found: -found.score(search.terms))[:2]
    ended = [search.best_from(found.plan, price, budget) for found in ranked]
    return max(ended, key=lambda found: found.score(search.terms))


def price_of_money(effects: Effects, room: float) -> float:
    """The smallest price of a money unit at which the schedules chosen give away at most `room` more than now."""
    low, high = 0.0, 1.0

    def more(price: float) -> float:
        return sum(float(spent[np.argmax(score - price * spent)]) for _, score, spent in effects)

    if more(low) <= room:
        return 0.0
    while more(high) > room and high < 1e6:
        high *= 4
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if more(middle) > room else (low, middle)
    return high


def _whole(effects: Effects, now: Found, budget: float) -> np.ndarray:
    """The plan of one schedule an article that changes the score the most within the budget, as far as can be told."""
    kept = [_best(score, spent) for _, score, spent in effects]
    count = [len(each) for each in kept]
    score = np.concatenate([values[each] for (_, values, _), each in zip(effects, kept, strict=True)])
    spent = np.concatenate([values[each] for (_, _, values), each in zip(effects, kept, strict=True)])
    one_each = csr_array(
        (np.ones(len(score)), (np.repeat(np.arange(len(kept)), count), np.arange(len(score)))),
        shape=(len(kept), len(score)),
    )
    size = max(float(np.abs(score).max()), 1e-300)
    upper = np.append(np.ones(len(kept)), budget - now.spent)
    found = milp(
        -score / size,
        constraints=LinearConstraint(vstack([one_each, csr_array(spent[None])]), np.append(upper[:-1], -np.inf), upper),
        bounds=Bounds(0, 1),
        integrality=np.ones(len(score)),
        options={"time_limit": 10.0, "mip_rel_gap": 1e-4},
    )
    plan = now.plan.copy()
    if found.x is not None:
        first = np.concatenate([[0], np.cumsum(count)])
        for article, (chosen, _, _) in enumerate(effects):
            taken = int(np.argmax(found.x[first[article] : first[article + 1]]))
            plan[article] = chosen[kept[article][taken]]
    return plan


def _best(score: np.ndarray, spent: np.ndarray) -> np.ndarray:
    """Schedules of which none is both worth less and gives away more than another; the best of them."""
    order = np.lexsort((-score, spent))
    rising = np.maximum.accumulate(np.append(-np.inf, score[order][:-1]))
    front = order[score[order] > rising]
    if len(front) <= _KEPT:
        return front
    # Evenly over what they give away.
    return front[np.unique(np.linspace(0, len(front) - 1, _KEPT).round().astype(int))]
