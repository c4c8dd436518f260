"""`hemline train`, `forecast` and `simulate` on a table of one's own, with what is planned for the weeks to come."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import typer
from hemline.datasets import get_dataset, simulated_sales
from hemline.datasets.entries.data import whole_history
from hemline.forecasting.commands import train as commands
from hemline.forecasting.commands.simulate import chosen_window
from hemline.forecasting.commands.train import register
from typer.testing import CliRunner

DESCRIPTION = """
table = "sales.csv"
article = "sku"
date = "week"
units = "sold"
price = "eur"
prediction_length = 4
windows = 2
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Sixty weeks of two articles, and the prices of four weeks more; commands start from the folder of the table."""
    weeks, generator = pd.date_range("2023-01-02", periods=64, freq="W-MON"), np.random.default_rng(0)
    table = pd.DataFrame({"sku": np.repeat(["coat", "hat"], 64), "week": np.tile(weeks, 2)})
    table["eur"] = generator.choice([16.0, 20.0], 128)
    table["sold"] = generator.poisson(30 * (table["eur"] / 20) ** -2).astype(float)
    table.loc[table["week"] > weeks[59], "sold"] = np.nan
    table.to_csv(tmp_path / "sales.csv", index=False)
    (tmp_path / "shop.toml").write_text(DESCRIPTION)
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    register(app, get_dataset)

    def invoke(*arguments: str) -> str:
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    return invoke


def test_a_predictor_of_an_own_table_forecasts_the_weeks_to_come_and_simulates_them(run, tmp_path, monkeypatch):
    run("train", "--dataset", "shop.toml", "--model", "var-responding", "--whole", "--out", "predictor")
    assert json.loads((tmp_path / "predictor/dataset.json").read_text())["name"] == str(tmp_path / "shop.toml")
    to_come = ("forecast", "--predictor", "predictor", "--dataset", "shop.toml", "--out", "monday.csv")
    assert "8 rows, 2024-02-26 to 2024-03-18" in run(*to_come)
    assert "8 rows, 2024-01-01 to 2024-01-22" in run(*to_come, "--window", "0")
    # A quantile between two counts has a few digits; 639.0000000000002 is no number of coats.
    assert max(map(len, (tmp_path / "monday.csv").read_text().replace("\n", ",").split(","))) <= 11
    monkeypatch.chdir("/")
    change = ("simulate", "--predictor", str(tmp_path / "predictor"), "--articles", "coat,hat")
    change += ("--set", "price[coat] = 10", "--paths", "20", "--out", str(tmp_path / "page"))
    said = run(*change)
    assert "price[coat] was between 16 and 20 and would be 10: how sales answer to that was never seen" in said
    assert "2024-02-26 to 2024-03-18, after the data\n" in said
    said = run(*change, "--window", "0")
    assert "how sales answer to that was never seen" in said
    assert "2024-01-01 to 2024-01-22, test window 0\n" in said
    drawn = pd.read_csv(tmp_path / "page/forecasts.csv")
    assert drawn["timestamp"].min() == "2024-01-01"


def test_an_article_that_has_ended_is_no_part_of_a_simulation(run, tmp_path):
    table = pd.read_csv(tmp_path / "sales.csv")
    ended = table[(table["sku"] == "coat") & (table["week"] < "2023-09-01")].assign(sku="belt")
    pd.concat([ended, table]).to_csv(tmp_path / "sales.csv", index=False)
    run("train", "--dataset", "shop.toml", "--model", "var-responding", "--whole", "--out", "predictor")
    change = (
        "simulate",
        "--predictor",
        "predictor",
        "--articles",
        "coat,hat",
        "--set",
        "price[coat] = 16",
        "--paths",
        "20",
    )
    assert "after the data" in run(*change, "--out", "page")
    assert set(pd.read_csv(tmp_path / "page/forecasts.csv")["item_id"]) == {"coat", "hat"}
    with pytest.raises(ValueError, match=r"articles: expected .*coat, hat.*'belt'"):
        run("simulate", "--predictor", "predictor", "--articles", "belt,hat", *change[5:], "--out", "other")


def test_a_table_without_prices_to_come_says_what_is_missing_and_which_weeks_are_simulated(run, tmp_path):
    run("train", "--dataset", "shop.toml", "--model", "var-responding", "--whole", "--out", "predictor")
    pd.read_csv("sales.csv").dropna().to_csv("sales.csv", index=False)
    with pytest.raises(ValueError, match="to 2024-03-18, got them to 2024-02-19 in entry 0; give their values for the"):
        run("forecast", "--predictor", "predictor", "--dataset", "shop.toml", "--out", "monday.csv")
    assert not (tmp_path / "monday.csv").exists()
    change = ("--articles", "coat,hat", "--set", "price[coat] = 15", "--paths", "20", "--out", "page")
    said = run("simulate", "--predictor", "predictor", *change)
    assert "2024-01-29 to 2024-02-19, test window 1, the last: no channels are known after the data\n" in said


@pytest.mark.parametrize(("options", "steps"), [((), 52), (("--whole",), 60)])
def test_a_model_learns_from_the_test_windows_only_when_asked(options, steps, run, monkeypatch):
    class Learner:
        def for_run(self, seed, checkpoints):
            return self

        def train(self, entries):
            raise ValueError(f"{entries[0]['target'].shape[1]} steps")

    monkeypatch.setattr(commands, "build_model", lambda *given: Learner())
    with pytest.raises(ValueError, match=f"{steps} steps$"):
        run("train", "--dataset", "shop.toml", "--model", "pool", "--out", "predictor", *options)


def test_windows_that_do_not_go_on_from_the_training_data_are_learnt_from_beside_it():
    data = simulated_sales(articles=2, weeks=104)
    assert [entry["target"].shape[1] for entry in whole_history(data)] == [104]
    data.test[-1] = data.test[-1].with_(start=data.test[-1].start + 1)
    assert len(whole_history(data)) == 2


def test_the_newest_future_that_is_known_is_simulated_unless_a_window_is_named():
    data = simulated_sales(articles=2, weeks=104, windows=3)
    assert [chosen_window(data, window) for window in (None, 1, -1, -3, -4)] == [2, 1, 2, 0, -4]
    assert chosen_window(simulated_sales(articles=2, weeks=104, windows=0), None) is None
    assert chosen_window(data.without_covariates(), None) is None
