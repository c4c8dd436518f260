"""Files that never end, streams that are closed, a folder that is gone: one line, or the work as if nothing were."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame
from hemline.datasets.pictures.source import open_source
from hemline.evaluation import load_backtest
from hemline.evaluation.grids.grid import read_grid
from hemline.evaluation.options import read_settings as read_settings_of_models
from hemline.evaluation.store.store import Store
from hemline.forecasting.commands.train import read_settings
from hemline.forecasting.scenarios.scenario import read_scenarios
from hemline.runtime.arguments.naming import in_words
from hemline.runtime.reading import room
from hemline.runtime.training.checkpoints import Checkpoints
from memory import forget_peak, needs_linux, peak

STORED = Path(__file__).parents[1] / "house" / "golden" / "stored"
LARGE = 64 * 2**20
pytestmark = pytest.mark.timeout(120)

READERS: dict[str, Callable[[Path], object]] = {
    "config.toml": read_settings,
    "models.toml": lambda path: read_settings_of_models(path, ["last-value"]),
    "grid.toml": lambda path: read_grid(path, ["last-value"]),
    "scenario.toml": read_scenarios,
    "shop.toml": lambda path: open_source(str(path)),
    "sales.csv": lambda path: from_frame(path, timestamp="week", prediction_length=2),
    "sales.parquet": lambda path: from_frame(path, timestamp="week", prediction_length=2),
    "last.ckpt": lambda path: Checkpoints(None, identity="it").require_own(path),
}


def special(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "link to itself":
        path.symlink_to(path)
    else:
        with path.open("wb") as file:
            file.truncate(2 * 10**12)


@needs_linux
@pytest.mark.parametrize("kind", ["pipe", "device", "link to itself", "two sparse terabytes"])
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file_or_has_no_end_is_one_line(tmp_path, name, kind):
    special(tmp_path / name, kind)
    before = forget_peak()
    with pytest.raises((ValueError, OSError)) as caught:
        READERS[name](tmp_path / name)
    assert peak() - before < LARGE
    assert "\n" not in in_words(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_backtest_with_a_file_that_is_none_is_read_without_it_or_refused(tmp_path, kind):
    folder = Path(shutil.copytree(STORED / "backtest", tmp_path / "backtest"))
    run = next((folder / "runs").iterdir())
    (run / "run.json").unlink()
    special(run / "run.json", kind)
    assert Store(folder).record(run.name) is None
    (folder / "scores.parquet").unlink()
    assert run.name not in set(load_backtest(folder).runs["run"])
    special(folder / "plan.json", kind)
    with pytest.raises((ValueError, OSError), match=r"plan\.json"):
        load_backtest(folder)


def test_a_catalogue_that_unpacks_to_more_than_memory_is_refused(tmp_path, monkeypatch):
    with gzip.open(tmp_path / "shop.jsonl.gz", "wb", compresslevel=1) as packed:
        packed.write(b" " * 2**26)
    pd.DataFrame({"item_id": np.zeros(10**5)}).to_parquet(tmp_path / "shop.parquet")
    monkeypatch.setattr(room, "free_memory", lambda: 10**5)
    for table in ("shop.jsonl.gz", "shop.parquet"):
        (tmp_path / "shop.toml").write_text(f'table = "{table}"\n')
        with pytest.raises(ValueError, match=r"shop\.(jsonl\.gz|parquet).*for which there is memory"):
            open_source(str(tmp_path / "shop.toml"))


# -- commands as others start them ------------------------------------------------------------------------------------

BROKEN = "models describe nope --dataset simulated_sales"


def called(words: str, folder: Path, around: str = "{}", **others: str) -> subprocess.CompletedProcess[str]:
    """A command in a shell, with other words around it and other variables of its surroundings."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **others}
    line = around.format(f"{sys.executable} -m hemline {words}")
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        env=environment,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&- <&-"])
def test_a_closed_stream_is_nothing_to_stumble_over(tmp_path, closed):
    done = called("data shop it --articles 2 --stores 1 --weeks 60", tmp_path, f"{{}} {closed}")
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.suffix for path in (tmp_path / "it").iterdir()} >= {".toml", ".csv"}
    done = called(BROKEN, tmp_path, f"{{}} {closed}")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["models list", BROKEN])
def test_who_reads_may_go_away(tmp_path, words):
    done = called(words, tmp_path, "{} 2>&1 | true; echo ${{PIPESTATUS[0]}}")
    assert done.stdout.strip() in ("0", "1")
    assert done.stderr == ""
    done = called(words, tmp_path, "{} | true")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_output_that_has_no_room_is_one_line(tmp_path):
    done = called("models list", tmp_path, "{} > /dev/full")
    assert (done.returncode, done.stderr) == (1, "hemline: [Errno 28] No space left on device\n")


def test_a_current_folder_that_is_gone_is_one_line(tmp_path):
    done = called("models list", tmp_path, "mkdir gone; cd gone; rmdir ../gone; {}")
    told = "hemline: the current folder cannot be read (No such file or directory); change to another one\n"
    assert (done.returncode, done.stderr) == (1, told)


@pytest.mark.parametrize(
    "others",
    [
        {"PYTHONIOENCODING": "ascii:strict", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        pytest.param({"PYTHONIOENCODING": "latin-1:strict"}, marks=pytest.mark.slow),
        {"HOME": "/nowhere", "XDG_CACHE_HOME": "/nowhere", "TZ": "Nowhere/At_all", "COLUMNS": "x", "TERM": "dumb"},
    ],
)
def test_other_surroundings_change_nothing(tmp_path, others):
    week = pd.date_range("2024-01-01", periods=20, freq="W-MON").repeat(2)
    sales = pd.DataFrame({"week": week, "article": ["Jäckchen", "東京\u2028"] * 20, "units": range(40)})
    sales.to_csv(tmp_path / "sales.csv", index=False)
    words = "data describe sales.csv --timestamp week --item article --target units"
    done = called(words, tmp_path, **others)
    assert (done.returncode, done.stderr) == (0, "")
    assert "W-MON" in done.stdout
    done = called(f"{words} --freq Jäckchen", tmp_path, **others)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
