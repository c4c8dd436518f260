"""Fan charts: a history, and bands of quantiles of the sample paths that follow it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num

from ..scores.intervals import COVERAGES
from .style import BANDS, GREY, HUE, INK


def draw_fan(
    axes: Axes, dates: pd.DatetimeIndex, quantiles: np.ndarray, last: tuple[pd.Timestamp, float] | None = None
) -> None:
    """Draw the 95, 80 and 50 % intervals and the median of one window.

    Arguments:
        axes: where.
        dates: the H dates of the horizon.
        quantiles: ``[7, H]`` at 0.025, 0.1, 0.25, 0.5, 0.75, 0.9 and 0.975, data units.
        last: date and value of what was observed before, from which the fan opens; ``None`` where it is missing.
    """
    begin, single = dates[0], len(dates) == 1
    if last is not None and np.isfinite(last[1]):
        dates = dates.insert(0, last[0])
        quantiles = np.concatenate([np.full((len(quantiles), 1), last[1]), quantiles], axis=1)
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
    if single:
        axes.plot(dates[-1:], quantiles[3, -1:], "_", color=HUE, markersize=12, zorder=5)
    axes.axvline(date2num(begin), color=GREY, linewidth=0.6, linestyle=(0, (2, 2)), zorder=0)


def draw_history(axes: Axes, dates: pd.DatetimeIndex, values: np.ndarray) -> None:
    """Draw the observations as a line with gaps; isolated values are points.

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
