"""Tables of scores and the published numbers beside them."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hemline.evaluation import METRICS, BacktestError, backtest, load_backtest, summary, table
from hemline.evaluation.runs.metrics import USUAL
from hemline.evaluation.store.which_runs_count import current_runs
from hemline.evaluation.tables.published import CRPS_SUM, SOURCES, published_scores
from hemline.evaluation.tables.score_table import Cell


def long_table(values: dict[tuple[str, str, int], float], metric: str = "crps_sum") -> pd.DataFrame:
    rows = [(f"{m}{d}{s}", m, d, s, None, None, None, metric, v) for (m, d, s), v in values.items()]
    columns = ["run", "model", "dataset", "seed", "window", "item_id", "step", "metric", "value"]
    return pd.DataFrame(rows, columns=columns)


SCORES = long_table(
    {
        ("gru", "x", 0): 0.010,
        ("gru", "x", 1): 0.014,
        ("naive", "x", 0): 0.0061,
        ("naive", "x", 1): 0.0061,
        ("wide", "x", 0): 0.5,
        ("gru", "y", 0): 123.4,
    }
)


def test_cells_are_mean_and_standard_error_over_seeds() -> None:
    rows = table(SCORES).rows
    assert rows["gru"][0].mean == pytest.approx(0.012)
    assert rows["gru"][0].error == pytest.approx(0.002)  # sd 0.00283 over the root of 2
    assert rows["gru"][0].text == "0.0120 ± 0.0020"
    assert rows["naive"][0].text == "0.00610 ± 0"
    assert rows["gru"][1].text == "123"
    assert rows["wide"][1].text == "–"


def test_the_best_two_of_a_dataset_are_bold_and_of_three_or_two_only_the_best() -> None:
    rows = table(SCORES).rows
    assert [model for model, cells in rows.items() if cells[0].best] == ["naive"]
    values = {(model, "x", 0): float(number) for number, model in enumerate("abcd")}
    four = table(long_table(values, "crps_sum")).rows
    assert [model for model, cells in four.items() if cells[0].best] == ["a", "b"]
    assert not any(cells[1].best for cells in rows.values())
    two = table(SCORES[SCORES["model"] != "wide"]).rows
    assert [model for model, cells in two.items() if cells[0].best] == ["naive"]


def test_coverage_is_best_where_it_is_nearest_to_its_name() -> None:
    values = {("sure", "x", 0): 0.5, ("right", "x", 0): 0.79, ("wide", "x", 0): 1.0, ("good", "x", 0): 0.82}
    rows = table(long_table(values, "coverage_80"), "coverage_80").rows
    assert [model for model, cells in rows.items() if cells[0].best] == ["right", "good"]
    assert rows["wide"][0].text == "1.000"
    far = table(long_table({**values, ("right", "x", 0): 0.7, ("good", "x", 0): 0.9}, "coverage_80"), "coverage_80")
    assert not any(cells[0].best for cells in far.rows.values())


def test_widths_are_for_comparison_and_never_bold() -> None:
    values = {(model, "x", 0): number for number, model in enumerate("abc")}
    assert not any(cells[0].best for cells in table(long_table(values, "width_80"), "width_80").rows.values())


def test_markdown_lines_up_and_marks_the_best() -> None:
    lines = str(table(SCORES)).splitlines()
    assert lines[0] == "CRPS-sum, mean ± standard error over seeds, lower is better"
    assert lines[4] == "| gru   | 0.0120 ± 0.0020 | 123 |"
    assert "| **0.00610 ± 0** |" in next(line.replace("  ", "") for line in lines if line.startswith("| naive"))
    assert len({len(line) for line in lines[2:]}) == 1


def test_latex_escapes_what_it_must() -> None:
    text = table(SCORES[SCORES["model"] != "naive"].replace({"x": "a_b", "gru": "50%&co"})).render("latex")
    assert r"model & a\_b & y \\" in text
    assert r"50\%\&co & \textbf{0.0120 $\pm$ 0.0020} & 123 \\" in text
    assert text.count(r"\begin{tabular}{lrr}") == text.count(r"\end{tabular}") == 1


@pytest.mark.parametrize("other", [{"windows": 1}, {"history": "90"}, {"refit_every": 1.0}])
def test_published_numbers_stand_beside_the_published_protocol_only(folder: Path, other: dict) -> None:
    found = load_backtest(folder)
    assert table(found.scores, runs=found.runs.assign(**other)).published == {}
    mixed = [row | other if row["model"] == "broken" else row for row in found.runs.to_dict("records")]
    beside = table(found.scores, runs=mixed)
    assert beside.published == {} or "broken" not in beside.rows


def test_names_are_escaped_for_markdown_and_latex() -> None:
    odd = table(SCORES.replace({"x": "x|y_z", "gru": "c^d{e}~f\\g|h"}))
    assert r"c\textasciicircum{}d\{e\}\textasciitilde{}f\textbackslash{}g|h & " in odd.render("latex")
    lines = str(odd).splitlines()[2:]
    assert r" x\|y_z " in lines[0]
    assert lines[2].startswith(r"| c^d{e}~f\g\|h | ")
    assert len({len(line) for line in lines}) == 1


def test_a_mean_that_is_infinite_is_written() -> None:
    assert Cell(math.inf, math.nan, 1).text == "inf"
    assert Cell(-math.inf, math.nan, 1).text == "-inf"


def test_csv_keeps_all_digits_and_marks_what_is_missing() -> None:
    rows = list(csv.DictReader(io.StringIO(table(SCORES).render("csv"))))
    assert len(rows) == 6
    first, missing = rows[0], next(row for row in rows if (row["model"], row["column"]) == ("wide", "y"))
    assert float(first["mean"]) == pytest.approx(0.012, abs=1e-12)
    assert first["seeds"] == "2"
    assert missing["mean"] == ""
    assert missing["seeds"] == "0"
    assert {(row["dataset"], row["metric"]) for row in rows} == {("x", "crps_sum"), ("y", "crps_sum")}


def test_csv_names_metrics_and_cells_that_are_still_to_be_run() -> None:
    cell = {"model": "late", "dataset": "x", "seed": 0, "failed": False, "reason": "not run yet"}
    rows = list(csv.DictReader(io.StringIO(summary(SCORES, "x", missing=[cell]).render("csv"))))
    assert {(row["dataset"], row["metric"], row["column"]) for row in rows} == {("x", "crps_sum", "CRPS-sum")}
    assert [(row["model"], row["missing"]) for row in rows if row["missing"] != "0"] == [("late", "1")]


def test_published_numbers_stand_beside_the_exact_archive_only(folder: Path) -> None:
    found = load_backtest(folder)
    made = table(found.scores, runs=found.runs)
    assert made.columns == ("walks", "exchange")
    assert made.published["TimeGrad"] == ("–", "0.006 [a]")
    assert "[a] Table 2 of TimeGrad" in str(made)
    assert "*TimeGrad, published*" in str(made)
    sources = {row["source"] for row in csv.DictReader(io.StringIO(made.render("csv")))}
    assert SOURCES["a"] in sources
    assert table(found.scores, "crps", runs=found.runs).published == {}
    only = found.runs[found.runs["dataset"] == "walks"]
    assert table(found.scores, runs=only).published == {}


def test_every_published_number_names_where_it_was_read_and_those_from_memory_are_not_among_them() -> None:
    assert {row.source for row in CRPS_SUM} == set(SOURCES)
    assert all(row.cited for row in CRPS_SUM)
    cells = {(row.model, row.archive) for row in CRPS_SUM}
    assert len(cells) == len(CRPS_SUM)
    unverified = [("LSTM-MAF", "exchange_rate_nips"), ("LSTM-RealNVP", "exchange_rate_nips")]
    unverified += [(model, "wiki-rolling_nips") for model in ("LSTM-MAF", "LSTM-RealNVP", "TLAE")]
    assert cells.isdisjoint(unverified)
    assert "CSDI" not in {row.model for row in CRPS_SUM}
    assert published_scores([None, "wiki2000_nips"]) == []


def test_failed_and_missing_cells_are_told_apart(folder: Path) -> None:
    found = load_backtest(folder)
    rows = table(found.scores, runs=found.runs).rows
    assert [cell.text for cell in rows["broken"]] == ["–", "failed"]
    assert rows["fitted"][1].text == "–"
    assert Cell(0.5, math.nan, 2, 1).text == "0.500 (1 failed)"


def test_a_summary_has_every_metric_of_a_dataset(folder: Path) -> None:
    found = load_backtest(folder)
    made = summary(found.scores, "walks", runs=found.runs)
    assert made.columns == tuple(METRICS[name].label for name in USUAL)
    assert list(made.rows) == ["walk", "wide", "fitted"]
    with pytest.raises(ValueError, match="dataset: expected one of walks, exchange, got None"):
        summary(found.scores, runs=found.runs)


def test_a_mean_over_seeds_never_mixes_settings(folder: Path) -> None:
    runs = load_backtest(folder).runs
    old = runs.assign(run=runs["run"] + "o", configuration_hash="other", started="2020", seed=runs["seed"] + 9)
    assert set(current_runs(pd.concat([runs, old]))["run"]) == set(runs["run"])
    assert "left out" not in str(table(load_backtest(folder).scores, runs=runs))
    assert f"{len(runs)} run(s) with older settings are left out." in str(
        table(load_backtest(folder).scores, runs=pd.concat([runs, old]))
    )
    newer = old.assign(started="9999")
    assert set(current_runs(pd.concat([runs, newer]))["run"]) == set(newer["run"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: table(SCORES, "mape"), "metric: expected one of crps_sum.*, got 'mape'"),
        (lambda: table(SCORES, "crps"), "metric: 'crps' was not computed in this backtest, expected one of crps_sum"),
        (lambda: table(SCORES.iloc[:0]), "scores: expected the long table of a backtest, got an empty one"),
        (lambda: table(SCORES).render("html"), "format: expected one of markdown, latex, csv, got 'html'"),
        (lambda: summary(SCORES, "z"), "dataset: expected one of x, y, got 'z'"),
    ],
)
def test_tables_that_cannot_be_made_are_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_a_seed_counts_once_and_keeps_the_metrics_of_all_its_runs(data, walk, tmp_path: Path) -> None:
    options = {"num_samples": 10, "out": tmp_path, "quiet": True}
    backtest({"walk": walk(4)}, data, seeds=(0, 1), metrics="crps", **options)
    before = table(load_backtest(tmp_path).scores, "crps").rows
    backtest({"walk": walk(4)}, data, seeds=(0,), metrics=["nd"], **options)
    found = load_backtest(tmp_path)
    assert table(found.scores, "crps", runs=found.runs).rows == before
    assert table(found.scores, "nd", runs=found.runs).rows["walk"][0].seeds == 1
    assert current_runs(found.runs)["seed"].value_counts().to_dict() == {0: 1, 1: 1}


def test_other_data_and_protocols_do_not_stand_side_by_side(data, gaps, walk, tmp_path: Path) -> None:
    options = {"metrics": "crps", "out": tmp_path, "quiet": True}
    other = replace(gaps, metadata=replace(gaps.metadata, name="walks"))
    backtest({"data": walk(4)}, other, num_samples=10, **options)
    backtest({"paths": walk(4)}, data, num_samples=7, **options)
    backtest({"last": walk(4)}, data, num_samples=10, **options)
    found = load_backtest(tmp_path)
    made = table(found.scores, "crps", runs=found.runs)
    assert list(made.rows) == ["last"]
    assert made.notes == ("Left out: data on walks: other data.", "Left out: paths on walks: 7 paths, not 10.")


def test_settings_asked_for_again_are_the_newest(data, walk, tmp_path: Path) -> None:
    for spread in (1.0, 9.0, 1.0):
        scores = backtest({"walk": walk(4, spread)}, data, num_samples=10, out=tmp_path, quiet=True)
    assert set(current_runs(load_backtest(tmp_path).runs)["run"]) == set(scores["run"])


def test_a_dataset_on_which_every_run_failed_is_in_the_table(data, single, walk, broken, tmp_path: Path) -> None:
    backtest({"walk": walk(4)}, data, num_samples=10, out=tmp_path, quiet=True)
    with pytest.raises(BacktestError):
        backtest({"broken": broken}, single, out=tmp_path, quiet=True)
    found = load_backtest(tmp_path)
    made = table(found.scores, runs=found.runs)
    assert made.columns == ("walks", "alone")
    assert made.rows["broken"][1].text == "failed"
    assert summary(found.scores, "alone", ["nd"], runs=found.runs).rows["broken"][0].text == "failed"
