"""The rules that a plan is compared with: no markdown, one cut for all, and each article for itself."""

from __future__ import annotations

import numpy as np

from .budget import price_of_money
from .search import Found, Search
from .terms import regular, same_for_all

NONE, SAME, GREEDY = "no markdown", "same cut for all", "greedy per article"

_DEAR = 1e6
"""A price of a money unit at which nothing is given away for its own sake."""


def baselines(search: Search) -> dict[str, Found]:
    """The best plan of each rule, chosen on the paths of the search, within the limits as far as the rule can be."""
    none = search.judged(regular(search.terms, search.horizon))
    return {NONE: none, SAME: _same(search, none), GREEDY: _greedy(search, none)}


def _same(search: Search, none: Found) -> Found:
    terms, best = search.terms, none
    for step in range(1, terms.prices.shape[1]):
        for first in range(search.horizon):
            found = search.judged(same_for_all(terms, step, first, search.horizon))
            if not terms.over_budget(found.spent) and found.score(terms) > best.score(terms):
                best = found
    return best


def _greedy(search: Search, none: Found) -> Found:
    """Each article's best schedule as if no price did anything to another article."""
    terms = search.terms
    told, price = search.effects(none.plan, others=False), 0.0
    if terms.budget is not None:
        price = price_of_money(told, terms.budget)
    while True:
        plan = np.stack([chosen[np.argmax(score - price * spent)] for chosen, score, spent in told])
        found = search.judged(plan)
        if not terms.over_budget(found.spent) or price > _DEAR:
            return found
        price = 1.1 * price + 0.01
