"""Price ladders, and the schedules of an article: which step of its ladder it takes when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations, pairwise
from math import comb

import numpy as np

Ladder = Sequence[float] | Mapping[str, Sequence[float]]
"""Shares of the regular price that fall from step to step, for all articles or for each by its name."""

_ALL = 1000
"""Schedules up to which all of an article are looked at; of more, those near the one that it has."""


def shares_of_price(ladder: Ladder, items: Sequence[str]) -> np.ndarray:
    """The ladder of each article ``[D, L]``; the first step is 1, the regular price, and is put ahead if need be.

    Arguments:
        ladder: shares of the regular price.
        items: names of the D articles.

    Returns:
        Shares; NaN behind the last step of a shorter ladder.

    Raises:
        ValueError: an article has no ladder, or one that rises or leaves 0 to 1.

    Example:
        >>> shares_of_price([0.9, 0.7], ["coat"])
        array([[1. , 0.9, 0.7]])
    """
    found = []
    for item in items:
        if isinstance(ladder, Mapping):
            if item not in ladder:
                raise ValueError(f"ladder: expected steps for every article, got none for {item!r}")
            steps, whose = [float(step) for step in ladder[item]], f" for {item!r}"
        else:
            steps, whose = [float(step) for step in ladder], ""
        wrong = next((step for step in steps if not 0 < step <= 1), None)
        if not steps or wrong is not None:
            got = "no step" if wrong is None else f"{wrong:g}"
            raise ValueError(f"ladder: expected shares of the price above 0 and at most 1, got {got}{whose}")
        rise = next(((one, two) for one, two in pairwise(steps) if two >= one), None)
        if rise is not None:
            raise ValueError(
                f"ladder: expected steps that fall, such as 1, 0.9, 0.7; got {rise[1]:g} after {rise[0]:g}{whose}"
            )
        found.append(steps if steps[0] == 1 else [1.0, *steps])
    longest = max(map(len, found))
    return np.array([steps + [np.nan] * (longest - len(steps)) for steps in found])


class Schedules:
    """The schedules that an article may have: a step of its ladder for each step of the horizon, never up again.

    The article begins at step 0 of its ladder, before the horizon; a change in the first step of the horizon counts.

    Arguments:
        steps: the steps of the ladder that are allowed, rising, 0 the first.
        horizon: steps H.
        changes: how often the price may change; ``None`` for as often as there are steps.

    Example:
        >>> Schedules((0, 1), 3, 1).near(np.zeros(3, dtype=int)).tolist()
        [[0, 0, 0], [0, 0, 1], [0, 1, 1], [1, 1, 1]]
    """

    def __init__(self, steps: Sequence[int], horizon: int, changes: int | None = None) -> None:
        self.steps, self.horizon = tuple(steps), horizon
        self.changes = min(len(self.steps) - 1, horizon, len(self.steps) if changes is None else changes)
        count = sum(comb(horizon, k) * comb(len(self.steps) - 1, k) for k in range(self.changes + 1))
        self.all = _with_changes(self.steps, horizon, self.changes) if count <= _ALL else None
        """``[C, H]`` all of them, where they are few."""
        self._simple = _with_changes(self.steps, horizon, min(self.changes, 1))

    def near(self, now: np.ndarray) -> np.ndarray:
        """Schedules ``[C, H]`` to be looked at from the one that an article has: all of them, where they are few.

        Else those of one change, and those that from some step on are as low as some step of the ladder, or until then
        no lower.
        """
        if self.all is not None:
            return self.all
        steps, week = np.array(self.steps)[:, None, None], np.arange(self.horizon)
        later = week >= week[:, None]
        lower = np.where(later, np.maximum(now, steps), now).reshape(-1, self.horizon)
        higher = np.where(later, now, np.minimum(now, steps)).reshape(-1, self.horizon)
        found = np.unique(np.concatenate([lower, higher, self._simple, now[None]]), axis=0)
        moves = (np.diff(found, axis=1, prepend=0) > 0).sum(1)
        return found[moves <= self.changes]

    def allows(self, schedule: np.ndarray) -> bool:
        """Whether a schedule ``[H]`` is one of them."""
        change = np.diff(schedule, prepend=0)
        return bool((change >= 0).all() and (change > 0).sum() <= self.changes and np.isin(schedule, self.steps).all())

    def deepest(self) -> np.ndarray:
        """The lowest price from the first step on, ``[H]``."""
        return np.full(self.horizon, self.steps[-1] if self.changes else 0)


@lru_cache(maxsize=64)
def _with_changes(steps: tuple[int, ...], horizon: int, changes: int) -> np.ndarray:
    found = []
    for count in range(changes + 1):
        for weeks in combinations(range(horizon), count):
            for levels in combinations(steps[1:], count):
                schedule = np.zeros(horizon, dtype=int)
                for week, level in zip(weeks, levels, strict=True):
                    schedule[week:] = level
                found.append(schedule)
    return np.unique(np.array(found), axis=0)
