"""What is in stock, by article and size."""

from __future__ import annotations

import os

import numpy as np

from ..tables.columns import Columns
from ..tables.table_files import read_table


def articles_in_stock(table: str | os.PathLike[str], size: str | None = None) -> tuple[str, ...]:
    """The articles of which a table of stock has a unit.

    Arguments:
        table: a file with the columns ``article`` and ``stock`` (units), and ``size`` where it has a row a size.
        size: the size that has to be there; ``None`` for any.

    Returns:
        Their names, in the order of the table.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a column is missing, a cell is no number, or the size is in no row.
    """
    frame, source = read_table(os.fspath(table), ["article", "size"], ["stock"])
    columns = Columns(frame, source)
    columns.require("stock", ["article", "stock"] + ([] if size is None else ["size"]))
    columns.refuse(frame["article"].isna(), "stock: expected a name", "article")
    units = columns.numbers("stock")
    columns.refuse(frame["stock"].isna(), "stock: expected a number of units", "stock")
    there = units > 0
    if size is not None:
        of_size = (frame["size"].astype(str) == size).to_numpy()
        if not of_size.any():
            sizes = ", ".join(sorted(frame["size"].dropna().astype(str).unique())[:10])
            raise ValueError(f"size: expected one of the sizes {sizes}, got {size!r}")
        there &= of_size
    found = frame["article"].astype(str).to_numpy()[np.asarray(there)]
    return tuple(dict.fromkeys(found.tolist()))
