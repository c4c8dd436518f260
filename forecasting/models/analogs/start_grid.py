"""Past forecasts of the analog model, and how far apart the stretches begin that they follow."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ....datasets.entries.domain import Domain
from ....datasets.entries.entry import Entry
from .likeness_fit import LearntMoves
from .past_stretches import Stretches, shortest, stretches_before

logger = logging.getLogger(__name__)

FEWEST = 4
"""Stretches that a past has at least, for its forecast to be learnt from."""

ENOUGH = 8
"""Past forecasts below which they lie half a horizon apart and no season, where stretches may begin within one."""

CHANCE = 0.01
"""Share of an energy score by which other draws of the same model move it: less than that says nothing."""

JUDGED = 20
"""Past forecasts of an entry that say how far apart stretches begin; of twice as many, every second, and so on."""


@dataclass(frozen=True)
class PastForecasts:
    """What past forecasts of all entries could follow, and what came.

    Arguments:
        pasts: stretches, one past forecast each.
        truths: ``[H, D]`` each, NaN where missing.
    """

    pasts: list[Stretches]
    truths: list[np.ndarray]


@dataclass(frozen=True)
class Origins:
    """Where past forecasts begin.

    Arguments:
        horizon: steps H of a forecast.
        season: steps of a season.
        cycle: steps of a longer cycle, or of the season.
        most: past forecasts, at most, the newest ones.
        stretches: stretches of a past, at most.
        domain: the values that a path can take.
        closer: whether they lie half a horizon apart where there are few a season apart.
    """

    horizon: int
    season: int
    cycle: int
    most: int
    stretches: int
    domain: Domain
    closer: bool

    def ends(self, entries: Sequence[Entry], every: int) -> list[range]:
        """The steps of each entry at which past forecasts begin."""
        needed, most = shortest(self.horizon, self.season, FEWEST, every), max(1, self.most // len(entries))

        def lying(apart: int) -> list[range]:
            return [range(entry.length - self.horizon, needed - 1, -apart)[:most] for entry in entries]

        close = max(1, self.horizon // 2)
        found = lying(max(self.season, close))
        return lying(close) if self.closer and sum(map(len, found)) < ENOUGH else found

    def forecasts(self, entries: Sequence[Entry], ends: Sequence[range], every: int) -> PastForecasts:
        """What forecasts from these steps could follow; those of which nothing came are left out."""
        pasts, truths = [], []
        for entry, steps in zip(entries, ends, strict=True):
            target = np.asarray(entry.target, dtype=np.float64)
            for end in steps:
                truth = target[:, end : end + self.horizon].T
                if not np.isnan(truth).all():
                    # Its own past alone: what bridges a gap must not come from later either.
                    arguments = (self.horizon, self.season, self.cycle, self.stretches, self.domain, every)
                    pasts.append(stretches_before(target[:, :end], *arguments))
                    truths.append(truth)
        return PastForecasts(pasts, truths)


def best_spacing(
    entries: Sequence[Entry],
    origins: Origins,
    spacings: Sequence[int],
    learn: Callable[[PastForecasts], LearntMoves],
) -> int:
    """The steps from one stretch to the next whose past forecasts had the best energy score, from the same origins.

    The first stays where no other is better by more than chance. One whose stretches, the newest ones, do not reach
    back to today's place in the season is not tried.

    Arguments:
        entries: what is learnt from.
        origins: where past forecasts begin.
        spacings: what to choose from, the usual one first.
        learn: from past forecasts, what they were best drawn by.
    """
    reaching = [every for every in spacings if every * origins.stretches >= origins.season + origins.horizon]
    allowed = [every for every in reaching if sum(map(len, origins.ends(entries, every))) >= FEWEST]
    if len(allowed) < 2:
        return allowed[0] if allowed else min(reaching, default=origins.season)
    # The widest of them needs the longest past.
    shared = [ends[:: max(1, len(ends) // JUDGED)] for ends in origins.ends(entries, max(allowed))]
    scores = {every: learn(origins.forecasts(entries, shared, every)).score for every in allowed}
    told = ", ".join(f"{score:.4g} with stretches every {every} steps" for every, score in scores.items())
    logger.info("energy score of past forecasts: %s", told)
    best = min(scores, key=lambda every: scores[every])
    return best if scores[best] < (1 - CHANCE) * scores[allowed[0]] else allowed[0]
