"""The current folder is not code: what lies beside the data is never run, whatever it is called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hemline.forecasting import load_predictor
from hemline.forecasting.names import NAMES as TABLE

# What libraries try to import, what they do import, and what Python imports late.
NAMES = (
    *("zstandard", "brotli", "lz4", "yaml", "typer", "rich", "pandas", "numpy", "torch", "gluonts", "statsforecast"),
    *("random", "json", "signal", "multiprocessing", "pickle", "socket", "secrets", "sitecustomize"),
)
# As the installed command does, which has its own folder on the path and not the current one.
COMMAND = "import sys; sys.path.remove(''); from hemline import cli; cli.main()"
GRID = 'out = "runs"\ndatasets = ["simulated_sales"]\nmodels = ["{model}"]\nworkers = 2\n'


def run(folder: Path, *words: str, module: bool = False) -> subprocess.CompletedProcess:
    start = ["-m", "hemline"] if module else ["-c", COMMAND]
    return subprocess.run(
        [sys.executable, *start, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder of data, full of files that are called as modules are."""
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path)!r} + '/ran-{name}', 'w').close()\n")
    return tmp_path


@pytest.mark.parametrize("module", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_nothing_of_the_folder_is_run_by_a_forecast(folder, stored, module):
    words = ["--predictor", str(stored("random-walk")), "--dataset", "simulated_sales", "--out", "f.csv"]
    done = run(folder, "forecast", *words, module=module)
    assert done.returncode == 0, done.stderr
    assert sorted(folder.glob("ran-*")) == []


def test_a_model_that_the_command_names_may_lie_there_and_nothing_else_is_run(folder):
    (folder / "own_models.py").write_text(
        "from hemline.forecasting import SeasonalNaivePredictor\n\n\n"
        "def build(metadata):\n    return SeasonalNaivePredictor(metadata.prediction_length, metadata.season)\n"
    )
    (folder / "grid.toml").write_text(GRID.format(model="own_models:build"))
    done = run(folder, "table", "--run", "grid.toml", "--trust", "own_models:build")
    assert done.returncode == 0, done.stderr
    assert "own_models:build" in done.stdout
    assert sorted(folder.glob("ran-*")) == []


def test_a_trusted_class_of_the_folder_is_imported_alone(folder, stored, monkeypatch):
    monkeypatch.chdir(folder)
    predictor = stored("random-walk")
    (folder / "own_walk.py").write_text(
        "from hemline.forecasting import RandomWalkPredictor\n\n\nclass Own(RandomWalkPredictor):\n    pass\n"
    )
    for file in predictor.iterdir():
        file.write_text(file.read_text().replace("hemline.forecasting.naive.RandomWalkPredictor", "own_walk.Own"))
    before = list(sys.path)
    with pytest.raises(ValueError, match="--trust module:Class"):
        load_predictor(predictor)
    assert type(load_predictor(predictor, trust=["own_walk:Own"])).__name__ == "Own"
    assert sys.path == before
    with pytest.raises(ValueError, match="cannot import 'own_talk:Own'"):
        TABLE.trusting("own_talk:Own").find("own_talk:Own")
    assert sys.path == before
