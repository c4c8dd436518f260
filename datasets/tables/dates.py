"""Cells of a column of dates, read as what they are."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from ...runtime.quiet import own_filters
from ..entries.frequency import to_dates


@dataclass(frozen=True)
class ReadDates:
    """The dates of the rows of a table, and as what they were read.

    Arguments:
        dates: a date for each row, with a time zone where all cells have the same one.
        form: in words, as what the cells were read.
    """

    dates: pd.DatetimeIndex
    form: str


Refuse = Callable[[pd.Series, pd.Series, str], None]
"""Raises where rows are wrong: which they are, the column, and what was expected."""

_DIGITS = {
    4: ("%Y", "years", r"(19|20)\d\d"),
    6: ("%Y%m", "months", r"(19|20)\d\d(0[1-9]|1[0-2])"),
    8: ("%Y%m%d", "days", r"\d{8}"),
    12: ("%Y%m%d%H%M", "minutes", r"\d{12}"),
    14: ("%Y%m%d%H%M%S", "seconds", r"\d{14}"),
}
"""What dates of digits alone say, by their number: the format, its unit, and what else they have to look like."""

_ISO = r"\d{4}-?\d\d(-?\d\d([T ]\S+)?)?"
_ISO_WEEK = re.compile(r"(\d{4})-?W(\d\d)(?:-?([1-7]))?")


def read_dates(raw: pd.Series, timestamp: str | None, refuse: Refuse) -> ReadDates:
    """The dates of the rows.

    Read are dates and periods of pandas; text in one order of day, month and year, or in any of the forms of ISO 8601,
    mixed too; its weeks (``2020-W53``), each by its Monday; and digits alone, as text or as whole numbers, by how many
    there are: ``2024``, ``202401``, ``20240131``, with a time of day ``202401311530``.

    Arguments:
        raw: the cells.
        timestamp: the column, for messages; ``None`` for the index.
        refuse: what refuses cells, by their rows.

    Returns:
        A date for each row, and in words as what it was read.

    Raises:
        ValueError: a cell is not a date, dates have several time zones, or may be read by day or by month first.
    """
    expected = f"timestamp: expected dates in {timestamp!r}"
    if isinstance(raw.dtype, pd.PeriodDtype):
        refuse(raw.isna(), raw, f"timestamp: expected periods in {timestamp!r}")
        return ReadDates(to_dates(pd.PeriodIndex(raw)).as_unit("ns"), "periods")
    refuse(raw.isna(), raw, expected)
    if pd.api.types.is_bool_dtype(raw):
        raise ValueError(f"{expected}, got a column of {raw.dtype}")
    if pd.api.types.is_numeric_dtype(raw):
        if not (raw % 1 == 0).all():
            raise ValueError(f"{expected}, got numbers such as {raw.iloc[0]}")
        return _of_digits(raw.astype("int64").astype(str), raw, expected, refuse)
    if raw.dtype.kind == "M":
        return ReadDates(_one_zone(raw, raw, timestamp), "dates")
    kinds = raw.map(_kind)
    refuse(kinds != kinds.mode()[0], raw, expected)
    if kinds.iloc[0] == "number":
        return read_dates(pd.to_numeric(raw), timestamp, refuse)
    if kinds.iloc[0] == "date":
        return ReadDates(_of_objects(raw, timestamp, expected, refuse), "dates")
    refuse(kinds != "text", raw, expected)
    text = raw.astype(str).str.strip()
    if text.str.fullmatch(r"\d+").all():
        return _of_digits(text, raw, expected, refuse)
    refuse(text.str.fullmatch(r"\d+") & (text.str.len() != 8), raw, f"{expected} written alike")
    if text.str.fullmatch(_ISO_WEEK).any():
        return ReadDates(_of_weeks(text, raw, expected, refuse), f"ISO weeks such as {raw.iloc[0]!r}, by their Mondays")
    if text.str.fullmatch(_ISO).all():
        parsed, order = _parsed(text, timestamp, format="ISO8601"), "of ISO 8601"
    else:
        day_first = _day_first(text, timestamp)
        parsed = _parsed(text, timestamp, dayfirst=day_first)
        numbers = text.str.match(r"\d{1,2}[/.-]\d{1,2}[/.-]").all()
        order = ("with the day first" if day_first else "with the month first") if numbers else "in words or numbers"
    refuse(parsed.isna(), raw, expected)
    return ReadDates(_one_zone(parsed, raw, timestamp), f"text {order}, such as {raw.iloc[0]!r}")


def _kind(cell: object) -> str:
    kinds: dict[str, type | tuple[type, ...]] = {"text": str, "number": Real, "date": (date, np.datetime64)}
    return next((name for name, kind in kinds.items() if isinstance(cell, kind)), "something else")


def _of_objects(raw: pd.Series, timestamp: str | None, expected: str, refuse: Refuse) -> pd.DatetimeIndex:
    """Dates that are objects of Python or of pandas."""
    zones = raw.map(lambda cell: str(getattr(cell, "tzinfo", None)))
    if len(other := raw[zones != zones.iloc[0]]):
        raise ValueError(
            _zones(timestamp, f"{zones.iloc[0]} in row {raw.index[0]}, {zones[other.index[0]]} in row {other.index[0]}")
        )
    parsed = _parsed(raw, timestamp)
    refuse(parsed.isna(), raw, expected)
    return _one_zone(parsed, raw, timestamp)


def _parsed(cells: pd.Series, timestamp: str | None, **how: Any) -> pd.Series:
    """Cells as pandas reads them; what is no date is missing."""
    try:
        with own_filters():
            # pandas announces that it will refuse several UTC offsets; they are refused here.
            warnings.simplefilter("ignore", FutureWarning)
            return pd.to_datetime(cells, errors="coerce", **how)
    except ValueError as error:
        raise ValueError(f"timestamp: cannot read the dates in {timestamp!r} ({error})") from error


def _one_zone(parsed: pd.Series, raw: pd.Series, timestamp: str | None) -> pd.DatetimeIndex:
    if parsed.dtype.kind != "M":
        offsets = parsed.map(lambda date: str(date.utcoffset()))
        at = int((offsets != offsets.iloc[0]).to_numpy().argmax())
        raise ValueError(
            _zones(timestamp, f"{raw.iloc[0]!r} in row {raw.index[0]}, {raw.iloc[at]!r} in row {raw.index[at]}")
        )
    try:
        return pd.DatetimeIndex(parsed.dt.as_unit("ns"))
    except ValueError as error:
        raise ValueError(f"timestamp: cannot read the dates in {timestamp!r} ({error})") from error


def _zones(timestamp: str | None, got: str) -> str:
    return (
        f"timestamp: expected dates of one time zone in {timestamp!r}, got several UTC offsets ({got}); for steps of a "
        "day or more cut the offset off the text, for shorter ones take pd.to_datetime(..., utc=True)"
    )


def _of_digits(text: pd.Series, raw: pd.Series, expected: str, refuse: Refuse) -> ReadDates:
    """Dates of digits alone, all of one number."""
    length = int(text.str.len().iloc[0])
    refuse(text.str.len() != length, raw, f"{expected} of {length} digits, as in the first row")
    if length not in _DIGITS:
        raise ValueError(
            f"{expected}, got numbers such as {raw.iloc[0]}; of digits alone are read years (2024), months (202401), "
            "days (20240131) and days with a time of day (202401311530)"
        )
    form, unit, looks = _DIGITS[length]
    unit += " (weeks are written as 2024-W05)" if length == 6 else ""
    refuse(
        ~text.str.fullmatch(looks), raw, f"{expected} of {length} digits, {unit}, such as {'20240131153000'[:length]}"
    )
    parsed = pd.to_datetime(text, format=form, errors="coerce")
    refuse(parsed.isna(), raw, f"{expected} of {length} digits, {unit} in the order year, month, day")
    what = f"{_DIGITS[length][1]} of {length} digits, such as {text.iloc[0]}"
    return ReadDates(pd.DatetimeIndex(parsed).as_unit("ns"), what)


def _of_weeks(text: pd.Series, raw: pd.Series, expected: str, refuse: Refuse) -> pd.DatetimeIndex:
    """The Mondays of ISO weeks, or the days of them that are named."""

    def day(cell: str) -> pd.Timestamp | None:
        found = _ISO_WEEK.fullmatch(cell)
        try:
            return None if found is None else pd.Timestamp.fromisocalendar(*(int(part or 1) for part in found.groups()))
        except ValueError:
            return None

    days = text.map(day)
    refuse(days.isna(), raw, f"{expected}, all of them ISO weeks such as 2024-W01 (a year has 52 or 53)")
    return pd.DatetimeIndex(days).as_unit("ns")


def _day_first(text: pd.Series, timestamp: str | None) -> bool:
    """Whether dates such as ``31/12/2024`` have the day first, which pandas would guess from the first of them.

    With points between them, ``31.12.2024``, they always have.
    """
    text = pd.Series(text.unique())
    fields = text.str.extract(r"^(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}(?!\d)").astype(float)
    if text.str.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{4}.*").all():
        return True
    day_first, month_first = (fields > 12).any()
    different = text[fields[0] != fields[1]][fields.notna().all(axis=1)]
    if len(different) and day_first == month_first:
        raise ValueError(
            f"timestamp: expected dates that can be read in one way in {timestamp!r}, got {different.iloc[0]!r}; "
            "say whether the day or the month comes first, with pd.to_datetime(..., format=...)"
        )
    return bool(day_first)
