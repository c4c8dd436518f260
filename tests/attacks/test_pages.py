"""Names of articles, channels, models, data and scenarios are texts on every page, whatever they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import ForecastData, from_frame, from_sales
from hemline.evaluation import backtest, report
from hemline.forecasting import Scenario, SeasonalNaivePredictor, build_model, simulate
from hemline.forecasting.commands.simulate import write_outcomes
from hemline.forecasting.scenarios.cannibalisation import cannibalisation
from pages import Tags

EVIL = ("<script>alert(1)</script>", "</td><img src=x onerror='alert(1)'>", '"><svg onload=alert(1)>', "{{ 7 * 7 }}")
PLAIN = ("coat", "hat", "tee", "bag")


def wide(names: tuple[str, ...]) -> ForecastData:
    frame = pd.DataFrame(np.random.default_rng(0).poisson(9.0, (60, 4)), columns=list(names))
    frame.insert(0, "week", pd.date_range("2023-01-02", periods=len(frame), freq="W-MON"))
    data = from_frame(frame, timestamp="week", prediction_length=2, windows=1)
    return replace(data, metadata=replace(data.metadata, name=names[0]))


def priced(names: tuple[str, ...]) -> ForecastData:
    weeks = pd.date_range("2023-01-02", periods=70, freq="W-MON")
    frame = pd.MultiIndex.from_product([names[:2], weeks], names=["article", "week"]).to_frame(index=False)
    draws = np.random.default_rng(0)
    frame["price"] = draws.choice([8.0, 10.0], len(frame))
    frame["units"] = draws.poisson(9.0, len(frame))
    columns = {"article": "article", "date": "week", "units": "units", "price": "price"}
    return from_sales(frame, **columns, prediction_length=2, windows=1)


def reported(names: tuple[str, ...], folder) -> str:
    data = wide(names)
    models = {name: SeasonalNaivePredictor(2, season_length=length) for length, name in enumerate(names, start=1)}
    backtest(models, data, num_samples=5, metrics=("crps_sum", "nd"), out=folder / "bt", quiet=True)
    return report(folder / "bt").read_text()


def paired(names: tuple[str, ...], folder) -> str:
    data = priced(names)
    fitted = build_model("var-responding", data.metadata).train(data.train)
    scenario = Scenario(names[3], [f"price[{names[0]}] = -20%"])
    outcomes = simulate(fitted, data.history(0), [scenario], paths=20)
    effects = cannibalisation(fitted, data.history(0), names[:2], paths=20)
    write_outcomes(outcomes, names[:2], folder / "it", effects, data.test[0])
    (page,) = (folder / "it").glob("*.html")
    return page.read_text()


@pytest.mark.parametrize("made", [reported, paired])
def test_names_are_texts_on_a_page(tmp_path, made):
    for name in ("plain", "evil"):
        (tmp_path / name).mkdir()
    usual, page = Tags(made(PLAIN, tmp_path / "plain")), made(EVIL, tmp_path / "evil")
    tags = Tags(page)
    assert "alert(1)" in page
    assert (tags.found, sorted(tags.acts)) == (usual.found, sorted(usual.acts))
    assert ">49<" not in page
