"""The records of CSV and of JSON lines with the lines where they stand; what contradicts itself is refused."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter


def csv_records(content: bytes, name: str) -> tuple[tuple[str, ...], list[tuple[int, dict[str, str]]]]:
    r"""The columns of a CSV file, and its records with the number of the line where each begins.

    Arguments:
        content: of the file.
        name: by which messages call it.

    Raises:
        ValueError: it is not CSV in UTF-8, a column stands there twice, or a line has more or fewer cells than the
            first one: one that is missing would be read as one that is empty.

    Example:
        >>> csv_records(b"a,b\n1,2\n", "x.csv")
        (('a', 'b'), [(2, {'a': '1', 'b': '2'})])
    """
    lines: list[tuple[int, list[str]]] = []
    try:
        reader, begins = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True), 1
        for cells in reader:
            lines.append((begins, cells))
            begins = reader.line_num + 1
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"file: expected CSV in UTF-8, got {name[:100]!r}: {error}") from None
    columns = tuple(lines[0][1]) if lines else ()
    if twice := [column for column, count in Counter(columns).items() if count > 1]:
        raise ValueError(f"file: expected each column once, got {twice[0][:100]!r} twice in {name[:100]!r}")
    records = []
    for number, cells in lines:
        if any("\0" in cell for cell in cells):
            raise ValueError(f"file: expected text without NUL, got some in line {number} of {name[:100]!r}")
        if cells and len(cells) != len(columns):
            raise ValueError(
                f"file: expected {len(columns)} cells in each line, got {len(cells)} in line {number} of {name[:100]!r}"
            )
        if cells:
            records.append((number, dict(zip(columns, cells, strict=True))))
    return columns, records[1:]


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
            raise ValueError(f"{where}, got line {number}: {error}") from None
        if not isinstance(row, dict):
            raise ValueError(f"{where}, got line {number}: {line[:40]!r}")
        records.append((number, row))
    return records


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
