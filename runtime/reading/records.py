"""The records of CSV and of JSON lines with the lines where they stand; what contradicts itself is refused."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter

_LONGEST_CELL = 2**31 - 1
"""Characters of a cell of CSV, the most that every platform allows: the size of the file is the bound, not 131,072."""


def csv_records(content: bytes, name: str) -> tuple[tuple[str, ...], list[tuple[int, dict[str, str]]]]:
    r"""The columns of a CSV file, and its records with the number of the line where each begins.

    Cells have commas between them; or semicolons or tabs, as spreadsheets of some countries write them, where the first
    line has one of these and no comma. Lines without anything in their cells are left out.

    Arguments:
        content: of the file.
        name: by which messages call it.

    Raises:
        ValueError: it is not CSV in UTF-8, has no line of columns, a column stands there twice, or a line has more or
            fewer cells than the first one: one that is missing would be read as one that is empty.

    Example:
        >>> csv_records(b"a,b\n1,2\n", "x.csv")
        (('a', 'b'), [(2, {'a': '1', 'b': '2'})])
        >>> csv_records(b"a;b\n1;2,5\n", "x.csv")[1]
        [(2, {'a': '1', 'b': '2,5'})]
    """
    called = repr(name[:100])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"file: expected CSV in UTF-8, got a byte {content[error.start]:#04x} in line {line} of {called}"
        ) from None
    lines = [(number, cells) for number, cells in _cells(text, called) if any(cell.strip() for cell in cells)]
    if not lines:
        raise ValueError(f"file: expected a line of columns, got none in {called}")
    columns = tuple(lines[0][1])
    if twice := [column for column, count in Counter(columns).items() if count > 1]:
        raise ValueError(f"file: expected each column once, got {twice[0][:100]!r} twice in {called}")
    records = []
    for number, cells in lines:
        if any("\0" in cell for cell in cells):
            raise ValueError(f"file: expected text without NUL, got some in line {number} of {called}")
        if len(cells) != len(columns):
            raise ValueError(
                f"file: expected {len(columns)} cells in each line, got {len(cells)} in line {number} of {called}"
            )
        records.append((number, dict(zip(columns, cells, strict=True))))
    return columns, records[1:]


def _cells(text: str, called: str) -> list[tuple[int, list[str]]]:
    """The cells of each line with its number."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    between = "," if "," in first else next((sign for sign in ";\t" if sign in first), ",")
    lines: list[tuple[int, list[str]]] = []
    csv.field_size_limit(_LONGEST_CELL)
    reader, begins = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=between), 1
    try:
        for cells in reader:
            lines.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"file: expected CSV, got {error} in line {reader.line_num} of {called}") from None
    return lines


def json_records(text: str, where: str) -> list[tuple[int, dict[str, object]]]:
    r"""The records of JSON lines with their line numbers, empty lines left out.

    Arguments:
        text: of the file.
        where: the begin of a message, such as ``"file: expected a JSON record in each line of a.jsonl"``.

    Raises:
        ValueError: a line is no record, or names a field twice.

    Example:
        >>> json_records('{"a": 1}\n', "file: expected a JSON record in each line")
        [(1, {'a': 1})]
    """
    records = []
    # Not splitlines: it also splits at the line separators that may stand inside a text.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=fields_once)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{where}, got line {number}: {json_reason(error)}") from None
        if not isinstance(row, dict):
            raise ValueError(f"{where}, got line {number}: {line[:40]!r}")
        records.append((number, row))
    return records


def json_reason(error: Exception) -> str:
    """Why a text is no JSON, in a few words; the line is named where the text has several."""
    if isinstance(error, json.JSONDecodeError):
        line = f"line {error.lineno}, " if "\n" in error.doc.strip() else ""
        return f"{error.msg} at {line}column {error.colno}"
    # Of a number with too many digits, Python goes on to say how its own limit is moved.
    return " ".join(str(error).split()).partition("; use sys.")[0]


def fields_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The fields of a JSON object, for ``object_pairs_hook``.

    Raises:
        ValueError: one is named twice, of which JSON readers would keep the last without a word.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the field {twice[:100]!r} twice")
    return found
