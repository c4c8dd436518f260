"""Pictures of a forecast: history, intervals and what happened, with dates on the axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from gluonts.model.forecast import SampleForecast
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from ..datasets.data import Entry
from ..datasets.frequency import dates_of, written_date
from .intervals import COVERAGES, plotting_quantiles
from .scores import sorted_paths
from .windows import shifted

INK, GREY, HUE = "#1a1a1a", "#6b6b6b", "#1f5a96"
BANDS: tuple[str, ...] = ("#d3e1f0", "#a3c1de", "#6c9cc9")
"""Fills of the 95, 80 and 50 % intervals: one hue, each darker than the one around it, so that a grey print
keeps their order."""

LITERAL: dict[Any, Any] = {"text.parse_math": False}
"""Settings of matplotlib under which a name is drawn as it is, its dollars too."""


@rc_context(LITERAL)
def plot_forecast(
    forecast: SampleForecast,
    entry: Entry,
    *,
    item_ids: Sequence[str] | None = None,
    series: Sequence[str] | None = None,
    history: int | None = None,
    unit: str = "",
) -> Figure:
    """Draw a forecast as a fan behind the history that it continues.

    Arguments:
        forecast: sample paths ``[S, H, D]``, or ``[S, H]`` for one series.
        entry: the gluonts entry, ``target`` ``[D, T]``. What it holds from the start of the forecast on is drawn as
            what happened; it may end there.
        item_ids: names of the D series; their numbers if ``None``.
        series: which of them to draw; ``"sum"`` is the sum of all, with gaps where one is missing. ``None`` draws the
            first three, and the sum if there are more.
        history: steps shown before the forecast; three horizons if ``None``.
        unit: unit of the data, for the axis.

    Returns:
        A matplotlib figure; ``figure.savefig("forecast.png")`` keeps it.

    Raises:
        ValueError: entry and forecast have another number of series, a series is unknown, or the entry has no
            history before the forecast.

    Example:
        >>> paths = np.random.default_rng(0).normal(size=(50, 4, 2))
        >>> start = pd.Period("2024-01-01", "D")
        >>> forecast = SampleForecast(paths, start_date=start + 20)
        >>> figure = plot_forecast(forecast, {"start": start, "target": np.zeros((2, 24))}, series=["1", "sum"])
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['1', 'sum of 2 series']
    """
    target = np.atleast_2d(np.asarray(entry["target"], dtype=np.float64))
    samples = np.asarray(forecast.samples)
    samples = samples[:, :, None] if samples.ndim == 2 else samples
    dim, horizon = samples.shape[2], samples.shape[1]
    if len(target) != dim:
        raise ValueError(f"entry: expected {dim} series as in the forecast, got {len(target)}")
    names = [str(number) for number in range(dim)] if item_ids is None else list(item_ids)
    if len(names) != dim:
        raise ValueError(f"item_ids: expected {dim} names as in the forecast, got {len(names)}")
    begin = (forecast.start_date.ordinal - entry["start"].ordinal) // forecast.start_date.freq.n
    if not 0 < begin <= target.shape[1]:
        raise ValueError(
            f"entry: expected a history that reaches to {written_date(forecast.start_date)}, got "
            f"{target.shape[1]} steps from {written_date(entry['start'])}"
        )
    drawn = _chosen(series, names)
    first = max(0, begin - (3 * horizon if history is None else history))
    known = target[:, first : begin + horizon].T
    dates = dates_of(shifted(entry["start"], first), len(known))
    ahead = dates_of(forecast.start_date, horizon)
    figure = Figure(figsize=(9, 0.7 + 2.3 * len(drawn)), layout="constrained")
    panels = figure.subplots(len(drawn), 1, sharex=True, squeeze=False)[:, 0]
    for axes, name in zip(panels, drawn, strict=True):
        paths, values = _series(name, names, samples, known)
        draw_history(axes, dates, values)
        draw_fan(axes, ahead, _fan(paths))
        title = f"sum of {dim} series" if name == "sum" else name
        finish_axes(axes, title, unit)
    legend_below(figure, panels[0])
    return figure


def draw_fan(axes: Axes, dates: pd.DatetimeIndex, quantiles: np.ndarray) -> None:
    """Draw the 95, 80 and 50 % intervals and the median of one window.

    Arguments:
        axes: where.
        dates: the H dates of the horizon.
        quantiles: ``[7, H]`` at 0.025, 0.1, 0.25, 0.5, 0.75, 0.9 and 0.975, data units.
    """
    for number, (colour, coverage) in enumerate(zip(BANDS, reversed(COVERAGES), strict=True)):
        axes.fill_between(
            dates,
            quantiles[number],
            quantiles[-1 - number],
            color=colour,
            linewidth=0,
            label=f"{coverage:.0%} interval",
            zorder=1 + number,
        )
    axes.plot(dates, quantiles[3], color=HUE, linewidth=1.4, label="median forecast", zorder=5)
    if len(dates) == 1:
        axes.plot(dates, quantiles[3], "_", color=HUE, markersize=12, zorder=5)
    axes.axvline(date2num(dates[0]), color=GREY, linewidth=0.6, linestyle=(0, (2, 2)), zorder=0)


def draw_history(axes: Axes, dates: pd.DatetimeIndex, values: np.ndarray) -> None:
    """Draw what was observed; gaps stay gaps, and a value between two of them is a point.

    Arguments:
        axes: where.
        dates: T dates.
        values: ``[T]``, data units, NaN where missing.
    """
    lonely = len(values) < 40
    axes.plot(
        dates,
        values,
        color=INK,
        linewidth=1.0,
        marker="." if lonely else "",
        markersize=4,
        label="observed",
        zorder=6,
    )
    missing = np.concatenate([[True], np.isnan(values), [True]])
    alone = ~missing[1:-1] & missing[:-2] & missing[2:]
    if alone.any():
        axes.plot(dates[alone], values[alone], ".", color=INK, markersize=4, zorder=6)


def finish_axes(axes: Axes, title: str, unit: str = "") -> None:
    """Title, unit, readable dates and numbers, no frame that is not needed."""
    axes.set_title(title, loc="left", fontsize=9, color=INK)
    if unit:
        axes.set_ylabel(unit, fontsize=8, color=GREY)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#b5b5b5")
    axes.tick_params(labelsize=8, colors=GREY, labelcolor=INK)
    axes.grid(axis="y", color="#ececec", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.xaxis.get_offset_text().set(fontsize=8, color=GREY)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    low, high = axes.get_ylim()
    if max(abs(low), abs(high)) >= 1e4:
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
    axes.margins(x=0.01)


def legend_below(figure: Figure, axes: Axes) -> None:
    """One legend for all panels, beneath them, each entry once."""
    handles, labels = axes.get_legend_handles_labels()
    entries = dict(zip(labels, handles, strict=True))
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=5, frameon=False, fontsize=8)


def _chosen(series: Sequence[str] | None, names: Sequence[str]) -> list[str]:
    if series is None:
        return [*names[:3], *(["sum"] if len(names) > 3 else [])]
    for name in series:
        if name != "sum" and name not in names:
            raise ValueError(f"series: expected 'sum' or some of {', '.join(names)}, got {name!r}")
    if not series:
        raise ValueError("series: expected at least one series to draw, got none")
    return list(series)


def _series(name: str, names: Sequence[str], samples: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Paths ``[S, H]`` and observations ``[T]`` of a series or of the sum, NaN where any series is missing."""
    if name in names:
        place = list(names).index(name)
        return samples[:, :, place], known[:, place]
    return samples.sum(2, dtype=np.float64), known.sum(1)


def _fan(paths: np.ndarray) -> np.ndarray:
    levels = [(1 - c) / 2 for c in reversed(COVERAGES)]
    return plotting_quantiles(sorted_paths(paths[:, :, None]), [*levels, 0.5, *(1 - a for a in reversed(levels))])[
        ..., 0
    ]
