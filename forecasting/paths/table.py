"""Forecasts as long tables of means and quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
import pandas as pd
from gluonts.model.forecast import SampleForecast

from ...datasets.entries.frequency import dates_of
from ...datasets.tables.foreign_frames import in_library
from ...runtime.texts import spreadsheet_cells
from ...runtime.whole_files import whole_file

if TYPE_CHECKING:
    from narwhals.typing import IntoDataFrame

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


@overload
def forecast_frame(
    drawn: SampleForecast,
    item_ids: tuple[str, ...],
    *,
    quantiles: Sequence[float] | None = None,
    levels: Sequence[float] = (),
    library: Literal["pandas"] = "pandas",
) -> pd.DataFrame: ...


@overload
def forecast_frame(
    drawn: SampleForecast,
    item_ids: tuple[str, ...],
    *,
    quantiles: Sequence[float] | None = None,
    levels: Sequence[float] = (),
    library: str,
) -> IntoDataFrame: ...


def forecast_frame(
    drawn: SampleForecast,
    item_ids: tuple[str, ...],
    *,
    quantiles: Sequence[float] | None = None,
    levels: Sequence[float] = (),
    library: str = "pandas",
) -> IntoDataFrame:
    """A forecast as a long table.

    Arguments:
        drawn: ``samples`` ``[S, H, D]``.
        item_ids: names of the D series.
        quantiles: probabilities between 0 and 1, each a column; ``None`` takes 5, 10, 25, 50, 75, 90 and 95 %, or none
            where there are levels.
        levels: of central prediction intervals, in per cent between 0 and 100, each two columns: 80 gives the
            quantiles of 10 and 90 %.
        library: the library of the frame, such as ``"pandas"``, ``"polars"`` or ``"pyarrow"``.

    Returns:
        A row a series and step: ``item_id, timestamp, mean``, the quantiles, ``q05`` to ``q95`` or as ``q97.5``, and
        the ends of the intervals, ``lo80`` and ``hi80``; none of a series that has no forecast, NaN on every path. The
        timestamps are the dates that come next in the table of the data, of its time zone where it has one.

    Raises:
        ValueError: a probability or a level is out of its range or given twice, or the library is none.

    Example:
        >>> from hemline.datasets import simulated_sales
        >>> from hemline.forecasting import SeasonalNaivePredictor
        >>> data = simulated_sales(articles=2, weeks=104, windows=0)
        >>> drawn = next(SeasonalNaivePredictor(8, season_length=52).predict([data.latest]))
        >>> forecast_frame(drawn, data.metadata.item_ids).columns.tolist()
        ['item_id', 'timestamp', 'mean', 'q05', 'q10', 'q25', 'q50', 'q75', 'q90', 'q95']
        >>> forecast_frame(drawn, data.metadata.item_ids, quantiles=[0.5], levels=[80]).columns.tolist()
        ['item_id', 'timestamp', 'mean', 'q50', 'lo80', 'hi80']
    """
    if quantiles is None:
        quantiles = () if len(levels) else QUANTILES
    wanted = _quantiles(quantiles) | _intervals(levels)
    # In single precision the mean of whole numbers has digits that none of them has.
    samples = np.asarray(drawn.samples, dtype=np.float64)
    _, horizon, dim = samples.shape
    columns = {
        "item_id": np.repeat(np.asarray(item_ids, dtype=object), horizon),
        "timestamp": dates_of(drawn.start_date, horizon).take(np.tile(np.arange(horizon), dim)),
        "mean": samples.mean(0).T.ravel(),
    }
    for name, values in zip(wanted, np.quantile(samples, list(wanted.values()), axis=0), strict=True):
        columns[name] = values.T.ravel()
    frame = pd.DataFrame(columns)
    return in_library(frame[frame["mean"].notna()].reset_index(drop=True), library)


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a table into a file of the kind that its name ends with.

    Arguments:
        frame: the table.
        path: a ``.csv``, ``.parquet`` or ``.xlsx`` file, whose folder is made if need be.

    Raises:
        ValueError: the name ends otherwise, or what writes Excel is not installed.
    """
    check_ending(path)
    with whole_file(path) as aside, aside.open("wb") as file:
        if path.suffix == ".csv":
            spreadsheet_cells(frame).to_csv(file, index=False, float_format="%.10g")
        elif path.suffix == ".parquet":
            frame.to_parquet(file, index=False)
        else:
            # Excel has no time zones.
            zoned = frame.select_dtypes("datetimetz").columns
            zoneless = frame.assign(**{str(name): frame[name].map(str) for name in zoned})
            with pd.ExcelWriter(file, engine="openpyxl") as book:
                zoneless.to_excel(book, index=False)
                for row in book.book.active.iter_rows():
                    for cell in row:
                        if cell.data_type == "f":  # what a name begins with makes no formula of it
                            cell.data_type = "s"


def check_ending(path: Path) -> None:
    """Refuse a file of a kind that `write_frame` does not write here."""
    if path.suffix not in (".csv", ".parquet", ".xlsx"):
        raise ValueError(f"out: expected a .csv, .parquet or .xlsx file, got {str(path)!r}")
    if path.suffix == ".xlsx" and find_spec("openpyxl") is None:
        raise ValueError("out: expected openpyxl to be installed, got none; pip install openpyxl")


def _quantiles(probabilities: Sequence[float]) -> dict[str, float]:
    named: dict[str, float] = {}
    for probability in probabilities:
        if not 0 <= probability <= 1:
            raise ValueError(f"quantiles: expected probabilities from 0 to 1, got {probability}")
        percent = round(100 * probability, 10)
        name = f"q{percent:02.0f}" if percent % 1 == 0 else f"q{percent:g}"
        if name in named:
            raise ValueError(f"quantiles: expected each probability once, got {probability} twice")
        named[name] = probability
    return named


def _intervals(levels: Sequence[float]) -> dict[str, float]:
    named: dict[str, float] = {}
    for level in levels:
        if not 0 < level < 100:
            raise ValueError(f"levels: expected per cent between 0 and 100, such as 80 or 95, got {level}")
        if f"lo{level:g}" in named:
            raise ValueError(f"levels: expected each level once, got {level} twice")
        named |= {f"lo{level:g}": (100 - level) / 200, f"hi{level:g}": (100 + level) / 200}
    return named
