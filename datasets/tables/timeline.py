"""Laying dated rows on one regular grid of periods, and refusing rows that do not fit on one."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from ...runtime.quiet import own_filters
from ..entries.frequency import by_business_days, dates_of, normalize_freq, to_period, written_date
from ..entries.stamps import DatedPeriod, told_stamps
from .row_checks import SHOWN, name_rows, refuse_far_dates, refuse_odd_dates, refuse_same_dates, refuse_second_frequency

_DAY = 86_400 * 10**9

_MONTH = 30.44
"""Days of a month on average."""


@dataclass(frozen=True)
class Timeline:
    """A regular time grid and the position of each row on it.

    Arguments:
        start: the first period, which knows by which dates the table writes its steps.
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
    rows: Sequence[Hashable],
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
        ValueError: the frequency cannot be told, or rows do not fit: they are duplicates, of another frequency, at
            another place of their step than most, or far from all others; the message names them.
    """
    order = np.lexsort((dates.asi8, codes))
    stamps, of = dates.asi8[order], codes[order]
    neighbours = of[1:] == of[:-1]
    local = dates.tz_localize(None)
    refuse_same_dates(dates, np.flatnonzero(neighbours & (np.diff(stamps) == 0)), order, items, codes, rows)
    given, business = freq is not None, freq is not None and by_business_days(freq)
    freq = normalize_freq(freq) if freq is not None else _infer(local, np.diff(local.asi8[order])[neighbours])

    if freq.split("-")[0].endswith("B"):
        weekend = np.flatnonzero(local.dayofweek >= 5)
        if len(weekend):
            raise ValueError(f"freq: business days ('B') have no {name_rows(rows, weekend)}, which lie on a weekend")
    # By the local clock a step is a day or more; shorter ones go on through the night in which clocks are changed.
    unit = to_offset(freq).base
    instant = dates.tz is not None and isinstance(unit, pd.offsets.Tick) and not isinstance(unit, pd.offsets.Day)
    counted = dates.tz_convert("UTC").tz_localize(None) if instant else local
    first = to_period(counted.min(), freq)
    with own_filters():
        warnings.simplefilter("ignore", FutureWarning)
        periods = pd.PeriodIndex(counted, freq=unit)
    ordinals = periods.asi8 - first.ordinal
    multiple = first.freq.n
    off = np.flatnonzero(ordinals % multiple)
    if len(off):
        raise ValueError(
            f"freq: expected dates in steps of {freq!r} from {dates.min()}, got {name_rows(rows, off)} "
            f"between: {', '.join(str(dates[row]) for row in off[:SHOWN])}"
        )
    positions = ordinals // multiple
    refuse_far_dates(positions, dates, codes, rows, freq)
    rule, odd = told_stamps(dates, periods, dates.tz, instant, business)
    start = DatedPeriod.of(first, rule)
    timeline = Timeline(start, freq, int(positions.max()) + 1, positions)
    jumps = np.where(neighbours, np.diff(positions[order]), 0)
    collisions = np.flatnonzero(neighbours & (jumps == 0))
    if len(collisions):
        at = collisions[0]
        if len(collisions) == 1 and odd[order[[at, at + 1]]].any():
            refuse_odd_dates(dates, odd, rows, periods.freqstr)
        pair = [rows[order[at]], rows[order[at + 1]]]
        raise ValueError(
            f"timestamp: expected one frequency, got rows {pair[0]} and {pair[1]} of item {items[of[at]]!r} both "
            f"in the {freq!r} step of {timeline.date(int(positions[order[at]]))} ({len(collisions)} such rows)"
        )
    refuse_second_frequency(of, jumps, order, items, rows, dates, freq, given)
    refuse_odd_dates(dates, odd, rows, periods.freqstr)
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
    if 13 <= days <= 17 and len(values) > 1 and ((dates.day == 15) | dates.is_month_start | dates.is_month_end).all():
        raise ValueError("freq: half months ('SMS', 'SME') are of no one length; sum them to months, or to weeks")
    months = round(days / _MONTH)
    # Months in a row are never all of one length; so are years, but for leap years.
    equal = len(steps) > 2 and len(values) == 1 and months < 12
    if months and abs(days - months * _MONTH) < 4.5 and not equal and not np.all(values % (7 * _DAY) == 0):
        if months == 1:
            return "ME"
        if months == 3:
            # Quarters of the same months have four names, one for each of them in which a year may end.
            return pd.offsets.QuarterEnd(startingMonth=10 + (_end_month(dates) - 1) % 3).freqstr
        if months == 12:
            return pd.offsets.YearEnd(month=_end_month(dates)).freqstr
        if not told_stamps(dates, dates.to_period("M"))[1].any():
            return f"{months}ME"
    if days % 7 == 0:
        weekdays = dates.day_name().str[:3].str.upper().value_counts(normalize=True)
        if weekdays.iloc[0] > 0.5:
            return normalize_freq(f"{days // 7}W-{weekdays.index[0]}")
    return normalize_freq(f"{days}D")


def _end_month(dates: pd.DatetimeIndex) -> int:
    """The month in which a quarter or year ends, told from its first or last day; December by other dates."""
    days = dates.to_numpy().astype("datetime64[D]")
    firsts = days.astype("datetime64[M]").astype("datetime64[D]")
    lasts = (days.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1
    if (days == lasts).all() or (days == np.busday_offset(lasts, 0, roll="backward")).all():
        return int(dates[0].month)
    begins = (days == firsts).all() or (days == np.busday_offset(firsts, 0, roll="forward")).all()
    return (int(dates[0].month) + 10) % 12 + 1 if begins else 12


def on_every_step(sales: pd.DataFrame, timeline: Timeline, covariates: bool, keeps_ended: bool) -> pd.DataFrame:
    """Add a row of 0 units, from no store, where an article has none in a step, from its first row on.

    Before the first units of an article they are missing: rows without any say what is planned of it. After the last
    row of one that has ended, because nothing is planned of it where it is of others, there are none either.

    Arguments:
        sales: a row for each article and date, with ``units``.
        timeline: the grid, and where each row lies on it.
        covariates: whether there are columns that say what is planned.
        keeps_ended: whether an article may end before others.
    """
    dates = dates_of(timeline.start, timeline.length)
    full = pd.MultiIndex.from_product([sales["article"].unique(), dates], names=["article", "date"])
    sales = sales.assign(date=dates[timeline.positions])
    known = sales.set_index(["article", "date"])
    filled = known.reindex(full)
    new = ~full.isin(known.index)
    # What is planned beyond the last sale is not known to be nothing.
    observed = sales["date"][sales["units"].notna()].max()
    seen = full.get_level_values("date") <= observed
    launched = sales[sales["units"].notna()].groupby("article")["date"].min()
    sold = full.get_level_values("date") >= full.get_level_values("article").map(launched.to_dict())
    filled.loc[new & seen & sold, "units"] = 0.0
    if "stores" in filled:
        filled.loc[new, "stores"] = 0.0
    filled = filled.reset_index()
    begins, ends = (filled["article"].map(sales.groupby("article")["date"].agg(which)) for which in ("min", "max"))
    stays = ends > observed if keeps_ended and covariates and dates[-1] > observed else ends.notna()
    return filled[(filled["date"] >= begins) & (stays | (filled["date"] <= ends))].reset_index(drop=True)
