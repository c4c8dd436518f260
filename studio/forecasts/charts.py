"""Charts of forecasts as SVG, drawn by the figures of reports."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Literal

import numpy as np
from gluonts.model.forecast import SampleForecast

from ...decisions.markdowns.page import gain_figure, stock_figure
from ...decisions.markdowns.report import PlanReport
from ...decisions.orders.page import order_figure
from ...decisions.orders.report import OrderReport
from ...evaluation.drawing.style import svg_bytes
from ...evaluation.reports.figures import fan_chart as stored_fan_chart
from ...evaluation.reports.figures import pit_chart
from ...evaluation.reports.forecast_plot import plot_forecast
from ...forecasting.scenarios.outcome import Simulation
from ...forecasting.scenarios.pair_figures import pair_figure
from .backtests import SUM, StoredRun
from .shop import Window

_DRAWING = threading.Lock()
"""Settings and fonts of matplotlib belong to the process."""


def fan_chart(window: Window, names: Sequence[str]) -> bytes:
    """The fan of a series behind its history, or that of the sum of several, with what came where it is known.

    Arguments:
        window: the forecast.
        names: the series.
    """
    places = window.places(names)
    paths = window.totals(places)[:, :, None].astype(np.float32)
    drawn = SampleForecast(paths, start_date=window.forecast.start_date)
    target = window.entry.target[places].astype(np.float64).sum(axis=0, keepdims=True)
    title = names[0] if len(places) == 1 else f"sum of {len(places)} series"
    with _DRAWING:
        figure = plot_forecast(
            drawn, {"start": window.entry.start, "target": target}, item_ids=[title], series=[title], history=52
        )
        figure.set_size_inches(9, 3.6)
        return svg_bytes(figure)


def stored_fan(run: StoredRun, window: str, series: str) -> bytes:
    """The fan of a series in a window of a backtest, or that of the sum, with what came.

    Arguments:
        run: of a backtest.
        window: the number of one.
        series: its name; ``SUM`` for that of all.
    """
    title = "sum of all series" if series == SUM else series
    with _DRAWING:
        figure = stored_fan_chart({title: run.rows(window, series)}, "", columns=1, windows=1)
        figure.set_size_inches(9, 3.6)
        return svg_bytes(figure)


def calibration_chart(name: str, spans: tuple[np.ndarray, np.ndarray]) -> bytes:
    """The PIT histogram of a model.

    Arguments:
        name: of the model.
        spans: see `calibration.pit`.
    """
    with _DRAWING:
        return svg_bytes(pit_chart({name: spans}))


def pair_chart(simulation: Simulation, scenario: str, first: str, second: str) -> bytes:
    """The pictures of the pair view, see `pair_figure`."""
    with _DRAWING:
        return svg_bytes(pair_figure(simulation, scenario, first, second))


def order_chart(report: OrderReport) -> bytes:
    """The picture of an order, see `order_figure`."""
    with _DRAWING:
        return svg_bytes(order_figure(report))


def plan_chart(report: PlanReport, which: Literal["gain", "stock"]) -> bytes:
    """A picture of a markdown plan, see `gain_figure` and `stock_figure`."""
    with _DRAWING:
        return svg_bytes(gain_figure(report) if which == "gain" else stock_figure(report))
