"""Scores of totals: those of the sums themselves, in the long table, in tables and on the page; and bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hemline.datasets import Hierarchy, simulated_sales
from hemline.evaluation import backtest, report, table
from hemline.evaluation.runs.levels import at_level, in_order, metric_named
from hemline.evaluation.runs.metrics import METRICS, Outcome
from hemline.evaluation.tables.table import summary
from hemline.forecasting import RandomWalkPredictor

ITEMS = ("dress_1", "dress_2", "dress_3", "coat_1")


@pytest.fixture(scope="module")
def data():
    found = simulated_sales(articles=4, style_size=3, weeks=110, windows=2)
    style = {item: item.partition("_")[0] for item in ITEMS}
    assert found.metadata.item_ids == ITEMS
    return replace(found, metadata=replace(found.metadata, attributes={"style": style}))


@pytest.fixture(scope="module")
def scores(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("levels")
    metrics = ["crps", "crps_sum", "crps@style", "nd@total", "energy_score@style"]
    return backtest(
        {"walk": RandomWalkPredictor(8)}, data, num_samples=40, metrics=metrics, out=folder, quiet=True
    ), folder


def test_the_score_of_a_level_is_that_of_the_sums(data, scores):
    found, _ = scores
    rows = found[(found["metric"] == "crps@style") & found["item_id"].notna()].set_index("item_id")["value"]
    assert list(rows.index) == ["style=dress", "style=coat"]
    hierarchy = Hierarchy.of_attributes(ITEMS, data.metadata.attributes)
    parts = np.zeros(3)
    for number, entry in enumerate(data.test):
        past, truth = entry.history(8), entry.target[:, -8:].T
        (forecast,) = RandomWalkPredictor(8).predict([past], num_samples=40, seed=number)
        sums = hierarchy.matrix("style")
        outcome = Outcome(forecast.samples.astype(float) @ sums.T, truth @ sums.T, sums @ past.target, 52)
        same = at_level(Outcome(forecast.samples, truth, past.target, 52), sums)
        np.testing.assert_allclose(same.samples, outcome.samples)
        np.testing.assert_allclose(METRICS["crps"].parts(same), METRICS["crps"].parts(outcome))
        parts += METRICS["crps"].parts(outcome).reshape(3, -1).sum(1)
    pooled = found[(found["metric"] == "crps@style") & found[["window", "item_id", "step"]].isna().all(axis=1)]
    # Other draws of the same walk.
    assert pooled["value"].item() == pytest.approx(METRICS["crps"].pool(parts), rel=0.15)


def test_the_level_of_all_series_is_their_sum(scores):
    found, _ = scores
    named = found[(found["metric"] == "nd@total") & found["item_id"].notna()]
    assert list(named["item_id"]) == ["total"]


def test_a_total_is_missing_where_one_of_its_series_is():
    rng = np.random.default_rng(0)
    observed = rng.normal(size=(2, 3))
    observed[0, 1] = np.nan
    told = at_level(
        Outcome(rng.normal(size=(5, 2, 3)), observed, rng.normal(size=(3, 9)), 1), np.array([[1, 1, 0], [0, 0, 1.0]])
    )
    assert np.isnan(told.observed).tolist() == [[True, False], [False, False]]
    assert told.observed[1, 0] == pytest.approx(observed[1, 0] + observed[1, 1])


def test_tables_and_the_page_have_the_levels(scores):
    found, folder = scores
    assert table(found, "crps@style").title.startswith("CRPS by style, mean")
    whole = summary(found)
    assert "CRPS by style" in whole.columns
    page = report(folder).read_text()
    assert "Totals by level" in page
    assert "Of the totals by style, in the place of the series." in page


def test_names_of_levels_follow_their_metrics():
    assert in_order(["nd@x", "crps@b", "crps", "crps@a"]) == ["crps", "crps@b", "crps@a", "nd@x"]
    assert metric_named("crps@region/category").label == "CRPS by region and category"


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("crps@brand", "metrics: expected levels of 'simulated_sales', total, style; got 'crps@brand'"),
        ("crps@", "metrics: expected some of crps_sum, .*got 'crps@'"),
        ("nope@style", "metrics: expected some of crps_sum, .*got 'nope@style'"),
        ("crps@style/", "metrics: expected some of .*got 'crps@style/'"),
    ],
)
def test_wrong_levels_are_refused_before_anything_runs(data, metric, message):
    with pytest.raises(ValueError, match=message) as caught:
        backtest({"walk": RandomWalkPredictor(8)}, data, num_samples=5, metrics=[metric], quiet=True)
    assert "\n" not in str(caught.value)
