"""Memory that there is, before something of a size that a file or an argument says is made."""

from __future__ import annotations

import os
from pathlib import Path

from .places import Readable

MOST_STEPS = 100_000
"""Steps of a horizon, or of the past that a model reads, at most: a year has 35,040 quarters of an hour."""

_MEMORY = Path("/proc/meminfo")
_LIMITS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)


def free_memory() -> int | None:
    """Free memory of this process in bytes, by the system and its container; ``None`` if unknown."""
    found = []
    if _MEMORY.is_file():
        sizes = dict(line.split(":", 1) for line in _MEMORY.read_text().splitlines() if ":" in line)
        if "MemAvailable" in sizes:
            found.append(1024 * int(sizes["MemAvailable"].split()[0]))
    elif hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for most, used in _LIMITS:
        if most.is_file() and used.is_file() and (limit := most.read_text().strip()).isdecimal():
            found.append(max(0, int(limit) - int(used.read_text())))
    return min(found, default=None)


def require_room(needed: int, expected: str, got: str) -> None:
    """Check that an allocation fits into free memory.

    Arguments:
        needed: bytes.
        expected: the argument, and what it should be, for the message.
        got: what it is.

    Raises:
        ValueError: there is less.

    Example:
        >>> require_room(10**18, "num_samples: expected fewer paths", "a billion")
        Traceback (most recent call last):
        ValueError: num_samples: expected fewer paths, for which there is memory, got a billion (953674316406 MB)
    """
    free = free_memory()
    if free is not None and needed > free:
        raise ValueError(f"{expected}, for which there is memory, got {got} ({needed >> 20} MB)")


def read_with_room(file: Readable, name: str) -> bytes:
    """The content of a file, packed or not, that memory has room for twice.

    Arguments:
        file: open to be read.
        name: what it is called in the message.

    Raises:
        ValueError: it is larger.
    """
    parts, size, free = [], 0, free_memory()
    while part := file.read(2**24):
        parts.append(part)
        size += len(part)
        if free is not None and 2 * size > free:
            raise ValueError(
                f"{name}: expected a smaller file, for which there is memory, got more than {size >> 20} MB"
            )
    return b"".join(parts)


def require_steps(argument: str, steps: int) -> None:
    """Check a season length, lag or horizon against its bounds.

    Raises:
        ValueError: it is one.

    Example:
        >>> require_steps("season_length", 0)
        Traceback (most recent call last):
        ValueError: season_length: expected at least 1 step, got 0
    """
    if steps < 1:
        raise ValueError(f"{argument}: expected at least 1 step, got {steps}")
    if steps > MOST_STEPS:
        raise ValueError(f"{argument}: expected at most {MOST_STEPS} steps, got {steps}")
