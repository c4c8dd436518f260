"""The columns of a table that a user named, and what refuses cells that are not what they should be."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import PurePath

import numpy as np
import pandas as pd

from ..entries.data import Domain
from .dates import ReadDates, read_dates
from .timeline import Timeline

_SHOWN = 5
_COMMA, _THOUSANDS = r"[-+]?\d+(\.\d{3})*,\d+", r"[-+]?\d{1,3}([,' ]\d{3})+(\.\d+)?"
"""Numbers with a comma before the fraction, and those with marks between thousands."""

_YES_NO = {"j", "n", "y", "o", "s", "ja", "nein", "yes", "no", "oui", "non", "si", "wahr", "falsch", "true", "false"}


def as_text(argument: str, labels: Iterable[Hashable]) -> tuple[str, ...]:
    """The labels of items or columns, which may be numbers, as names.

    Arguments:
        argument: the argument that they come from, for the message.
        labels: the labels.

    Returns:
        A name for each label.

    Raises:
        ValueError: two labels have the same name.
    """
    names = tuple(str(label) for label in labels)
    twice = pd.Index(names).duplicated()
    if twice.any():
        raise ValueError(f"{argument}: expected names that differ, got two labels that read {names[twice.argmax()]!r}")
    return names


def check_domain(values: np.ndarray, domain: Domain, items: Sequence[str], timeline: Timeline) -> None:
    """Refuse values outside the domain that was named for them.

    Arguments:
        values: ``[D, T]``; missing values are NaN.
        domain: the domain.
        items: names of the series.
        timeline: the dates of the steps.

    Raises:
        ValueError: the domain is unknown, or a value lies outside; the message names series and date.
    """
    with np.errstate(invalid="ignore"):
        outside = {
            "real": np.zeros_like(values, dtype=bool),
            "positive": values < 0,
            "unit": (values < 0) | (values > 1),
            "count": (values < 0) | (values % 1 != 0) & ~np.isnan(values),
        }
    if domain not in outside:
        raise ValueError(f"domain: expected one of {', '.join(outside)}; got {domain!r}")
    wrong = np.argwhere(outside[domain])
    if len(wrong):
        row, step = (int(index) for index in wrong[0])
        below = "; domain='real' takes units below 0, net of returns" if values[row, step] < 0 else ""
        raise ValueError(
            f"target: expected values of domain {domain!r}, got {values[row, step]:g} in series "
            f"{items[row]!r} on {timeline.date(step)} ({len(wrong)} such values)"
            f"{below}"
        )


def described(rows: int, source: str | None, read: ReadDates) -> dict[str, str]:
    """Description of a table as it was read, by headings.

    Arguments:
        rows: their number.
        source: the file they came from.
        read: their dates.
    """
    return {"read": f"{rows} rows" + (f" of {PurePath(source).name}" if source else ""), "dates": read.form}


class Columns:
    """The named columns of a table.

    Arguments:
        table: the table.
        source: the file it came from, for messages.
    """

    def __init__(self, table: pd.DataFrame, source: str | None = None) -> None:
        self.table = table
        self.where = f" in {source!r}" if source else ""

    def require(self, argument: str, names: Sequence[str]) -> None:
        """Refuse names that are not columns.

        Arguments:
            argument: the argument that named them.
            names: the names.

        Raises:
            ValueError: a name is no column, or more than one.
        """
        for name in names:
            count = int((self.table.columns == name).sum())
            if count == 0:
                known = ", ".join(map(str, self.table.columns[:30]))
                raise ValueError(f"{argument}: expected one of the columns {known}{self.where}, got {name!r}")
            if count > 1:
                raise ValueError(f"{argument}: expected one column {name!r}{self.where}, got {count}")

    def require_roles(self, roles: Mapping[str, Sequence[str]]) -> None:
        """Refuse names that are not columns, and columns that are named twice.

        The target alone may be a past covariate too: what was sold is known of the past.

        Arguments:
            roles: the names that each argument gives; the target before the past covariates.

        Raises:
            ValueError: a name is no column, or more than one, or is given twice; or names are one string.
        """
        role: dict[str, str] = {}
        for argument, names in roles.items():
            if isinstance(names, str):
                raise ValueError(f"{argument}: expected a sequence of column names, got the string {names!r}")
            self.require(argument, names)
            for name in names:
                if name in role and (role[name], argument) != ("target", "past_covariates"):
                    where = "twice" if role[name] == argument else f"by {role[name]} too"
                    raise ValueError(f"{argument}: expected a column of one role, got {name!r}, which is named {where}")
                role[name] = argument

    def dates(self, timestamp: str | None) -> ReadDates:
        """The dates of the rows.

        Arguments:
            timestamp: the column, or ``None`` for the index.

        Returns:
            A date for each row, and as what they were read, see :func:`read_dates`.

        Raises:
            ValueError: a cell is not a date, dates have several time zones, or may be read by day or by month first.
        """
        return read_dates(self._raw_dates(timestamp), timestamp, self._refuse)

    def freq(self, timestamp: str | None) -> str | None:
        """The frequency of a column of periods; ``None`` where the rows have dates.

        Arguments:
            timestamp: the column, or ``None`` for the index.
        """
        dtype = self._raw_dates(timestamp).dtype
        return dtype.freq.freqstr if isinstance(dtype, pd.PeriodDtype) else None

    def items(self, item: str) -> tuple[np.ndarray, tuple[str, ...]]:
        """The item of each row.

        Arguments:
            item: the column.

        Returns:
            An index into the names for each row, and the names in the order of their first rows.

        Raises:
            ValueError: a cell is empty, or two names are the same text.
        """
        self.require("item", [item])
        raw = self.table[item]
        self._refuse(raw.isna(), raw, f"item: expected a name in every cell of {item!r}")
        codes, names = pd.factorize(raw)
        return codes, as_text("item", names)

    def wide_targets(self, others: Sequence[str]) -> list[str]:
        """The columns that are series in a wide table whose user named none.

        Arguments:
            others: columns that are something else.

        Returns:
            The labels of the numeric columns that are left.

        Raises:
            ValueError: no column is left, or two have one label; or most cells of a column are numbers, but not all.
        """
        free = self.table.drop(columns=list(others))
        for place in range(free.shape[1]):
            cells = free.iloc[:, place].dropna()
            # One cell that is no number makes a column of text, which nobody would miss among many series.
            if (
                cells.dtype.kind == "O"
                and _like_numbers(cells) > 0.5
                and pd.to_numeric(cells, errors="coerce").isna().any()
            ):
                self.numbers(free.columns[place])
        rest = free.select_dtypes("number")
        if not len(rest.columns):
            raise ValueError(f"target: expected a numeric column to be a series, got none{self.where}")
        self.require("target", list(rest.columns))
        return list(rest.columns)

    def numbers(self, column: str) -> np.ndarray:
        """The values of a column.

        Arguments:
            column: its name.

        Returns:
            ``[rows]``, float64; empty cells are NaN.

        Raises:
            ValueError: a cell is neither empty nor a finite number, or the column is of dates, spans or complex.
        """
        raw = self.table[column]
        cells = pd.to_numeric(raw, errors="coerce")
        if raw.dtype.kind in "mM" or cells.dtype.kind == "c":
            raise ValueError(f"{column!r}: expected finite numbers{self.where}, got a column of {raw.dtype}")
        values = cells.astype(float)
        # Datasets are of single precision, in which what is larger is infinite.
        infinite = values.abs() > np.finfo(np.float32).max
        wrong = (values.isna() & raw.notna()) | infinite
        self._refuse(wrong, raw, f"{column!r}: expected finite numbers", _how_to_read(raw[wrong]))
        return values.to_numpy()

    def refuse(self, wrong: pd.Series, expected: str, column: str, advice: str = "") -> None:
        """Refuse rows.

        Arguments:
            wrong: whether each row is refused, ``[rows]``.
            expected: what was expected, for the message.
            column: the column whose cells are shown.
            advice: what to do about it, for the end of the message.

        Raises:
            ValueError: a row is refused; the message has the cells and their rows.
        """
        self._refuse(wrong, self.table[column], f"{expected} in {column!r}", advice)

    def _raw_dates(self, timestamp: str | None) -> pd.Series:
        if timestamp is not None:
            self.require("timestamp", [timestamp])
            return self.table[timestamp]
        if not isinstance(self.table.index, (pd.DatetimeIndex, pd.PeriodIndex)):
            raise ValueError(
                "timestamp: expected the name of a column, or None and an index of dates; got None and "
                f"an index of {self.table.index.dtype}"
            )
        return pd.Series(self.table.index, index=self.table.index)

    def _refuse(self, wrong: pd.Series, raw: pd.Series, expected: str, advice: str = "") -> None:
        if wrong.any():
            cells = [f"{value!r} in row {row}" for row, value in raw[wrong].head(_SHOWN).items()]
            raise ValueError(f"{expected}{self.where}, got {', '.join(cells)} ({int(wrong.sum())} such rows){advice}")


def _like_numbers(cells: pd.Series) -> float:
    """The share of cells that are numbers, or would be with other marks in them."""
    text = cells.astype(str).str
    like = pd.to_numeric(cells, errors="coerce").notna() | text.fullmatch(_COMMA) | text.fullmatch(_THOUSANDS)
    return float(like.mean())


def _how_to_read(cells: pd.Series) -> str:
    """What says in a TOML file how to read cells that are no numbers to pandas."""
    first = str(cells.iloc[0]) if len(cells) else ""
    if re.fullmatch(_COMMA, first):
        marks = "decimal = ',' and thousands = '.'" if "." in first else "decimal = ','"
        return f"; in a TOML file {marks} reads such numbers of a CSV file"
    if re.fullmatch(_THOUSANDS, first):
        return f"; in a TOML file thousands = '{re.sub('[0-9.+-]', '', first)[0]}' reads such numbers of a CSV file"
    if first.lower() in _YES_NO:
        return "; in a TOML file true_words and false_words say what stands for 1 and 0, such as ['J'] and ['N']"
    return ""
