"""What a run leaves behind, in a local folder or at any fsspec address: JSON, safetensors, Parquet."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import fsspec
import pandas as pd
import safetensors
import safetensors.torch
from fsspec.implementations.local import LocalFileSystem
from torch import Tensor

from .locks import only_one
from .plain import Plain
from .reading.json_files import parsed_json
from .reading.parquet_files import read_parquet
from .reading.places import open_file, require_allowed
from .reading.room import require_room
from .whole_files import write_whole


class RunFolder:
    """A run folder, local or at an fsspec address, with whole-file writes.

    Arguments:
        address: a local folder, or an fsspec address such as ``s3://bucket/run``.

    Example:
        >>> folder = RunFolder("memory://a-run")
        >>> folder.write_json("split.json", {"seed": 0})
        >>> folder.read_json("split.json")
        {'seed': 0}
    """

    def __init__(self, address: str) -> None:
        self.address = str(address).rstrip("/")
        require_allowed(self.address)
        self.files, self.root = fsspec.core.url_to_fs(self.address)

    def path(self, name: str) -> str:
        """The full address of a file of the run."""
        return f"{self.address}/{name}"

    def has(self, name: str) -> bool:
        """Whether the run has this file."""
        return bool(self.files.exists(f"{self.root}/{name}"))

    @contextmanager
    def alone(self, argument: str, lock: str = ".lock") -> Iterator[None]:
        """Context that locks the folder against other processes, if it is local; see `locked`.

        Arguments:
            argument: by which the caller was given the folder, for the message.
            lock: the file that stands for the folder, or for a part of what is done in it.

        Raises:
            ValueError: another one is in it.
        """
        if not isinstance(self.files, LocalFileSystem):
            yield
            return
        refusal = f"{argument}: expected a folder that no other run is writing to, got {self.address}"
        with only_one(f"{self.root}/{lock}", refusal):
            yield

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all: a killed run leaves the file of before."""
        place = f"{self.root}/{name}"
        self.files.makedirs(place.rpartition("/")[0], exist_ok=True)
        write_whole(self.files, place, content)

    def read_bytes(self, name: str) -> bytes:
        """Read a file.

        Raises:
            FileNotFoundError: the run has none.
            ValueError: it is no ordinary file, or larger than memory has room for.
        """
        if not self.has(name):
            raise FileNotFoundError(f"checkpoint: expected a run with {name} in {self.address}, got none")
        path = f"{self.root}/{name}"
        require_room(self.files.size(path) or 0, f"checkpoint: expected {self.path(name)} to be a file", "a larger one")
        if not isinstance(self.files, LocalFileSystem):
            return bytes(self.files.cat_file(path))
        with open_file(path) as file:
            return file.read()

    def write_json(self, name: str, data: Plain) -> None:
        """Write plain data."""
        self.write_bytes(name, json.dumps(data, indent=1, ensure_ascii=False).encode())

    # Any: what a file holds is known to its reader alone, as of `json.loads`.
    def read_json(self, name: str) -> Any:
        """Read plain data.

        Raises:
            ValueError: the file is not JSON.
        """
        return parsed_json(self.read_bytes(name), self.path(name))

    def write_tensors(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        """Write tensors."""
        self.write_bytes(
            name, safetensors.torch.save({key: t.detach().cpu().contiguous() for key, t in tensors.items()})
        )

    def read_tensors(self, name: str) -> dict[str, Tensor]:
        """Read tensors.

        Raises:
            ValueError: the file is not whole.
        """
        try:
            return safetensors.torch.load(self.read_bytes(name))
        except safetensors.SafetensorError as error:
            raise ValueError(f"checkpoint: expected whole weights in {self.path(name)}, got {error}") from None

    def write_frame(self, name: str, frame: pd.DataFrame) -> None:
        """Write a table as Parquet."""
        file = io.BytesIO()
        frame.to_parquet(file, index=False)
        self.write_bytes(name, file.getvalue())

    def read_frame(self, name: str) -> pd.DataFrame:
        """Read a Parquet table."""
        return read_parquet(io.BytesIO(self.read_bytes(name)))
