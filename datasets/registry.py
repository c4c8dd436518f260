"""Every dataset by its name."""

from __future__ import annotations

import os
import warnings
from functools import partial
from pathlib import Path

from .archives import Archive, fingerprint, read_archive
from .benchmarks import BENCHMARKS, Benchmark, Fingerprint
from .data import ForecastData, Metadata
from .download import DownloadError, download
from .frequency import normalize_freq
from .grouping import group_train, group_windows
from .locate import cache_folder, find
from .sales import simulated_sales


class UnverifiedDataWarning(UserWarning):
    """A copy of a benchmark is used whose bytes are not known to be the published ones."""


def get_dataset(name: str, path: str | os.PathLike[str] | None = None) -> ForecastData:
    """Load a dataset by name."""
    if name == "simulated_sales":
        return simulated_sales()
    if name not in BENCHMARKS:
        raise ValueError(f"name: expected one of {', '.join(BENCHMARKS)}; got {name!r}")
    return load_benchmark(BENCHMARKS[name], path)


def load_benchmark(benchmark: Benchmark, path: str | os.PathLike[str] | None = None) -> ForecastData:
    """Find or download the archive of a benchmark and group it as published."""
    name = benchmark.name
    cached = cache_folder() / f"{name}.tar.gz"
    source, tried = find((f"{name}.tar.gz", name), path)
    if source is None:
        source = cached
        if not cached.exists():
            _fetch(benchmark, cached, tried)
    archive = read_archive(source)
    verified = _verified(benchmark, archive, source)
    if not verified and source == cached:
        raise ValueError(f"{cached}: wrong checksum, the cached file was changed; remove it to download anew")
    if not verified:
        warnings.warn(
            f"{source}: not the published bytes of {name}, so published scores are not shown beside it",
            UnverifiedDataWarning,
            stacklevel=3,
        )
    return _group(benchmark, archive, verified, source)


def _fetch(benchmark: Benchmark, cached: Path, tried: list[str]) -> None:
    name = benchmark.name
    try:
        download(benchmark.url, cached, partial(_check, benchmark))
    except DownloadError as error:
        tried = [*tried, f"{cached} (cache)", str(error)]
        raise FileNotFoundError(
            f"{name} was not found; tried: {'; '.join(tried)}. Put {name}.tar.gz, or its unpacked folder "
            f"{name}, into a folder named by HEMLINE_DATA, or run 'hemline data fetch {name}' with a network"
        ) from error


def _check(benchmark: Benchmark, path: Path) -> None:
    if benchmark.archive is not None:
        _expect(benchmark.archive, fingerprint(path), f"{benchmark.name}.tar.gz from {benchmark.url}")
    members = read_archive(path).members
    for member, expected in benchmark.members.items():
        _expect(expected, members.get(member), f"{member} in {benchmark.name}.tar.gz from {benchmark.url}")


def _expect(expected: Fingerprint, got: Fingerprint | None, label: str) -> None:
    if got != expected:
        found = "nothing" if got is None else f"{got.sha256} of {got.size} bytes"
        raise ValueError(
            f"wrong checksum of {label}: expected SHA-256 {expected.sha256} of {expected.size} bytes, got {found}"
        )


def _verified(benchmark: Benchmark, archive: Archive, source: Path) -> bool:
    if benchmark.members:
        return all(archive.members.get(member) == print_ for member, print_ in benchmark.members.items())
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
