"""Tables on the terminal, and as files where one is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ...runtime.arguments.naming import check_place
from ...runtime.texts import spreadsheet_cells

if TYPE_CHECKING:
    import pandas as pd


def tell_scores(table: pd.DataFrame, what: str, out: str | None) -> None:
    """Print the scores of each row, of how many images they are and in which features, and write all of it as CSV.

    Arguments:
        table: with ``count``, and where images are compared by features ``features``, equal in all rows.
        what: the things that are counted, in a word.
        out: path or fsspec address of the file; ``None`` for none.
    """
    from fsspec.core import url_to_fs

    from ...runtime.whole_files import write_whole

    shown = table.drop(columns=["features", "count"], errors="ignore")
    typer.echo(shown.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    by = f", features of {table['features'].iloc[0]}" if "features" in table else ""
    typer.echo(f"\n{table['count'].iloc[0]} {what} of each{by}")
    if out is not None:
        files, place = url_to_fs(out)
        write_whole(files, place, table.to_csv(index=False).encode())


def check_table(out: str | None) -> None:
    """Refuse a table that is neither CSV nor Parquet, or cannot be written."""
    if out is not None:
        if not out.endswith((".csv", ".parquet")):
            raise ValueError(f"out: expected a .csv or .parquet file, got {out}")
        check_place("out", out, folder=False)


def write_table(out: str, table: pd.DataFrame) -> None:
    """Write a table as its name says; in a CSV file no text is a formula of a spreadsheet."""
    from fsspec.core import url_to_fs

    from ...runtime.whole_files import write_whole

    if out.endswith(".csv"):
        content = spreadsheet_cells(table).to_csv(index=False).encode()
    else:
        content = table.to_parquet(index=False)
    files, place = url_to_fs(out)
    write_whole(files, place, content)
