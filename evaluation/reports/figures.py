"""The charts of a report, drawn from what a backtest stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..drawing.fans import draw_fan, draw_history
from ..drawing.style import GREY, HUE, INK, finish_axes, legend_below
from ..runs.levels import metric_named
from ..runs.rows import STORED_LEVELS
from ..scores.calibration import pit_histogram
from ..scores.intervals import COVERAGES

_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))

_MARKERS = "osD^vPX<>*"

_COLOURS = ("#1f5a96", "#b5461c", "#3b7d3a", "#7a4a94", "#946c00", "#555555")

_QUANTILES = [f"q_{level}" for level in STORED_LEVELS]


def fan_chart(
    panels: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]],
    unit: str,
    *,
    columns: int,
    windows: int,
    align: bool = False,
) -> Figure:
    """Forecasts, a panel each, over the last windows and the history before them.

    Arguments:
        panels: title to the stored forecast rows of one series, of one run, and its history (columns timestamp and
            value, data units).
        unit: label of the axes.
        columns: panels side by side.
        windows: windows shown at most.
        align: whether all panels get one axis, unless one is more than three times as wide as another.

    Returns:
        The figure.
    """
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(10, 0.6 + (2.3 if columns == 1 else 1.95) * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (title, (forecasts, known)) in zip(grid, panels.items(), strict=False):
        shown = sorted(forecasts["window"].unique())[-windows:]
        kept = forecasts[forecasts["window"].isin(shown)].sort_values(["window", "step"])
        known = known.sort_values("timestamp")
        first = int(known["timestamp"].searchsorted(kept["timestamp"].min()))
        known = known.iloc[max(0, first - 2 * int(kept["step"].max())) :]
        draw_history(axes, pd.DatetimeIndex(known["timestamp"]), known["value"].to_numpy())
        for _, window in kept.groupby("window"):
            before = known[known["timestamp"] < window["timestamp"].iloc[0]]
            last = None if before.empty else (before["timestamp"].iloc[-1], float(before["value"].iloc[-1]))
            draw_fan(axes, pd.DatetimeIndex(window["timestamp"]), window[_QUANTILES].to_numpy().T, last)
        finish_axes(axes, title, unit)
    if align:
        _align(list(grid[: len(panels)]))
    for axes in grid[len(panels) :]:
        axes.remove()
    legend_below(figure, grid[0])
    return figure


def pit_chart(spans: Mapping[str, tuple[np.ndarray, np.ndarray]], bins: int = 10) -> Figure:
    """PIT histograms, a panel a model.

    Arguments:
        spans: model to the ends of its PIT spans, see `calibration.pit`.
        bins: bars a panel.

    Returns:
        The figure.
    """
    figure, panels = _grid(len(spans), height=1.9)
    for axes, (model, (lower, upper)) in zip(panels, spans.items(), strict=False):
        shares = pit_histogram(lower, upper, bins) * bins
        axes.set_ylim(0, max(2.0, 1.08 * float(shares.max())))
        axes.bar(
            (np.arange(bins) + 0.5) / bins, shares, width=0.92 / bins, color="#8fb3d6", edgecolor=HUE, linewidth=0.6
        )
        axes.axhline(1, color=INK, linewidth=1, linestyle="--")
        _plain(axes, model)
        axes.set_xticks([0, 0.5, 1])
    figure.supxlabel("quantile of the forecast at which the observation fell", fontsize=8, color=GREY)
    figure.supylabel("observations / expected", fontsize=8, color=GREY)
    return figure


def coverage_chart(coverage: Mapping[str, Sequence[float]]) -> Figure:
    """Observed against nominal coverage, a line a model.

    Arguments:
        coverage: model to its coverage of the 50, 80 and 95 % intervals.

    Returns:
        The figure.
    """
    figure = Figure(figsize=(6.2, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot([0.4, 1], [0.4, 1], color=GREY, linewidth=1, linestyle="--")
    for number, observed in enumerate(coverage.values()):
        axes.plot(COVERAGES, observed, clip_on=False, **_style(number))
    _plain(axes, "")
    axes.set(xticks=COVERAGES, xlim=(0.4, 1), ylim=(0, 1))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("width of the interval, as named", fontsize=8, color=GREY)
    axes.set_ylabel("observations inside", fontsize=8, color=GREY)
    _legend_beside(figure, axes, ["calibrated", *coverage])
    return figure


def step_chart(by_step: pd.DataFrame, metric: str) -> Figure:
    """A metric against the step of the horizon, a line a model.

    Arguments:
        by_step: steps by models, mean over seeds.
        metric: its name, as `metric_named` knows it.

    Returns:
        The figure.
    """
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    for number, model in enumerate(by_step.columns):
        style = _style(number) | {"marker": "" if len(by_step) > 20 else _MARKERS[number % len(_MARKERS)]}
        axes.plot(by_step.index, by_step[model], **style)
    _plain(axes, "")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("step of the horizon", fontsize=8, color=GREY)
    axes.set_ylabel(metric_named(metric).label, fontsize=8, color=GREY)
    _legend_beside(figure, axes, list(by_step.columns))
    return figure


def training_chart(logs: Mapping[str, Sequence[pd.DataFrame]]) -> Figure:
    """Loss against epoch, a panel a model, a line a seed.

    Arguments:
        logs: model to the training logs of its seeds (of the first fit).

    Returns:
        The figure.
    """
    figure, panels = _grid(len(logs), height=2.0)
    for axes, (model, seeds) in zip(panels, logs.items(), strict=False):
        for log in seeds:
            single = "." if len(log) == 1 else ""
            axes.plot(log["epoch"], log["train_loss"], color=HUE, linewidth=1.1, marker=single, label="training")
            if log["validation_loss"].notna().any():
                axes.plot(
                    log["epoch"],
                    log["validation_loss"].astype(float),
                    color="#b5461c",
                    linewidth=1.1,
                    linestyle="--",
                    marker=single,
                    label="validation",
                )
        _plain(axes, model)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_xlabel("epoch", fontsize=8, color=GREY)
    panels[0].set_ylabel("loss", fontsize=8, color=GREY)
    most = max(panels[: len(logs)], key=lambda axes: len(set(axes.get_legend_handles_labels()[1])))
    legend_below(figure, most)
    return figure


def cost_chart(costs: pd.DataFrame) -> Figure:
    """Seconds and memory of the models: bars from 0, with their numbers.

    Arguments:
        costs: model (index) by train, predict (seconds) and memory (bytes), means over seeds.

    Returns:
        The figure.
    """
    figure = Figure(figsize=(10, 1.1 + 0.34 * len(costs)), layout="constrained")
    titles = {"train": "training, seconds", "predict": "forecasting all windows, seconds", "memory": "peak memory, MiB"}
    values = costs.assign(memory=costs["memory"] / 2**20)
    for axes, (column, title) in zip(figure.subplots(1, 3, sharey=True), titles.items(), strict=True):
        shown = values[column].to_numpy(dtype=float)
        bars = axes.barh(np.arange(len(costs)), shown, color="#8fb3d6", edgecolor=HUE, linewidth=0.6, height=0.62)
        labels = [_short(value) for value in shown]
        axes.bar_label(bars, labels, fontsize=8, padding=3, color=INK)
        _plain(axes, title)
        axes.set_yticks(np.arange(len(costs)), list(costs.index))
        axes.set_xlim(0, max(1.25 * float(np.nanmax(shown)), 1e-9))
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.grid(axis="y", visible=False)
    figure.axes[0].invert_yaxis()
    return figure


def _legend_beside(figure: Figure, axes: Axes, names: Sequence[str]) -> None:
    """The names of the lines in their order; a name that begins with ``_`` too, which a label would hide."""
    figure.legend(axes.get_lines(), names, loc="outside right upper", frameon=False, fontsize=8)


def _align(panels: Sequence[Axes]) -> None:
    """Give panels one axis, unless that would flatten one of them."""
    limits = np.array([axes.get_ylim() for axes in panels])
    widths = limits[:, 1] - limits[:, 0]
    if widths.max() <= 3 * widths.min():
        for axes in panels:
            axes.set_ylim(limits[:, 0].min(), limits[:, 1].max())


def _short(value: float) -> str:
    if value < 0.01:
        return "< 0.01"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _grid(count: int, height: float) -> tuple[Figure, list[Axes]]:
    """Small panels, at most four in a row; those not needed are gone."""
    columns = max(2, min(count, 4))
    rows = -(-count // columns)
    figure = Figure(figsize=(2.5 * columns, 0.5 + height * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axes in panels[count:]:
        axes.remove()
    return figure, panels


def _plain(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=9, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#b5b5b5")
    axes.tick_params(labelsize=8, colors=GREY, labelcolor=INK)
    axes.grid(axis="y", color="#ececec", linewidth=0.8)
    axes.set_axisbelow(True)


def _style(number: int) -> dict[str, Any]:
    return {
        "color": _COLOURS[number % len(_COLOURS)],
        "linestyle": _LINES[number % len(_LINES)],
        "marker": _MARKERS[number % len(_MARKERS)],
        "markersize": 4.5,
        "linewidth": 1.4,
    }
