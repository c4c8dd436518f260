"""The files of an index: segments of rows that are written once, and the file that names them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import safetensors
import safetensors.torch
import torch

from ...runtime.digest import sha256_of
from ...runtime.plain import Plain, PlainObject
from ...runtime.reading.places import plain_name
from ...runtime.reading.room import require_room
from ...runtime.run_folder import RunFolder
from .photo_vectors import PhotoVectors

INDEX = "index.json"
"""The file that says which other files belong to the index; it is replaced last."""


_OWN = re.compile(r"[0-9a-f]{16}\.(parquet|safetensors)|maker-[0-9a-f]{12}\.safetensors")
"""The names of files that an index writes: whatever else lies in its folder is not its own."""


@dataclass(frozen=True)
class Segment:
    """Some rows of the index: files that are written once, and the rows of them that were removed since."""

    name: str
    rows: int
    gone: tuple[int, ...]


def write_segment(folder: RunFolder, vectors: PhotoVectors) -> Segment:
    """Write rows under a name that is that of their content: what a reader of the old index reads stays as it is."""
    table = vectors.table()
    name = sha256_of(table, vectors.vectors)[:16]
    folder.write_bytes(f"{name}.parquet", table)
    folder.write_tensors(f"{name}.safetensors", {"vectors": torch.from_numpy(vectors.vectors)})
    return Segment(name, len(vectors), ())


def commit(folder: RunFolder, told: Mapping[str, Plain], segments: Sequence[Segment]) -> None:
    """Have the index consist of these segments, and clear away the files of others."""
    named: list[Plain] = [{"name": one.name, "rows": one.rows, "gone": list(one.gone)} for one in segments]
    written: PlainObject = {**told, "segments": named}
    folder.write_json(INDEX, written)
    kept = {str(told["maker"]), *(f"{one.name}{end}" for one in segments for end in (".parquet", ".safetensors"))}
    for path in folder.files.ls(folder.root, detail=False):
        name = path.rstrip("/").rpartition("/")[2]
        if _OWN.fullmatch(name) and name not in kept:
            folder.files.rm_file(path)


# Any: `read_json` gives what the file holds.
def read_index(folder: RunFolder) -> tuple[dict[str, Any], list[Segment]]:
    """What an index is told to be, and its segments.

    Raises:
        FileNotFoundError: there is no index.
        ValueError: it has no row, or names a file outside of its folder.
    """
    if not folder.has(INDEX):
        raise FileNotFoundError(f"index: expected a folder with {INDEX}, got {folder.address}; there is no index")
    told = folder.read_json(INDEX)
    segments = told.pop("segments")
    if not segments:
        raise ValueError(f"index: expected rows in {folder.address}, got an empty index")
    return told, [Segment(plain_name(one["name"], "segment"), one["rows"], tuple(one["gone"])) for one in segments]


def index_tensors(folder: RunFolder, name: str) -> dict[str, torch.Tensor]:
    """The tensors of a file of an index.

    Raises:
        ValueError: it is not whole.
    """
    try:
        return safetensors.torch.load(folder.read_bytes(name))
    except safetensors.SafetensorError as error:
        raise ValueError(f"index: expected whole vectors in {folder.path(name)}, got {error}") from None


def read_segment(folder: RunFolder, told: Mapping[str, object], segment: Segment) -> PhotoVectors:
    """The rows of a segment, those that were removed among them.

    Raises:
        ValueError: a file is not whole, or does not hold what is told of it.
    """
    file = f"{segment.name}.safetensors"
    size = int(folder.files.size(f"{folder.root}/{file}"))
    require_room(2 * size, f"index: expected vectors in {folder.path(file)}", f"{segment.rows} rows")
    vectors = index_tensors(folder, file)["vectors"].numpy()
    parts = {str(name): int(width) for name, width in cast("Mapping[str, int]", told["parts"]).items()}
    found = PhotoVectors.of_table(folder.read_bytes(f"{segment.name}.parquet"), vectors, parts, str(told["encoder"]))
    if len(found) != segment.rows or not set(segment.gone) <= set(range(len(found))):
        raise ValueError(f"index: expected {segment.rows} rows in {folder.path(file)}, got {len(found)}")
    return found
