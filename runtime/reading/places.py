"""Places that a file names: which are on a network, which may be asked, and which are plain files."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

_Asked = TypeVar("_Asked")

_Found = TypeVar("_Found")

_HERE = ("", "file", "local", "memory")

_SECURE = {"https": "http"}

_KINDS = {
    stat.S_ISDIR: "folder",
    stat.S_ISFIFO: "named pipe",
    stat.S_ISSOCK: "socket",
    stat.S_ISCHR: "device",
    stat.S_ISBLK: "device",
}

_REFUSED: ContextVar[str | None] = ContextVar("hemline_network_refused", default=None)


def protocol(address: str) -> str:
    """How an address is reached, ``""`` for a path of this machine; ``https`` counts as ``http``.

    Example:
        >>> protocol("https://shop.example/a.jpg"), protocol("photos/a.jpg"), protocol("simplecache::s3://b/a.jpg")
        ('http', '', 'simplecache::s3')
    """
    found = re.match(r"([A-Za-z0-9+.-]+(?:::[A-Za-z0-9+.-]+)*)://", address)
    name = found[1].lower() if found else ""
    return _SECURE.get(name, name)


def is_remote(address: str) -> bool:
    """Whether an address is not a place of this machine."""
    return protocol(address) not in _HERE


@contextmanager
def without_network(reason: str) -> Iterator[None]:
    """Context in which the library opens no network connection.

    Arguments:
        reason: why not, and what the user can do, for the message.
    """
    token = _REFUSED.set(reason)
    try:
        yield
    finally:
        _REFUSED.reset(token)


def network_is_refused() -> bool:
    """Whether network access is switched off by `without_network`."""
    return _REFUSED.get() is not None


def require_allowed(address: str) -> None:
    """Refuse a place on a network within `without_network`.

    Raises:
        ValueError: it is one.
    """
    reason = _REFUSED.get()
    if reason is not None and is_remote(address):
        raise ValueError(f"{address}: expected a place on this machine, got one on a network; {reason}")


def as_allowed_here(call: Callable[[_Asked], _Found]) -> Callable[[_Asked], _Found]:
    """The function as it would be called here, for other threads: each has a context of its own, which knows nothing
    of the places that may not be asked.
    """
    context = copy_context()
    return lambda asked: context.copy().run(call, asked)


def plain_name(name: str, argument: str) -> str:
    """A file name without path separators, safe to join to a folder.

    Raises:
        ValueError: it is more than a name.

    Example:
        >>> plain_name("0c8becce32f261ab", "run")
        '0c8becce32f261ab'
        >>> plain_name("../../etc", "run")
        Traceback (most recent call last):
        ValueError: run: expected the name of a file, without a path, got '../../etc'
    """
    if not re.fullmatch(r"[^/\\\0]+", name) or name in (".", ".."):
        raise ValueError(f"{argument}: expected the name of a file, without a path, got {name!r}")
    return name


def open_file(path: str | os.PathLike[str]) -> BinaryIO:
    """A regular file opened for reading; pipes, devices and sockets are refused.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is no ordinary file.
    """
    # Not to wait for who might write into a pipe.
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    mode = os.fstat(number).st_mode
    if not stat.S_ISREG(mode):
        os.close(number)
        kind = next((kind for check, kind in _KINDS.items() if check(mode)), "special file")
        raise ValueError(f"{Path(path)}: expected a file, got a {kind}")
    return os.fdopen(number, "rb")


class Readable(Protocol):
    """A file of bytes, packed or not."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most the given number."""


def read_at_most(file: Readable, most: int, name: str) -> bytes:
    """The content of a file, up to a maximum size.

    Raises:
        ValueError: it is.
    """
    content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{name}: expected at most {most >> 20} MB, got more")
    return content
