"""``hemline data``: list, fetch and describe datasets."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from ..runtime.folders import find
from .benchmarks.further_sets import TABLES, locate_file
from .benchmarks.load import archive_in_cache, fetch_benchmark
from .benchmarks.orange_juice import OJ_FILES
from .benchmarks.published import BENCHMARKS
from .entries.channels import kinds_of
from .entries.data import ForecastData
from .entries.frequency import written_date
from .registry import DATASETS, get_dataset, is_description
from .simulated.shop import simulated_shop
from .tables.frames import from_frame

app = typer.Typer(help="List, fetch and describe datasets.", no_args_is_help=True)


@app.command("list")
def list_datasets() -> None:
    """List every dataset that is known by name.

    Example: hemline data list
    """
    table = Table(title="Datasets")
    for heading in ("name", "D", "freq", "H", "windows", "where", "what"):
        table.add_column(
            heading, justify="right" if heading in ("D", "H", "windows") else "left", no_wrap=heading == "name"
        )
    for dataset in DATASETS.values():
        table.add_row(
            dataset.name,
            str(dataset.target_dim),
            dataset.freq,
            str(dataset.prediction_length),
            str(dataset.windows),
            _whereabouts(dataset.name),
            dataset.about,
        )
    Console().print(table)


@app.command()
def fetch(name: Annotated[str, typer.Argument(help="A name that `hemline data list` shows.")]) -> None:
    """Download a benchmark into the cache, checked, or say where a dataset lies already.

    A transfer that was interrupted is taken up where it stopped.

    Example: hemline data fetch exchange_rate_nips
    """
    typer.echo(str(_fetched(name)))


@app.command()
def describe(
    source: Annotated[
        str,
        typer.Argument(metavar="NAME|FILE", help="A known name, the TOML file of a table, or a CSV or Parquet file."),
    ],
    item: Annotated[
        str | None, typer.Option(help="Column of items, for a file with a row for each item and date.")
    ] = None,
    timestamp: Annotated[str | None, typer.Option(help="Column of dates, for a file.")] = None,
    target: Annotated[str | None, typer.Option(help="Column of values, for a file with --item.")] = None,
    freq: Annotated[
        str | None, typer.Option(help="Frequency of a file; without it, it is told from the dates.")
    ] = None,
    series: Annotated[int, typer.Option(min=0, help="How many series to show one by one.")] = 20,
) -> None:
    """Say what a dataset holds: its size, span, gaps, zeros, and each series.

    A known name is enough: hemline data describe simulated_sales

    So is a TOML file that says what a table holds: hemline data describe shop.toml

    A file needs its columns: hemline data describe sales.csv --timestamp week --item article --target units
    """
    # A name may hold what rich would take for markup, as in "shirt [white]".
    console = Console(markup=False, emoji=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        named = source in DATASETS or is_description(source)
        if named:
            data = get_dataset(source)
        elif not Path(source).exists():
            raise ValueError(f"describe: expected a file or one of {', '.join(DATASETS)}; got {source!r}")
        elif timestamp is None:
            raise ValueError("--timestamp: a file needs the name of its column of dates")
        else:
            data = from_frame(
                source, timestamp=timestamp, item=item, target=target, freq=freq, prediction_length=1, windows=0
            )
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            typer.echo(f"warning: {warning.message}", err=True)
    console.print(_summary(data, is_file=not named))
    console.print(_series(data, series))


@app.command()
def shop(
    folder: Annotated[Path, typer.Argument(help="Folder to write into.")],
    articles: Annotated[int, typer.Option(help="Articles.")] = 60,
    stores: Annotated[int, typer.Option(help="Stores.")] = 3,
    weeks: Annotated[int, typer.Option(help="Weeks observed; the weeks of a horizon follow.")] = 112,
    seed: Annotated[int, typer.Option(help="Seed of the numbers.")] = 0,
) -> None:
    """Write a simulated shop: its sales, the TOML file that describes them, and its articles with photos.

    Example: hemline data shop demo-shop
    """
    written = simulated_shop(articles, stores, weeks, seed).write(folder)
    typer.echo(f"{articles} articles in {stores} stores over {weeks} weeks, described by {written}")


def _whereabouts(name: str) -> str:
    """Where a dataset would be read from now."""
    if name == "simulated_sales":
        return "built in"
    try:
        if name in BENCHMARKS:
            source, _ = find((f"{name}.tar.gz", name))
            if source is None:
                return "cached" if archive_in_cache(BENCHMARKS[name]).exists() else "download"
            return "here"
        _local(name)
    except FileNotFoundError:
        return "not found"
    return "here"


def _local(name: str) -> Path:
    return locate_file(name, OJ_FILES if name == "dominicks_oj" else TABLES[name].files)


def _fetched(name: str) -> Path | str:
    if name not in DATASETS:
        raise ValueError(f"name: expected one of {', '.join(DATASETS)}; got {name!r}")
    if name == "simulated_sales":
        return "simulated_sales is built in, there is nothing to fetch"
    if name not in BENCHMARKS:
        return _local(name)
    source, tried = find((f"{name}.tar.gz", name))
    return source or fetch_benchmark(BENCHMARKS[name], tried)


def _summary(data: ForecastData, is_file: bool) -> Table:
    metadata, train = data.metadata, data.train[0]
    whole = (data.test or data.train)[-1]
    target = whole.target
    first = whole.start
    table = Table(title=metadata.name, show_header=False)
    table.add_column(style="bold")
    table.add_column()
    facts = {
        "series (D)": f"{metadata.target_dim}",
        "steps (T)": f"{target.shape[1]}, of them {train.length} for training",
        "frequency": metadata.freq,
        "first, last": f"{written_date(first)}, {written_date(first, target.shape[1] - 1)}",
        **_ahead(data),
        "horizon (H)": "not set" if is_file else f"{metadata.prediction_length}",
        "test windows": f"{len(data.test)}",
        "season": f"{metadata.season}",
        "domain": metadata.domain,
        "missing": f"{np.isnan(target).mean():.2%}",
        "zeros": f"{(target == 0).mean():.2%}",
        "covariates": _channels(metadata.covariates),
        "past covariates": _channels(metadata.past_covariates),
        **({"ended": f"{len(data.ended)} series"} if data.ended else {}),
        **data.facts,
        "published archive": "exact, checksums verified" if metadata.archive else "no",
    }
    for name, value in facts.items():
        table.add_row(name, value)
    return table


def _ahead(data: ForecastData) -> dict[str, str]:
    """How far the channels are known after the last observed step, where they are."""
    if data.ahead is None:
        return {}
    seen, known = data.ahead.length, data.ahead.channels.length
    if known <= seen:
        return {}
    return {"known future": f"{known - seen} steps, to {written_date(data.ahead.start, known - 1)}"}


def _series(data: ForecastData, count: int) -> Table:
    target = (data.test or data.train)[-1].target
    shown = min(count, len(target))
    table = Table(title=f"series ({shown} of {len(target)})")
    table.add_column("series", overflow="fold")
    for heading in ("mean", "std", "min", "median", "max", "missing", "zeros"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, values in zip(data.metadata.item_ids[:shown], target[:shown], strict=True):
        seen = values[~np.isnan(values)]
        found = (seen.mean(), seen.std(), seen.min(), np.median(seen), seen.max()) if len(seen) else ()
        numbers = [_number(number) for number in found] or ["-"] * 5  # an article that is yet to be launched
        shares = (np.isnan(values).mean(), (values == 0).mean())
        table.add_row(name, *numbers, *(f"{share:.1%}" for share in shares))
    return table


def _number(value: float) -> str:
    """Four digits that count, short enough for seven columns in a narrow terminal."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):.4g}{unit}"
    return f"{value:.4g}"


def _channels(names: tuple[str, ...]) -> str:
    """The kinds of channels, each with how many series have it."""
    kinds = Counter(kinds_of(names))
    return ", ".join(f"{kind} ({count})" if count > 1 else kind for kind, count in kinds.items()) or "none"
