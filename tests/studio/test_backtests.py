"""Backtests in the studio: runs by their scores, worst windows first, fans against what came, calibration."""

from __future__ import annotations

import re

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the extra `studio`")

from hemline.datasets import simulated_sales
from hemline.evaluation import backtest, load_backtest
from hemline.forecasting import build_model
from hemline.studio.forecasts.backtests import StoredBacktest, holds_backtest


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    data = simulated_sales(articles=4, weeks=120, windows=3)
    out = tmp_path_factory.mktemp("backtests") / "spring"
    models = {name: build_model(name, data.metadata) for name in ("seasonal-naive", "last-value")}
    backtest(models, data, seeds=[0], num_samples=100, out=out)
    return out


@pytest.fixture
def found(planner, folder):
    planner.backtests["spring"] = StoredBacktest(folder)
    return planner.backtests["spring"]


def test_the_best_run_comes_first_and_the_worst_window(found, plan, folder):
    scores = load_backtest(folder).scores
    pooled = scores[scores[["window", "item_id", "step"]].isna().all(axis=1) & (scores["metric"] == "crps")]
    page = plan().get("/backtests").text
    models = re.findall(r'run=spring%2F([\w-]+)%2F[\w]+%2F0"[^>]*>[\w-]+</a></th>', page)
    assert models == list(pooled.sort_values("value")["model"])
    best = scores[(scores["model"] == models[0]) & (scores["metric"] == "crps") & scores["window"].notna()]
    wanted = [str(number) for number in best.sort_values("value", ascending=False)["window"]]
    assert re.findall(r'/backtests/window\?[^"]*window=(\d)"', page) == wanted


def test_the_stored_quantiles_give_nearly_the_crps_of_the_run(found, folder):
    run = found.run("spring")
    for window in run.past():
        sold = np.abs(window.observed[:, :-1]).sum()
        assert window.losses[:, :-1].sum() / sold == pytest.approx(window.score, rel=0.05)
        assert window.error == window.score


def test_a_window_lists_its_series_the_worst_first_and_leads_to_their_fans(found, plan):
    browser = plan()
    run = found.run("spring")
    page = browser.get("/backtests/window", params={"run": run.name, "window": "1"}).text
    window = run.window("1")
    names = re.findall(r'series=(\w+)">', page)
    assert names == [window.item_ids[place] for place in np.argsort(-window.errors[:-1], kind="stable")]
    for series in (names[0], ""):
        told = {"run": run.name, "window": "1", "series": series}
        page = browser.get("/backtests/series", params=told).text
        held, of = window.inside(window.place(series))
        assert f"in {held} of {of} steps" in page
        picture = browser.get("/backtests/fan.svg", params=told)
        assert picture.headers["content-type"] == "image/svg+xml"
        assert "<svg" in picture.text


def test_what_came_is_what_the_data_say_and_the_sum_is_that_of_all(found):
    data = simulated_sales(articles=4, weeks=120, windows=3)
    for number, window in enumerate(found.run("spring").past()):
        horizon = len(window.dates)
        np.testing.assert_allclose(window.observed[:, :-1], data.test[number].target[:, -horizon:].T, rtol=1e-6)
        np.testing.assert_allclose(window.observed[:, -1], window.observed[:, :-1].sum(1), rtol=1e-6)
        assert (np.diff(window.quantiles, axis=0) >= 0).all()


def test_calibration_is_that_of_the_scores(found, plan, folder):
    run = found.run("spring")
    shares, (lower, upper) = run.calibration
    scores = load_backtest(folder).scores
    pooled = scores[scores[["window", "item_id", "step"]].isna().all(axis=1) & (scores["model"] == run.model)]
    assert shares[0.8] == pytest.approx(pooled[pooled["metric"] == "coverage_80"]["value"].iloc[0], abs=0.04)
    assert ((lower >= 0) & (upper <= 1) & (lower < upper)).all()
    browser = plan()
    page = browser.get("/backtests/calibration", params={"run": run.name}).text
    assert f"{100 * shares[0.8]:.1f} %" in page
    assert "<svg" in browser.get("/backtests/calibration.svg", params={"run": run.name}).text


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/backtests?run=nope", "run: expected one of spring"),
        ("/backtests?run=spring/nope", "model: expected one of spring/"),
        ("/backtests/window?run=spring&window=9", "window: expected one of 0, 1, 2"),
        ("/backtests/series?run=spring&series=nope", "series: expected one of the 4 of the backtest"),
        ("/backtests/fan.svg?run=spring&series=nope", "series: expected one of the 4 of the backtest"),
        ("/backtests?run=../spring", "run: expected one of spring"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(found, plan, address, told):
    answer = plan().get(address)
    assert answer.status_code == 400
    assert told in answer.text


def test_a_folder_is_known_to_hold_a_backtest(folder, tmp_path):
    assert holds_backtest(folder)
    assert not holds_backtest(tmp_path)
    (tmp_path / "runs").mkdir()
    with pytest.raises(ValueError, match="no run of this backtest has finished"):
        StoredBacktest(tmp_path)
