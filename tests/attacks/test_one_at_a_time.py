"""Two runs into one folder: the second is refused at once, and a run that was killed stands in nobody's way."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hemline import cli
from hemline.evaluation.commands import parse_seeds
from hemline.evaluation.runs.plan import make_protocol
from hemline.forecasting import RandomWalkPredictor
from hemline.runtime.locks import locked, only_one
from hemline.runtime.whole_files import whole_file, whole_folder
from typer.testing import CliRunner


def command(*words: object) -> str:
    if not cli.app.registered_groups:
        cli.mount()
    result = CliRunner().invoke(cli.app, [str(word) for word in words], catch_exceptions=False)
    return result.output


def started(*lines: str) -> subprocess.Popen[str]:
    """A process that has come to a line of its code which prints; then it waits."""
    code = "\n".join([*lines, "print('here', flush=True)", "import time", "time.sleep(600)"])
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "here\n"
    return process


@pytest.fixture
def shop(tmp_path, monkeypatch) -> Path:
    """The description of a few photos."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "house" / "golden"))
    return importlib.import_module("golden_data").write_pictures(tmp_path / "shop")


@pytest.fixture
def holder(tmp_path):
    """A process that has the lock of a folder."""
    process = started(
        "from hemline.runtime.locks import locked",
        f"kept = locked({str(tmp_path / 'run' / '.lock')!r}, wait=False)",
        "kept.__enter__()",
    )
    yield process
    process.kill()
    process.communicate()


def test_a_second_training_into_a_folder_is_refused_and_one_after_a_kill_is_not(tmp_path, holder):
    run, table = tmp_path / "run", Path(__file__).parents[1] / "house" / "golden" / "stored" / "sales.toml"
    settings = tmp_path / "short.toml"
    settings.write_text("[train]\nmax_epochs = 1\nbatches_per_epoch = 1\n[encoder]\nsize = 4\n")
    words = ("train", "--dataset", table, "--model", "gru-maf", "--config", settings, "--out", run)
    with pytest.raises(ValueError, match=r"out: expected a folder that no other training is writing to, got .*run"):
        command(*words)
    assert [path.name for path in run.iterdir()] == [".lock"]
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert "The predictor lies in" in command(*words)
    assert not list(run.glob(".*"))


def test_a_second_classifier_into_a_folder_is_refused(tmp_path, holder, shop):
    words = ("--data", shop, "--checkpoint", tmp_path / "run")
    refusal = r"checkpoint: expected a folder that no other run is writing to, got .*run"
    for what in (("classify", "train"), ("annotate", "train", "--backbone", "small-cnn")):
        with pytest.raises(ValueError, match=refusal):
            command("vision", *what, *words)
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]


def test_who_waits_for_a_lock_has_it_when_the_other_is_killed(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    with locked(tmp_path / "run" / ".lock", wait=True):
        pass
    assert list((tmp_path / "run").iterdir()) == []


def test_a_run_that_fails_before_it_writes_leaves_no_folder(tmp_path):
    with pytest.raises(ZeroDivisionError), only_one(tmp_path / "deep" / "run" / ".lock", "no"):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--precision", "x"), "precision: expected .*, got 'x'"),
        (("--class-beta", "1.5"), "class_beta: expected .*, got 1.5"),
        (("--pooling", "x"), "pooling: "),
        (("--backbone", "small-cnn", "--widths", "0"), "widths: "),
    ],
)
def test_a_bad_option_is_refused_before_a_run_is_begun(tmp_path, shop, words, said):
    data = ("--data", shop, "--device", "cpu", "--epochs", "1")
    with pytest.raises(ValueError, match=said):
        command("vision", "classify", "train", *data, "--checkpoint", tmp_path / "run", *words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("seeds", ["1000000000000000000000000000000", "4294967296,", "0,4294967296", "1e30"])
def test_seeds_that_no_table_can_hold_are_refused(seeds):
    with pytest.raises(ValueError, match="seeds: expected "):
        parse_seeds(seeds)


@pytest.mark.parametrize("name", ["num_samples", "refit_every", "history"])
def test_numbers_that_no_table_can_hold_are_refused(name):
    given = {"num_samples": 1, "refit_every": None, "history": "expanding", "metrics": None, name: 10**30}
    with pytest.raises(ValueError, match=f"{name}: expected at most 2147483647, got 1000"):
        make_protocol(**given)


def test_two_who_write_the_same_file_take_turns(tmp_path):
    place = tmp_path / "file"
    process = started(
        "from hemline.runtime.whole_files import whole_file",
        f"with whole_file({str(place)!r}) as aside:",
        "    aside.write_text('theirs')",
        "    print('here', flush=True)",
        "    __import__('time').sleep(1.0)",
    )
    with whole_file(place) as aside:
        assert place.read_text() == "theirs"
        aside.write_text("ours")
    assert place.read_text() == "ours"
    process.kill()
    process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="no limits there")
def test_no_byte_is_one_at_which_a_full_disk_spoils_a_predictor(tmp_path):
    """The kernel refuses to make a file larger, whoever writes it, in whichever language."""
    RandomWalkPredictor(7).serialize(tmp_path / "old")
    kept = {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()}
    sizes = {len(content) for content in kept.values()}
    script = textwrap.dedent("""
        import resource, signal, sys
        from hemline.forecasting import RandomWalkPredictor
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for limit in map(int, sys.argv[2:]):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            try:
                RandomWalkPredictor(9).serialize(sys.argv[1])
            except OSError as error:
                print(error.errno)
    """)
    limits = [str(limit) for limit in sorted({1, *(size // 2 for size in sizes), max(sizes) - 1})]
    command = [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / "old"), *limits]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(done.stdout.split()) == len(limits)
    assert {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()} == kept


def test_a_folder_takes_the_place_of_another_and_an_error_leaves_it(tmp_path):
    place = tmp_path / "folder"
    for content in ("one", "two"):
        with whole_folder(place) as aside:
            (aside / "file").write_text(content)
    with pytest.raises(FileNotFoundError), whole_folder(place) as aside:
        (aside / "nowhere" / "file").write_text("three")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert (place / "file").read_text() == "two"
