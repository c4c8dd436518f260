"""Files that are either whole or absent."""

from __future__ import annotations

import fsspec


def write_whole(files: fsspec.AbstractFileSystem, path: str, content: bytes) -> None:
    """Write a file of a file system aside, then put it in its place."""
    files.pipe_file(f"{path}.partial", content)
    files.mv(f"{path}.partial", path)
