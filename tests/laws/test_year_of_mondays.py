"""Week by week over launches and delistings: a model is updated each Monday and forecasts what is sold then."""

from __future__ import annotations

import functools
import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hemline import cli
from hemline.datasets import from_sales, simulated_shop
from hemline.forecasting import build_model
from hemline.runtime.training.checkpoints import Checkpoints
from typer.testing import CliRunner

from ..conftest import FEW, QUICK, SHORT

# What is launched later, and the first promotion of an article, are said; here they are meant.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*left out:UserWarning"),
    pytest.mark.filterwarnings("ignore:covariates.*was never seen:UserWarning"),
    pytest.mark.filterwarnings("ignore:covariates.*move together:UserWarning"),
]

HOW = {
    "article": "Artikel", "store": "Filiale", "date": "Woche", "units": "Absatz", "price": "Preis",
    "promotion": "Aktion", "in_stock": "Bestand", "shared_covariates": ["Feiertag"], "prediction_length": 4,
    "windows": 0, "unseen": "drop",
}  # fmt: skip


@functools.cache
def shop():
    """A shop with a year of launches and delistings behind its first one."""
    return simulated_shop(articles=12, weeks=108, prediction_length=4, launches=0.5, delistings=0.3, seed=1)


def export(week):
    """The table as it is exported after so many weeks: four weeks to come have prices and no sales yet."""
    table = shop().table
    step = (table["Woche"] - table["Woche"].min()).dt.days // 7
    rows = table[step < week + 4].copy()
    rows.loc[step[step < week + 4] >= week, ["Absatz", "Retouren", "Bestand"]] = pd.NA
    return rows.reset_index(drop=True)


@functools.cache
def monday(week):
    return from_sales(export(week), **HOW)


def quick(name, data):
    small = {"cross-fit": {**SHORT, **FEW, "folds": 2}, "sales-maf": {**SHORT, **FEW}, **QUICK}
    return build_model(name, data.metadata, small.get(name, SHORT))


def walked(name, weeks):
    """Forecasts of each Monday, from a model that is updated, as error and sales."""
    first, *later = weeks
    fitted, seen, errors = quick(name, monday(first)).train([monday(first).whole]), set(), []
    truth = shop().truth
    for week in (first, *later):
        data = monday(week)
        if week != first:
            fitted = fitted.update([data.whole])
        drawn = np.asarray(next(fitted.predict([data.latest], num_samples=20)).samples)
        names = data.latest.item_ids
        assert drawn.shape == (20, 4, len(names))
        assert np.isfinite(drawn).all(), week
        seen |= set(names)
        of = [truth.sales.articles.index(item) for item in names]
        sold = truth.sales.demand[week : week + 4, of]
        errors.append((np.abs(drawn.mean(0) - sold).sum(), sold.sum()))
    return fitted, seen, np.array(errors)


def killed_behind(epoch):
    """The hook of an epoch, which is the last that its process sees."""

    def stopped(*given):
        epoch(*given)
        raise KeyboardInterrupt

    return stopped


MONDAYS = (70, 74, 78, 84)


FEW_MODELS = ("sales-maf", "cross-fit", "deepar", "analog", "var-responding", "cold-start")


@pytest.mark.parametrize("name", [*FEW_MODELS, pytest.param("pool", marks=pytest.mark.slow)])
def test_a_few_mondays_with_launches_and_delistings(name):
    """Some articles are launched and some are delisted in between."""
    assert set(monday(MONDAYS[0]).latest.item_ids) - set(monday(MONDAYS[-1]).latest.item_ids)
    new = set(monday(MONDAYS[-1]).latest.item_ids) - set(monday(MONDAYS[0]).metadata.item_ids)
    assert new
    fitted, seen, errors = walked(name, MONDAYS)
    assert new <= seen
    assert set(monday(MONDAYS[-1]).metadata.item_ids) <= set(fitted.item_ids)
    assert errors[:, 0].sum() / errors[:, 1].sum() < 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sales-maf", "cross-fit", "deepar", "analog", "pool", "cold-start"])
def test_a_year_of_mondays(name):
    _, seen, errors = walked(name, range(56, 108))
    assert len(errors) == 52
    assert len(seen) == 10  # one has ended before the first Monday, and one is launched after the last
    assert errors[:, 0].sum() / errors[:, 1].sum() < 1


@pytest.mark.parametrize("weeks", [(56, 57, 60), pytest.param(tuple(range(56, 108)), marks=pytest.mark.slow)])
def test_the_same_on_the_command_line_and_a_killed_update_goes_on(weeks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cli.mount()

    def run(*words):
        done = CliRunner().invoke(cli.app, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output

    options = {name: value for name, value in HOW.items() if name != "windows"} | {"windows": 1, "table": "sales.csv"}
    (tmp_path / "shop.toml").write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in options.items()))
    (tmp_path / "short.toml").write_text(
        "[train]\nmax_epochs = 20\nbatches_per_epoch = 2\nbatch_size = 8\n[response]\niterations = 3\n"
    )
    export(weeks[0]).to_csv("sales.csv", index=False)
    start = ["--dataset", "shop.toml", "--model", "sales-maf", "--config", "short.toml", "--whole"]
    run("train", *start, "--out", "runs/shop")
    for number, week in enumerate(weeks[1:]):
        export(week).to_csv("sales.csv", index=False)
        if number == 0:
            kept = sorted(path.name for path in Path("runs/shop").iterdir())
            with monkeypatch.context() as patch:
                patch.setattr(Checkpoints, "on_train_epoch_end", killed_behind(Checkpoints.on_train_epoch_end))
                assert CliRunner().invoke(cli.app, ["train", "--from", "runs/shop"]).exit_code != 0
            assert sorted(path.name for path in Path("runs/shop").iterdir()) == kept
        run("train", "--from", "runs/shop")
        run("forecast", "--predictor", "runs/shop", "--dataset", "shop.toml", "--out", "monday.csv")
        table = pd.read_csv("monday.csv", parse_dates=["timestamp"])
        assert table["timestamp"].min() == shop().table["Woche"].min() + pd.Timedelta(weeks=week)
        assert table[["mean", "q05", "q95"]].notna().all().all()


@pytest.fixture
def walk(monkeypatch):
    """The benchmark that walks through a year, over three weeks of a small shop."""
    place = Path(__file__).parents[2] / "benchmarks" / "mondays.py"
    spec = importlib.util.spec_from_file_location("mondays", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, value in {"FIRST": 56, "YEAR": 3, "WINDOWS": 2, "QUARTERS": (2, 3)}.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "SETTINGS", {"deepar": SHORT})
    return module


@pytest.mark.parametrize("through", ["python", pytest.param("command", marks=pytest.mark.slow)])
def test_a_walk_that_is_killed_in_the_middle_goes_on(walk, through, tmp_path, monkeypatch):
    small = walk.Shop(articles=6, seed=1)

    def scores(folder):
        return [
            {key: value for key, value in row.items() if " s" not in key and key != "of it"} for row in folder.rows()
        ]

    whole = walk.Walk("deepar", small, tmp_path / "whole", through)
    whole.run()
    assert [row["week"] for row in whole.rows()] == [2, 3]
    note, noted = walk.Walk._note, []

    def shot(self, name, row):
        noted.append(name)
        if len(noted) == 3:
            raise KeyboardInterrupt
        note(self, name, row)

    broken = walk.Walk("deepar", small, tmp_path / "broken", through)
    with monkeypatch.context() as patch:
        patch.setattr(walk.Walk, "_note", shot)
        with pytest.raises(KeyboardInterrupt):
            broken.run()
    assert noted == ["week-00", "week-01", "week-02"]
    trained = []
    train = walk.Walk._trained
    monkeypatch.setattr(
        walk.Walk, "_trained", lambda self, week, *seed: (trained.append(week), train(self, week, *seed))[1]
    )
    walk.Walk("deepar", small, tmp_path / "broken", through).run()
    assert trained == [2, 3]  # those to compare with; the model itself goes on
    assert scores(broken) == scores(whole)
