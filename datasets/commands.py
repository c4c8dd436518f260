"""``hemline data``: list, fetch and describe datasets."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from ..runtime.arguments.naming import check_place, naming
from ..runtime.folders import find
from .benchmarks.further_sets import TABLES, locate_file
from .benchmarks.published import BENCHMARKS
from .registry import DATASETS, get_dataset, is_description

app = typer.Typer(help="List, fetch and describe datasets.", no_args_is_help=True)


@app.command("list")
def list_datasets() -> None:
    """List every dataset that is known by name.

    Example: hemline data list
    """
    from rich.console import Console
    from rich.table import Table

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
    named = source in DATASETS or is_description(source)
    if not named and not _is_there(source):
        raise ValueError(f"describe: expected a file or one of {', '.join(DATASETS)}; got {source!r}")
    if not named and timestamp is None:
        raise ValueError("--timestamp: a file needs the name of its column of dates")
    from rich.console import Console

    from .description import series as series_table
    from .description import summary
    from .tables.frames import from_frame

    # A name may hold what rich would take for markup, as in "shirt [white]".
    console = Console(markup=False, emoji=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        if named:
            with naming("describe", source):
                data = get_dataset(source)
        else:
            with naming("describe", source):
                data = from_frame(
                    source, timestamp=timestamp, item=item, target=target, freq=freq, prediction_length=1, windows=0
                )
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            typer.echo(f"warning: {warning.message}", err=True)
    console.print(summary(data, is_file=not named))
    console.print(series_table(data, series))


@app.command()
def shop(
    folder: Annotated[Path, typer.Argument(help="Folder to write into.")],
    articles: Annotated[int, typer.Option(min=1, help="Articles.")] = 60,
    stores: Annotated[int, typer.Option(min=1, help="Stores.")] = 3,
    weeks: Annotated[int, typer.Option(min=1, help="Weeks observed; the weeks of a horizon follow.")] = 112,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the numbers.")] = 0,
) -> None:
    """Write a simulated shop: its sales, the TOML file that describes them, and its articles with photos.

    Example: hemline data shop demo-shop
    """
    from .simulated.shop import simulated_shop

    check_place("folder", folder, folder=True)
    written = simulated_shop(articles, stores, weeks, seed).write(folder)
    typer.echo(f"{articles} articles in {stores} stores over {weeks} weeks, described by {written}")


@app.command()
def poses(
    folder: Annotated[str, typer.Argument(help="Folder to write into.")],
    people: Annotated[int, typer.Option(min=1, help="People to learn from.")] = 500,
    held_out: Annotated[int, typer.Option(min=0, help="Further people, to judge by.")] = 50,
    photos: Annotated[int, typer.Option(min=2, help="Photos of each person, in poses of their own.")] = 2,
    size: Annotated[int, typer.Option(help="Side of the photos in pixels.")] = 64,
    standing: Annotated[str, typer.Option(help="middle, or anywhere at any size.")] = "middle",
    seed: Annotated[int, typer.Option(min=0, help="Draws people and poses.")] = 0,
) -> None:
    """Write photos of simulated figures with their poses, in pairs of one person: the layout of DeepFashion's poses.

    Example: hemline data poses people --people 500
    """
    from .simulated.figure_poses import simulated_pose_pairs, write_pose_pairs

    check_place("folder", folder, folder=True)
    where: Any = standing  # a text of the command line, which the function checks
    made = simulated_pose_pairs(people, held_out, photos, size=size, standing=where, seed=seed)
    written = write_pose_pairs(made, folder)
    typer.echo(f"{len(made.images)} photos of {people + held_out} people, described by {written}")


@app.command()
def worn(
    folder: Annotated[Path, typer.Argument(help="Folder to write into.")],
    people: Annotated[int, typer.Option(min=1, help="People, each with an outfit of its own.")] = 500,
    photos: Annotated[int, typer.Option(min=1, help="Photos of each, in poses of their own.")] = 2,
    height: Annotated[int, typer.Option(help="Of the photos, pixels.")] = 64,
    width: Annotated[int, typer.Option(help="Of the photos, pixels.")] = 64,
    standing: Annotated[str, typer.Option(help="middle, or anywhere at any size.")] = "middle",
    slot: Annotated[str, typer.Option(help="The garment: hat, top, jacket, bottom, shoes or bag.")] = "top",
    seed: Annotated[int, typer.Option(min=0, help="Draws people, outfits and poses.")] = 0,
) -> None:
    """Write photos of simulated figures with packshots of a garment that they wear, and the truth of swaps.

    Example: hemline data worn figures --people 500 --standing anywhere
    """
    from .simulated.people.figure_photos import write_worn_figures

    check_place("folder", folder, folder=True)
    # Any: what of both is none is refused there by name.
    chosen: dict[str, Any] = {"standing": standing, "slot": slot}
    written, count = write_worn_figures(folder, people, photos, height=height, width=width, seed=seed, **chosen)
    typer.echo(f"{count} photos of {people} people, described by {written}")


@app.command()
def outfits(
    folder: Annotated[Path, typer.Argument(help="Folder to write into.")],
    people: Annotated[int, typer.Option(min=1, help="People, each with an outfit of its own.")] = 500,
    photos: Annotated[int, typer.Option(min=1, help="Photos of each, in poses of their own.")] = 2,
    size: Annotated[int, typer.Option(help="Side of the photos in pixels.")] = 64,
    standing: Annotated[str, typer.Option(help="middle, or anywhere at any size.")] = "middle",
    seed: Annotated[int, typer.Option(min=0, help="Draws people, outfits and poses.")] = 0,
) -> None:
    """Write photos of simulated figures with their poses and packshots of all that they wear.

    Example: hemline data outfits figures --people 500
    """
    from .simulated.people.figure_outfits import write_outfits

    check_place("folder", folder, folder=True)
    # Any: what is none is refused there by name.
    chosen: dict[str, Any] = {"standing": standing}
    written = write_outfits(folder, people, photos, size=size, seed=seed, **chosen)
    typer.echo(f"{people * photos} photos of {people} people in {written}")


def _whereabouts(name: str) -> str:
    """Where a dataset would be read from now."""
    from .benchmarks.load import archive_in_cache

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


def _is_there(source: str) -> bool:
    try:
        return Path(source).is_file()
    except (OSError, ValueError):  # too long for a name, or a NUL in it
        return False


def _local(name: str) -> Path:
    from .benchmarks.orange_juice import OJ_FILES

    return locate_file(name, OJ_FILES if name == "dominicks_oj" else TABLES[name].files)


def _fetched(name: str) -> Path | str:
    from .benchmarks.load import fetch_benchmark

    if name not in DATASETS:
        raise ValueError(f"name: expected one of {', '.join(DATASETS)}; got {name!r}")
    if name == "simulated_sales":
        return "simulated_sales is built in, there is nothing to fetch"
    if name not in BENCHMARKS:
        return _local(name)
    source, tried = find((f"{name}.tar.gz", name))
    return source or fetch_benchmark(BENCHMARKS[name], tried)
