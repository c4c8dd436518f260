"""Laws of backtests: no view of the future, nothing done twice, nothing half-done, the same numbers again."""

from __future__ import annotations

import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from gluonts.model.estimator import Estimator
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor
from hemline.datasets.entries.data import ForecastData, Metadata
from hemline.evaluation import backtest, load_backtest

HORIZON, WINDOWS, LENGTH = 4, 3, 42


class Everything(Predictor):
    """Forecasts the sum of all it was shown of the past, in training and before a window."""

    def __init__(self, learnt: float = 0.0) -> None:
        super().__init__(prediction_length=HORIZON)
        self.learnt = learnt

    def predict(self, dataset, num_samples: int = 100) -> Iterator[SampleForecast]:  # type: ignore[override]
        for entry in dataset:
            shown = self.learnt + total(entry)
            yield SampleForecast(
                np.full((num_samples, HORIZON, 2), shown), start_date=entry["start"] + entry["target"].shape[1]
            )


class Curious(Estimator):
    """Trains by looking at everything."""

    def train(self, training_data, validation_data=None) -> Everything:  # type: ignore[override]
        return Everything(sum(total(entry) for entry in training_data))


class Drawn(Estimator):
    """Draws from the global generators, in training and in forecasting."""

    def train(self, training_data, validation_data=None) -> Predictor:  # type: ignore[override]
        level = float(torch.randn(()))

        class Noise(Predictor):
            def predict(self, dataset, num_samples=100):
                for entry in dataset:
                    paths = level + np.random.normal(size=(num_samples, HORIZON, 2))
                    yield SampleForecast(paths, start_date=entry["start"] + entry["target"].shape[1])

        return Noise(HORIZON)


class Untrained(Predictor):
    """Draws from the global generators and learns nothing."""

    def predict(self, dataset, num_samples: int = 100) -> Iterator[SampleForecast]:  # type: ignore[override]
        for entry in dataset:
            paths = np.random.normal(size=(num_samples, HORIZON, 2))
            yield SampleForecast(paths, start_date=entry["start"] + entry["target"].shape[1])


def total(entry: dict) -> float:
    """A number that any change of any value of the entry changes."""
    fields = (entry["target"], entry["past_feat_dynamic_real"], entry["feat_dynamic_real"])
    return float(sum((values * np.arange(1, values.size + 1).reshape(values.shape)).sum() for values in fields))


def make(target: np.ndarray, past: np.ndarray, known: np.ndarray) -> ForecastData:
    def until(end: int) -> dict:
        return {
            "start": pd.Period("2024-01-01", "D"),
            "target": target[:, :end],
            "feat_dynamic_real": known[:, :end],
            "past_feat_dynamic_real": past[:, :end],
        }

    ends = [LENGTH - (WINDOWS - 1 - window) * HORIZON for window in range(WINDOWS)]
    metadata = Metadata("noise", "D", HORIZON, item_ids=("a", "b"))
    return ForecastData(metadata, train=[until(ends[0] - HORIZON)], test=[until(end) for end in ends])


@pytest.fixture
def arrays() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, LENGTH)), rng.normal(size=(1, LENGTH)), rng.normal(size=(1, LENGTH))


def forecasts(data: ForecastData, out: Path, **options) -> pd.DataFrame:
    backtest({"m": Curious()}, data, num_samples=3, out=out, quiet=True, **options)
    found = load_backtest(out)
    return found.forecasts(found.runs["run"].iloc[0]).set_index(["window", "step"])["q_0.5"]


@pytest.mark.parametrize("options", [{}, {"refit_every": 1}, {"history": 12}, {"refit_every": 2, "history": 12}])
@pytest.mark.parametrize("window", range(WINDOWS))
def test_changing_the_future_cannot_change_a_forecast(arrays, tmp_path: Path, options: dict, window: int) -> None:
    target, past, known = arrays
    before = forecasts(make(*arrays), tmp_path / "before", **options)
    begin = LENGTH - (WINDOWS - window) * HORIZON
    target, past, known = target.copy(), past.copy(), known.copy()
    target[:, begin:] += 7
    past[:, begin:] += 7
    known[:, begin + HORIZON :] += 7  # what is known ahead may tell of the horizon, and of nothing beyond it
    after = forecasts(make(target, past, known), tmp_path / "after", **options)
    assert after.loc[:window].tolist() == before.loc[:window].tolist()
    if window + 1 < WINDOWS:
        assert (after.loc[window + 1 :] != before.loc[window + 1 :]).all()


def test_what_is_known_ahead_reaches_the_forecast(arrays, tmp_path: Path) -> None:
    target, past, known = arrays
    before = forecasts(make(*arrays), tmp_path / "before")
    changed = known.copy()
    changed[:, -1] += 7
    assert (forecasts(make(target, past, changed), tmp_path / "after").loc[2] != before.loc[2]).all()


@pytest.mark.parametrize("model", [Drawn(), Untrained(HORIZON)], ids=["trained", "untrained"])
def test_the_same_seed_gives_the_same_numbers_to_the_last_digit(arrays, model) -> None:
    data = make(*arrays)
    tables = []
    for disturbance in (1, 2):
        np.random.seed(disturbance)
        torch.manual_seed(disturbance)
        tables.append(backtest({"m": model}, data, seeds=(0, 1), quiet=True))
    assert tables[0].equals(tables[1])
    by_seed = tables[0].query("metric == 'crps' and window == 0").set_index("seed")["value"]
    assert by_seed[0] != by_seed[1]


def test_a_run_does_not_depend_on_those_before_it(arrays) -> None:
    data = make(*arrays)
    alone = backtest({"m": Drawn()}, data, seeds=(1,), quiet=True)
    among = backtest({"other": Curious(), "m": Drawn()}, data, seeds=(0, 1), quiet=True)
    among = among[(among["model"] == "m") & (among["seed"] == 1)].reset_index(drop=True)
    assert among.equals(alone)


def test_the_same_command_twice_does_the_work_once(arrays, tmp_path: Path, monkeypatch) -> None:
    data, worked = make(*arrays), []
    train = Curious.train
    monkeypatch.setattr(Curious, "train", lambda self, entries: worked.append(1) or train(self, entries))
    tables = [backtest({"m": Curious()}, data, seeds=(0, 1), out=tmp_path, quiet=True) for _ in range(2)]
    assert len(worked) == 2
    assert tables[0].equals(tables[1])
    again = backtest({"m": Curious()}, replace(data, test=data.test[1:]), seeds=(0,), out=tmp_path, quiet=True)
    assert len(worked) == 3
    assert len(again)


SCRIPT = """
import sys, time
import numpy as np, pandas as pd
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor
from hemline.datasets.entries.data import ForecastData, Metadata
from hemline.evaluation import backtest

class Slow(Predictor):
    def configuration(self):
        return {}
    def predict(self, dataset, num_samples=100):
        for entry in dataset:
            time.sleep(float(sys.argv[2]))
            paths = np.random.normal(size=(num_samples, 2, 1))
            yield SampleForecast(paths, start_date=entry["start"] + entry["target"].shape[1])

target = np.random.default_rng(0).normal(size=(1, 20))
entry = {"start": pd.Period("2024-01-01", "D"), "target": target}
data = ForecastData(
    Metadata("noise", "D", 2, item_ids=("a",)),
    train=[dict(entry, target=target[:, :16])],
    test=[dict(entry, target=target[:, :18]), entry],
)
backtest({"slow": Slow(2), "too": Slow(2)}, data, seeds=range(4), num_samples=20, out=sys.argv[1])
"""


def test_killed_in_the_middle_and_started_again_it_finishes_with_the_same_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    script = tmp_path / "grid.py"
    script.write_text(SCRIPT)
    killed, unbroken = tmp_path / "killed", tmp_path / "unbroken"
    process = subprocess.Popen([sys.executable, "-W", "ignore", str(script), str(killed), "0.15"])
    deadline = time.monotonic() + 60
    while len(list(killed.glob("runs/*"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {path.name for path in killed.glob("runs/*")}
    assert 3 <= len(done) < 8
    files = {"run.json", "scores.parquet", "forecasts.parquet", "training.parquet"}
    assert all({file.name for file in (killed / "runs" / run).iterdir()} == files for run in done)
    finished = {run: (killed / "runs" / run / "scores.parquet").stat().st_mtime_ns for run in done}

    for folder in (killed, unbroken):
        monkeypatch.setattr(sys, "argv", [str(script), str(folder), "0"])
        runpy.run_path(str(script))
    assert capsys.readouterr().err.count("already done") == len(done)
    assert {run: (killed / "runs" / run / "scores.parquet").stat().st_mtime_ns for run in done} == finished
    assert load_backtest(killed).scores.equals(load_backtest(unbroken).scores)
    assert not (killed / "partial").exists()
