"""A place that cannot be written to is told before any work, and keeps what is there; root asks as somebody else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bad_inputs import VALID
from crash_harness import forked
from hemline import cli
from hemline.forecasting import RandomWalkPredictor
from hemline.runtime.whole_files import whole_file, whole_folder
from place import listing, said

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="asks in a fork of this process")
NOBODY = 65534
OUT = {
    **dict.fromkeys(("train", "simulate", "order", "backtest", "refine", "crop", "tune"), "out"),
    **dict.fromkeys(("classify", "annotate", "locate"), "checkpoint"),
    "forecast": "out.csv",
    "duplicates": "out.csv",
    "report": "out.html",
    "similar": "out.html",
    "embed": "out.parquet",
    "index": "index",
}
"""Commands that write, by the option that says where, and the ending of a file."""


@pytest.fixture
def shut() -> Iterator[Path]:
    """A folder with a file in it, in which nobody but root may write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "file").write_text("old")
        RandomWalkPredictor(3).serialize(folder / "predictor")
        for path in (folder / "predictor", folder):
            path.chmod(0o555)
        yield folder
        for path in (folder, folder / "predictor"):
            path.chmod(0o755)


def as_nobody(call: Callable[[], Any]) -> Any:
    """What a call returns where it may not write everywhere."""

    def asked() -> Any:
        if os.geteuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        return call()

    code, told = forked(asked)
    assert code == 0, told
    return told


@pytest.mark.parametrize("name", OUT)
def test_a_command_says_before_any_work_that_it_cannot_write(shut, name):
    if not cli.app.registered_groups:
        cli.mount()
    option, _, ending = OUT[name].partition(".")
    words = VALID[name].split()
    words[words.index(f"--{option}") + 1] = str(shut / f"new{'.' if ending else ''}{ending}")
    # It is the first thing that is looked at, or the second behind what is to be read.
    words = [str(shut) if word in ("looks", "tasks", "gru", "bt") else word for word in words]
    words = [str(shut / "file") if word == "boxes.csv" else word for word in words]
    before = listing(shut)
    status, errors = as_nobody(lambda: said(words))
    assert (status, len(errors.splitlines())) == (1, 1), errors
    assert f"{option}: expected a place that can be written to, got {shut}" in errors
    assert listing(shut) == before


def test_what_is_written_aside_leaves_what_is_there(shut):
    def refused(write: Callable[[], Any]) -> bool:
        try:
            write()
        except PermissionError:
            return True
        return False

    def file() -> None:
        with whole_file(shut / "file") as aside:
            aside.write_text("new")

    def folder() -> None:
        with whole_folder(shut / "predictor") as aside:
            (aside / "it").write_text("new")

    def predictor() -> None:
        RandomWalkPredictor(5).serialize(shut / "predictor")

    before = listing(shut)
    assert as_nobody(lambda: [refused(write) for write in (file, folder, predictor)]) == [True] * 3
    assert listing(shut) == before
    assert (shut / "file").read_text() == "old"
