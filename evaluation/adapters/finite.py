"""No forecast is begun that has no room, and none leaves a model with a number that is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
from gluonts.model.forecast import SampleForecast

from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import written_date
from ...datasets.entries.multivariate import as_multivariate
from ...runtime.reading.room import require_room, require_steps

_BYTES = 32
"""Memory of one value of one path: drawn, multiplied, copied, and told in double precision."""

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
            yield forecast

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
