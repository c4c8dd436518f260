"""The most memory that this process has had since it was told to forget."""

from __future__ import annotations

from pathlib import Path

import pytest

needs_linux = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is Linux's")


def peak() -> int:
    """The most bytes that this process has had since `forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def forget_peak() -> int:
    """Begin anew; what there is now."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()
