"""The results page says what its file of scores says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd
import pytest
from hemline.datasets import DATASETS
from hemline.forecasting import MODELS

ROOT = Path(__file__).parents[2]
SCORES = ROOT / "docs" / "results.csv"


@pytest.fixture(scope="module")
def results():
    spec = importlib.util.spec_from_file_location("results", ROOT / "benchmarks" / "results.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(model, seed, run, value, window=float("nan"), dataset="taxi_manhattan"):
    return dict(dataset=dataset, model=model, seed=seed, run=run, window=window, metric="energy_score", value=value)


@pytest.mark.parametrize(("page", "made"), [("docs/results.md", "as_tables"), ("README.md", "for_merchants")])
def test_a_page_is_made_of_the_file(results, page, made):
    text = (ROOT / page).read_text()
    assert results.between_marks(text, getattr(results, made)(pd.read_csv(SCORES))) == text


def test_no_window_that_stands_in_the_training_span_is_won(results):
    scores = pd.read_csv(SCORES)
    assert results.REPEATED in set(scores["dataset"])
    headings = [line for line in results.as_tables(scores).splitlines() if line.startswith("### Share of")]
    assert len(headings) == len(results.BY_WINDOW)
    assert all(f"of {scores['dataset'].nunique() - 1} datasets" in heading for heading in headings)


def test_the_file_has_each_number_once_and_of_what_the_house_knows():
    scores = pd.read_csv(SCORES)
    assert not scores.duplicated(["dataset", "model", "seed", "window", "metric"]).any()
    assert set(scores["dataset"]) <= set(DATASETS)
    assert all(model in MODELS or ":" in model for model in set(scores["model"]))


def test_a_later_run_of_the_same_cell_replaces_all_of_the_earlier_one(results):
    old = pd.DataFrame([row("deepar", 0, "a", 1.0), row("deepar", 0, "a", 1.5, 0), row("deepar", 1, "b", 2.0)])
    new = pd.DataFrame([row("deepar", 0, "c", 3.0), row("cross-fit", 0, "d", 4.0)])
    found = results.merged([old, new])
    assert found[["model", "seed", "run", "value"]].values.tolist() == [
        ["cross-fit", 0, "d", 4.0],
        ["deepar", 0, "c", 3.0],
        ["deepar", 1, "b", 2.0],
    ]
    pd.testing.assert_frame_equal(results.merged([found, new]).reset_index(drop=True), found.reset_index(drop=True))


def test_the_line_of_seeds(results):
    assert results._seeds_line(pd.Series({"a": 3, "b": 3})) == "3 seeds each."
    assert results._seeds_line(pd.Series({"a": 3, "b": 1, "c": 3})) == "3 seeds: a, c; 1 seed: b."
