"""JSON files as plain data, and one line where a file is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .places import open_file, read_at_most
from .records import fields_once, json_reason

LARGEST = 64 * 2**20
"""Bytes of a JSON file that are read at most; parsed, it takes up to twenty times as much."""


# Any: what a file holds is known to its reader alone, as of `json.loads`.
def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Arguments:
        path: the file.

    Returns:
        Its keys and values, plain data.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not JSON, holds no object, or is larger or deeper than any that the library writes.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a JSON file, found none")
    with open_file(path) as file:
        read = parsed_json(read_at_most(file, LARGEST, str(path)), str(path))
    if not isinstance(read, dict):
        raise ValueError(f"{path}: expected a JSON object, got a {type(read).__name__}")
    return read


def parsed_json(content: bytes, place: str) -> object:
    """The plain data that JSON text holds.

    Arguments:
        content: the text.
        place: where it comes from, for the message.

    Raises:
        ValueError: it is not JSON, names a field twice, or is deeper than any that the library writes.
    """
    try:
        return json.loads(content, object_pairs_hook=fields_once)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place}: not JSON: {json_reason(error)}") from None
