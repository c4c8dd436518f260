"""The rows of a shop's table of articles, from JSON lines, CSV or Parquet."""

from __future__ import annotations

import gzip
import io
import zlib

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ...runtime.reading.parquet_files import require_room_for_cells
from ...runtime.reading.places import open_file, require_allowed
from ...runtime.reading.records import json_records
from ...runtime.reading.room import read_with_room


def read_rows(table: str) -> list[dict[str, object]]:
    """The rows of a table, by the names of its columns; texts stay texts.

    Arguments:
        table: path or fsspec address of a ``.jsonl``, ``.csv`` or ``.parquet`` file; the first two may end in ``.gz``.

    Raises:
        ValueError: the ending is not known, the file is not whole or not in UTF-8, or a line is not a record.
        FileNotFoundError: there is no such table.
    """
    name = table.removesuffix(".gz")
    if not name.endswith((".jsonl", ".csv", ".parquet")):
        raise ValueError(f"table: expected a .jsonl, .csv (also .gz) or .parquet file, got {table}")
    require_allowed(table)
    with fsspec.open(table, "rb") if "://" in table else open_file(table) as file:
        content = read_with_room(file, table)
    try:
        if table.endswith(".gz"):
            content = read_with_room(gzip.GzipFile(fileobj=io.BytesIO(content)), table)
        if name.endswith(".parquet"):
            require_room_for_cells(io.BytesIO(content), table)
            return pq.read_table(pa.BufferReader(content)).to_pylist()
        if name.endswith(".csv"):
            # All cells stay texts: an item id "007" must not become the number 7.
            frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
            if not isinstance(frame.index, pd.RangeIndex):
                # pandas would take the first cells for an index and move every name to the column beside its own.
                raise ValueError("rows with more cells than the header; is there a comma at their ends?")
            return _records(frame)
        text = content.decode("utf-8-sig")
    except (ValueError, OSError, EOFError, zlib.error) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"table: expected a whole table, texts in UTF-8, in {table}, got {reason}") from None
    return [row for _, row in json_records(text, f"table: expected a JSON record in each line of {table}")]


def _records(frame: pd.DataFrame) -> list[dict[str, object]]:
    return [{str(name): cell for name, cell in row.items()} for row in frame.to_dict("records")]
