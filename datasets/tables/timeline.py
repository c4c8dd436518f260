"""Laying dated rows on one regular grid of periods, and refusing rows that do not fit on one."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...runtime.quiet import own_filters
from ..entries.frequency import normalize_freq, to_period, written_date

_DAY = 86_400 * 10**9

_SHOWN = 5

_STRETCH = 8
"""So many equal steps in a row, each longer than the frequency, are no gaps but another frequency."""


@dataclass(frozen=True)
class Timeline:
    """A regular grid and where each row lies on it.

    Arguments:
        start: the first period.
        freq: the normalised frequency.
        length: the number of periods T.
        positions: the period of each row, ``[rows]``, from 0 to T - 1.
    """

    start: pd.Period
    freq: str
    length: int
    positions: np.ndarray

    def date(self, position: int) -> str:
        """The date of a period, as messages write it."""
        return written_date(self.start, position)


def lay_out(
    dates: pd.DatetimeIndex,
    codes: np.ndarray,
    items: Sequence[str],
    rows: Sequence[object],
    freq: str | None = None,
) -> Timeline:
    """Find the grid on which all rows lie.

    A grid step without a row is a gap. Rows that share an item and a step, and items or stretches that move
    in longer steps than the others, are refused: they are duplicates or a second frequency.

    Arguments:
        dates: the date of each row.
        codes: the item of each row, as an index into ``items``, ``[rows]``.
        items: the names of the items.
        rows: how messages call each row.
        freq: the frequency; ``None`` takes it from the commonest distance of neighbouring dates of an item.

    Returns:
        The grid, from the earliest to the latest date.

    Raises:
        ValueError: the frequency cannot be told, or rows do not fit; the message names them.
    """
    order = np.lexsort((dates.asi8, codes))
    stamps, of = dates.asi8[order], codes[order]
    neighbours = of[1:] == of[:-1]
    steps = np.diff(stamps)[neighbours]
    _refuse_same(stamps, np.flatnonzero(neighbours & (np.diff(stamps) == 0)), order, items, codes, rows)
    given = freq is not None
    freq = normalize_freq(freq) if freq is not None else _infer(dates, steps)

    if freq.split("-")[0].endswith("B"):
        weekend = np.flatnonzero(dates.dayofweek >= 5)
        if len(weekend):
            raise ValueError(f"freq: business days ('B') have no {_name_rows(rows, weekend)}, which lie on a weekend")
    first = to_period(dates.min(), freq)
    with own_filters():
        warnings.simplefilter("ignore", FutureWarning)
        ordinals = pd.PeriodIndex(dates, freq=first.freq).asi8 - first.ordinal
    multiple = first.freq.n
    off = np.flatnonzero(ordinals % multiple)
    if len(off):
        raise ValueError(
            f"freq: expected dates in steps of {freq!r} from {dates.min()}, but {_name_rows(rows, off)} lie "
            f"between: {', '.join(str(dates[row]) for row in off[:_SHOWN])}"
        )
    positions = ordinals // multiple
    timeline = Timeline(first, freq, int(positions.max()) + 1, positions)
    jumps = np.where(neighbours, np.diff(positions[order]), 0)
    collisions = np.flatnonzero(neighbours & (jumps == 0))
    if len(collisions):
        at = collisions[0]
        pair = [rows[order[at]], rows[order[at + 1]]]
        raise ValueError(
            f"timestamp: mixed frequencies: rows {pair[0]} and {pair[1]} of item {items[of[at]]!r} both lie "
            f"in the {freq!r} step of {timeline.date(int(positions[order[at]]))} ({len(collisions)} such rows)"
        )
    _refuse_second_frequency(of, jumps, order, items, rows, dates, freq, given)
    return timeline


def _infer(dates: pd.DatetimeIndex, steps: np.ndarray) -> str:
    if not len(steps):
        raise ValueError("freq: cannot be told from one date an item; pass it, for example freq='D'")
    values, counts = np.unique(steps, return_counts=True)
    step = int(values[np.argmax(counts)])
    days, rest = divmod(step, _DAY)
    if rest:
        for alias, nanoseconds in (("h", 3600 * 10**9), ("min", 60 * 10**9), ("s", 10**9)):
            if step % nanoseconds == 0:
                return normalize_freq(f"{step // nanoseconds}{alias}")
        raise ValueError(f"freq: cannot be told from steps of {pd.Timedelta(step)}; pass it, for example freq='s'")
    if days == 1:
        # Business days show themselves by weekends that are always left out.
        return "B" if dates.dayofweek.max() < 5 and np.any(values == 3 * _DAY) else "D"
    if 28 <= days <= 31 and not np.all(values % (7 * _DAY) == 0):
        return "ME"
    if 89 <= days <= 92:
        # Quarters of the same months have four names, one for each of them in which a year may end.
        return pd.offsets.QuarterEnd(startingMonth=10 + (_end_month(dates) - 1) % 3).freqstr
    if 365 <= days <= 366:
        return pd.offsets.YearEnd(month=_end_month(dates)).freqstr
    if days > 31 and (len(dates.day.unique()) == 1 or dates.is_month_end.all()):
        return f"{round(days / 30.44)}ME"
    if days % 7 == 0:
        weekdays = pd.Index(dates.day_name().str[:3].str.upper()).unique()
        if len(weekdays) == 1:
            return normalize_freq(f"{days // 7}W-{weekdays[0]}")
    return normalize_freq(f"{days}D")


def _end_month(dates: pd.DatetimeIndex) -> int:
    """The month in which a quarter or year ends, told from its first or last day; December by other dates."""
    if dates.is_month_end.all():
        return int(dates[0].month)
    return int((dates[0] - pd.Timedelta(days=1)).month) if dates.is_month_start.all() else 12


def _refuse_same(
    stamps: np.ndarray,
    same: np.ndarray,
    order: np.ndarray,
    items: Sequence[str],
    codes: np.ndarray,
    rows: Sequence[object],
) -> None:
    if len(same):
        pairs = [
            f"{rows[order[at]]} and {rows[order[at + 1]]} (item {items[codes[order[at]]]!r}, "
            f"{pd.Timestamp(stamps[at])})"
            for at in same[:_SHOWN]
        ]
        raise ValueError(f"timestamp: {len(same)} duplicate rows: {'; '.join(pairs)}")


def _refuse_second_frequency(
    of: np.ndarray,
    jumps: np.ndarray,
    order: np.ndarray,
    items: Sequence[str],
    rows: Sequence[object],
    dates: pd.DatetimeIndex,
    freq: str,
    given: bool,
) -> None:
    """Refuse an item, or a long stretch of one, whose steps are all longer than the frequency.

    Where the caller gave the frequency, unequal long steps are believed to be gaps.
    """
    for places in np.split(np.arange(len(of)), np.flatnonzero(np.diff(of)) + 1):
        steps = jumps[places[:-1]]
        breaks = np.flatnonzero((steps[1:] == 1) | (steps[:-1] == 1) | (given & (steps[1:] != steps[:-1])))
        for stretch in np.split(np.arange(len(steps)), breaks + 1):
            whole = len(stretch) == len(steps) >= 3
            if (whole or len(stretch) >= _STRETCH) and np.all(steps[stretch] > 1):
                members = order[places[stretch[0] : stretch[-1] + 2]]
                raise ValueError(
                    f"timestamp: mixed frequencies: item {items[of[places[0]]]!r} has steps of "
                    f"{int(steps[stretch].min())} or more where the frequency is {freq!r}, in "
                    f"{_name_rows(rows, members)} ({dates[members[0]]} to {dates[members[-1]]})"
                )


def _name_rows(rows: Sequence[object], which: np.ndarray) -> str:
    shown = ", ".join(str(rows[row]) for row in which[:_SHOWN])
    more = f" and {len(which) - _SHOWN} more" if len(which) > _SHOWN else ""
    return f"{'row' if len(which) == 1 else 'rows'} {shown}{more}"
