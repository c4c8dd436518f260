"""Locks between processes, which the system takes back when a process ends, however it ends."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

_HELD: set[IO[bytes]] = set()
"""The files of the locks that this process has."""

_NONE = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""What file systems say that have no locks; those of networks may have none."""

if sys.platform == "win32":
    import msvcrt

    _BYTE = 1 << 62
    """Windows locks bytes and not files, and forbids others to read them: one far behind any content."""

    def _lock(file: IO[bytes], wait: bool) -> None:
        while True:
            try:
                file.seek(_BYTE)
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
                return
            except OSError as error:
                # It waits for ten seconds at most.
                if not wait or error.errno != errno.EDEADLOCK:
                    raise BlockingIOError(error.errno, error.strerror) from error
            finally:
                file.seek(0, os.SEEK_END)
else:
    import fcntl

    def _lock(file: IO[bytes], wait: bool) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


@contextmanager
def locked(path: str | os.PathLike[str], *, wait: bool, keep: bool = False) -> Iterator[IO[bytes]]:
    """Context that holds a lock against other processes and threads.

    On Unix it is `flock`, on Windows a locked byte. A process that is killed leaves the file, and no lock. On a file
    system without locks nobody is kept from anything.

    Arguments:
        path: the file that is locked; it is made, with its folder, and removed at the end if it is still there. After
            an error a folder that was made for it goes too, if it is empty.
        wait: for another one to end; otherwise it is an error that there is one.
        keep: leave the file, which then holds something: it is opened to be read and appended to.

    Returns:
        The open file, as a context.

    Raises:
        BlockingIOError: another one has the lock.

    Example:
        >>> with locked("one.lock", wait=False):
        ...     with locked("one.lock", wait=False):
        ...         pass
        Traceback (most recent call last):
        BlockingIOError: ...
    """
    path = Path(path)
    made = [folder for folder in path.parents if not folder.exists()]
    file = _opened(path, wait)
    _HELD.add(file)
    try:
        yield file
    except BaseException:
        if not keep:
            _remove(path, file)
            with suppress(OSError):
                for folder in made:
                    folder.rmdir()
        raise
    finally:
        if not keep:
            _remove(path, file)
        _HELD.discard(file)
        file.close()


@contextmanager
def only_one(path: str | os.PathLike[str], refusal: str) -> Iterator[None]:
    """Context that holds a lock, or raises at once where another process has it; see `locked`.

    Arguments:
        path: the file that is locked.
        refusal: what the second one is told.

    Raises:
        ValueError: another one has the lock.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(path, wait=False))
        except BlockingIOError as error:
            raise ValueError(refusal) from error
        yield


def _opened(path: Path, wait: bool) -> IO[bytes]:
    """A locked file that is still the one of this name: whoever had it before may have removed it, or moved it away."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a+b")
        except FileNotFoundError:  # another process has just removed the folder
            continue
        try:
            _lock(file, wait)
        except BlockingIOError:
            file.close()
            raise
        except OSError as error:
            if error.errno not in _NONE:
                file.close()
                raise
            return file
        if _is(path, file):
            return file
        file.close()


def _is(path: Path, file: IO[bytes]) -> bool:
    try:
        return not file.closed and os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _remove(path: Path, file: IO[bytes]) -> None:
    if _is(path, file):
        with suppress(OSError):  # Windows removes no open file; an empty one does no harm
            path.unlink()


def _let_go() -> None:
    """A lock is its process's own: a child that a model left behind would keep it after the death of its parent."""
    for file in _HELD:
        file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
