"""The one place that decides how a frequency is spelled, how a date becomes a period, and a period a date."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from numbers import Integral
from typing import Any, cast

import pandas as pd
from pandas.tseries.frequencies import to_offset

from ...runtime.arguments.kinds import check_kind
from ...runtime.quiet import own_filters
from .stamps import Date, DatedPeriod, stamps_of, usual_stamps

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

_RENAMED = {
    "H": "h",
    "T": "min",
    "S": "s",
    "L": "ms",
    "U": "us",
    "N": "ns",
    "M": "ME",
    "MS": "ME",
    "Q": "QE",
    "A": "YE",
    "Y": "YE",
    "AS": "YS",
}
"""Aliases of earlier pandas versions, and of start-stamped months, to those of today."""

_BUSINESS = re.compile("B(?=(M|Q|Y|A)[SE]?$)")
"""Months, quarters and years that are dated by a business day: which day that is, the dates of a table say."""

_ALIAS = re.compile(r"(?P<count>\d*)(?P<base>[A-Za-z]+)(?:-(?P<anchor>[A-Z]{3}))?")


def normalize_freq(freq: str) -> str:
    """Spell a frequency as today's pandas and gluonts understand it.

    Archives and older programs write ``"H"``, ``"30T"`` or ``"M"``; current pandas warns of these or refuses
    them, and code that then falls back to "no known lags" degrades without a word. Spans that are stamped by
    their first day (``"MS"``, ``"QS"``, ``"YS"``) or by a business day (``"BME"``, ``"BQS"``) become the spans
    themselves, since a series here is indexed by periods; by which day of them a table is dated stays with its dates.

    Arguments:
        freq: a pandas frequency alias of any version, with an optional multiple and anchor.

    Returns:
        The alias that ``pandas.tseries.frequencies.to_offset`` and gluonts' time features accept without a
        warning, anchored where the unit has an anchor.

    Raises:
        ValueError: the frequency is unknown, not positive, or not a span that periods can have.

    Example:
        >>> [normalize_freq(freq) for freq in ("H", "30T", "1D", "W", "M", "QS-JAN", "B")]
        ['h', '30min', 'D', 'W-SUN', 'ME', 'QE-DEC', 'B']
    """
    match = _ALIAS.fullmatch(freq.strip()) if isinstance(freq, str) else None
    if match is None:
        raise ValueError(f"freq: expected a pandas frequency alias such as 'h', 'D' or 'W-MON', got {freq!r}")
    count, base, anchor = match["count"], match["base"], match["anchor"]
    base = _BUSINESS.sub("", base)
    base = _RENAMED.get(base, base)
    if base in ("QS", "YS"):
        first = _MONTHS.index(anchor) if anchor in _MONTHS else 0
        base, anchor = base[0] + "E", _MONTHS[first - 1]
    alias = f"{count}{base}" + (f"-{anchor}" if anchor else "")
    try:
        return _spelled(alias)
    except (ValueError, Warning) as error:
        raise ValueError(
            f"freq: expected a pandas frequency alias such as 'h', '30min', 'D', 'B', 'W-MON' or 'ME', "
            f"got {freq!r} ({error})"
        ) from error


@lru_cache(maxsize=256)
def _spelled(alias: str) -> str:
    """An alias as pandas spells it; what pandas refuses, or warns of, is raised."""
    with own_filters():
        warnings.simplefilter("error")
        offset = to_offset(alias)
        # pandas announces the end of business-day periods; gluonts and the benchmark use them.
        warnings.simplefilter("ignore", FutureWarning)
        pd.Period("2020-01-01", freq=cast(Any, offset))
    if offset.n < 1:
        raise ValueError("the multiple must be at least 1")
    name: str = offset.freqstr
    return name


def by_business_days(freq: str) -> bool:
    """Whether an alias dates months, quarters or years by a business day, as ``"BME"`` and ``"BQS-FEB"`` do."""
    match = _ALIAS.fullmatch(freq.strip())
    return match is not None and _BUSINESS.match(match["base"]) is not None


def season_length(freq: str) -> int:
    """Steps of the season that a frequency usually has, the lag of the seasonal naive forecast.

    Arguments:
        freq: a frequency alias of any pandas version.

    Returns:
        Steps of a day for hours, minutes and seconds; of a week for days and business days; of a year for
        weeks, months and quarters; 1 where the year is the step, or a step is no whole part of the season.

    Example:
        >>> [season_length(freq) for freq in ("30min", "h", "D", "B", "W-MON", "ME", "QE", "YE")]
        [48, 24, 7, 5, 52, 12, 4, 1]
    """
    offset = to_offset(normalize_freq(freq))
    unit = offset.name.split("-")[0]
    steps = {"s": 86400, "min": 1440, "h": 24, "D": 7, "B": 5, "W": 52, "ME": 12, "QE": 4}.get(unit, 1)
    return steps // offset.n if steps % offset.n == 0 else 1


def to_period(date: Date, freq: str) -> pd.Period:
    """The period of frequency ``freq`` in which a date lies.

    Arguments:
        date: anything that ``pandas.Timestamp`` accepts.
        freq: a frequency alias of any pandas version.

    Returns:
        The period; its ``freq.freqstr`` is the normalised alias.

    Raises:
        ValueError: the date or the frequency cannot be read.

    Example:
        >>> to_period("2024-05-17", "M")
        Period('2024-05', 'M')
    """
    offset = to_offset(normalize_freq(freq))
    with own_filters():
        warnings.simplefilter("ignore", FutureWarning)
        return pd.Period(pd.Timestamp(date), freq=cast(Any, offset))


def to_dates(periods: pd.PeriodIndex) -> pd.DatetimeIndex:
    """The dates by which periods are written where no table says another.

    A week is written by the day that its frequency is named after, on which it ends: a Monday where the frequency
    is ``"W-MON"``. Any other span is written by its first moment, a month, quarter or year by its first day.

    Arguments:
        periods: of any frequency, in any order.

    Returns:
        The dates; :func:`to_period` gives the periods back.

    Example:
        >>> [str(to_dates(pd.PeriodIndex([to_period("2024-05-13", freq)]))[0].date()) for freq in ("D", "W-MON", "MS")]
        ['2024-05-13', '2024-05-13', '2024-05-01']
    """
    return usual_stamps(periods.freq).dates(periods)


def dates_of(start: pd.Period, steps: int) -> pd.DatetimeIndex:
    """The dates of consecutive steps, as the table from which they come writes them.

    Arguments:
        start: the first step; one that no table has dated (:class:`DatedPeriod`) is written as by :func:`to_dates`.
        steps: their number.

    Example:
        >>> dates_of(to_period("2024-01-01", "W-MON"), 3).strftime("%d %B").tolist()
        ['01 January', '08 January', '15 January']
    """
    return stamps_of(start).dates(periods(start, steps))


def shifted(start: pd.Period, steps: int) -> pd.Period:
    """A period some steps later; quiet where pandas announces the end of business-day periods."""
    with own_filters():
        warnings.simplefilter("ignore", FutureWarning)
        return start + steps


def periods(start: pd.Period, steps: int) -> pd.PeriodIndex:
    """Consecutive periods; quiet where pandas announces the end of business-day periods."""
    with own_filters():
        warnings.simplefilter("ignore", FutureWarning)
        return pd.period_range(start, periods=steps, freq=start.freq)


def written_date(start: pd.Period, step: int = 0) -> str:
    """The date of a step as messages write it, see :func:`to_dates`; at midnight without the time of day.

    Arguments:
        start: the first step.
        step: how many steps later, at least 0.
    """
    return str(dates_of(shifted(start, step), 1)[0]).removesuffix(" 00:00:00")


def dated_as(period: pd.Period, other: pd.Period) -> pd.Period:
    """A period, dated by the rule of another one of its frequency."""
    return DatedPeriod.of(period, stamps_of(other))


MINUTES = {"min": 1, "h": 60}


def frequency_family(freq: str) -> tuple[int, str]:
    """The number and kind of steps of a frequency, however it is anchored.

    Arguments:
        freq: a pandas offset or period alias; ``"M"``, ``"ME"`` and ``"MS"`` all count months.

    Returns:
        The multiple and the unit, one of ``B D W M Q Y h min s ...``.

    Example:
        >>> frequency_family("W-MON"), frequency_family("30min"), frequency_family("ME")
        ((1, 'W'), (30, 'min'), (1, 'M'))
    """
    offset = to_offset(normalize_freq(freq))
    unit = offset.name.split("-")[0]
    return offset.n, unit[0] if unit in {"ME", "QE", "YE"} else unit


def steps_until(start: pd.Period, length: int, end: int | Date | pd.Period) -> int:
    """How many steps of a target of so many there are up to a time, which is their number or the date of the last.

    Raises:
        ValueError: it is neither, or lies outside.
    """
    check_kind("end", end, int | Date | pd.Period)
    if isinstance(end, (int, Integral)):
        steps = int(end)
    else:
        try:
            day = end.to_timestamp() if isinstance(end, pd.Period) else stamps_of(start).on_grid(end)
            steps = (to_period(day, start.freqstr).ordinal - start.ordinal) // start.freq.n + 1
        except (ValueError, AttributeError) as error:
            raise ValueError(f"end: expected a number of steps or a date, got {end!r}") from error
    if not 0 <= steps <= length:
        raise ValueError(f"end: expected 0 to {length} steps, to {written_date(start, length - 1)}, got {end}")
    return steps


_STEPS = {"B": "business day", "D": "day", "W": "week", "M": "month", "Q": "quarter", "Y": "year", "h": "hour"}
_STEPS |= {"min": "minute", "s": "second"}


def step_word(freq: str) -> str:
    """A step in words.

    Example:
        >>> step_word("W-SUN"), step_word("30min"), step_word("MS")
        ('week', '30 minutes', 'month')
    """
    count, unit = frequency_family(freq)
    word = _STEPS.get(unit[0] if unit in {"MS", "QS", "YS"} else unit, "step")
    return word if count == 1 else f"{count} {word}s"
