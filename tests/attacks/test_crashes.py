"""Whatever is broken off while it writes leaves what was there before, or what is new, or nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="breaks forks of one process off")


def broken_off(folder: Path, *words: str, timeout: float = 600) -> list[dict[str, Any]]:
    """What the harness says of works, each break a dict, in a process of its own."""
    command = [sys.executable, "-W", "ignore", str(HERE / "crash_harness.py"), str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def wrong(found: list[dict[str, Any]]) -> list[str]:
    assert found
    return [f"{one['work']}, {one['how']} at {one['what']}: {one['wrong']}" for one in found if one["wrong"]]


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> list[dict[str, Any]]:
    """A few breaks of works of each kind."""
    files = (
        "predictor/gru-maf",
        "predictor/feed-forward",
        "download",
        "embed",
        "forecast.csv",
        "derived-tables",
        "order",
    )
    runs = ("train", "kept-members", "backtest", "classifier")
    return broken_off(tmp_path_factory.mktemp("crashes"), "careless", *files, *runs, "--breaks", "5")


def test_what_is_broken_off_leaves_what_was_there_or_what_is_new_or_nothing(found):
    assert {one["how"] for one in found} == {"full", "killed", "machine"}
    assert not wrong([one for one in found if one["work"] != "careless"])


def test_what_is_written_straight_to_its_place_is_found_out(found):
    assert wrong([one for one in found if one["work"] == "careless"])


def shares(count: int) -> list[str]:
    """All works in so many groups, each with works of every length."""
    sys.path.insert(0, str(HERE))
    try:
        from crash_harness import WORKS
    finally:
        sys.path.remove(str(HERE))
    names = list(WORKS)
    return [" ".join(names[first::count]) for first in range(count)]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("share", range(4))
def test_every_work_may_be_broken_off_anywhere(tmp_path, share):
    assert not wrong(broken_off(tmp_path, *shares(4)[share].split(), "--breaks", "50", timeout=3600))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_kills_at_random_moments(tmp_path):
    found = broken_off(tmp_path, "--kills", "200", timeout=3600)
    assert len(found) == 200
    assert not wrong(found)
