"""Where within its step a table has its dates, and a period that knows it."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Literal, TypeAlias, cast

import numpy as np
import pandas as pd

from ...runtime.quiet import own_filters

_NONE = pd.Timedelta(0)
_MONTHS = {"M": 1, "Q": 3, "Y": 12}
"""Months of the spans whose steps are not of one length."""

Date: TypeAlias = str | datetime.date | np.datetime64
"""A date as users write it, a `pandas.Timestamp` among them."""

Day = int | Literal["first business day", "last business day"]


@dataclass(frozen=True)
class Stamps:
    """The rule by which a table dates its steps.

    Arguments:
        after: from the first moment of the step, or of the day of the month, to the date.
        month: of months, quarters and years: the place of the date's month in the step, from 0.
        day: of months, quarters and years: the day of the month, its last one where it has not so many.
        zone: the time zone of the dates; ``None`` where they have none.
        instant: whether steps are counted in time that runs on, UTC, and not by the local clock, as steps shorter
            than a day are where there is a zone.
    """

    after: pd.Timedelta = _NONE
    month: int = 0
    day: Day = 1
    zone: tzinfo | None = None
    instant: bool = False

    def dates(self, periods: pd.PeriodIndex) -> pd.DatetimeIndex:
        """The dates of steps.

        Arguments:
            periods: of any frequency, in any order.

        Example:
            >>> last_days = Stamps(day=31)
            >>> last_days.dates(pd.period_range("2024-01", periods=2, freq="M")).strftime("%d %B").tolist()
            ['31 January', '29 February']
        """
        with own_filters():
            warnings.simplefilter("ignore", FutureWarning)
            days = periods.to_timestamp()
        if months_of(periods.freq):
            days = pd.DatetimeIndex(self._days(days).astype("datetime64[ns]"))
        naive = days + self.after
        if self.zone is None:
            return naive
        if self.instant:
            return naive.tz_localize("UTC").tz_convert(self.zone)
        first = np.ones(len(naive), dtype=bool)
        return naive.tz_localize(self.zone, ambiguous=first, nonexistent="shift_forward")

    def on_grid(self, date: Date) -> pd.Timestamp:
        """A date in the time in which steps are counted; one without a zone is of the zone of the table."""
        stamp = pd.Timestamp(date)
        if self.instant:
            stamp = stamp.tz_localize(self.zone) if stamp.tz is None else stamp
            return stamp.tz_convert("UTC").tz_localize(None)
        return stamp if stamp.tz is None else stamp.tz_convert(self.zone).tz_localize(None)

    def words(self, date: pd.Timestamp, period: pd.Period) -> str:
        """The dating rule in words.

        Arguments:
            date: the date of a step.
            period: the step.

        Example:
            >>> Stamps(day=31).words(pd.Timestamp("2024-01-31"), pd.Period("2024-01", "M"))
            'last day of the month'
            >>> Stamps(pd.Timedelta(minutes=30)).words(pd.Timestamp("2024-01-01 07:30"), pd.Period("2024", "h"))
            'steps from 07:30 on'
        """
        time = f" at {date:%H:%M}" if self.after % pd.Timedelta(days=1) else ""
        zone = "" if self.zone is None else f", {self.zone}" + (" (steps counted in UTC)" if self.instant else "")
        if isinstance(period.freq, pd.offsets.Week):
            return f"{date:%A}s{time}{zone}"
        if span := months_of(period.freq):
            day = {1: "first day", 31: "last day"}.get(self.day, self.day) if isinstance(self.day, int) else self.day
            day = f"day {day}" if isinstance(day, int) else day
            of = "the month" if span == 1 else f"month {self.month + 1} of {span}"
            return f"{day} of {of}{time}{zone}"
        if isinstance(period.freq, pd.offsets.Tick) and not isinstance(period.freq, pd.offsets.Day):
            return f"steps from {date:%H:%M} on{zone}"
        return f"days{time}{zone}"

    def _days(self, begins: pd.DatetimeIndex) -> np.ndarray:
        month = begins.to_numpy().astype("datetime64[M]") + self.month
        first, last = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]") - 1
        if self.day == "first business day":
            return np.busday_offset(first, 0, roll="forward")
        if self.day == "last business day":
            return np.busday_offset(last, 0, roll="backward")
        return np.minimum(first + (self.day - 1), last)


def usual_stamps(freq: pd.tseries.offsets.BaseOffset | None) -> Stamps:
    """The rule where none is known: a week by its last day, which names it, any other step by its first moment."""
    return Stamps(after=pd.Timedelta(days=6)) if isinstance(freq, pd.offsets.Week) else Stamps()


def told_stamps(
    dates: pd.DatetimeIndex,
    periods: pd.PeriodIndex,
    zone: tzinfo | None = None,
    instant: bool = False,
    business: bool = False,
) -> tuple[Stamps, np.ndarray]:
    """The rule that most dates follow, and which do not.

    Arguments:
        dates: with a zone where `zone` is given, in any order.
        periods: the step of each, of one unit: weeks, not pairs of weeks.
        zone: as in :class:`Stamps`.
        instant: as in :class:`Stamps`.
        business: whether a business day is taken where dates are those of such a day and of another rule.

    Returns:
        The rule, and a bool for each date: whether it is another one than that of the rule.
    """
    local = dates.tz_convert("UTC" if instant else zone).tz_localize(None) if zone is not None else dates
    with own_filters():
        warnings.simplefilter("ignore", FutureWarning)
        begins = periods.to_timestamp()
    rules: list[dict[str, Any]] = [{"after": _commonest(local - begins)}]
    if months_of(periods.freq):
        time = _commonest(local - local.normalize())
        month = int(_commonest(12 * (local.year - begins.year) + local.month - begins.month))
        days: list[Day] = [1, 31, int(local.day.max()), "first business day", "last business day"]
        days = days[3:] + days[:3] if business else days
        rules = [{"after": time, "month": month, "day": day} for day in days]
    best, wrong = Stamps(), np.ones(len(dates), dtype=bool)
    for rule in rules:
        stamps = Stamps(**rule, zone=zone, instant=instant)
        different = np.asarray(stamps.dates(periods) != dates)
        if different.sum() < wrong.sum() or rule is rules[0]:
            best, wrong = stamps, different
    return best, wrong


def months_of(freq: pd.tseries.offsets.BaseOffset | None) -> int:
    """The months of the unit of a frequency; 0 where it is shorter."""
    unit = "" if freq is None else freq.name.split("-")[0]
    return _MONTHS.get(unit[0], 0) if unit in ("ME", "M", "QE", "Q", "YE", "Y") else 0


def _commonest(values: pd.Index) -> Any:
    return values.value_counts().sort_index(kind="stable").idxmax()


class DatedPeriod(pd.Period):
    """A period that knows by which date the table from which it comes writes it.

    It equals the plain period of the same step, and a step later is dated by the same rule.

    Example:
        >>> monday = DatedPeriod.of(pd.Period("2024-01-01", "W-SUN"), Stamps())
        >>> (monday + 1).stamps == Stamps(), monday == pd.Period("2024-01-01", "W-SUN")
        (True, True)
    """

    stamps: Stamps

    @classmethod
    def of(cls, period: pd.Period, stamps: Stamps) -> pd.Period:
        """A period dated by a rule; a plain one where the rule is the usual one.

        Arguments:
            period: the step.
            stamps: the rule.
        """
        if stamps == usual_stamps(period.freq):
            return period
        with own_filters():
            warnings.simplefilter("ignore", FutureWarning)
            dated = cls(ordinal=period.ordinal, freq=cast(Any, period.freq))
        dated.stamps = stamps
        return dated

    def __add__(self, other: Any) -> Any:
        return self._kept(super().__add__(other))

    def __radd__(self, other: Any) -> Any:
        return self._kept(super().__add__(other))

    def __sub__(self, other: Any) -> Any:
        return self._kept(super().__sub__(other))

    def __reduce__(self) -> tuple[Callable[..., pd.Period], tuple[pd.Period, Stamps]]:
        with own_filters():
            warnings.simplefilter("ignore", FutureWarning)
            return DatedPeriod.of, (pd.Period(ordinal=self.ordinal, freq=cast(Any, self.freq)), self.stamps)

    def _kept(self, result: Any) -> Any:
        return DatedPeriod.of(result, self.stamps) if isinstance(result, pd.Period) else result


def stamps_of(period: pd.Period) -> Stamps:
    """The rule by which a step and those after it are dated."""
    return period.stamps if isinstance(period, DatedPeriod) else usual_stamps(period.freq)
