"""Files and folders that are either whole or absent, whatever happens while they are written.

They are written aside and brought to the disk; then they are moved to their place in one step. A full disk, a kill, or
a machine that dies leaves what was there before, or nothing, or what is new, and beside it at most something whose name
ends with ``.partial``, which the next one to write there clears away.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from .locks import locked


def write_whole(files: fsspec.AbstractFileSystem, path: str, content: bytes) -> None:
    """Write a file atomically on any file system; local folders are created."""
    if isinstance(files, LocalFileSystem):
        with whole_file(path) as aside:
            aside.write_bytes(content)
    else:
        files.pipe_file(f"{path}.partial", content)
        files.mv(f"{path}.partial", path)


@contextmanager
def whole_file(place: str | os.PathLike[str]) -> Iterator[Path]:
    """Context with a temporary file that replaces the local file at the end; concurrent writers take turns.

    Arguments:
        place: where it will be; its folder is made.

    Returns:
        The file to write to, as a context; after an error it is removed, and what was in its place stays.
    """
    place = Path(place)
    aside = place.with_name(f"{place.name}.partial")
    with locked(aside, wait=True) as lock:
        lock.truncate(0)
        yield aside
        if os.name == "nt":
            lock.close()  # Windows moves no open file
        put_in_place(aside, place)


def put_in_place(aside: Path, place: Path) -> None:
    """Sync a finished file to disk and move it to its place."""
    _to_disk(aside)
    aside.replace(place)


@contextmanager
def whole_folder(place: Path, aside: Path | None = None) -> Iterator[Path]:
    """Context with a temporary folder that is moved to its place at the end.

    Arguments:
        place: where it will be; what is there is replaced.
        aside: where it is written, on the same file system; beside its place if ``None``.

    Returns:
        The empty folder to write to, as a context; after an error it is removed.
    """
    aside = aside or place.with_name(f"{place.name}.partial")
    with _emptied(aside):
        yield aside
        _all_to_disk(aside)
        place.parent.mkdir(parents=True, exist_ok=True)
        _put(aside, place)


@contextmanager
def whole_contents(folder: Path, sign: str) -> Iterator[Path]:
    """Context with a temporary folder whose files are moved into an existing folder at the end.

    Arguments:
        folder: where they will be; made if need be.
        sign: the name of the file that says that all are there: taken away first, and put in its place last.

    Returns:
        The empty folder to write to, as a context; after an error it is removed, and so is `folder` if it was made.
    """
    made, aside = not folder.exists(), folder / ".partial"
    with locked(folder / ".partial.lock", wait=True):
        try:
            with _emptied(aside):
                yield aside
                _all_to_disk(aside)
                (folder / sign).unlink(missing_ok=True)
                for written in sorted(aside.iterdir(), key=lambda path: path.name == sign):
                    _put(written, folder / written.name)
        except BaseException:
            if made:
                shutil.rmtree(folder, ignore_errors=True)
            raise


@contextmanager
def _emptied(aside: Path) -> Iterator[None]:
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _put(aside: Path, place: Path) -> None:
    """Move a file or a folder to its place; no system puts one folder in the place of another in one step."""
    if not place.is_dir():
        aside.replace(place)
        return
    before = place.with_name(f".{place.name}.before.partial")
    shutil.rmtree(before, ignore_errors=True)
    place.replace(before)
    aside.replace(place)
    shutil.rmtree(before, ignore_errors=True)


def _all_to_disk(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            _to_disk(path)


def _to_disk(path: Path) -> None:
    """Have a file on the disk, before it gets its name; a machine that dies keeps the new name, and not its content."""
    with path.open("r+b" if os.name == "nt" else "rb") as written:
        os.fsync(written.fileno())
