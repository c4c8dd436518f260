"""What a plan of prices is judged by: the worth of a unit sold and of one left over, and the limits of the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .ladder import Schedules
from .selling import sold

Objective = Literal["revenue", "margin"]
"""What counts: the money that comes in, or that money less what the units sold have cost."""

_CENT = 1e-9
"""Share of a limit by which rounding may miss it."""


@dataclass(frozen=True, eq=False)
class Terms:
    """Stock, prices, costs and limits of D articles.

    Arguments:
        item_ids: names of the D articles.
        stock: units ``[D]`` before the first step.
        prices: ``[D, L]``, money: the regular price times each step of the ladder, NaN behind its last.
        cost: what a unit sold costs, ``[D]``, money; 0 where the revenue counts.
        left: what a unit costs that is left over, ``[D]``, money; below 0 what it still brings.
        kept: the share of the units sold that do not come back, ``[D]``.
        schedules: those that each article may have.
        budget: of what may be given away in all, expected money; ``None`` for no limit.
        clear: the share of its stock that each article is expected to have sold by `clear_steps`; 0 for no limit.
        clear_steps: steps from the first one.
    """

    item_ids: tuple[str, ...]
    stock: np.ndarray
    prices: np.ndarray
    cost: np.ndarray
    left: np.ndarray
    kept: np.ndarray
    schedules: tuple[Schedules, ...]
    budget: float | None = None
    clear: float = 0.0
    clear_steps: int = 0

    @property
    def worth(self) -> np.ndarray:
        """What a unit sold is worth at each step of the ladder, ``[D, L]``: one less is left over."""
        return (self.prices - self.cost[:, None] + self.left[:, None]) * self.kept[:, None]

    @property
    def given_away(self) -> np.ndarray:
        """What a unit sold at each step of the ladder brings less than at the regular price, ``[D, L]``, money."""
        return (self.prices[:, :1] - self.prices) * self.kept[:, None]

    @property
    def idle(self) -> np.ndarray:
        """What the whole stock costs where none of it is sold, ``[D]``, money."""
        return self.left * self.stock

    def sold(self, demand: np.ndarray) -> np.ndarray:
        """Units sold ``[D, H, S]`` of the stock under a demand of that shape."""
        return sold(demand, self.stock, self.kept)

    def cleared(self, units: np.ndarray) -> np.ndarray:
        """Units ``[D, ...]`` of each article that are gone by the date of clearance, of those sold ``[D, H, ...]``."""
        gone = units[:, : self.clear_steps].sum(1)
        return gone * self.kept.reshape(-1, *[1] * (gone.ndim - 1))

    def missing(self, units: np.ndarray) -> np.ndarray:
        """Units ``[D]`` that are missing for the clearance, of those expected to be sold ``[D, H]``."""
        short = self.clear * self.stock - self.cleared(units)
        return np.where(short > _CENT * np.maximum(self.stock, 1), short, 0.0)

    def over_budget(self, spent: float) -> bool:
        """Whether more is given away than the budget has."""
        return self.budget is not None and spent > self.budget * (1 + _CENT) + _CENT


def at_steps(values: np.ndarray, plan: np.ndarray) -> np.ndarray:
    """Values of the steps of a ladder ``[D, L]`` along a plan ``[D, H]`` of such steps."""
    return np.take_along_axis(values, plan, axis=1)


def regular(terms: Terms, horizon: int) -> np.ndarray:
    """The plan ``[D, H]`` without any markdown."""
    return np.zeros((len(terms.stock), horizon), dtype=int)


def same_for_all(terms: Terms, step: int, first: int, horizon: int) -> np.ndarray:
    """The plan ``[D, H]`` that has all articles at one step of their ladders from a step of the horizon on.

    An article that may not be as low has the lowest step that it may.
    """
    plan = regular(terms, horizon)
    for article, schedules in enumerate(terms.schedules):
        if schedules.changes:
            plan[article, first:] = max(each for each in schedules.steps if each <= step)
    return plan


def names_of(items: Sequence[str], chosen: np.ndarray, most: int = 3) -> str:
    """Some names for a message, and how many more there are."""
    found = [items[place] for place in np.flatnonzero(chosen).tolist()]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(map(repr, found[:most])) + more
