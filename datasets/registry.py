"""Every dataset by its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from ..runtime.arguments.kinds import check_kind
from .benchmarks.further_sets import TABLES, load_table
from .benchmarks.published import BENCHMARKS, Benchmark

if TYPE_CHECKING:
    from .encodings.encoding import Encoding
    from .entries.data import ForecastData

Source = str | os.PathLike[str] | None


@dataclass(frozen=True)
class Dataset:
    """What is known of a dataset without reading it.

    Arguments:
        name: the name by which :func:`get_dataset` knows it.
        origin: ``"benchmark"`` is downloaded if need be, ``"simulated"`` needs no file, ``"local"`` is read
            from a folder of ``HEMLINE_DATA``.
        about: what it is, in a few words.
        target_dim: the number of series D.
        freq: frequency alias.
        prediction_length: the horizon H, in steps.
        windows: the number of test windows.
        load: makes the dataset of a path, or of ``None``.
    """

    name: str
    origin: Literal["benchmark", "simulated", "local"]
    about: str
    target_dim: int
    freq: str
    prediction_length: int
    windows: int
    load: Callable[[Source], ForecastData]


# What reads data is imported when it reads: the command line, which lists the datasets, waits for no pandas.
def _simulated(path: Source) -> ForecastData:
    if path is not None:
        raise ValueError(f"path: 'simulated_sales' is made, not read; expected None, got {os.fspath(path)!r}")
    from .simulated.sales import simulated_sales

    return simulated_sales()


def _benchmark(benchmark: Benchmark, path: Source) -> ForecastData:
    from .benchmarks.load import load_benchmark

    return load_benchmark(benchmark, path)


def _orange_juice(path: Source) -> ForecastData:
    from .benchmarks.orange_juice import dominicks_oj

    return dominicks_oj(path)


DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            "simulated_sales",
            "simulated",
            "weekly sales of 20 fashion articles with known price effects",
            20,
            "W-SUN",
            8,
            3,
            _simulated,
        ),
        *(
            Dataset(
                b.name,
                "benchmark",
                b.about,
                b.target_dim,
                b.freq,
                b.prediction_length,
                b.windows,
                partial(_benchmark, b),
            )
            for b in BENCHMARKS.values()
        ),
        Dataset(
            "dominicks_oj",
            "local",
            "weekly orange juice sales of a grocery chain, with prices",
            11,
            "W-WED",
            8,
            3,
            _orange_juice,
        ),
        *(
            Dataset(
                t.name, "local", t.about, t.target_dim, t.freq, t.prediction_length, t.windows, partial(load_table, t)
            )
            for t in TABLES.values()
        ),
    )
}
"""Name to dataset, in the order in which they are listed."""


def get_dataset(name: str, path: Source = None, *, encoding: Encoding | None = None) -> ForecastData:
    """Load a dataset by its name, or a table of one's own by the TOML file that describes it.

    A known dataset is looked for in ``path``, else in each folder of ``HEMLINE_DATA``, in the cache
    (``$HEMLINE_CACHE`` or the platform's user cache), and at last at its public address, where it has one.

    Arguments:
        name: a name of :data:`DATASETS`, or the path of a ``.toml`` file, see ``docs/data.md``.
        path: the file or unpacked folder, or the folder in which one of them lies; nothing else is searched.
            Not with a ``.toml`` file.
        encoding: how categories and texts of a table become numbers, that of a predictor: so a later table is read as
            the one of its training. ``None`` learns it from the table.

    Returns:
        The dataset: what is known of it, its training data and its test windows.

    Raises:
        FileNotFoundError: the data are nowhere; the message says where they were looked for and how to
            provide them.
        ValueError: the name is unknown, the file is called as a known dataset, or the data are not what they should be.

    Example:
        >>> data = get_dataset("simulated_sales")
        >>> data.metadata.target_dim, data.metadata.freq, len(data.test)
        (20, 'W-SUN', 3)
    """
    check_kind("name", name, str)
    if is_description(name):
        if path is not None:
            raise ValueError(f"path: {name!r} names its table itself; expected None, got {os.fspath(path)!r}")
        if PurePath(name).stem in DATASETS:
            raise ValueError(f"name: expected a file that is not called as a known dataset, got {name!r}")
        from .tables.toml_table import own_table

        return own_table(name, encoding)
    if encoding is not None:
        raise ValueError(f"encoding: expected a .toml file that describes a table beside it, got {name!r}")
    if name not in DATASETS:
        raise ValueError(
            f"name: expected one of {', '.join(DATASETS)}, or a .toml file that describes a table; got {name!r}"
        )
    return DATASETS[name].load(path)


def is_description(name: str) -> bool:
    """Whether a dataset is named by the TOML file that describes it."""
    return name.endswith(".toml")
