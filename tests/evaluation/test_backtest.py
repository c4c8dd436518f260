"""Backtests: the grid, the long table, the runs table, failures."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor
from hemline.evaluation import METRICS, BacktestError, RunFailedWarning, backtest, crps_sum, load_backtest
from hemline.evaluation.runs.metrics import USUAL
from hemline.evaluation.runs.rows import SCORE_COLUMNS
from hemline.evaluation.store.store import Store

HORIZON, DIM, WINDOWS = 4, 3, 3


class Constant(Predictor):
    """Forecasts given samples for every window."""

    def __init__(self, samples: np.ndarray, shift: int = 0, windows: int | None = None) -> None:
        super().__init__(prediction_length=HORIZON)
        self.samples, self.shift, self.windows = samples, shift, windows

    def predict(self, dataset, num_samples: int = 100):  # type: ignore[override]
        for entry in list(dataset)[: self.windows]:
            start = entry["start"] + entry["target"].shape[1] + self.shift
            yield SampleForecast(self.samples, start_date=start)


def value(table: pd.DataFrame, metric: str, **axis) -> float:
    chosen = table[table["metric"] == metric]
    for name in ("window", "item_id", "step"):
        chosen = chosen[chosen[name] == axis[name]] if name in axis else chosen[chosen[name].isna()]
    return chosen["value"].item()


def test_the_long_table_has_every_metric_pooled_and_by_window_step_and_series(data, walk) -> None:
    table = backtest({"walk": walk(HORIZON)}, data, num_samples=10, quiet=True)
    assert tuple(table.columns) == SCORE_COLUMNS
    counts = {"series": 1 + WINDOWS + HORIZON + DIM, "joint": 1 + WINDOWS + HORIZON, "window": 1 + WINDOWS}
    for name, metric in ((name, METRICS[name]) for name in USUAL):
        assert (table["metric"] == name).sum() == counts[metric.axes]
    assert set(table["step"].dropna()) == {1, 2, 3, 4}
    assert set(table["item_id"].dropna()) == {"a", "b", "c"}
    assert table["run"].nunique() == 1


def test_rows_are_the_scores_of_what_was_forecast(data) -> None:
    samples = np.random.default_rng(0).normal([50, 100, 150], 5, size=(40, HORIZON, DIM))
    table = backtest({"constant": Constant(samples)}, data, num_samples=40, quiet=True)
    observed = np.stack([entry["target"][:, -HORIZON:].T for entry in data.test])
    everywhere = np.broadcast_to(samples, (WINDOWS, *samples.shape))
    assert value(table, "crps_sum") == pytest.approx(crps_sum(everywhere, observed))
    assert value(table, "crps_sum", window=1) == pytest.approx(crps_sum(samples, observed[1]))
    assert value(table, "crps_sum", step=2) == pytest.approx(crps_sum(everywhere[:, :, 1:2], observed[:, 1:2]))
    error = np.abs(np.sort(samples, axis=0)[round(39 * 0.5)] - observed)
    assert value(table, "nd") == pytest.approx(error.sum() / np.abs(observed).sum())
    assert value(table, "nd", item_id="b") == pytest.approx(error[..., 1].sum() / np.abs(observed[..., 1]).sum())


def test_one_series_with_univariate_samples_is_scored(single) -> None:
    samples = np.random.default_rng(0).normal(50, 5, size=(30, HORIZON))
    table = backtest({"constant": Constant(samples)}, single, quiet=True)
    assert value(table, "crps_sum") == pytest.approx(value(table, "weighted_quantile_loss"))
    assert np.isnan(value(table, "variogram_score"))


def test_missing_observations_take_no_part(gaps, walk) -> None:
    table = backtest({"walk": walk(HORIZON)}, gaps, num_samples=10, quiet=True)
    assert table["value"].notna().all()


def test_a_function_of_the_metadata_makes_the_model(data, walk) -> None:
    made = backtest({"walk": lambda metadata: walk(metadata.prediction_length)}, data, quiet=True)
    given = backtest({"walk": walk(HORIZON)}, data, quiet=True)
    assert made.equals(given)


def test_the_runs_table_says_how_the_numbers_came_about(data, fitted, tmp_path: Path) -> None:
    backtest({"fitted": fitted(HORIZON)}, data, seeds=(4,), num_samples=10, out=tmp_path, quiet=True)
    run = load_backtest(tmp_path).runs.iloc[0]
    assert json.loads(run["configuration"]) == {"prediction_length": HORIZON}
    assert run[["model", "dataset", "seed", "status"]].tolist() == ["fitted", "walks", 4, "finished"]
    assert run[["target_dim", "windows", "num_samples", "history"]].tolist() == [DIM, WINDOWS, 10, "expanding"]
    assert json.loads(run["versions"])["hemline"] == "0.1.0"
    assert run["device"].startswith(("cpu", "cuda"))
    assert run["peak_memory_bytes"] > 50 * 2**20
    assert all(run[f"seconds_{part}"] >= 0 for part in ("train", "predict", "score"))


def test_forecasts_and_training_are_kept_point_by_point(data, fitted, tmp_path: Path) -> None:
    table = backtest({"fitted": fitted(HORIZON)}, data, num_samples=10, out=tmp_path, quiet=True)
    found = load_backtest(tmp_path)
    forecasts = found.forecasts(table["run"].iloc[0])
    assert len(forecasts) == WINDOWS * HORIZON * (DIM + 1)
    sums = forecasts[forecasts["item_id"].isna()].sort_values(["window", "step"])
    observed = np.concatenate([entry["target"][:, -HORIZON:].sum(0) for entry in data.test])
    assert sums["observed"].to_numpy() == pytest.approx(observed)
    assert sums["timestamp"].iloc[0] == pd.Timestamp("2024-02-10")
    assert (forecasts["q_0.1"] <= forecasts["q_0.9"]).all()
    training = found.training(table["run"].iloc[0])
    assert training["train_loss"].tolist() == pytest.approx([1, 1 / 2, 1 / 3])
    assert set(training["fit"]) == {0}


def test_a_model_is_trained_once_on_the_training_data(data, fitted) -> None:
    model = fitted(HORIZON)
    backtest({"fitted": model}, data, quiet=True)
    assert [entry["target"].shape[1] for (entry,) in model.seen] == [40]


def test_refitting_trains_on_all_that_lies_before_each_block(data, fitted) -> None:
    model = fitted(HORIZON)
    backtest({"fitted": model}, data, refit_every=2, quiet=True)
    assert [entry["target"].shape[1] for (entry,) in model.seen] == [40, 48]
    assert [entry["feat_dynamic_real"].shape[1] for (entry,) in model.seen] == [40, 48]


def test_a_fixed_history_is_all_that_a_model_sees(data, fitted) -> None:
    model = fitted(HORIZON)
    backtest({"fitted": model}, data, refit_every=1, history=9, quiet=True)
    assert [entry["target"].shape[1] for (entry,) in model.seen] == [9, 9, 9]
    assert model.seen[1][0]["start"] == data.train[0]["start"] + 40 + HORIZON - 9


def test_windows_that_do_not_go_on_from_the_training_data_leave_it_in_a_refit(data, fitted) -> None:
    model = fitted(HORIZON)
    later = [dict(entry, start=entry["start"] + 400) for entry in data.test]
    backtest({"fitted": model}, replace(data, test=later), refit_every=2, quiet=True)
    assert [len(entries) for entries in model.seen] == [1, 2]


def test_a_model_may_take_its_seed_and_a_folder_for_checkpoints(data, walk, tmp_path: Path) -> None:
    asked = []

    class Seeded(walk):
        def for_run(self, seed, directory):
            asked.append((seed, directory))
            return self

    backtest({"m": Seeded(HORIZON)}, data, seeds=(3,), quiet=True)
    table = backtest({"m": Seeded(HORIZON)}, data, seeds=(3,), out=tmp_path, quiet=True)
    folder = tmp_path / "checkpoints" / table["run"].iloc[0] / "fit_0"
    assert asked == [(3, None), (3, folder)]


def test_a_failure_is_recorded_with_its_reason_and_the_rest_goes_on(data, walk, broken, tmp_path: Path) -> None:
    with pytest.warns(RunFailedWarning, match="broken on walks, seed 0: RuntimeError: no weights$"):
        table = backtest({"broken": broken, "walk": walk(HORIZON)}, data, out=tmp_path, quiet=True)
    assert set(table["model"]) == {"walk"}
    runs = load_backtest(tmp_path).runs.set_index("model")
    assert runs["status"].to_dict() == {"broken": "failed", "walk": "finished"}
    assert runs.loc["broken", "error"] == "RuntimeError: no weights"
    assert "in predict" in (tmp_path / "runs" / runs.loc["broken", "run"] / "traceback.txt").read_text()


def test_a_failed_run_is_tried_again(data, walk, broken, tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(BacktestError, match="all 1 runs failed"):
        backtest({"m": broken}, data, out=tmp_path, quiet=True)
    with pytest.raises(ValueError, match=r"no run of this backtest has finished .*no weights"):
        load_backtest(tmp_path)
    monkeypatch.setattr(type(broken), "predict", lambda self, *a, **k: walk(HORIZON).predict(*a, **k))
    backtest({"m": broken}, data, out=tmp_path, quiet=True)
    assert load_backtest(tmp_path).runs["status"].tolist() == ["finished"]


def test_the_first_failure_can_end_it(data, walk, broken) -> None:
    with pytest.raises(BacktestError, match="broken on walks, seed 0"):
        backtest({"broken": broken, "walk": walk(HORIZON)}, data, stop_on_failure=True, quiet=True)


@pytest.mark.parametrize("as_exit", [False, True], ids=["plain", "as Lightning passes it on"])
def test_an_interrupt_stops_and_keeps_what_was_done(data, walk, tmp_path: Path, as_exit: bool) -> None:
    class Interrupted(walk):
        def predict(self, *arguments, **options):
            try:
                raise KeyboardInterrupt
            except KeyboardInterrupt:
                if as_exit:
                    raise SystemExit(1)  # noqa: B904
                raise

    with pytest.raises(KeyboardInterrupt):
        backtest({"walk": walk(HORIZON), "stop": Interrupted(HORIZON)}, data, out=tmp_path, quiet=True)
    assert load_backtest(tmp_path).runs["model"].tolist() == ["walk"]


def test_lines_tell_what_is_done_and_what_was_done_before(data, walk, tmp_path: Path, capsys) -> None:
    for _ in range(2):
        backtest({"walk": walk(HORIZON)}, data, out=tmp_path)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("[1/1] walk on walks, seed 0: CRPS-sum 0.0")
    assert lines[1] == "[1/1] walk on walks, seed 0: already done"


def test_settings_data_seed_and_protocol_make_a_run(data, gaps, walk, tmp_path: Path) -> None:
    for options in ({}, {"seeds": (1,)}, {"num_samples": 7}, {"history": 20}, {"refit_every": 2}, {"metrics": ["nd"]}):
        backtest({"walk": walk(HORIZON)}, data, **{"num_samples": 10, "out": tmp_path, "quiet": True} | options)
    backtest({"walk": walk(HORIZON, 2.0)}, data, num_samples=10, out=tmp_path, quiet=True)
    backtest({"walk": walk(HORIZON)}, gaps, num_samples=10, out=tmp_path, quiet=True)
    assert len(load_backtest(tmp_path).runs) == 8


SAMPLES = np.ones((5, HORIZON, DIM))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Constant(np.ones((5, HORIZON, 2))), r"expected samples \[S, 4, 3\], got \[5, 4, 2\] for window 0"),
        (Constant(np.ones((5, HORIZON))), r"expected samples \[S, 4, 3\], got \[5, 4, 1\]"),
        (Constant(SAMPLES, shift=1), "expected a forecast from 2024-02-10, got one from 2024-02-11"),
        (Constant(SAMPLES, windows=2), "expected one for each of 3 windows, got 2"),
        (
            Constant(np.where(np.arange(DIM) == 1, np.nan, SAMPLES)),
            "finite numbers, got nan for series 'b' on 2024-02-10",
        ),
    ],
)
def test_a_forecast_that_is_none_fails_with_the_reason(data, model, message: str) -> None:
    with pytest.raises(BacktestError, match=message):
        backtest({"m": model}, data, quiet=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": {}}, "models: expected at least one model"),
        ({"models": {"m": 3}}, r"models\['m'\]: expected a gluonts estimator, .*got int"),
        ({"models": {"m": Constant}}, r"models\['m'\]: expected .*got the class Constant"),
        ({"models": {"m": lambda metadata: None}}, r"models\['m'\]: .*got NoneType"),
        ({"seeds": ()}, "seeds: expected at least one seed"),
        ({"seeds": (1, 1)}, r"seeds: expected different numbers, at least 0, got \[1, 1\]"),
        ({"num_samples": 0}, "num_samples: expected at least 1 path, got 0"),
        ({"refit_every": 0}, "refit_every: expected at least 1 window or None, got 0"),
        ({"history": -3}, "history: expected 'expanding' or a number of steps"),
        ({"metrics": ["crps", "mape"]}, "metrics: expected some of crps_sum.*, got 'mape'"),
        ({"metrics": []}, "metrics: expected at least one"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(data, options: dict, message: str) -> None:
    models = options.pop("models", {"m": Constant(SAMPLES)})
    with pytest.raises(ValueError, match=message):
        backtest(models, data, quiet=True, **options)


def changed(data, **fields):
    return replace(data, metadata=replace(data.metadata, **fields))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: replace(data, test=[]), r"data\.test: expected at least one test window"),
        (lambda data: replace(data, train=[]), r"data\.train: expected an entry to train on, got none in 'walks'"),
        (lambda data: changed(data, item_ids=("a", "b")), r"data\.test: expected 2 series .*got 3 in window 0"),
        (
            lambda data: changed(data, prediction_length=60),
            "prediction_length: expected a history before the horizon of 60",
        ),
        (
            lambda data: replace(data, test=[e | {"target": e["target"] * np.nan} for e in data.test]),
            "expected something observed, got only NaN in the windows of 'walks'",
        ),
        (
            lambda data: replace(data, test=[e | {"target": e["target"] / 0.0} for e in data.test]),
            r"expected finite numbers or NaN, got inf for series 'a' on 2024-02-10",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_data_that_cannot_be_judged_by_are_refused(data, walk, change, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        backtest({"walk": walk(HORIZON)}, change(data), quiet=True)


def test_a_horizon_other_than_that_of_the_data_is_refused(data, walk) -> None:
    with pytest.raises(ValueError, match=r"models\['walk'\]: expected a horizon of 4 steps as in walks, got 5"):
        backtest({"walk": walk(5)}, data, quiet=True)


def test_a_model_that_looks_different_in_every_process_is_refused_where_runs_are_kept(data, tmp_path: Path) -> None:
    model = Constant(SAMPLES)
    model.rule = lambda x: x
    assert len(backtest({"m": model}, data, quiet=True))
    with pytest.raises(ValueError, match=r"models\['m'\]: cannot be told apart .*Constant\.rule: .*configuration\(\)"):
        backtest({"m": model}, data, out=tmp_path, quiet=True)


@pytest.mark.parametrize("leftover", ["partial", "checkpoints"])
def test_a_finished_backtest_leaves_no_scaffolding(data, walk, tmp_path: Path, leftover: str) -> None:
    backtest({"walk": walk(HORIZON)}, data, out=tmp_path, quiet=True)
    assert not any((tmp_path / leftover).glob("*"))
    assert Store(tmp_path).record("nothing") is None


def test_a_table_is_read_anew_where_runs_were_kept_since_it_was_written(data, walk, tmp_path: Path) -> None:
    backtest({"walk": walk(HORIZON)}, data, out=tmp_path, quiet=True)
    tables = {name: (tmp_path / name).read_bytes() for name in ("scores.parquet", "runs.parquet")}
    backtest({"wide": walk(HORIZON, 5.0)}, data, out=tmp_path, quiet=True)
    whole = load_backtest(tmp_path)
    for name, content in tables.items():  # as they are while the second backtest is still at it
        (tmp_path / name).write_bytes(content)
        os.utime(tmp_path / name, ns=(0, 0))
    found = load_backtest(tmp_path)
    assert found.runs["model"].tolist() == ["walk", "wide"]
    assert found.scores.equals(whole.scores)


@pytest.mark.parametrize("missing", ["folder", "backtest"])
def test_a_folder_without_a_backtest_is_told_from_one(tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "none" if missing == "folder" else tmp_path
    with pytest.raises(FileNotFoundError, match="no such folder" if missing == "folder" else "no backtest in this"):
        load_backtest(folder)


def test_a_run_that_another_backtest_kept_meanwhile_is_read(data, walk, tmp_path: Path, monkeypatch) -> None:
    real, nested = Store.tables, []

    def tables(self):
        read = real(self)
        if not nested:
            nested.append(True)
            backtest({"b": walk(HORIZON, 2.0)}, data, num_samples=10, out=tmp_path, quiet=True)
        return read

    monkeypatch.setattr(Store, "tables", tables)
    backtest({"a": walk(HORIZON)}, data, num_samples=10, out=tmp_path, quiet=True)
    monkeypatch.undo()
    found = load_backtest(tmp_path)
    assert found.runs["model"].tolist() == ["a", "b"]
    assert set(found.scores["model"]) == {"a", "b"}


def test_the_seasonal_error_does_not_depend_on_what_a_model_sees(data) -> None:
    model = Constant(np.random.default_rng(0).normal(50, 5, size=(20, HORIZON, DIM)))
    msis = [
        value(backtest({"m": model}, data, history=history, metrics="msis", quiet=True), "msis")
        for history in ("expanding", np.int64(9))
    ]
    assert msis[0] == msis[1]
