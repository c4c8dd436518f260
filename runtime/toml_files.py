"""What lies in a table, said by a TOML file beside it: a catalogue of articles, or the series of a shop."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable

from .reading.places import open_file, read_at_most, require_allowed

LARGEST = 16 * 2**20
"""Bytes of a description that are read at most."""


def read_description(address: str) -> dict[str, object]:
    """Read a TOML file.

    Arguments:
        address: path or fsspec address of the file.

    Returns:
        Its keys and values.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not TOML.
    """
    import fsspec  # here, because settings of a model lie in plain files

    try:
        require_allowed(address)
        with fsspec.open(address, "rb") if "://" in address else open_file(address) as file:
            return parse_toml(read_at_most(file, LARGEST, address), address)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{address}: expected a TOML file that describes a table, found none") from error


def read_toml(path: str | os.PathLike[str], name: str) -> dict[str, object]:
    """Read a TOML file of this machine.

    Arguments:
        path: the file; no pipe and no device.
        name: what it is called in messages, as for `parse_toml`.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is no file, larger than any description is, or not TOML.
    """
    with open_file(path) as file:
        return parse_toml(read_at_most(file, LARGEST, name), name)


def parse_toml(content: bytes, name: str) -> dict[str, object]:
    """Keys and values of the content of a TOML file: UTF-8, with or without a byte order mark.

    Arguments:
        content: the bytes of the file.
        name: what the file is called in messages, after the argument that named it.

    Raises:
        ValueError: it is not TOML.

    Example:
        >>> parse_toml("seed = 3".encode("utf-8-sig"), "config: own.toml")
        {'seed': 3}
    """
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: not TOML: {error}") from error


def check_keys(address: str, given: Iterable[str], known: Iterable[str], needed: Iterable[str]) -> None:
    """Refuse a description with a key that is not known or without one that is needed.

    Arguments:
        address: the description, for messages.
        given: its keys.
        known: the keys that it may have.
        needed: those that it has to have.

    Raises:
        ValueError: a key is unknown or missing.
    """
    given, known = list(given), list(known)
    for key in given:
        if key not in known:
            raise ValueError(f"{address}: expected the keys {', '.join(known)}, got {key!r}")
    for key in needed:
        if key not in given:
            raise ValueError(f"{address}: expected the key {key!r}, got {', '.join(given) or 'no key at all'}")
