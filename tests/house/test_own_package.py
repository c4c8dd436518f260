"""The template of a model outside of the repository: one file, declared as an entry point, used as ours are."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_package"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder as pip leaves it: the module, and what its package declares."""
    site = tmp_path_factory.mktemp("site")
    shutil.copy(EXAMPLE / "drift_model.py", site)
    described = site / "drift_model-0.1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: drift-model\nVersion: 0.1.0\n")
    lines = (EXAMPLE / "pyproject.toml").read_text().splitlines()
    declared = next(line for line in lines if line.startswith("drift ="))
    (described / "entry_points.txt").write_text("[hemline.models]\n" + declared.replace('"', "") + "\n")
    return site


@pytest.fixture
def hemline(installed, tmp_path):
    def run(*words: str, found: bool = True) -> subprocess.CompletedProcess:
        path = os.pathsep.join([*([str(installed)] if found else []), os.environ.get("PYTHONPATH", "")])
        return subprocess.run(
            [sys.executable, "-m", "hemline", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_template_is_short():
    assert len((EXAMPLE / "drift_model.py").read_text().splitlines()) <= 60


def test_it_is_trained_stored_read_and_backtested_by_its_name(hemline, tmp_path):
    done = hemline("train", "--dataset", "simulated_sales", "--model", "drift", "--out", "runs/drift", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "runs/drift/gluonts-config.json").read_text())["name"] == "drift_model:DriftPredictor"
    asked = ["forecast", "--predictor", "runs/drift", "--dataset", "simulated_sales", "--window", "0", "--out", "a.csv"]
    done = hemline(*asked)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 1 + 20 * 8
    done = hemline("backtest", "--dataset", "simulated_sales", "--models", "drift,last-value", "--out", "runs/compare")
    assert done.returncode == 0, done.stderr
    assert "drift" in done.stdout
    again = hemline(*asked, found=False)
    assert again.returncode == 1
    assert again.stderr.startswith("hemline: predictor: cannot read runs/drift: type: expected one of AnalogEstimator")
    assert "got 'drift_model:DriftPredictor'" in again.stderr


def test_a_model_that_nobody_declares_is_unknown(hemline):
    done = hemline("train", "--dataset", "simulated_sales", "--model", "drift", "--out", "runs/drift", found=False)
    assert done.returncode == 1
    assert done.stderr.startswith("hemline: models: expected one of pool")
