"""From forecasts to rows: the long table of scores, and the forecasts as they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...datasets.entries.frequency import dates_of
from ...datasets.hierarchies.hierarchy import Hierarchy
from ..scores.calibration import pit
from ..scores.intervals import plotting_quantiles
from .levels import at_level, level_of, metric_named
from .metrics import Outcome
from .windows import Window

SCORE_COLUMNS = ("run", "model", "dataset", "seed", "window", "item_id", "step", "metric", "value")

STORED_LEVELS: tuple[float, ...] = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""Quantile levels of stored forecasts, at plotting positions."""


class Tally:
    """Adds up the parts of metrics window by window and turns them into rows.

    Each metric is pooled over everything, for every window, for every step of the horizon and, if it belongs to
    a single series, for every series. Memory and rows grow with W + H + D, not with their product.

    Arguments:
        metrics: names, as `metric_named` knows them.
        item_ids: names of the D series.
        hierarchy: of the series, where some metrics are those of levels.
    """

    def __init__(self, metrics: Sequence[str], item_ids: Sequence[str], hierarchy: Hierarchy | None = None) -> None:
        self.metrics, self.item_ids, self.hierarchy = tuple(metrics), tuple(item_ids), hierarchy
        self._levels = {level for name in self.metrics if (level := level_of(name))}
        self._windows: dict[str, list[np.ndarray]] = {name: [] for name in self.metrics}
        self._steps: dict[str, np.ndarray] = {}
        self._series: dict[str, np.ndarray] = {}

    def add(self, outcome: Outcome) -> None:
        """Add the metric parts of one more window.

        Arguments:
            outcome: the forecast beside what happened.
        """
        of_level: dict[tuple[str, ...], Outcome] = {(): outcome}
        if self.hierarchy is not None:
            for level in self._levels:
                of_level[level] = at_level(outcome, self.hierarchy.matrix(level if len(level) > 1 else level[0]))
        for name in self.metrics:
            metric = metric_named(name)
            parts = metric.parts(of_level[level_of(name)])
            self._windows[name].append(parts.reshape(3, -1).sum(1))
            if metric.axes == "series":
                self._series[name] = self._series.get(name, 0.0) + parts.sum(1)
                parts = parts.sum(2)
            if metric.axes != "window":
                self._steps[name] = self._steps.get(name, 0.0) + parts

    def table(self) -> pd.DataFrame:
        """The rows: window, item_id and step (from 1) are null where a value is pooled over them.

        Returns:
            A frame with the columns window, item_id, step, metric and value.
        """
        blocks = []
        for name in self.metrics:
            metric, windows = metric_named(name), np.stack(self._windows[name], 1)
            blocks.append(_Block(name, metric.pool(windows.sum(1, keepdims=True))))
            blocks.append(_Block(name, metric.pool(windows), window=range(windows.shape[1])))
            if name in self._steps:
                steps = metric.pool(self._steps[name])
                blocks.append(_Block(name, steps, step=range(1, len(steps) + 1)))
            if name in self._series:
                blocks.append(_Block(name, metric.pool(self._series[name]), item_id=self._items(level_of(name))))
        return _joined(blocks)

    def _items(self, level: tuple[str, ...]) -> Sequence[str]:
        """The names of the series, or of the totals of a level, such as ``category=coats``."""
        if not level or self.hierarchy is None:
            return self.item_ids
        named, by = "/".join(level), level if len(level) > 1 else level[0]
        return [label if label == named else f"{named}={label}" for label in self.hierarchy.labels(by)]


@dataclass(frozen=True)
class _Block:
    """Values of one metric along at most one axis."""

    metric: str
    values: np.ndarray
    window: Sequence[int] = ()
    item_id: Sequence[str] = ()
    step: Sequence[int] = ()


def _joined(blocks: Sequence[_Block]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {"window": [], "item_id": [], "step": [], "metric": []}
    for block in blocks:
        count = len(block.values)
        columns["metric"] += [block.metric] * count
        for axis in ("window", "item_id", "step"):
            columns[axis] += list(getattr(block, axis)) or [None] * count
    table = pd.DataFrame(columns).astype({"window": "Int64", "item_id": "string", "step": "Int64", "metric": "string"})
    return table.assign(value=np.concatenate([block.values for block in blocks]))


def forecast_rows(window: Window, outcome: Outcome, item_ids: Sequence[str]) -> pd.DataFrame:
    """The forecast of one window as it is stored: a row for each step of each series and of their sum.

    Arguments:
        window: the window.
        outcome: its forecast beside what happened.
        item_ids: names of the D series.

    Returns:
        Columns window, item_id (null: the sum of the series), step (from 1), timestamp, observed, mean, ``q_0.025`` …
        ``q_0.975`` (data units, float32), pit_lower and pit_upper (float32).
    """
    single = _forecast_rows(window, outcome, list(item_ids))
    return pd.concat([single, _forecast_rows(window, outcome.summed, [None])], ignore_index=True)


def _forecast_rows(window: Window, outcome: Outcome, items: list[str] | list[None]) -> pd.DataFrame:
    horizon, count = outcome.observed.shape
    lower, upper = pit(outcome.ordered, outcome.observed)
    columns: dict[str, Any] = {
        "window": np.full(horizon * count, window.number),
        "item_id": pd.Series(np.tile(np.asarray(items, dtype=object), horizon), dtype="string"),
        "step": np.repeat(np.arange(1, horizon + 1), count),
        "timestamp": np.repeat(dates_of(window.start, horizon), count),
        "observed": outcome.observed.ravel(),
        "mean": outcome.mean.ravel(),
    }
    quantiles = plotting_quantiles(outcome.ordered, STORED_LEVELS)
    for level, values in zip(STORED_LEVELS, quantiles, strict=True):
        columns[f"q_{level}"] = values.ravel()
    columns |= {"pit_lower": lower.ravel(), "pit_upper": upper.ravel()}
    numbers = [name for name, values in columns.items() if getattr(values, "dtype", None) == np.float64]
    return pd.DataFrame(columns).astype(dict.fromkeys(numbers, np.float32))


def history_rows(windows: Sequence[Window], item_ids: Sequence[str]) -> pd.DataFrame:
    """What a chart shows of a dataset: observations from four horizons before the first window to the end.

    Arguments:
        windows: the windows, oldest first.
        item_ids: names of the D series.

    Returns:
        Columns item_id (null: the sum of the series), timestamp and value, data units.
    """
    pieces: dict[pd.Timestamp, np.ndarray] = {}
    for window in windows:
        past = window.past.target
        shown = min(past.shape[1], 4 * len(window.observed))
        before = dates_of(window.past.start, past.shape[1])[-shown:]
        pieces.update(zip(before, past[:, -shown:].T, strict=True))
        pieces.update(zip(dates_of(window.start, len(window.observed)), window.observed, strict=True))
    dates = sorted(pieces)
    values = np.stack([pieces[date] for date in dates]).astype(np.float64)
    total = np.where(np.isnan(values).all(1), np.nan, np.nansum(values, axis=1))
    names = pd.Series(np.repeat([*item_ids, None], len(dates)), dtype="string")
    return pd.DataFrame(
        {
            "item_id": names,
            "timestamp": pd.DatetimeIndex(dates).take(np.tile(np.arange(len(dates)), len(item_ids) + 1)),
            "value": np.concatenate([values.T.ravel(), total]),
        }
    )
