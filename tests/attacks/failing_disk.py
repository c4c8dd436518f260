"""A disk that fails at its n-th change: full, or with the process killed, or with the whole machine gone.

It stands between Python and the file system: every file that is opened to be written, every write, rename, removal,
new folder and fsync below a folder counts as one change.
"""

from __future__ import annotations

import builtins
import errno
import functools
import io
import os
import signal
from pathlib import Path
from typing import Any, Literal

How = Literal["full", "killed", "machine"]
HOWS: tuple[How, ...] = ("full", "killed", "machine")
CHANGES = ("mkdir", "rmdir", "unlink", "remove", "rename", "replace", "truncate")


class FailingDisk:
    """What is changed below a folder, and where it fails.

    Arguments:
        folder: what is outside of it never fails.
        at: the number of the change that fails, from 1; ``None`` only counts.
        how: ``"full"``: half of what is written arrives, and there is no space from then on; files can still be moved
            and removed. ``"killed"``: half arrives, and the process is gone. ``"machine"``: so is what no fsync has
            brought to the disk, of which the names alone are left.
    """

    def __init__(self, folder: Path, at: int | None = None, how: How = "killed") -> None:
        self.folder, self.at, self.how = os.path.realpath(folder), at, how
        self.changes: list[str] = []
        self.seen: set[int] = set()
        self.safe = {path.stat().st_ino for path in Path(folder).rglob("*")}
        self.real = {name: getattr(os, name) for name in (*CHANGES, "fsync")}

    def install(self) -> None:
        """Stand between this process and its disk, for the rest of its life."""
        builtins.open = io.open = functools.partial(_opened, self, io.open)  # type: ignore[assignment]
        for name in CHANGES:
            setattr(os, name, functools.partial(self._changed, name))
        os.fsync = self._synced

    def concerns(self, path: Any, dir_fd: int | None = None) -> bool:
        """Whether a path lies below the folder."""
        if isinstance(path, int):
            return False
        at = os.getcwd() if dir_fd is None else os.readlink(f"/proc/self/fd/{dir_fd}")
        return os.path.abspath(os.path.join(at, os.fsdecode(path))).startswith(self.folder)

    def step(self, what: str, path: Any) -> bool:
        """Count a change; whether it is the one that fails, or a later one on a full disk."""
        self.changes.append(f"{what} {os.path.basename(os.fsdecode(path))}")
        late = self.at is not None and len(self.changes) > self.at
        return len(self.changes) == self.at or (late and self.how == "full" and what in ("write", "open", "mkdir"))

    def fail(self) -> None:
        """Be full, or take the process along."""
        if self.how == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.how == "machine":
            for path in Path(self.folder).rglob("*"):
                if path.is_file() and path.stat().st_ino not in self.safe:
                    os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))
        os.kill(os.getpid(), signal.SIGKILL)

    def unseen(self) -> list[str]:
        """New files that were written past this disk, by code that opens none through Python."""
        files = [path for path in Path(self.folder).rglob("*") if path.is_file()]
        return sorted(path.name for path in files if path.stat().st_ino not in self.safe | self.seen)

    def _changed(self, name: str, path: Any, *args: Any, **kwargs: Any) -> Any:
        if self.concerns(path, kwargs.get("dir_fd")) and self.step(name, path):
            self.fail()
        return self.real[name](path, *args, **kwargs)

    def _synced(self, file: Any) -> None:
        number = file if isinstance(file, int) else file.fileno()
        if self.concerns(os.readlink(f"/proc/self/fd/{number}")) and self.step("fsync", ""):
            self.fail()
        self.real["fsync"](number)
        inode = os.fstat(number).st_ino
        self.safe.add(inode)
        self.seen.add(inode)


class _Written(io.FileIO):
    """A file without a buffer whose writes count."""

    def __init__(self, disk: FailingDisk, path: Any, mode: str) -> None:
        self.disk = disk
        super().__init__(path, mode)
        inode = os.fstat(self.fileno()).st_ino
        disk.seen.add(inode)
        if "w" in mode:
            disk.safe.discard(inode)

    def write(self, content: Any) -> int:
        content = memoryview(content).cast("B")
        if self.disk.step("write", self.name):
            super().write(content[: len(content) // 2])
            self.disk.fail()
        self.disk.safe.discard(os.fstat(self.fileno()).st_ino)
        return super().write(content)


def _opened(
    disk: FailingDisk,
    real: Any,
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Any = None,
) -> Any:
    """`open`, whose files to write are those of the failing disk."""
    if not set(mode) & set("wax+") or not disk.concerns(file) or opener is not None:
        return real(file, mode, buffering, encoding, errors, newline, closefd, opener)
    if disk.step("open", file):
        disk.fail()
    raw = _Written(disk, file, mode.replace("t", "").replace("b", ""))
    if "b" in mode and buffering == 0:
        return raw
    buffered: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
    return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline, buffering == 1)
