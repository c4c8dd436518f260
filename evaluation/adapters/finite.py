"""Forecasts on their way out of a model: begun where there is room, finite, and short where they show themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import pandas as pd
from gluonts.model.forecast import SampleForecast

from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import written_date
from ...datasets.entries.multivariate import as_multivariate
from ...runtime.display.showing import Shown
from ...runtime.reading.room import require_room, require_steps

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BYTES = 32
"""Memory of one value of one path: drawn, multiplied, copied, and told in double precision."""


class JointForecast(Shown, SampleForecast):
    """Joint sample paths ``[S, H, D]``, data units: a `SampleForecast` that is shown in short."""

    def __init__(
        self,
        samples: np.ndarray,
        start_date: pd.Period,
        item_id: str | None = None,
        info: dict[str, object] | None = None,
    ) -> None:
        # Where these are missing, gluonts gives the class a __repr__ of its own, which prints every path.
        self.__init_args__ = {"samples": samples, "start_date": start_date, "item_id": item_id, "info": info}
        super().__init__(**self.__init_args__)

    @classmethod
    def of(cls, forecast: SampleForecast) -> SampleForecast:
        """A forecast of gluonts' own class as one of this; any other as it is."""
        if type(forecast) is not SampleForecast or forecast.samples.ndim != 3:
            return forecast
        return cls(forecast.samples, forecast.start_date, forecast.item_id, forecast.info)

    def _shown(self) -> dict[str, object]:
        """Paths, horizon, series and the first step."""
        paths, horizon, dim = self.samples.shape
        return {"paths": paths, "horizon": horizon, "series": dim, "start": written_date(self.start_date)}

    def plot(
        self,
        *,
        intervals: Sequence[float] = (0.5, 0.9),
        ax: Axes | None = None,
        color: str | None = None,
        name: str | None = None,
        show_label: bool = False,
    ) -> None:
        """Draw median and intervals of a forecast of one series, as gluonts does.

        Raises:
            ValueError: there are several series, for which axes of their own are drawn by `plot_forecast`.
        """
        dim = self.samples.shape[2]
        if dim > 1:
            raise ValueError(
                f"plot: expected a forecast of one series, got {dim} together; "
                "hemline.evaluation.plot_forecast(forecast, entry) draws them, forecast.copy_dim(0).plot() the first"
            )
        self.copy_dim(0).plot(intervals=intervals, ax=ax, color=color, name=name, show_label=show_label)


Predict = TypeVar("Predict", bound=Callable[..., Iterator[SampleForecast]])


def only_finite(predict: Predict) -> Predict:
    """A ``predict`` that refuses more paths than memory holds, and paths with a value that is infinite or not a number.

    A series that is none of the training has no forecast (`by_name`), and one that is not there is not asked for: these
    alone may be NaN.

    Arguments:
        predict: the method of a model; its forecasts then raise a ValueError that names the series, the step and its
            date.
    """

    @wraps(predict)
    def checked(self: Any, dataset: Iterable[Mapping[str, Any]], *args: Any, **kwargs: Any) -> Iterator[SampleForecast]:
        rows = list(dataset)
        _require_room(rows, args[0] if args else kwargs.get("num_samples", 100), self.prediction_length)
        for number, forecast in enumerate(predict(self, rows, *args, **kwargs)):
            wrong = ~np.isfinite(forecast.samples)
            if wrong.any():
                entry = as_multivariate(rows, "dataset", unseen=True)[number]
                _refuse(forecast, wrong.reshape(*wrong.shape[:2], -1), entry, tuple(self.item_ids))
            yield JointForecast.of(forecast)

    return cast(Predict, checked)


def _require_room(rows: list[Mapping[str, Any]], count: int, horizon: int) -> None:
    """Refuse no paths at all, and more than there is memory for."""
    if count < 1:
        raise ValueError(f"num_samples: expected at least 1 path, got {count}")
    require_steps("prediction_length", horizon)
    shapes = [np.shape(row["target"]) for row in rows]
    series = max([shape[0] if len(shape) > 1 else len(rows) for shape in shapes], default=1)
    expected = f"num_samples: expected fewer paths of {horizon} steps and {series} series"
    require_room(_BYTES * count * horizon * series, expected, str(count))


def _refuse(forecast: SampleForecast, wrong: np.ndarray, entry: Entry, known: tuple[str, ...]) -> None:
    """Raise for the first value that is not finite, of series ``[S, H, D]`` that have a forecast."""
    names = entry.item_ids or known
    for step, series in np.argwhere(wrong.any(axis=0)):
        name = names[series] if series < len(names) else f"series {series}"
        absent = entry.absent is not None and entry.absent[series]
        if absent or (known and entry.item_ids and name not in known):
            continue
        values = forecast.samples.reshape(wrong.shape)[:, step, series]
        value = values[~np.isfinite(values)][0]
        date = written_date(forecast.start_date, int(step))
        raise ValueError(
            f"forecast: expected finite numbers, got {value} for {name!r} at step {step + 1} ({date}); are the "
            "past and the plan those that were meant?"
        )
