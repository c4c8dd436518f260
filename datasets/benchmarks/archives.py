"""Reading a benchmark archive: member by member, in memory, every byte accounted for."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import orjson

from ...runtime.reading.places import open_file, read_at_most
from ...runtime.reading.room import free_memory
from .published import Fingerprint

_CHUNK = 1 << 20

_LONGEST = 16 * 2**20
"""Bytes of one line at most: the longest published series has less than one MB."""

BinaryLines = IO[bytes] | gzip.GzipFile


@dataclass(frozen=True)
class Row:
    """One univariate series of an archive.

    Arguments:
        start: the date of the first value, as the archive writes it.
        target: the values, float32 ``[T]``.
    """

    start: str
    target: np.ndarray


@dataclass(frozen=True)
class Archive:
    """What an archive holds.

    Arguments:
        train: the rows of its ``train`` folder, in order.
        test: the rows of its ``test`` folder, in order.
        freq: the frequency its metadata name, under ``freq`` or the older ``time_granularity``, if any.
        members: the fingerprint of each file read, by its path below the archive's top folder.
    """

    train: list[Row]
    test: list[Row]
    freq: str | None = None
    members: dict[str, Fingerprint] = field(default_factory=dict)


def fingerprint(path: Path) -> Fingerprint:
    """The SHA-256 digest and the size of a file.

    Arguments:
        path: the file.

    Returns:
        Its fingerprint.
    """
    with path.open("rb") as stream:
        return Fingerprint(hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size)


def read_archive(path: Path, most: Mapping[str, int] | None = None) -> Archive:
    """Read a benchmark from a ``.tar.gz`` file or from the folder it was unpacked to.

    Nothing is written to disk: members are read in the order in which they lie in the file, hashed and parsed
    on the way. An archive that names a file outside its own folder, or links to one, is refused as a whole,
    although it could do no harm here, because no honest archive does so.

    Arguments:
        path: the file, or a folder with the sub-folders ``train`` and ``test``.
        most: how many rows ``train`` and ``test`` can have, so that a file of more is not read on; ``None`` for any.

    Returns:
        The rows and the fingerprints of what was read.

    Raises:
        ValueError: the archive is truncated, damaged, unsafe, not JSON, or has no train or test rows.
    """
    files = _folder_members(path) if path.is_dir() else _tar_members(path)
    rows: dict[str, list[Row]] = {"train": [], "test": []}
    members: dict[str, Fingerprint] = {}
    freq: str | None = None
    for name, stream in files:
        if name.endswith("metadata.json"):
            freq = _read_freq(stream, f"{path}: {name}")
            continue
        part = name.split("/")[0]
        members[name] = _read_rows(stream, rows[part], f"{path}: {name}", None if most is None else most[part])
    for part, found in rows.items():
        if not found:
            raise ValueError(f"{path}: expected series in a folder '{part}' of the archive, found none")
    return Archive(train=rows["train"], test=rows["test"], freq=freq, members=members)


def _read_freq(stream: BinaryLines, label: str) -> str | None:
    try:
        metadata = orjson.loads(read_at_most(stream, _LONGEST, label))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{label} is not JSON: {error}") from error
    freq = metadata.get("freq", metadata.get("time_granularity")) if isinstance(metadata, dict) else None
    return None if freq is None else str(freq)


def _read_rows(stream: BinaryLines, rows: list[Row], label: str, most: int | None) -> Fingerprint:
    """Append the rows of one JSON-lines file to ``rows`` and say what was read."""
    digest, size, taken, free = hashlib.sha256(), 0, 0, free_memory()
    for number, line in enumerate(iter(lambda: stream.readline(_LONGEST), b""), start=1):
        if len(line) == _LONGEST:
            raise ValueError(f"{label}, line {number}: expected a series of at most {_LONGEST >> 20} MB, got more")
        digest.update(line)
        size += len(line)
        if line.isspace():
            continue
        if most is not None and len(rows) == most:
            raise ValueError(f"{label}, line {number}: expected {most} series, got more")
        try:
            entry: dict[str, Any] = orjson.loads(line)
            rows.append(Row(str(entry["start"]), np.asarray(entry["target"], dtype=np.float32)))
        except KeyError as error:
            raise ValueError(f"{label}, line {number}: expected the field {error}, got {list(entry)}") from error
        except (TypeError, ValueError) as error:
            raise ValueError(f"{label}, line {number} is not a series in JSON: {error}") from error
        taken += rows[-1].target.nbytes
        # Once more as much, for what is made of them.
        if free is not None and 2 * taken > free:
            raise ValueError(f"{label}, line {number}: expected series that memory has room for, got {taken >> 20} MB")
        if rows[-1].target.ndim != 1:
            raise ValueError(f"{label}, line {number}: expected a univariate target, got {rows[-1].target.ndim} axes")
    return Fingerprint(digest.hexdigest(), size)


def _wanted(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    if file == "metadata.json":
        return folder in ("", "metadata")
    return folder in ("train", "test") and file.endswith((".json", ".json.gz")) and file[0] not in "._"


def _folder_members(path: Path) -> Iterator[tuple[str, BinaryLines]]:
    for file in sorted(path.glob("*.json")) + sorted(path.glob("*/*.json*")):
        name = file.relative_to(path).as_posix()
        if _wanted(name):
            if not file.resolve().is_relative_to(path.resolve()):
                raise ValueError(f"{path}: refused, the folder holds a link to a file outside of it: {name!r}")
            with _readable(path), open_file(file) as raw, gzip.open(raw) if name.endswith(".gz") else raw as stream:
                yield name, stream


def _tar_members(path: Path) -> Iterator[tuple[str, BinaryLines]]:
    with _readable(path), gzip.open(path) as stream:
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            for member in tar:
                _refuse_unsafe(member, path)
                name = "/".join(PurePosixPath(member.name).parts[1:])
                if member.isfile() and _wanted(name):
                    content = tar.extractfile(member)
                    if content is not None:
                        yield name, content
        # tar stops at its own end mark; only reading on to the end of gzip compares the checksum.
        while stream.read(_CHUNK):
            pass


def _refuse_unsafe(member: tarfile.TarInfo, path: Path) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        raise ValueError(f"{path}: refused, the archive names a file outside its folder: {member.name!r}")
    if member.issym() or member.islnk():
        raise ValueError(f"{path}: refused, the archive holds a link: {member.name!r} -> {member.linkname!r}")
    if not (member.isfile() or member.isdir()):
        raise ValueError(f"{path}: refused, the archive holds a special file: {member.name!r}")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn the many ways in which a damaged archive fails into one error."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, tarfile.TarError, zlib.error) as error:
        raise ValueError(f"{path}: the archive is truncated or damaged ({error})") from error
