"""What stands in the last line of a cell is shown in short: a line in a shell, a small table in a notebook."""

import copy
import pickle
import re
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pandas as pd
import pytest
from gluonts.model.forecast import SampleForecast
from hemline.datasets import from_frame, simulated_shop
from hemline.evaluation import backtest, load_backtest, plot_forecast, table
from hemline.forecasting import Scenario, TrainConfig, build_model, cannibalisation, simulate
from hemline.forecasting.models.naive import SeasonalNaivePredictor
from hemline.runtime.display.showing import in_short
from hemline.vision.captions.annotator import Annotator
from hemline.vision.classify.classifier import Classifier

NASTY = "<script>alert('coat')</script>"
WORD = r"^\w+\("


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """An object of each kind, made of articles of which one has a name that a page must not read."""
    draw = np.random.default_rng(0)
    weeks = pd.date_range("2023-01-01", periods=60, freq="W-SUN")
    rows = pd.MultiIndex.from_product([[NASTY, *(f"article {number}" for number in range(40))], weeks])
    frame = rows.to_frame(index=False, name=["item", "week"])
    frame["price"] = 10 * draw.choice([1.0, 0.8], len(frame))
    frame["sold"] = draw.poisson(20, len(frame)).astype(float)
    data = from_frame(
        frame, item="item", timestamp="week", target="sold", covariates=["price"], prediction_length=4, name=NASTY
    )
    naive = SeasonalNaivePredictor(4, season_length=4)
    fitted = build_model("var-responding", data.metadata).train(data.train)
    forecast = next(fitted.predict([data.history(0)], num_samples=8))
    scenario = Scenario("cut", f"price[{NASTY}] = -20%")
    simulation = simulate(fitted, data.history(0), [scenario], paths=8)
    out = tmp_path_factory.mktemp("shown")
    scores = table(backtest({NASTY: naive, "other": naive}, data, out=out, num_samples=4, quiet=True))
    shop = simulated_shop()
    return {
        "data": data,
        "metadata": data.metadata,
        "entry": data.train[0],
        "model": build_model("cross-fit", data.metadata),
        "pool": build_model("pool", data.metadata),
        "plain": naive,
        "fitted": fitted,
        "forecast": forecast,
        "simulation": simulation,
        "outcome": simulation.baseline,
        "effects": cannibalisation(fitted, data.history(0), data.metadata.item_ids[:2], paths=8),
        "backtest": load_backtest(out),
        "scores": scores,
        "shop": shop,
        "truth": shop.truth,
    }


KINDS = (
    *("data", "metadata", "entry", "model", "pool", "plain", "fitted", "forecast", "simulation", "outcome"),
    *("effects", "backtest", "scores", "shop", "truth"),
)


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_is_shown_in_a_line_or_a_table_of_scores(shown, kind):
    text = repr(shown[kind])
    if kind == "scores":
        assert text == str(shown[kind])
        return
    assert "\n" not in text
    assert len(text) < 600
    assert re.match(WORD, text)
    assert "array(" not in text
    assert "object at 0x" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_is_a_small_table_in_a_notebook_and_names_are_no_html(shown, kind):
    reader = Reader()
    reader.feed(shown[kind]._repr_html_())
    assert "table" in reader.tags
    assert "script" not in reader.tags
    assert reader.tags.count("tr") <= 20
    assert len(reader.text) < 1000
    if kind in ("data", "metadata", "fitted", "simulation", "outcome", "effects", "backtest", "scores"):
        assert NASTY in reader.text


def test_a_table_of_scores_has_its_best_bold_and_its_title(shown):
    html = shown["scores"]._repr_html_()
    assert shown["scores"].title in html
    assert "<b>" in html
    assert '<th scope="col">model</th>' in html


def test_a_model_says_what_is_not_as_by_default():
    model = build_model("gru-maf", simulated_shop_metadata(), {"train": {"max_epochs": 3}})
    assert "train=TrainConfig(max_epochs=3)" in repr(model)
    assert "context_length" not in repr(model)


def simulated_shop_metadata():
    from hemline.datasets import simulated_sales

    return simulated_sales(articles=2, weeks=60).metadata


def test_a_long_value_is_cut():
    assert in_short({"a": 1, "b": 2, "c": 3, "d": 4}) == "a, b, c … (4)"
    assert in_short(TrainConfig(seed=3)) == "TrainConfig(seed=3)"
    assert len(in_short("x" * 500)) == 72
    assert in_short(()) == "none"


@pytest.mark.parametrize("kind", [Annotator, Classifier])
def test_what_vision_trains_is_shown_in_short(kind):
    assert "_repr_html_" in dir(kind)
    assert "__repr__" not in vars(kind)


def test_a_forecast_of_several_series_says_what_draws_it(shown):
    with pytest.raises(
        ValueError, match=r"got 41 together; hemline\.evaluation\.plot_forecast.* forecast\.copy_dim\(0\)"
    ):
        shown["forecast"].plot()


def test_a_forecast_of_one_series_is_drawn_as_gluonts_draws_it(shown):
    one = shown["forecast"].copy_dim(0)
    alone = type(shown["forecast"])(one.samples[:, :, None], one.start_date)
    theirs, ours = matplotlib.figure.Figure().subplots(), matplotlib.figure.Figure().subplots()
    one.plot(ax=theirs, color="k")
    alone.plot(ax=ours, color="k")
    assert np.array_equal(ours.lines[0].get_xydata(), theirs.lines[0].get_xydata())
    assert len(ours.collections) == len(theirs.collections) == 2


def test_a_forecast_stays_one_of_gluonts_when_it_is_sent_or_copied(shown):
    forecast = shown["forecast"]
    for other in (pickle.loads(pickle.dumps(forecast)), copy.deepcopy(forecast)):
        assert isinstance(other, SampleForecast)
        assert repr(other) == repr(forecast)
        assert np.array_equal(other.samples, forecast.samples)


def test_a_figure_is_shown_as_the_last_line_without_pyplot(shown):
    figure = plot_forecast(shown["forecast"], shown["data"].test[0])
    formatters = pytest.importorskip("IPython.core.formatters", reason="needs IPython")
    found, _ = formatters.DisplayFormatter().format(figure)
    assert found["image/png"].startswith(b"\x89PNG")
