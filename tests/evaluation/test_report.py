"""The report page and the pictures of forecasts."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gluonts.model.forecast import SampleForecast
from hemline.evaluation import METRICS, backtest, plot_forecast, report
from hemline.evaluation.drawing.fans import draw_fan, draw_history
from hemline.evaluation.drawing.style import finish_axes
from hemline.evaluation.reports.figures import coverage_chart, step_chart
from matplotlib.dates import date2num
from matplotlib.figure import Figure


class Page(HTMLParser):
    """Collects tags and addresses and checks that what is opened is closed."""

    VOID = frozenset({"meta", "img", "link", "br", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value]
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def page(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    path = report(folder, tmp_path_factory.mktemp("report") / "new" / "page.html")
    return Page(path.read_text("utf-8"))


def test_the_page_needs_nothing_else(page: Page) -> None:
    assert page.open == []
    assert page.addresses
    assert all(address.startswith("data:image/svg+xml;base64,") for address in page.addresses)


def test_every_picture_is_drawn_and_described(page: Page) -> None:
    for image in page.images:
        drawing = base64.b64decode(str(image["src"]).partition(",")[2])
        assert drawing.lstrip().startswith(b"<?xml")
        assert len(image["alt"] or "") > 20
    described = " ".join(str(image["alt"]) for image in page.images)
    for part in (
        "the sum of the series",
        "of the series c, b, a",
        "PIT",
        "intervals",
        "Training curves of fitted",
        "memory",
    ):
        assert part in described


def test_the_page_names_models_scores_failures_and_sources(page: Page) -> None:
    text = " ".join(page.text)
    for part in ("walks", "exchange", "fitted", "RuntimeError: no weights", "Table 2 of TimeGrad", "hemline 0.1.0"):
        assert part in text
    for metric in METRICS.values():
        assert metric.label in text
        assert metric.meaning in text


def test_a_report_of_one_series_one_window_and_one_path_can_be_drawn(single, walk, tmp_path: Path) -> None:
    from dataclasses import replace

    one = replace(single, test=single.test[-1:])
    backtest({"<walk>": walk(4)}, one, num_samples=1, out=tmp_path, quiet=True)
    text = report(tmp_path).read_text("utf-8")
    assert report(tmp_path) == tmp_path / "report.html"
    assert "&lt;walk&gt;" in text
    assert "<walk>" not in text
    assert "nan" not in re.sub(r"base64,[^\"]*", "", text)


def test_a_report_with_gaps_can_be_drawn(gaps, walk, tmp_path: Path) -> None:
    backtest({"walk": walk(4)}, gaps, num_samples=10, out=tmp_path, quiet=True)
    assert report(tmp_path).stat().st_size > 20_000


def test_a_report_of_some_metrics_leaves_the_others_out(data, walk, tmp_path: Path) -> None:
    backtest({"walk": walk(4)}, data, num_samples=10, out=tmp_path, metrics=["nd", "energy_score"], quiet=True)
    text = Page(report(tmp_path).read_text("utf-8")).text
    assert "All series together" in text
    assert "Coverage" not in text


def test_a_report_of_a_score_of_whole_windows_has_no_chart_of_the_steps(data, walk, tmp_path: Path) -> None:
    backtest({"walk": walk(4)}, data, num_samples=10, out=tmp_path, metrics=["trajectory_energy_score"], quiet=True)
    text = Page(report(tmp_path).read_text("utf-8")).text
    assert "Calibration" in text
    assert "Along the horizon" not in text


def test_names_are_drawn_as_they_are(data, walk, tmp_path: Path) -> None:
    metadata = replace(data.metadata, item_ids=("$\\foo$", "coat $20-$30", "plain"))
    odd = replace(data, metadata=metadata)
    backtest({"m$^$": walk(4)}, odd, num_samples=10, out=tmp_path, quiet=True)
    assert report(tmp_path).stat().st_size > 20_000
    figure = plot_forecast(forecast(3), history(3), item_ids=metadata.item_ids)
    assert not any(axes.title.get_parse_math() or axes._left_title.get_parse_math() for axes in figure.axes)
    figure.savefig(io.BytesIO())


def test_models_whose_names_begin_with_an_underscore_are_in_the_legends() -> None:
    steps = pd.DataFrame({"_mine": [0.5, 0.6], "other": [0.6, 0.7]}, index=[1, 2])
    for figure in (coverage_chart({"_mine": [0.5, 0.8, 0.9], "other": [0.4, 0.7, 0.9]}), step_chart(steps, "crps")):
        shown = [text.get_text() for text in figure.legends[0].get_texts()]
        assert shown[-2:] == ["_mine", "other"]


START = pd.Period("2024-01-01", "D")


def forecast(dim: int = 4, at: int = 20) -> SampleForecast:
    paths = np.random.default_rng(0).normal(10, 1, size=(30, 5, dim))
    return SampleForecast(paths, start_date=START + at)


def history(dim: int = 4, length: int = 25) -> dict:
    return {"start": START, "target": np.random.default_rng(1).normal(10, 1, size=(dim, length))}


def test_a_forecast_is_drawn_with_its_history_answer_and_dates() -> None:
    figure = plot_forecast(forecast(), history(), item_ids=("a", "b", "c", "d"), history=8, unit="pieces")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "b", "c", "sum of 4 series"]
    axes = figure.axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert len(lines["observed"].get_xdata()) == 8 + 5
    # From what was observed last, the day before.
    assert lines["median forecast"].get_xdata()[:2].tolist() == lines["observed"].get_xdata()[7:9].tolist()
    assert lines["median forecast"].get_ydata()[0] == lines["observed"].get_ydata()[7]
    assert lines["median forecast"].get_xdata()[1] == np.datetime64("2024-01-21")
    assert len(axes.collections) == 3
    assert axes.get_ylabel() == "pieces"


def test_bands_hold_what_their_names_say() -> None:
    samples = np.tile(np.arange(1.0, 40.0)[:, None, None], (1, 5, 1))
    figure = plot_forecast(SampleForecast(samples, start_date=START + 20), history(1), series=["0"])
    first = date2num(pd.Timestamp("2024-01-21"))
    ends = {}
    for band in figure.axes[0].collections:
        corners = band.get_paths()[0].vertices
        inside = corners[corners[:, 0] >= first, 1]
        ends[band.get_label()] = (inside.min(), inside.max())
    assert ends == {"95% interval": (1, 39), "80% interval": (4, 36), "50% interval": (10, 30)}


def test_the_sum_is_that_of_the_paths() -> None:
    made = forecast()
    figure = plot_forecast(made, history(), series=["sum"])
    median = next(line for line in figure.axes[0].get_lines() if line.get_label() == "median forecast")
    assert median.get_ydata()[1:] == pytest.approx(np.median(made.samples.sum(2), axis=0))


@pytest.mark.parametrize("length", [20, 60])
def test_an_observation_between_two_gaps_is_drawn(length: int) -> None:
    figure = Figure()
    values = np.full(length, np.nan)
    values[[0, 4, 8, 9]] = [1, 5, 8, 9]
    draw_history(figure.subplots(), pd.date_range("2024-01-01", periods=length), values)
    points = [line for line in figure.axes[0].get_lines() if line.get_marker() == "."]
    assert {1, 5} <= {value for line in points for value in line.get_ydata()}


def test_the_observed_sum_has_a_gap_where_a_series_has_one() -> None:
    entry = history()
    entry["target"][1, 21] = np.nan
    figure = plot_forecast(forecast(), entry, series=["sum"])
    observed = next(line for line in figure.axes[0].get_lines() if line.get_label() == "observed").get_ydata()
    np.testing.assert_allclose(observed[-5:], entry["target"].sum(0)[-5:])
    assert np.isnan(observed[-4])


def test_one_series_with_univariate_samples_and_no_answer_is_drawn() -> None:
    univariate = SampleForecast(np.ones((9, 5)), start_date=START + 20)
    figure = plot_forecast(univariate, {"start": START, "target": np.arange(20.0)})
    assert len(figure.axes) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot_forecast(forecast(), history(3)), "entry: expected 4 series as in the forecast, got 3"),
        (lambda: plot_forecast(forecast(at=30), history()), "entry: expected a history that reaches to 2024-01-31"),
        (lambda: plot_forecast(forecast(at=0), history()), "entry: expected a history that reaches to 2024-01-01"),
        (lambda: plot_forecast(forecast(), history(), item_ids=["a"]), "item_ids: expected 4 names"),
        (lambda: plot_forecast(forecast(), history(), series=["x"]), "series: expected 'sum' or some of 0, 1, 2, 3"),
        (lambda: plot_forecast(forecast(), history(), series=[]), "series: expected at least one"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_an_axis_of_what_is_never_below_0_begins_there():
    for low, expected in ((0.0, True), (-1.0, False), (50.0, False)):
        axes = Figure().subplots()
        axes.plot(pd.date_range("2024-01-01", periods=3), [low, 100.0, 60.0])
        finish_axes(axes, "")
        assert (axes.get_ylim()[0] == 0) == expected
        assert axes.get_ylim()[0] >= 0 or low < 0


def test_a_fan_opens_from_what_was_observed_before_it():
    axes, dates = Figure().subplots(), pd.date_range("2024-01-08", periods=2, freq="W")
    quantiles = np.arange(14.0).reshape(7, 2)
    draw_fan(axes, dates, quantiles, (pd.Timestamp("2024-01-07"), 5.0))
    assert axes.lines[0].get_ydata().tolist() == [5.0, *quantiles[3]]
    alone = Figure().subplots()
    draw_fan(alone, dates, quantiles, (pd.Timestamp("2024-01-07"), np.nan))
    assert alone.lines[0].get_ydata().tolist() == quantiles[3].tolist()
