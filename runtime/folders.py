"""Where data are looked for: a path given by the caller, ``HEMLINE_DATA``, the cache."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The folder in which downloads are kept: ``$HEMLINE_CACHE``, else the platform's user cache.

    Returns:
        The folder; it is not created.
    """
    return Path(os.environ.get("HEMLINE_CACHE") or platformdirs.user_cache_dir("hemline", appauthor=False))


def data_folders() -> list[Path]:
    """The folders of ``HEMLINE_DATA``, each followed by its sub-folder ``series``.

    Returns:
        The folders in the order in which they are searched; empty if the variable is not set.
    """
    named = [Path(part).expanduser() for part in os.environ.get("HEMLINE_DATA", "").split(os.pathsep) if part]
    return [folder for root in named for folder in (root, root / "series")]


def find(forms: Sequence[str], path: str | os.PathLike[str] | None = None) -> tuple[Path | None, list[str]]:
    """Look for a dataset where the user may have put it.

    Arguments:
        forms: relative paths under which the dataset counts as found, such as ``("x.tar.gz", "x")``.
        path: the caller's own path; if given, nothing else is searched. It may be the dataset itself or the
            folder in which one of the forms lies.

    Returns:
        The file or folder found, or ``None``, and a line for each place that was tried.

    Raises:
        FileNotFoundError: ``path`` was given and does not exist.
    """
    if path is not None:
        given = Path(path).expanduser()
        if not given.exists():
            raise FileNotFoundError(f"path: expected {' or '.join(forms)}, but {str(given)!r} does not exist")
        return _first([given], forms) or given, [str(given)]
    folders = data_folders()
    tried = ["HEMLINE_DATA (not set)"] if not folders else []
    tried += [f"{folder} (HEMLINE_DATA)" for folder in folders if folder.name != "series" or folder.is_dir()]
    return _first(folders, forms), tried


def _first(folders: Sequence[Path], forms: Sequence[str]) -> Path | None:
    return next((folder / form for folder in folders for form in forms if (folder / form).exists()), None)


def find_named(path: str, address: str) -> str:
    """The file that a description names.

    Arguments:
        path: as the description has it: beside the description, or in a folder of ``HEMLINE_DATA``; or absolute,
            or an fsspec address.
        address: the description.

    Returns:
        A path or address that can be opened from here.

    Raises:
        FileNotFoundError: it is in none of the folders.
    """
    if "://" in path or os.path.isabs(path):
        return path
    beside = address.rsplit("/", 1)[0] if "/" in address else "."
    if "://" in beside:
        return f"{beside}/{path}"
    folders = [beside, *map(str, data_folders())]
    for folder in folders:
        if os.path.exists(os.path.join(folder, path)):
            return os.path.join(folder, path)
    raise FileNotFoundError(f"{address}: expected {path!r} in one of {', '.join(folders)}, found it in none")
