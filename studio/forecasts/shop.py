"""A trained model of a shop's series, and what it forecasts of each window."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor

from ...datasets.entries.data import ForecastData
from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import dates_of
from ...evaluation.scores.calibration import pit
from ...evaluation.scores.intervals import COVERAGES, covered
from ...evaluation.scores.univariate import mean_quantile_loss, sorted_paths

PATHS = 300
AHEAD = "ahead"
"""The name of the time after the data, beside the numbers of test windows."""

_REMEMBERED = 8


@dataclass(frozen=True, eq=False)
class Window:
    """What a model forecasts from one moment on.

    Arguments:
        name: number of the test window, or ``AHEAD``.
        entry: what is known, with what came after where that is known.
        forecast: sample paths ``[S, H, D]``.
        item_ids: names of the D series.
        observed: ``[H, D]``, NaN where it is not known.
    """

    name: str
    entry: Entry
    forecast: SampleForecast
    item_ids: tuple[str, ...]
    observed: np.ndarray

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The dates of the H steps."""
        return dates_of(self.forecast.start_date, self.observed.shape[0])

    @property
    def paths(self) -> np.ndarray:
        """Sample paths ``[S, H, D]``, data units."""
        return np.asarray(self.forecast.samples)

    @cached_property
    def errors(self) -> np.ndarray:
        """CRPS of each series, by quantile losses, as a share of what was sold: ``[D]``, NaN where that is not known.

        A series that sold nothing is set in relation to what the model expected of it.
        """
        loss = mean_quantile_loss(sorted_paths(self.paths), self.observed)
        sold = np.nansum(np.abs(self.observed), axis=0)
        size = np.where(sold > 0, sold, np.maximum(self.paths.mean(0).sum(0), 1e-9))
        known = ~np.isnan(self.observed).all(axis=0)
        return np.where(known, np.nansum(loss, axis=0) / size, np.nan)

    def places(self, names: Sequence[str]) -> list[int]:
        """The places of some series.

        Raises:
            ValueError: one is unknown, or none is named.
        """
        index = {item: place for place, item in enumerate(self.item_ids)}
        for name in names:
            if name not in index:
                raise ValueError(f"series: expected one of the {len(index)} of the model, got {name[:100]!r}")
        if not names:
            raise ValueError("series: expected at least one, got none")
        return [index[name] for name in dict.fromkeys(names)]

    def totals(self, places: Sequence[int]) -> np.ndarray:
        """The sum of some series at each step on every path, ``[S, H]``, so that their dependence counts."""
        return self.paths[:, :, list(places)].sum(axis=2, dtype=np.float64)


class Shop:
    """A trained model of a shop's series.

    Arguments:
        name: by which pages call it.
        predictor: the model.
        data: the series that it goes on from.
    """

    def __init__(self, name: str, predictor: Predictor, data: ForecastData) -> None:
        self.name, self.predictor, self.data = name, predictor, data
        self._lock = threading.Lock()
        self._windows: OrderedDict[str, Window] = OrderedDict()
        known_ahead = data.ahead is not None and data.ahead.channels.length > data.ahead.length
        names = [str(number) for number in range(len(data.test))]
        self.windows = [*names, *([AHEAD] if known_ahead or not data.metadata.covariates else [])]
        """The names of all windows, the earliest first."""

    def require_window(self, name: str) -> str:
        """The name of a window; the last one for an empty name.

        Raises:
            ValueError: there is none of this name.
        """
        if name and name not in self.windows:
            raise ValueError(f"window: expected one of {', '.join(self.windows)}; got {name[:20]!r}")
        return name or self.windows[-1]

    def history(self, name: str) -> Entry:
        """What is known before a window, with the planned channels of its horizon."""
        return self.data.history(None if name == AHEAD else int(name))

    def window(self, name: str) -> Window:
        """What the model forecasts of a window; drawn when it is first asked for."""
        with self._lock:
            if name not in self._windows:
                self._windows[name] = self._drawn(name)
                while len(self._windows) > _REMEMBERED:
                    self._windows.popitem(last=False)
            self._windows.move_to_end(name)
            return self._windows[name]

    def past(self) -> list[Window]:
        """The test windows, of which it is known what came."""
        return [self.window(name) for name in self.windows if name != AHEAD]

    def label(self, name: str, label: str) -> frozenset[str]:
        """The series that have a label of an attribute, such as a category.

        Raises:
            ValueError: there is no such attribute, or no series has the label.
        """
        attributes = self.data.metadata.attributes
        told = attributes.get(name, {})
        if label not in told.values():
            known = sorted(set(told.values())) if told else sorted(attributes)
            of = "a label of " + name[:40] if told else "one of the attributes"
            raise ValueError(
                f"category: expected {of}, {', '.join(known[:8]) or 'none'}; got {(label if told else name)[:100]!r}"
            )
        return frozenset(item for item, each in told.items() if each == label)

    @cached_property
    def calibration(self) -> tuple[dict[float, float], tuple[np.ndarray, np.ndarray]]:
        """How often intervals held what came over all test windows, by their nominal coverage, and the PIT spans.

        Raises:
            ValueError: there is no test window.
        """
        windows = self.past()
        if not windows:
            raise ValueError("calibration: expected test windows, of which it is known what came; got none")
        shares = {}
        for coverage in COVERAGES:
            inside = [covered(sorted_paths(each.paths), each.observed, coverage).ravel() for each in windows]
            shares[coverage] = float(np.nanmean(np.concatenate(inside)))
        spans = [pit(each.paths, each.observed) for each in windows]
        lower, upper = (np.concatenate([span[end].ravel() for span in spans]) for end in (0, 1))
        return shares, (lower, upper)

    def _drawn(self, name: str) -> Window:
        history = self.history(name)
        forecast = next(iter(self.predictor.predict([history], num_samples=PATHS, seed=0)))
        horizon = forecast.samples.shape[1]
        items = history.item_ids or self.data.metadata.item_ids
        if name == AHEAD:
            return Window(name, history, forecast, items, np.full((horizon, len(items)), np.nan))
        whole = self.data.test[int(name)]
        return Window(name, whole, forecast, items, whole.target[:, -horizon:].T.astype(np.float64))
