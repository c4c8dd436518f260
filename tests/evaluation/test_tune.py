"""A search for settings sees no test window, repeats no trial, and goes on after a kill."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from hemline import cli
from hemline.datasets import ForecastData, simulated_sales
from hemline.evaluation import tune
from hemline.evaluation.search.held_out import validation_data
from hemline.evaluation.search.space import own_point, read_space
from hemline.forecasting import MODELS, ForecastEstimator, RandomWalkPredictor, VARPredictor, build_model
from typer.testing import CliRunner

pytest.importorskip("optuna", reason="needs the extra `tune`")

DATA = simulated_sales(articles=3, weeks=80, seed=0)
H = DATA.metadata.prediction_length
LAGS = {"max_lags": {"low": 1, "high": 8}}
SHORT = {"windows": 2, "num_samples": 10, "quiet": True}

COUNTED = """
import json, os, signal, sys
from hemline.datasets import simulated_sales
from hemline.evaluation import tune
from hemline.forecasting import VARPredictor

class Counted(VARPredictor):
    def for_run(self, seed, directory=None):
        return self

    def predict(self, dataset, num_samples=100, seed=None):
        with open(sys.argv[2], "a+") as log:
            log.write(f"{self.max_lags}\\n")
            log.seek(0)
            if len(log.readlines()) == int(sys.argv[3]):
                log.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        yield from super().predict(dataset, num_samples, seed)

data = simulated_sales(articles=3, weeks=80, seed=0)
short = {"windows": 1, "num_samples": 10, "quiet": True}
found = tune(Counted(8), data, {"max_lags": {"low": 1, "high": 40}}, 6, **short, out=sys.argv[1])
print(json.dumps([found.trials["max_lags"].tolist(), found.trials["value"].tolist(), found.settings]))
"""


def test_windows_lie_at_the_end_of_the_training_data():
    held_out = validation_data(DATA, 2)
    train, whole = held_out.train[0], DATA.train[0]
    assert train.length == whole.length - 2 * H
    assert [entry.length for entry in held_out.test] == [whole.length - H, whole.length]
    assert np.array_equal(held_out.test[-1].target, whole.target, equal_nan=True)
    assert train.channels.length == train.length


@pytest.mark.parametrize("other", ["huge", "noise"])
def test_what_is_tested_by_changes_no_trial(other):
    def changed(entry):
        target = entry.target.copy()
        past = DATA.train[0].length
        noise = np.random.default_rng(0).normal(size=target[:, past:].shape)
        target[:, past:] = 1e9 if other == "huge" else noise
        return entry.with_(target=target)

    data = replace(DATA, test=[changed(entry) for entry in DATA.test])
    first, second = (tune(VARPredictor(H), each, LAGS, 5, **SHORT) for each in (DATA, data))
    pd.testing.assert_frame_equal(first.trials, second.trials)
    assert first.settings == second.settings


class Sealed(ForecastData):
    """A dataset whose test windows nobody may read."""

    test = property(lambda self: pytest.fail("the test windows were read"))
    ahead = property(lambda self: pytest.fail("what lies ahead was read"))


def sealed(data):
    made = object.__new__(Sealed)
    for name in ("metadata", "train", "truth", "ended", "facts"):
        object.__setattr__(made, name, getattr(data, name))
    return made


def test_the_test_windows_are_not_read(tmp_path):
    data = sealed(DATA)
    with pytest.raises(pytest.fail.Exception, match="were read"):
        _ = data.test
    found = tune(VARPredictor(H), data, LAGS, 3, **SHORT, out=tmp_path)
    assert len(found.trials) == 3


def test_the_first_trial_has_the_settings_of_the_model_and_the_best_one_wins():
    found = tune(VARPredictor(H, max_lags=5), DATA, LAGS, 6, **SHORT)
    assert found.trials["max_lags"][0] == 5
    assert found.value == found.trials["value"].min()
    assert found.settings == {"max_lags": found.trials["max_lags"][found.trials["value"].idxmin()]}
    assert found.model.max_lags == found.settings["max_lags"]
    assert found.trials["max_lags"].is_unique


def test_a_search_ends_where_everything_was_tried():
    found = tune(VARPredictor(H), DATA, {"max_lags": [1, 2, 3]}, 20, **SHORT)
    assert sorted(found.trials["max_lags"]) == [1, 2, 3]


def run(out, log, kill):
    script = log.parent / "search.py"
    script.write_text(COUNTED)
    return subprocess.run(
        [sys.executable, script, out, log, str(kill)], capture_output=True, text=True, check=False, env=os.environ
    )


def test_a_killed_search_goes_on_and_repeats_no_trial(tmp_path):
    whole = run(tmp_path / "whole", tmp_path / "whole.log", 0)
    assert whole.returncode == 0, whole.stderr
    killed = run(tmp_path / "cut", tmp_path / "cut.log", 3)
    assert killed.returncode == -signal.SIGKILL
    resumed = run(tmp_path / "cut", tmp_path / "cut.log", 0)
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout) == json.loads(whole.stdout)
    tried = (tmp_path / "cut.log").read_text().split()
    # The one that was cut off is done again, no other.
    assert tried == [*tried[:3], tried[2], *tried[4:]]
    assert sorted(set(tried), key=int) == sorted(set((tmp_path / "whole.log").read_text().split()), key=int)
    assert len(tried) == 7
    again = run(tmp_path / "cut", tmp_path / "cut.log", 0)
    assert json.loads(again.stdout) == json.loads(whole.stdout)
    assert len((tmp_path / "cut.log").read_text().split()) == 7


def test_more_trials_go_on_behind_those_of_before(tmp_path):
    first = tune(VARPredictor(H), DATA, LAGS, 2, **SHORT, out=tmp_path)
    more = tune(VARPredictor(H), DATA, LAGS, 4, **SHORT, out=tmp_path)
    whole = tune(VARPredictor(H), DATA, LAGS, 4, **SHORT)
    pd.testing.assert_frame_equal(more.trials[:2], first.trials)
    pd.testing.assert_frame_equal(more.trials, whole.trials)


@pytest.mark.parametrize(
    ("other", "changed"),
    [
        ("model", {"model": VARPredictor(H, seed=1)}),
        ("data", {"data": simulated_sales(articles=3, weeks=80, seed=1)}),
        ("space", {"space": {"max_lags": [1, 2]}}),
        ("protocol", {"num_samples": 11}),
        ("seed", {"seed": 1}),
    ],
)
def test_another_search_in_the_folder_is_refused(tmp_path, other, changed):
    given = {"model": VARPredictor(H), "data": DATA, "space": LAGS, **SHORT, "out": tmp_path}
    tune(**given, trials=1)
    with pytest.raises(
        ValueError, match=rf"^out: expected the search that was begun in .*, got one of another {other}$"
    ):
        tune(**{**given, **changed}, trials=1)


class Failing(VARPredictor):
    """A model that cannot forecast with some settings."""

    asked: ClassVar[list[int]] = []

    def for_run(self, seed, directory=None):
        return self

    def predict(self, dataset, num_samples=100, seed=None):
        self.asked.append(self.max_lags)
        if self.max_lags == 2:
            raise ValueError("lags: expected others")
        yield from super().predict(dataset, num_samples, seed)


def test_a_trial_that_fails_is_told_and_not_repeated(tmp_path):
    Failing.asked.clear()
    for _ in range(2):
        found = tune(Failing(H), DATA, {"max_lags": [1, 2]}, 2, **SHORT, out=tmp_path)
        bad = found.trials[found.trials["max_lags"] == 2]
        assert bad["error"].tolist() == ["ValueError: lags: expected others"]
        assert found.settings == {"max_lags": 1}
    assert sorted(Failing.asked) == [1, 2]


def test_a_search_without_a_finished_trial_says_why():
    with pytest.raises(ValueError, match=r"^tune: no trial has finished \(ValueError: lags: expected others\)$"):
        tune(Failing(H, max_lags=2), DATA, {"max_lags": [2, 3]}, 1, **SHORT)


RATE = "train.learning_rate"


@pytest.mark.parametrize(
    ("space", "match"),
    [
        ({}, r"^space: expected settings with their ranges, got \{\}$"),
        (
            {"train.learning_rat": [1, 2]},
            r"^space\['train.learning_rat'\]: .*one of the settings .*got 'learning_rat'",
        ),
        ({"prediction_length": [1, 2]}, r"expected a setting of the model, got one of its data and runs"),
        ({RATE: 0.1}, r"expected a list of choices, or low and high, got 0.1"),
        ({RATE: [0.1]}, r"expected at least 2 different choices, got \[0.1\]"),
        ({RATE: [0.1, 0.1]}, r"expected at least 2 different choices"),
        ({RATE: {"low": 0.1, "high": 0.01}}, r"expected low below high, got 0.1 and 0.01"),
        ({RATE: {"low": 0.1}}, r"expected a number as high, got None"),
        ({RATE: {"low": "a", "high": 1}}, r"expected a number as low, got 'a'"),
        ({RATE: {"low": 0, "high": 1, "log": True}}, r"expected low above 0 and no step with log"),
        ({RATE: {"low": 0.1, "high": 1, "log": 1}}, r"expected true or false as log, got 1"),
        ({RATE: {"low": 0.1, "high": 1, "step": 0.0}}, r"expected a step above 0"),
        ({RATE: {"low": 0.1, "high": 1, "scale": 1}}, r"unknown key 'scale', expected some of low, high, log, step"),
        ({RATE: {"low": -1.0, "high": 1.0}}, r"the model cannot take -1.0, learning_rate: expected"),
        ({"context_length": {"low": 1.5, "high": 3.5}}, r"the model cannot take 1.5, context_length: expected"),
        ({RATE: {"low": float("nan"), "high": 1.0}}, r"expected a number as low, got nan"),
    ],
)
def test_an_error_in_the_space_is_one_line(space, match):
    with pytest.raises(ValueError, match=match) as error:
        read_space(space, ForecastEstimator("W", H))
    assert "\n" not in str(error.value)


def test_a_metric_of_which_less_is_not_better_is_refused():
    with pytest.raises(ValueError, match=r"metric: expected one of crps_sum, .*, got 'coverage_80'"):
        tune(VARPredictor(H), DATA, LAGS, 1, metric="coverage_80")


def test_choices_may_be_lists():
    model = ForecastEstimator("W", H, lags=(1, 2))
    ranges = read_space({"lags": [[1, 2], [1, 4]], RATE: {"low": 1e-4, "high": 1e-2, "log": True}}, model)
    assert ranges["lags"].value(ranges["lags"].stored((1, 2)) or "[1, 2]") == [1, 2]
    assert ranges[RATE].stored(1e-3) == 1e-3
    assert ranges[RATE].stored(1.0) is None


NOTHING_TO_SEARCH = {"auto-ets", "auto-arima", "last-value", "seasonal-naive"}
NOTHING_TO_SEARCH |= {"random-walk", "random-walk-independent", "seasonal-walk"}


@pytest.mark.parametrize("name", MODELS)
def test_each_model_has_a_space_that_it_can_take(name):
    model = build_model(name, DATA.metadata)
    space = model.search_space()
    assert bool(space) == (name not in NOTHING_TO_SEARCH)
    if space:
        own_point(read_space(space, model), model)


def test_a_model_without_a_space_says_so():
    with pytest.raises(ValueError, match="space: expected settings to search, RandomWalkPredictor has none of its own"):
        tune(RandomWalkPredictor(H), DATA, trials=1)


def test_the_command_writes_settings_that_a_training_takes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cli.mount()
    (tmp_path / "space.toml").write_text('"model.max_lags" = [1, 2]\n"response.prior" = { low = 0.2, high = 0.8 }\n')
    words = ["tune", "--dataset", "simulated_sales", "--model", "var-responding", "--space", "space.toml"]
    short = ["--trials", "2", "--windows", "1", "--num-samples", "5", "--out", "found"]
    done = CliRunner().invoke(cli.app, words + short)
    assert done.exit_code == 0, done.output
    assert "model.max_lags" in done.output
    best = tomllib.loads((tmp_path / "found" / "best.toml").read_text())
    model = build_model("var-responding", DATA.metadata, best)
    assert model.model.max_lags == best["model"]["max_lags"]


LOGGED = """
import os, signal, sys
from hemline.datasets import simulated_sales
from hemline.evaluation import tune
from hemline.forecasting import VARPredictor

class Logged(VARPredictor):
    def for_run(self, seed, directory=None):
        return self

    def predict(self, dataset, num_samples=100, seed=None):
        with open(sys.argv[2], "a+") as log:
            log.write(f"{self.max_lags} {os.getpid()}\\n")
            log.seek(0)
            if len(log.readlines()) == int(sys.argv[3]):
                log.flush()
                os.kill(os.getppid(), signal.SIGKILL)
        yield from super().predict(dataset, num_samples, seed)

if __name__ == "__main__":
    data = simulated_sales(articles=3, weeks=80, seed=0)
    short = {"windows": 1, "num_samples": 10, "quiet": True}
    tune(Logged(8), data, {"max_lags": {"low": 1, "high": 40}}, 8, **short, out=sys.argv[1], workers=2)
"""


def trials_in(folder):
    """The lags of the trials that have ended, and of those that were begun and have not."""
    with sqlite3.connect(folder / "trials.db") as database:
        rows = database.execute(
            "select state, param_value from trials join trial_params using (trial_id) where state != 'FAIL'"
        ).fetchall()
    return [int(value) for state, value in rows if state == "COMPLETE"], [
        int(value) for state, value in rows if state == "RUNNING"
    ]


def test_two_workers_that_were_killed_go_on_and_repeat_no_trial(tmp_path):
    out, log, script = tmp_path / "cut", tmp_path / "log", tmp_path / "search.py"
    script.write_text(LOGGED)
    words = [sys.executable, str(script), str(out), str(log)]
    killed = subprocess.run([*words, "5"], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for pid in {int(line.split()[1]) for line in log.read_text().splitlines()}:
        gone = time.monotonic() + 30
        while time.monotonic() < gone and Path(f"/proc/{pid}/stat").exists():
            time.sleep(0.1)
    ended, cut_off = trials_in(out)
    before = [int(line.split()[0]) for line in log.read_text().splitlines()]
    assert ended
    assert 1 <= len(cut_off) <= 2
    resumed = subprocess.run([*words, "0"], capture_output=True, text=True, check=False)
    assert resumed.returncode == 0, resumed.stderr
    tried = [int(line.split()[0]) for line in log.read_text().splitlines()][len(before) :]
    whole, left = trials_in(out)
    assert (len(whole), len(set(whole)), left) == (8, 8, [])
    # What was cut off may be done again, and nothing else.
    assert set(tried) & set(before) <= set(cut_off)
    assert len(tried) == len(set(tried))
    assert set(whole) == set(before) | set(tried)


@pytest.mark.slow
def test_workers_run_each_trial_once(tmp_path):
    found = tune(VARPredictor(H), DATA, LAGS, 6, **SHORT, workers=2, out=tmp_path)
    assert len(found.trials) == 6
    assert found.trials["max_lags"].is_unique
    alone = {
        lags: tune(VARPredictor(H, max_lags=lags), DATA, {"max_lags": [lags, 9]}, 1, **SHORT).value
        for lags in found.trials["max_lags"]
    }
    assert found.trials.set_index("max_lags")["value"].to_dict() == alone
