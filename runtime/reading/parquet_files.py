"""Parquet files whose rows memory has room for: a small one can tell a billion times the same."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow.parquet

from .places import open_file
from .room import require_room

_CELL = 8
"""Bytes of a cell at least, once it is read."""


def read_parquet(file: Path | BinaryIO, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The table of a Parquet file.

    Arguments:
        file: its path, or the open file.
        columns: those to read; ``None`` for all.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is no file, or no Parquet file, or memory has no room for what it says it holds.
    """
    place = str(file) if isinstance(file, Path) else "the table"
    with open_file(file) if isinstance(file, Path) else nullcontext(file) as opened:
        require_room_for_cells(opened, place)
        return pd.read_parquet(opened, columns=None if columns is None else list(columns))


def require_room_for_cells(file: BinaryIO, place: str) -> None:
    """Check that the cells of a Parquet file fit into free memory.

    Arguments:
        file: open to be read.
        place: what it is called in the message.

    Raises:
        ValueError: they do not, or it is no Parquet file.
    """
    told = pyarrow.parquet.read_metadata(file)
    rows = f"{told.num_rows} rows of {told.num_columns} columns"
    require_room(_CELL * told.num_rows * told.num_columns, f"{place}: expected fewer cells", rows)
