"""What refuses rows whose dates do not fit on one grid."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ..entries.frequency import to_period

SHOWN = 5

_STRETCH = 8
"""So many equal steps in a row, each longer than the frequency, are no gaps but another frequency; so many empty ones
are no gap but a date that is far from the others, if they are most of the grid."""

_FEW = 12
"""Among so few dates a gap may well lie a year from another one."""

_CLOCKS: tuple[str, ...] = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Athens",
    "America/New_York",
    "America/Santiago",
    "Asia/Jerusalem",
)
_CLOCKS += ("Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland", "Africa/Casablanca", "America/Sao_Paulo")
"""Zones that change their clocks at different hours, or on different days."""


def refuse_same_dates(
    dates: pd.DatetimeIndex,
    same: np.ndarray,
    order: np.ndarray,
    items: Sequence[str],
    codes: np.ndarray,
    rows: Sequence[Hashable],
) -> None:
    """Refuse rows of an item that have one date.

    Arguments:
        dates: the date of each row.
        same: places in `order` of the rows that have the date of the next one.
        order: the rows, by item and date.
        items: the names of the items.
        codes: the item of each row, as an index into `items`.
        rows: how messages call each row.
    """
    if len(same):
        pairs = [
            f"{rows[order[at]]} and {rows[order[at + 1]]} (item {items[codes[order[at]]]!r}, {dates[order[at]]})"
            for at in same[:SHOWN]
        ]
        why = clock_change(dates, dates[order[same]])
        raise ValueError(f"timestamp: expected one row an item and date, got {len(same)} more: {'; '.join(pairs)}{why}")


def clock_change(dates: pd.DatetimeIndex, twice: pd.DatetimeIndex) -> str:
    """What to do about dates that stand twice because clocks were put back between them; nothing for any other.

    Arguments:
        dates: all dates of the table.
        twice: those that stand twice.
    """
    if dates.tz is not None or (dates == dates.normalize()).all():
        return ""
    for name in _CLOCKS:
        if all(_stands_twice(date.to_pydatetime(warn=False), ZoneInfo(name)) for date in twice.unique()):
            return (
                f"; they lie in the hour that the end of daylight-saving time repeats, as in {name}: name the zone, "
                f".dt.tz_localize({name!r}, ambiguous='infer'), or give dates in UTC"
            )
    return ""


def _stands_twice(date: datetime, zone: ZoneInfo) -> bool:
    first, second = (date.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and first > second


def refuse_far_dates(
    positions: np.ndarray, dates: pd.DatetimeIndex, codes: np.ndarray, rows: Sequence[Hashable], freq: str
) -> None:
    """Refuse dates that are so far from all others that most of the grid would be empty, and single mistyped years.

    A year is taken to be mistyped where the rows of one date stand alone at an end, and each item of them lacks one
    step, which is that of the date in another year.

    Arguments:
        positions: the step of each row, ``[rows]``.
        dates: the date of each row.
        codes: the item of each row.
        rows: how messages call each row.
        freq: the frequency.
    """
    taken = np.unique(positions)
    if len(taken) < 2:
        return
    gaps = np.diff(taken)
    widest = int(gaps.argmax())
    early = positions <= taken[widest]
    far = np.flatnonzero(early if early.sum() <= (~early).sum() else ~early)
    if gaps[widest] > max(_STRETCH, (taken[-1] + 1) / 2):
        raise ValueError(
            f"timestamp: {name_rows(rows, far)} ({dates[far[0]]}) {'lies' if len(far) == 1 else 'lie'} {gaps[widest]} "
            f"steps of {freq!r} from all others, so that most steps of the grid would be empty; is the year mistyped?"
        )
    for end, gap in ((taken[0], gaps[0]), (taken[-1], gaps[-1])):
        alone = np.flatnonzero(positions == end)
        if gap > 2 and len(taken) > _FEW and (meant := _meant(positions, dates, codes, alone, freq)) is not None:
            raise ValueError(
                f"timestamp: {name_rows(rows, alone)} ({dates[alone[0]]}) {'stands' if len(alone) == 1 else 'stand'} "
                f"alone, and {meant} is missing; is the year mistyped?"
            )


def _meant(
    positions: np.ndarray, dates: pd.DatetimeIndex, codes: np.ndarray, alone: np.ndarray, freq: str
) -> pd.Timestamp | None:
    """The date in another year that all items of the rows lack, and nothing else; ``None`` if they lack another one."""
    date = dates[alone[0]]
    found = None
    for row in alone:
        own = np.sort(positions[(codes == codes[row]) & (positions != positions[row])])
        lacking = np.setdiff1d(np.arange(own[0], own[-1] + 1), own) if len(own) else own
        if len(lacking) != 1 or found not in (None, lacking[0]):
            return None
        found = lacking[0]
    here = to_period(date.tz_localize(None), freq)
    steps = int(found - positions[alone[0]])
    lost = here + steps
    years = lost.end_time.year - date.year
    other = date + pd.DateOffset(years=years)
    return other if years and to_period(other.tz_localize(None), freq).ordinal == lost.ordinal else None


def refuse_second_frequency(
    of: np.ndarray,
    jumps: np.ndarray,
    order: np.ndarray,
    items: Sequence[str],
    rows: Sequence[Hashable],
    dates: pd.DatetimeIndex,
    freq: str,
    given: bool,
) -> None:
    """Refuse an item, or a long stretch of one, whose steps are all longer than the frequency.

    Where the caller gave the frequency, unequal long steps are believed to be gaps.

    Arguments:
        of: the item of each row in `order`.
        jumps: the steps from each row in `order` to the next one, 0 to another item.
        order: the rows, by item and date.
        items: the names of the items.
        rows: how messages call each row.
        dates: the date of each row.
        freq: the frequency.
        given: whether the caller gave it.
    """
    for places in np.split(np.arange(len(of)), np.flatnonzero(np.diff(of)) + 1):
        steps = jumps[places[:-1]]
        breaks = np.flatnonzero((steps[1:] == 1) | (steps[:-1] == 1) | (given & (steps[1:] != steps[:-1])))
        for stretch in np.split(np.arange(len(steps)), breaks + 1):
            whole = len(stretch) == len(steps) >= 3
            if (whole or len(stretch) >= _STRETCH) and np.all(steps[stretch] > 1):
                members = order[places[stretch[0] : stretch[-1] + 2]]
                raise ValueError(
                    f"timestamp: expected one frequency, got item {items[of[places[0]]]!r} with steps of "
                    f"{int(steps[stretch].min())} or more where the frequency is {freq!r}, in "
                    f"{name_rows(rows, members)} ({dates[members[0]]} to {dates[members[-1]]})"
                )


def refuse_odd_dates(dates: pd.DatetimeIndex, odd: np.ndarray, rows: Sequence[Hashable], alias: str) -> None:
    """Refuse dates at another place of their step than most: of what comes next there would be no date.

    Arguments:
        dates: the date of each row.
        odd: whether each is one of them.
        rows: how messages call each row.
        alias: the frequency, as periods of pandas spell it.
    """
    wrong, right = np.flatnonzero(odd), np.flatnonzero(~odd)
    if len(wrong):
        such = f", such as {dates[right[0]]:%A} {dates[right[0]]}" if len(right) else ""
        raise ValueError(
            f"timestamp: expected dates at one place of their steps of {alias!r}{such}; got {dates[wrong[0]]:%A} "
            f"{dates[wrong[0]]} in row {rows[wrong[0]]} ({len(wrong)} such rows); where the place says nothing, make "
            f"periods of them, .dt.to_period({alias!r})"
        )


def name_rows(rows: Sequence[Hashable], which: np.ndarray) -> str:
    """Row numbers in words, for messages.

    Arguments:
        rows: how messages call each row.
        which: the numbers of the rows.

    Example:
        >>> name_rows("abcdefgh", np.arange(7))
        'rows a, b, c, d, e and 2 more'
    """
    shown = ", ".join(str(rows[row]) for row in which[:SHOWN])
    more = f" and {len(which) - SHOWN} more" if len(which) > SHOWN else ""
    return f"{'row' if len(which) == 1 else 'rows'} {shown}{more}"
