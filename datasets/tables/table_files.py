"""A table from a file, whose cells stand under the names of its header."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd


def read_table(
    frame: pd.DataFrame | str | os.PathLike[str], text: Sequence[str] = ()
) -> tuple[pd.DataFrame, str | None]:
    """A frame as it is, or the table in a file.

    Arguments:
        frame: a frame, or the path of a ``.csv``, ``.csv.gz`` or ``.parquet`` file.
        text: columns of a CSV file that are names even where they look like something else, as ``"007"``, ``"NA"``.

    Returns:
        The table, and the path it was read from.

    Raises:
        FileNotFoundError: the path does not exist.
        ValueError: the file cannot be read as a table, or the table has no rows or columns of several levels.
    """
    if isinstance(frame, pd.DataFrame):
        table, source = frame, None
    else:
        path = Path(frame).expanduser()
        source = str(path)
        if not path.is_file():
            raise FileNotFoundError(f"frame: expected a CSV or Parquet file, but {source!r} does not exist")
        ending = path.name.lower()
        try:
            if ending.endswith((".csv", ".csv.gz")):
                table = _read_csv(path, text)
            elif ending.endswith((".parquet", ".pq")):
                table = pd.read_parquet(path)
            else:
                raise ValueError("unknown ending, expected .csv, .csv.gz or .parquet")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"frame: {source!r} cannot be read as a table, it is no UTF-8 ({error}); make a frame with "
                "pd.read_csv(..., encoding=...), of an older export 'cp1252'"
            ) from error
        except (ValueError, OSError, EOFError) as error:
            raise ValueError(f"frame: {source!r} cannot be read as a table ({error})") from error
    if table.columns.nlevels > 1:
        raise ValueError(f"frame: expected one label a column, got {table.columns.nlevels} levels of labels")
    if table.empty:
        raise ValueError(f"frame: expected rows, {repr(source) if source else 'the frame'} has none")
    return table, source


def _read_csv(path: Path, text: Sequence[str]) -> pd.DataFrame:
    """The table of a CSV file, its columns called as its header says."""
    header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False).iloc[0]
    if len(header) == 1 and (found := [mark for mark in ";\t|" if mark in header[0]]):
        raise ValueError(
            f"its cells are separated by {found[0]!r}, expected commas; make a frame with pd.read_csv(..., "
            f"sep={found[0]!r}), and decimal=',' where numbers are written so"
        )
    # "NA" and "007" are names; an empty cell is none.
    table = pd.read_csv(path, converters=dict.fromkeys(text, lambda cell: cell or None))
    if not isinstance(table.index, pd.RangeIndex):
        # pandas would take the first cells for an index and move every name to the column beside its own.
        raise ValueError(
            f"its rows have more cells than its header, which has {len(header)}; is there a comma at their ends?"
        )
    # pandas would call the second of two columns "a" "a.1".
    table.columns = header.where(header != "", table.columns)
    return table
