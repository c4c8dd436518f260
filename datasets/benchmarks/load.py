"""Finding, checking and grouping the archive of a published benchmark."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ...runtime.folders import cache_folder, find
from ..entries.data import ForecastData, Metadata
from ..entries.frequency import normalize_freq
from .archives import Archive, fingerprint, read_archive
from .download import DownloadError, download
from .grouper import group_train, group_windows
from .published import Benchmark, Fingerprint


class UnverifiedDataWarning(UserWarning):
    """A copy of a benchmark is used whose bytes are not known to be the published ones."""


def load_benchmark(benchmark: Benchmark, path: str | os.PathLike[str] | None = None) -> ForecastData:
    """Find or download the archive of a benchmark and group it as published.

    A copy that the user provides is used even if its bytes are not the published ones, with a warning and
    with ``metadata.archive`` left ``None``. What was downloaded must have the published bytes.

    Arguments:
        benchmark: the benchmark.
        path: its ``.tar.gz``, its unpacked folder, or the folder in which one of them lies; ``None`` searches
            ``HEMLINE_DATA``, the cache and the public address.

    Returns:
        The dataset.

    Raises:
        FileNotFoundError: the archive is nowhere and cannot be downloaded; the message lists what was tried.
        ValueError: the archive is damaged, unsafe, or does not hold the benchmark.
    """
    name = benchmark.name
    cached = archive_in_cache(benchmark)
    source, tried = find((f"{name}.tar.gz", name), path)
    if source is None:
        source = fetch_benchmark(benchmark, tried)
    archive = read_archive(source, _most_rows(benchmark))
    verified = _verified(benchmark, archive, source)
    if not verified and source == cached:
        raise ValueError(f"{cached}: wrong checksum, the cached file was changed; remove it to download anew")
    if not verified:
        warnings.warn(
            f"{source}: not the published bytes of {name}, so published scores are not shown beside it",
            UnverifiedDataWarning,
            stacklevel=4,
        )
    return _group(benchmark, archive, verified, source)


def archive_in_cache(benchmark: Benchmark) -> Path:
    """Where the archive of a benchmark lies once it was downloaded.

    Arguments:
        benchmark: the benchmark.

    Returns:
        The path, whether or not there is a file.
    """
    return cache_folder() / f"{benchmark.name}.tar.gz"


def fetch_benchmark(benchmark: Benchmark, tried: Sequence[str] = ()) -> Path:
    """Bring the archive of a benchmark into the cache, unless it is there.

    Arguments:
        benchmark: the benchmark.
        tried: where else it was looked for, for the message.

    Returns:
        The archive in the cache.

    Raises:
        FileNotFoundError: it cannot be downloaded.
        ValueError: what was downloaded is not the published archive.
    """
    name = benchmark.name
    cached = archive_in_cache(benchmark)
    if cached.exists():
        return cached
    try:
        return download(benchmark.url, cached, partial(_check, benchmark))
    except DownloadError as error:
        places = "; ".join([*tried, f"{cached} (cache)", str(error)])
        raise FileNotFoundError(
            f"{name} was not found; tried: {places}. Put {name}.tar.gz, or its unpacked folder "
            f"{name}, into a folder named by HEMLINE_DATA, or run 'hemline data fetch {name}' with a network"
        ) from error


def _most_rows(benchmark: Benchmark) -> dict[str, int]:
    return {"train": benchmark.rows, "test": benchmark.rows * benchmark.windows}


def _check(benchmark: Benchmark, path: Path) -> None:
    if benchmark.archive is not None:
        _expect(benchmark.archive, fingerprint(path), f"{benchmark.name}.tar.gz from {benchmark.url}")
    # More than there can be, so that what is wrong is told by its checksum.
    most = {part: 2 * count for part, count in _most_rows(benchmark).items()}
    members = read_archive(path, most).members
    for member in {**benchmark.members, **members} if benchmark.members else ():
        label = f"{member} in {benchmark.name}.tar.gz from {benchmark.url}"
        _expect(benchmark.members.get(member), members.get(member), label)


def _expect(expected: Fingerprint | None, got: Fingerprint | None, label: str) -> None:
    def written(print_: Fingerprint | None) -> str:
        return "no such file" if print_ is None else f"SHA-256 {print_.sha256} of {print_.size} bytes"

    if got != expected:
        raise ValueError(f"wrong checksum of {label}: expected {written(expected)}, got {written(got)}")


def _verified(benchmark: Benchmark, archive: Archive, source: Path) -> bool:
    if benchmark.members:
        return archive.members == benchmark.members
    return source.is_file() and benchmark.archive is not None and fingerprint(source) == benchmark.archive


def _group(benchmark: Benchmark, archive: Archive, verified: bool, source: Path) -> ForecastData:
    if archive.freq is not None and normalize_freq(archive.freq) != benchmark.freq:
        raise ValueError(f"{source}: expected frequency {benchmark.freq!r}, got {archive.freq!r}")
    for part, rows, expected in (
        ("train", archive.train, benchmark.rows),
        ("test", archive.test, benchmark.rows * benchmark.windows),
    ):
        if len(rows) != expected:
            raise ValueError(f"{source}: expected {expected} {part} series, got {len(rows)}")
    name, dim = benchmark.name, benchmark.target_dim
    metadata = Metadata(
        name=name,
        freq=benchmark.freq,
        prediction_length=benchmark.prediction_length,
        item_ids=tuple(str(row) for row in range(benchmark.rows - dim, benchmark.rows)),
        domain=benchmark.domain,
        season=benchmark.season,
        archive=name if verified else None,
        lags=benchmark.lags,
    )
    return ForecastData(
        metadata=metadata,
        train=[group_train(archive.train, benchmark.freq, dim, name)],
        test=group_windows(archive.test, benchmark.freq, dim, benchmark.windows, name),
    )
