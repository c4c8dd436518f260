"""The commands: backtest, table, report."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
import typer
from hemline.evaluation import load_backtest
from hemline.evaluation.commands import parse_seeds, register
from typer.testing import CliRunner, Result


@pytest.fixture
def hemline(data, walk, broken):
    """Runs a command on an app with two models and one dataset; what was built is kept in ``built``."""
    app = typer.Typer()
    built: list[tuple[str, dict[str, Any]]] = []

    def build(name: str, metadata, overrides):
        built.append((name, dict(overrides)))
        return broken if name == "broken" else walk(metadata.prediction_length, **overrides)

    def load(name: str):
        if name != "walks":
            raise ValueError(f"dataset: unknown dataset {name!r}")
        return data

    register(app, build, ["walk", "broken"], load)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    run.built = built
    return run


def test_backtest_prints_the_table_and_table_prints_it_again(hemline, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    result = hemline("backtest", "--dataset", "walks", "--models", "walk", "--seeds", "2", "--out", out)
    assert result.exit_code == 0
    assert "| walk  | 0.0" in result.stdout
    assert "seed 1: CRPS-sum" in result.stderr
    again = hemline("table", out)
    assert again.stdout.strip() == result.stdout.strip()


def test_seeds_samples_history_and_settings_reach_the_runs(hemline, tmp_path: Path) -> None:
    config, out = tmp_path / "c.toml", tmp_path / "out"
    config.write_text("[walk]\nspread = 3.0\n")
    options = ["--seeds", "4,7", "--num-samples", "5", "--refit-every", "2", "--history", "20", "--config", str(config)]
    result = hemline("backtest", "--dataset", "walks", "--models", "walk", "--out", str(out), *options)
    assert result.exit_code == 0
    assert hemline.built == [("walk", {"spread": 3.0})]
    from hemline.evaluation import load_backtest

    runs = load_backtest(out).runs
    assert runs["seed"].tolist() == [4, 7]
    assert runs[["num_samples", "refit_every", "history"]].drop_duplicates().values.tolist() == [[5, 2, "20"]]


def test_a_failed_run_is_told_after_the_table_and_by_the_exit_code(hemline, tmp_path: Path) -> None:
    result = hemline("backtest", "--dataset", "walks", "--models", "walk,broken", "--out", str(tmp_path))
    assert result.exit_code != 0
    assert "| broken | failed" in result.stdout
    assert str(result.exception) == "1 of 2 runs failed: broken on walks, seed 0: RuntimeError: no weights"


def test_tables_come_in_three_formats_and_with_several_metrics(folder: Path, hemline) -> None:
    latex = hemline("table", str(folder), "--format", "latex", "--metric", "crps")
    assert r"\toprule" in latex.stdout
    rows = list(csv.DictReader(io.StringIO(hemline("table", str(folder), "--format", "csv").stdout)))
    assert {row["column"] for row in rows} == {"walks", "exchange"}
    metrics = hemline("table", str(folder), "--format", "csv", "--metric", "crps,nd").stdout
    rows = list(csv.DictReader(io.StringIO(metrics)))
    assert {(row["dataset"], row["metric"]) for row in rows} == {
        (d, m) for d in ("walks", "exchange") for m in ("crps", "nd")
    }
    several = hemline("table", str(folder), "--metric", "crps,coverage_80").stdout
    assert several.count("| model") == 2
    assert "Cover 80%" in several
    assert hemline("table", str(folder), "--metric", "all").stdout.count("Variogram") == 2


def test_models_are_held_against_each_other(folder: Path, hemline) -> None:
    names = list(dict.fromkeys(record["model"] for record in load_backtest(folder).runs.to_dict("records")))
    rows = list(
        csv.DictReader(io.StringIO(hemline("table", str(folder), "--wins", names[0], "--format", "csv").stdout))
    )
    assert {row["model"] for row in rows} == set(names[1:]) - {"broken"}
    assert all(0 <= float(row["mean"]) <= 1 for row in rows)
    assert {(row["dataset"], row["metric"]) for row in rows} == {("", "crps_sum")}
    both = hemline("table", str(folder), "--wins", "all", "--metric", "crps,crps_sum").stdout
    assert both.count("in which the column has a lower") == 2
    assert "models: expected some of" in str(hemline("table", str(folder), "--wins", "nobody").exception)


def test_a_grid_is_run_and_its_table_printed(hemline, tmp_path: Path) -> None:
    grid, out = tmp_path / "grid.toml", tmp_path / "grid"
    lines = [
        f"out = '{out}'",
        "datasets = ['walks']",
        "models = ['walk']",
        "seeds = 2",
        "[settings.walk]",
        "spread = 3.0",
    ]
    grid.write_text("\n".join(lines))
    result = hemline("table", "--run", str(grid), "--metric", "crps,nd")
    assert result.exit_code == 0
    assert "| walk  |" in result.stdout
    assert "[2/2] walk on walks, seed 1: CRPS-sum" in result.stderr
    assert hemline.built[0] == ("walk", {"spread": 3.0})
    assert hemline("table", str(out), "--metric", "crps,nd").stdout == result.stdout
    assert "[1/2] walk on walks, seed 0: already done" in hemline("table", "--run", str(grid)).stderr


def test_a_grid_without_the_usual_score_has_a_table_of_those_it_has(hemline, tmp_path: Path) -> None:
    grid = tmp_path / "grid.toml"
    lines = f"out = '{tmp_path / 'grid'}'\ndatasets = ['walks']\nmodels = ['walk']\n"
    grid.write_text(f"{lines}metrics = ['crps']\n")
    result = hemline("table", "--run", str(grid))
    assert (result.exit_code, result.stdout.partition(",")[0]) == (0, "CRPS")
    grid.write_text(f"{lines}metrics = ['coverage_80', 'nd']\n")
    result = hemline("table", "--run", str(grid))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[2].split() == ["|", "model", "|", "ND", "|", "Cover", "80%", "|"]


def test_missing_cells_of_a_grid_are_told_under_the_table_and_by_the_exit_code(hemline, tmp_path: Path) -> None:
    grid = tmp_path / "grid.toml"
    grid.write_text(f"out = '{tmp_path / 'grid'}'\ndatasets = ['walks', 'gone']\nmodels = ['walk', 'broken']\n")
    result = hemline("table", "--run", str(grid))
    assert result.exit_code != 0
    assert str(result.exception) == "3 cell(s) are missing; the lines under the table say why"
    assert "Missing: broken on walks, seed 0: RuntimeError: no weights" in result.stdout
    assert "Missing: walk, broken on gone, seed 0: ValueError: dataset: unknown dataset 'gone'" in result.stdout


@pytest.mark.parametrize("text", ["0", "-1", "two", ""])
def test_workers_are_a_number_or_all(hemline, tmp_path: Path, text: str) -> None:
    grid = tmp_path / "grid.toml"
    grid.write_text(f"out = '{tmp_path / 'grid'}'\ndatasets = ['walks']\nmodels = ['walk']\n")
    result = hemline("table", "--run", str(grid), f"--workers={text}")
    assert f"workers: expected a number from 1, or all; got {text!r}" in str(result.exception)
    assert not (tmp_path / "grid").exists()


def test_a_misspelt_key_or_model_of_a_grid_is_one_clear_line(hemline, tmp_path: Path) -> None:
    grid = tmp_path / "grid.toml"
    grid.write_text("out = 'o'\ndatasets = ['walks']\nmodels = ['wlak']\n")
    assert "models: expected some of walk, broken, got 'wlak'" in str(hemline("table", "--run", str(grid)).exception)
    grid.write_text("out = 'o'\ndataset = ['walks']\nmodels = ['walk']\n")
    assert "grid: expected some of the keys out, datasets" in str(hemline("table", "--run", str(grid)).exception)


def test_report_says_where_the_page_lies(folder: Path, hemline, tmp_path: Path) -> None:
    result = hemline("report", str(folder), "--out", str(tmp_path / "page.html"))
    assert result.stdout.strip() == f"The report lies in {tmp_path / 'page.html'}"
    assert (tmp_path / "page.html").exists()


def test_seeds_are_a_number_or_a_list() -> None:
    assert parse_seeds("3") == [0, 1, 2]
    assert parse_seeds(" 0, 5,7") == [0, 5, 7]
    for text in ("0", "-1", "", "a", "1,b"):
        with pytest.raises(ValueError, match="seeds: expected a number of seeds such as 3, or a list"):
            parse_seeds(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["backtest", "--models", "walk,gru"], "models: expected some of walk, broken, got 'gru'"),
        (["backtest", "--models", " , "], "models: expected some of walk, broken, got none"),
        (["backtest", "--seeds", "x"], "seeds: expected a number of seeds"),
        (["backtest", "--dataset", "gone"], "unknown dataset 'gone'"),
        (["backtest", "--config", "missing.toml"], "missing.toml"),
        (["backtest", "--num-samples", "0"], "num_samples: expected at least 1 path"),
        (["table", "{tmp}"], "no backtest in this folder"),
        (["table"], "folder: expected either a folder or --run GRID.toml, got neither"),
        (["table", "{folder}", "--run", "g.toml"], "folder: expected either a folder or --run GRID.toml, got both"),
        (["table", "{folder}", "--workers", "2"], "workers: expected with --run only, got it with the folder"),
        (["table", "{folder}", "--ray"], "ray: expected with --run only"),
        (["table", "{folder}", "--address", "auto"], "address: expected with --run only"),
        (["table", "--run", "{tmp}/none.toml"], "none.toml"),
        (["report", "{tmp}/none"], "no such folder"),
        (["table", "{folder}", "--metric", "mape"], "got 'mape'"),
        (["table", "{folder}", "--format", "html"], "format: expected one of markdown, latex, csv"),
    ],
)
def test_bad_input_is_one_clear_line(hemline, folder: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    given = [argument.format(tmp=tmp_path, folder=folder) for argument in arguments]
    if given[0] == "backtest":
        for name, value in (("--dataset", "walks"), ("--models", "walk"), ("--out", str(tmp_path / "out"))):
            given += [] if name in given else [name, value]
    result = hemline(*given)
    assert result.exit_code != 0
    assert isinstance(result.exception, (ValueError, OSError))
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[gru]\nx = 1", "config: expected a table for each of walk, .*has 'gru'"),
        ("walk = 3", "config: expected a table .*has 'walk'"),
        ("[walk", "config: .* not TOML"),
    ],
)
def test_settings_that_are_none_are_refused(hemline, tmp_path: Path, text: str, message: str) -> None:
    config = tmp_path / "c.toml"
    config.write_text(text)
    given = ["--dataset", "walks", "--models", "walk", "--out", str(tmp_path / "o"), "--config", str(config)]
    result = hemline("backtest", *given)
    with pytest.raises(ValueError, match=message):
        raise result.exception
