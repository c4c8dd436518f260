"""Stretches of the past that may come again: where they lie, how like today they were, how they get to its level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ....datasets.entries.domain import Domain
from ....runtime.arguments.kinds import Checked, Share
from ...windows.gaps import bridged

Reference = Literal["mean", "profile"]

Difference = Literal["difference", "ratio"]

FLOOR = 0.1
"""What is added to both sides of a ratio, in mean sizes of a series, so that a season near 0 does not blow it up."""

SALES = 10.0
"""Sales below which a season says little of the level: so many are counted beside those of the season."""


@dataclass(frozen=True)
class Move(Checked):
    r"""How an analog is shifted or scaled to the current level.

    With r the last season before a stretch, or before today, a value becomes
    :math:`y + a\,(r_\text{now} - r_\text{then})` or :math:`y\,(r_\text{now} / r_\text{then})^a`.

    Where a season has few sales, what it says of the level is mostly chance: `SALES` of the usual rate are counted with
    them, as by a gamma prior of that mean.

    Arguments:
        share: a, from 0, as it was, to 1.
        of: whether r is the ``"mean"`` of the season or its ``"profile"``, place by place.
        by: ``"difference"``, or ``"ratio"`` for values that are not negative; a season below 0 counts as 0 there.

    Raises:
        ValueError: one of them is none of these.

    Example:
        >>> Move(0.5, "profile").by
        'difference'
    """

    share: Share = 0.0
    of: Reference = "mean"
    by: Difference = "difference"


@dataclass(frozen=True)
class Stretches:
    """Analogs: past windows of H steps that began whole seasons ago, or at more places of a season, the newest first.

    Arguments:
        past: ``[T, D]`` to today, gaps bridged.
        starts: ``[K]`` steps at which they begin.
        horizon: steps H of each.
        season: steps m of a season.
        likeness: ``[K, F]``, larger where a stretch is newer and where the season before it is closer to the last one,
            and 1 where it has today's place in the longer cycle; where stretches begin within seasons, larger where
            their place in it is closer to today's as well.
        size: ``[D]`` mean size of what was seen of each series.
        unit: ``[D]`` what is sold at a time, as far as a series mostly sells nothing; 0 where it never is 0 or below.
    """

    past: np.ndarray
    starts: np.ndarray
    horizon: int
    season: int
    likeness: np.ndarray
    size: np.ndarray
    unit: np.ndarray

    def moved(self, move: Move, chosen: np.ndarray | None = None) -> np.ndarray:
        """Stretches at today's level.

        Arguments:
            move: how they are brought there.
            chosen: ``[n]`` numbers of stretches; all if ``None``.

        Returns:
            ``[n, H, D]``.
        """
        starts = (self.starts if chosen is None else self.starts[chosen])[:, None]
        values = self.past[starts + np.arange(self.horizon)]
        if move.share == 0:
            return values
        then, now = self.past[starts + np.arange(-self.season, 0)], self.past[None, -self.season :]
        if move.of == "mean":
            then, now = then.mean(1, keepdims=True), now.mean(1, keepdims=True)
        place = np.arange(self.horizon) % then.shape[1]
        steps = self.season if move.of == "mean" else 1
        if move.by == "difference":
            expected = steps * self.size
            trust = expected / np.maximum(expected + SALES * self.unit, 1e-12)
            return values + (move.share * trust * (now - then))[:, place]
        floor = np.maximum(np.maximum(FLOOR * self.size, SALES / steps * self.unit), 1e-12)
        # A ratio of values below 0, such as what came back of a sale, has no root.
        then, now = np.maximum(then, 0), np.maximum(now, 0)
        return values * (((now + floor) / (then + floor)) ** move.share)[:, place]


def stretches_before(
    target: np.ndarray,
    horizon: int,
    season: int,
    cycle: int,
    most: int,
    domain: Domain = "real",
    every: int | None = None,
) -> Stretches:
    """The complete analogs within the past of a forecast.

    Gaps are bridged (`bridged`), and count in no size and in no distance.

    Arguments:
        target: ``[D, T]`` to the step at which the forecast begins, NaN where missing.
        horizon: steps H of a stretch.
        season: steps m of a season.
        cycle: steps of a longer cycle, a multiple of the season; the season itself for none.
        most: number of stretches, at most.
        domain: the values that a path can take.
        every: steps from one stretch to the next, a part of the season; the season if ``None``.

    Raises:
        ValueError: the past holds none, see `shortest`.
    """
    length, every = target.shape[1], every or season
    if length < shortest(horizon, season, every=every):
        raise ValueError(f"past: expected at least {shortest(horizon, season, every=every)} steps, got {length}")
    seen = ~np.isnan(target)
    past = target.T if seen.all() else bridged(target, season)
    ago = every * np.arange(-(-horizon // every), (length - season) // every + 1)[:most]
    age, starts = ago / season, length - ago
    if seen.all():
        size = np.abs(past).mean(0)
        # Series by series of the season, so that no copy of all seasons is made.
        squares = sum(((past[starts - step] - past[-step]) ** 2).sum(1) for step in range(1, season + 1))
    else:
        size = (np.abs(past) * seen.T).sum(0) / np.maximum(seen.sum(1), 1)
        squares = _squares_seen(past, seen.T, starts, season)
    apart = np.sqrt(squares)
    # Of series that are sold now and then most seasons may be as the last one: empty.
    apart = apart / (float(np.median(apart)) or float(apart.mean()) or 1.0)
    likeness = [-age / 10, -np.log(age), -apart, -(apart**2)]
    if cycle > season:
        likeness.append((np.floor(age + 0.5) * season % cycle == 0).astype(float))
    if every < season:
        off = np.abs(age - np.round(age))
        likeness += [(off == 0).astype(float), -4 * off, -((4 * off) ** 2)]
    return Stretches(past, starts, horizon, season, np.stack(likeness, axis=1), size, _units(target, seen, domain))


def _units(target: np.ndarray, seen: np.ndarray, domain: Domain) -> np.ndarray:
    """What is sold at a time ``[D]``: the mean of sales times the share of steps without any; of counts at least 1."""
    if domain == "real":
        return np.zeros(len(target))
    sold = seen & (np.nan_to_num(target) > 0)
    mean = np.where(sold, target, 0).sum(1) / np.maximum(sold.sum(1), 1)
    unit = mean * (1 - sold.sum(1) / np.maximum(seen.sum(1), 1))
    return np.maximum(unit, 1.0) if domain == "count" else unit


def _squares_seen(past: np.ndarray, seen: np.ndarray, starts: np.ndarray, season: int) -> np.ndarray:
    """Squared distances ``[K]`` of the seasons before stretches to the last one, with the mean for what has a gap.

    Arguments:
        past: ``[T, D]`` without gaps.
        seen: bool ``[T, D]``.
        starts: ``[K]``.
        season: steps of a season.
    """
    squares = np.zeros(len(starts))
    for step in range(1, season + 1):
        both = seen[starts - step] & seen[-step]
        found = np.where(both, (past[starts - step] - past[-step]) ** 2, 0)
        squares += np.where(both, found, found.sum(0) / np.maximum(both.sum(0), 1)).sum(1)
    return squares


def shortest(horizon: int, season: int, count: int = 1, every: int | None = None) -> int:
    """The steps of a past that has as many stretches as `count`, each so many steps after the next as `every`.

    Example:
        >>> shortest(14, 7), len(stretches_before(np.ones((1, 21)), 14, season=7, cycle=7, most=99).starts)
        (21, 1)
        >>> shortest(5, 24), shortest(5, 24, every=1)
        (48, 29)
    """
    every = every or season
    return season + every * (-(-horizon // every) + count - 1)
