"""A table from a file, whose cells stand under the names of its header, or from a frame of any library."""

from __future__ import annotations

import codecs
import gzip
import os
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import pandas as pd

from ...runtime.reading.parquet_files import read_parquet
from ...runtime.reading.room import free_memory, require_room
from .foreign_frames import Frame, as_pandas

_CSV, _PARQUET, _EXCEL = (".csv", ".csv.gz"), (".parquet", ".pq"), (".xlsx",)


@dataclass(frozen=True)
class TableFormat:
    """Format of a text table: separators, encoding, booleans.

    Arguments:
        sep: what stands between the cells of a CSV file.
        decimal: what stands before the fraction of a number in a CSV file.
        thousands: what stands between the thousands of a number in a CSV file; ``None`` for nothing.
        encoding: of a CSV file, as Python names it.
        sheet: of an Excel file; ``None`` for the first.
        rename: new names of columns, by their names in the file; every other argument says the new ones.
        true_words: what stands for 1 in columns that hold only such words, as ``["J"]``.
        false_words: what stands for 0 in them, as ``["N"]``.

    Raises:
        ValueError: an argument is not what it should be.
    """

    sep: str = ","
    decimal: str = "."
    thousands: str | None = None
    encoding: str = "utf-8"
    sheet: str | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    true_words: Sequence[str] = ()
    false_words: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("sep", "decimal", "thousands"):
            mark = getattr(self, name)
            if mark is not None and (len(mark) != 1 or mark.isalnum() or mark in "-+\"'\n\r"):
                raise ValueError(f"{name}: expected one character such as ';', ',' or '.', got {mark!r}")
        if self.decimal == self.sep:
            raise ValueError(f"decimal: expected another character than sep, got {self.decimal!r} for both")
        if self.thousands in (self.decimal, self.sep):
            other = "decimal" if self.thousands == self.decimal else "sep"
            raise ValueError(f"thousands: expected another character than {other}, got {self.thousands!r} for both")
        try:
            codecs.lookup(self.encoding)
        except (LookupError, ValueError) as error:
            raise ValueError(f"encoding: expected 'utf-8', 'cp1252' or the like, got {self.encoding!r}") from error
        both = set(self.true_words) & set(self.false_words)
        if both or bool(self.true_words) != bool(self.false_words):
            got = f"{min(both)!r} in both" if both else f"{list(self.true_words)} and {list(self.false_words)}"
            raise ValueError(f"true_words: expected words beside other false_words, got {got}")

    def refuse_beside(self, kind: str, *allowed: str) -> None:
        """Refuse arguments that a kind of file does not have.

        Arguments:
            kind: the kind, for the message.
            allowed: the arguments that it has, beside those of any table.
        """
        for each in fields(self)[:5]:
            if each.name not in allowed and getattr(self, each.name) != each.default:
                got = f"{each.name} = {getattr(self, each.name)!r}"
                raise ValueError(f"{each.name}: expected no such argument for a file of {kind}, got {got}")


@dataclass(frozen=True)
class TableFile:
    """A file and how its cells are written.

    Arguments:
        path: a ``.csv``, ``.csv.gz``, ``.parquet`` or ``.xlsx`` file.
        form: how its cells are written.
    """

    path: str | os.PathLike[str]
    form: TableFormat


def read_table(
    frame: Frame | TableFile, text: Sequence[str | None] = (), numbers: Sequence[str] = ()
) -> tuple[pd.DataFrame, str | None]:
    """A frame of pandas of any frame, or of the table in a file.

    Arguments:
        frame: a frame of pandas or of another library (:func:`as_pandas`), or a ``.csv``, ``.csv.gz``, ``.parquet`` or
            ``.xlsx`` file.
        text: columns of a file that are names or dates even where they look like something else, as ``"007"``,
            ``"NA"``, ``"201001"``; ``None`` is no column.
        numbers: columns of a file that are numbers.

    Returns:
        The table, and the path it was read from.

    Raises:
        FileNotFoundError: the path does not exist.
        ValueError: the frame is none, the file cannot be read as a table, or the table has no rows or columns of
            several levels.
    """
    if isinstance(frame, (str, os.PathLike)):
        frame = TableFile(frame, TableFormat())
    if isinstance(frame, TableFile):
        path = Path(frame.path).expanduser()
        table, source = _read_file(path, frame.form, text, numbers), str(path)
    else:
        table, source = as_pandas(frame), None
    if table.columns.nlevels > 1:
        raise ValueError(f"frame: expected one label a column, got {table.columns.nlevels} levels of labels")
    if table.empty:
        raise ValueError(f"frame: expected rows, {repr(source) if source else 'the frame'} has none")
    return table, source


def _read_file(path: Path, form: TableFormat, text: Sequence[str | None], numbers: Sequence[str]) -> pd.DataFrame:
    if not path.is_file():
        raise FileNotFoundError(f"frame: expected a CSV, Parquet or Excel file, but {str(path)!r} does not exist")
    ending, now = path.name.lower(), {new: old for old, new in form.rename.items()}
    named = [now.get(name, name) for name in text if name is not None]
    try:
        if ending.endswith(_CSV):
            form.refuse_beside("CSV", "sep", "decimal", "thousands", "encoding")
            _require_room_for(path)
            table = _read_csv(path, form, named)
        elif ending.endswith(_PARQUET):
            form.refuse_beside("Parquet")
            table = as_pandas(read_parquet(path))
        elif ending.endswith(_EXCEL):
            form.refuse_beside("Excel", "sheet")
            _require_room_for(path)
            table = _read_excel(path, form, named)
        else:
            raise ValueError("unknown ending, expected .csv, .csv.gz, .parquet or .xlsx")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"frame: {str(path)!r} cannot be read as a table, it is no {form.encoding.upper()} ({error}); name its "
            'encoding in the TOML file, that of an older export with encoding = "cp1252", or make a frame with '
            "pd.read_csv(..., encoding=...)"
        ) from error
    except BadZipFile as error:
        raise ValueError(
            f"frame: {str(path)!r} cannot be read as a table (it is no Excel file of the kind .xlsx)"
        ) from error
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"frame: {str(path)!r} cannot be read as a table ({error})") from error
    table = _words(_renamed(table, form, str(path)), form, text)
    plain = not ending.endswith(_CSV) or (form.decimal, form.thousands) == (".", None)
    return table if plain else _numbers(table, form, text, numbers)


def _require_room_for(path: Path) -> None:
    """Refuse a file that holds more than memory has room for; a small packed one can unpack to anything."""
    if path.name.lower().endswith(".gz"):
        free, size = free_memory(), 0
        with gzip.open(path) as packed:
            while free is not None and size <= free and (part := packed.read(2**20)):
                size += len(part)
    elif path.name.lower().endswith(_EXCEL):
        with zipfile.ZipFile(path) as book:
            size = sum(part.file_size for part in book.infolist())
    else:
        size = path.stat().st_size
    require_room(size, "expected a smaller table", "one of more")


def _read_csv(path: Path, form: TableFormat, text: Sequence[str]) -> pd.DataFrame:
    """The table of a CSV file, its columns called as its header says."""
    read: Callable[..., pd.DataFrame] = pd.read_csv
    first = read(path, header=None, nrows=1, dtype=str, keep_default_na=False, sep=form.sep, encoding=form.encoding)
    header = first.iloc[0]
    if len(header) == 1 and (found := [mark for mark in ",;\t|" if mark != form.sep and mark in header[0]]):
        raise ValueError(
            f"its cells are separated by {found[0]!r}, expected {form.sep!r}; say sep = {found[0]!r} in the TOML file, "
            f"and decimal = ',' where numbers are written so, or make a frame with pd.read_csv(..., sep={found[0]!r})"
        )
    # "NA" and "007" are names; an empty cell is none.
    table = read(
        path,
        converters=dict.fromkeys(text, lambda cell: cell or None),
        sep=form.sep,
        decimal=form.decimal,
        encoding=form.encoding,
    )
    if not isinstance(table.index, pd.RangeIndex):
        # pandas would take the first cells for an index and move every name to the column beside its own.
        raise ValueError(
            f"its rows have more cells than its header, which has {len(header)}; is there a {form.sep!r} at their ends?"
        )
    # pandas would call the second of two columns "a" "a.1".
    table.columns = header.where(header != "", table.columns)
    return table


def _read_excel(path: Path, form: TableFormat, text: Sequence[str]) -> pd.DataFrame:
    """The table of a sheet of an Excel file, its columns called as its first row says."""
    read: Callable[..., pd.DataFrame] = pd.read_excel
    # "NA" is a name.
    how: dict[str, Any] = {"engine": "openpyxl", "header": None, "keep_default_na": False, "na_values": [""]}
    how["sheet_name"] = 0 if form.sheet is None else form.sheet
    try:
        first = read(path, nrows=1, dtype=object, **how)
        header = list(first.iloc[0]) if len(first) else []
        # By place: pandas would call the second of two columns "a" "a.1".
        named = {place: object for place, name in enumerate(header) if name in text}
        table = read(path, skiprows=1, dtype=named, **how)
    except ImportError as error:
        raise ValueError("expected openpyxl to be installed, got none; pip install openpyxl") from error
    table = table.reindex(columns=range(len(header)))
    table.columns = pd.Index([name if pd.notna(name) else f"Unnamed: {place}" for place, name in enumerate(header)])
    return table


def _renamed(table: pd.DataFrame, form: TableFormat, source: str) -> pd.DataFrame:
    for name in form.rename:
        if name not in table.columns:
            known = ", ".join(map(str, table.columns[:30]))
            raise ValueError(f"rename: expected one of the columns {known} in {source!r}, got {name!r}")
    return table.rename(columns=dict(form.rename))


def _words(table: pd.DataFrame, form: TableFormat, text: Sequence[str | None]) -> pd.DataFrame:
    """The table with 1 and 0 in columns that hold nothing but the words for them."""
    known = dict.fromkeys(form.true_words, 1.0) | dict.fromkeys(form.false_words, 0.0)
    columns = []
    for place, name in enumerate(table.columns):
        column = table.iloc[:, place]
        if known and name not in text and column.dtype.kind == "O" and column.dropna().isin(list(known)).all():
            column = column.map(known).astype(float)
        columns.append(column)
    return pd.concat(columns, axis=1) if known else table


def _numbers(
    table: pd.DataFrame, form: TableFormat, text: Sequence[str | None], numbers: Sequence[str]
) -> pd.DataFrame:
    """The table of a CSV file with numbers where all cells of a column are numbers of its form, thousands by threes.

    pandas would take any mark out, so that 3.5 with points for thousands read 35; and what it left as text would be
    read with a point later.
    """
    mark = "" if form.thousands is None else rf"|\d{{1,3}}({re.escape(form.thousands)}\d{{3}})+"
    number = rf"\s*[-+]?(\d+{mark})({re.escape(form.decimal)}\d+)?\s*"
    columns = []
    for place, name in enumerate(table.columns):
        column = table.iloc[:, place]
        if name not in text and column.dtype.kind == "O":
            cells = column.dropna().astype(str)
            fits = cells.str.fullmatch(number)
            if fits.all():
                plain = cells if form.thousands is None else cells.str.replace(form.thousands, "", regex=False)
                column = plain.str.replace(form.decimal, ".", regex=False).astype(float).reindex(column.index)
            elif name in numbers and (other := ~fits & pd.to_numeric(cells, errors="coerce").notna()).any():
                raise ValueError(
                    f"{name!r}: expected numbers with decimal = {form.decimal!r} and thousands = {form.thousands!r}, "
                    f"got {cells[other].iloc[0]!r} in row {cells[other].index[0]} ({int(other.sum())} such rows)"
                )
        columns.append(column)
    return pd.concat(columns, axis=1)
