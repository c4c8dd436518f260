"""Pictures of a forecast: history, intervals and what happened, with dates on the axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gluonts.model.forecast import SampleForecast
from matplotlib import rc_context
from matplotlib.figure import Figure

from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import dates_of, shifted, written_date
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...runtime.arguments.kinds import checked
from ..drawing.fans import draw_fan, draw_history
from ..drawing.style import LITERAL, ShownFigure, finish_axes, legend_below
from ..scores.intervals import COVERAGES, plotting_quantiles
from ..scores.univariate import sorted_paths


@rc_context(LITERAL)
@checked
def plot_forecast(
    forecast: SampleForecast,
    entry: GluontsEntry,
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
        >>> import pandas as pd
        >>> paths = np.random.default_rng(0).normal(size=(50, 4, 2))
        >>> start = pd.Period("2024-01-01", "D")
        >>> forecast = SampleForecast(paths, start_date=start + 20)
        >>> figure = plot_forecast(forecast, {"start": start, "target": np.zeros((2, 24))}, series=["1", "sum"])
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['1', 'sum of 2 series']
    """
    whole = Entry.of(entry)
    target = whole.target.astype(np.float64)
    samples = np.asarray(forecast.samples)
    samples = samples[:, :, None] if samples.ndim == 2 else samples
    dim, horizon = samples.shape[2], samples.shape[1]
    if len(target) != dim:
        raise ValueError(f"entry: expected {dim} series as in the forecast, got {len(target)}")
    names = [str(number) for number in range(dim)] if item_ids is None else list(item_ids)
    if len(names) != dim:
        raise ValueError(f"item_ids: expected {dim} names as in the forecast, got {len(names)}")
    begin = (forecast.start_date.ordinal - whole.start.ordinal) // forecast.start_date.freq.n
    if not 0 < begin <= target.shape[1]:
        raise ValueError(
            f"entry: expected a history that reaches to {written_date(forecast.start_date)}, got "
            f"{target.shape[1]} steps from {written_date(whole.start)}"
        )
    drawn = _chosen(series, names)
    first = max(0, begin - (3 * horizon if history is None else history))
    known = target[:, first : begin + horizon].T
    dates = dates_of(shifted(whole.start, first), len(known))
    ahead = dates_of(forecast.start_date, horizon)
    figure = ShownFigure(figsize=(9, 0.7 + 2.3 * len(drawn)), layout="constrained")
    panels = figure.subplots(len(drawn), 1, sharex=True, squeeze=False)[:, 0]
    for axes, name in zip(panels, drawn, strict=True):
        paths, values = _series(name, names, samples, known)
        draw_history(axes, dates, values)
        before = begin - first
        draw_fan(axes, ahead, _fan(paths), (dates[before - 1], float(values[before - 1])))
        title = f"sum of {dim} series" if name == "sum" else name
        finish_axes(axes, title, unit)
    legend_below(figure, panels[0])
    return figure


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
