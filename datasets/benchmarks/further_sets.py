"""Real sets that lie in files of their own: wide tables read from a folder of ``HEMLINE_DATA``."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...runtime.folders import find

if TYPE_CHECKING:
    from ..entries.data import Domain, ForecastData


@dataclass(frozen=True)
class Table:
    """A wide table and the protocol under which it is a dataset.

    Arguments:
        name: the name of the dataset.
        about: what it is, in a few words.
        files: where it may lie below a data folder.
        timestamp: its column of dates; ``None`` where the rows have no dates.
        series: a regular expression that the whole name of a series' column matches.
        target_dim: the number of series D.
        freq: frequency alias.
        prediction_length: the horizon H, in steps.
        windows: the number of test windows.
        season: steps of one season.
        domain: the values a series can take.
        start: the nominal date of the first row where the rows have no dates.
        lags: lags that fit where the frequency is nominal, in steps.
        rows: how many of the first rows count; ``None`` for all.
    """

    name: str
    about: str
    files: tuple[str, ...]
    timestamp: str | None
    series: str
    target_dim: int
    freq: str
    prediction_length: int
    windows: int
    season: int
    domain: Domain
    start: str | None = None
    lags: tuple[int, ...] = ()
    rows: int | None = None


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            name="electricity_ecl203",
            about="electricity load of 203 clients, the first 1000 hours",
            files=("electricity_ecl203_1000h/electricity.csv",),
            timestamp="date",
            series=r"\d+|OT",
            target_dim=203,
            freq="h",
            prediction_length=24,
            windows=7,
            season=24,
            domain="positive",
        ),
        Table(
            name="pems_sf_daily",
            about="road occupancy of 200 lanes in San Francisco, summed by day; its end repeats its beginning",
            files=("traffic_pems_sf_daily200/data.csv",),
            timestamp="Unnamed: 0",
            series=r"Bottom\d+",
            target_dim=200,
            freq="D",
            prediction_length=14,
            windows=5,
            season=7,
            domain="positive",
        ),
        Table(
            name="pems_sf_267d",
            about="the same, the 267 days that are there once; weekdays are nominal",
            files=("traffic_pems_sf_daily200/data.csv",),
            timestamp="Unnamed: 0",
            series=r"Bottom\d+",
            target_dim=200,
            freq="D",
            prediction_length=14,
            windows=5,
            season=7,
            domain="positive",
            rows=267,
        ),
        Table(
            name="solar_florida",
            about="solar power of 216 plants in Florida; ten rows are the daylight hours of a day",
            files=("solar_nrel_florida216_daytime/solar.csv",),
            timestamp=None,
            series=r"DA_.*",
            target_dim=216,
            freq="h",
            prediction_length=10,
            windows=7,
            season=10,
            domain="positive",
            start="2006-01-01",
            lags=(1, 10, 20),
        ),
        Table(
            name="taxi_manhattan",
            about="taxi pickups in 67 zones of Manhattan by the hour",
            files=("taxi_nyc_manhattan_hourly_2019H2/derived_pickups_by_zone_hourly.csv.gz",),
            timestamp="timestamp",
            series=r"zone_\d+",
            target_dim=67,
            freq="h",
            prediction_length=24,
            windows=7,
            season=24,
            domain="count",
        ),
        Table(
            name="wiki2_daily",
            about="page views of 150 groups of Wikipedia pages",
            files=("wiki2_daily_2016/data.csv",),
            timestamp="Unnamed: 0",
            series=r"[a-z]{2}_[A-Z]+_[A-Z]+_\d+",
            target_dim=150,
            freq="D",
            prediction_length=14,
            windows=5,
            season=7,
            domain="count",
        ),
    )
}


def load_table(table: Table, path: str | os.PathLike[str] | None = None) -> ForecastData:
    """Read a table where the user has put it.

    Arguments:
        table: the table and its protocol.
        path: the file, or the data folder in which it lies; ``None`` searches ``HEMLINE_DATA``.

    Returns:
        The dataset: consecutive test windows that do not overlap at the end of the table, and what lies
        before the first of them for training.

    Raises:
        FileNotFoundError: the file is nowhere.
        ValueError: the table does not hold the series that it should.
    """
    import pandas as pd  # here, because a list of the tables does not read them

    from ..tables.frames import from_frame
    from ..tables.table_files import read_table

    frame, _ = read_table(locate_file(table.name, table.files, path))
    frame = frame.iloc[: table.rows]
    series = [column for column in frame.columns if re.fullmatch(table.series, column)]
    if len(series) != table.target_dim:
        raise ValueError(
            f"{table.name}: expected {table.target_dim} columns called like {table.series!r}, got {len(series)}"
        )
    if table.start is not None:
        frame.index = pd.date_range(table.start, periods=len(frame), freq=table.freq)
    data = from_frame(
        frame,
        timestamp=table.timestamp,
        target=series,
        freq=table.freq,
        prediction_length=table.prediction_length,
        windows=table.windows,
        season=table.season,
        domain=table.domain,
        name=table.name,
    )
    return replace(data, metadata=replace(data.metadata, lags=table.lags))


def locate_file(name: str, files: Sequence[str], path: str | os.PathLike[str] | None = None) -> Path:
    """The local file of a dataset that cannot be downloaded.

    Arguments:
        name: the dataset.
        files: where its file may lie below a data folder.
        path: the file itself, or the only folder to search.

    Returns:
        The file.

    Raises:
        FileNotFoundError: the file is nowhere; the message says where it was looked for.
    """
    source, tried = find(files, path)
    if source is None or not source.is_file():
        raise FileNotFoundError(
            f"{name} was not found; tried: {'; '.join(tried)}. It has no public address here: put {files[0]} into "
            "a folder named by HEMLINE_DATA"
        )
    return source
