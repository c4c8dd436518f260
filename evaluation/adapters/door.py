"""No forecast is begun that has no room, and what leaves a model are numbers, in the units of the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial, wraps
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import pandas as pd
from gluonts.model.forecast import SampleForecast

from ...datasets.encodings.encoding import Encoding
from ...datasets.entries.domain import DataDomain, closed, phases, settled
from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import written_date
from ...datasets.entries.multivariate import as_multivariate
from ...datasets.hierarchies.hierarchy import TOTAL, By, Hierarchy
from ...datasets.hierarchies.totals import aggregate
from ...runtime.arguments.kinds import Count, Seed, check_kind
from ...runtime.display.showing import Shown
from ...runtime.reading.room import require_room, require_steps

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BYTES = 64
"""Memory of one value of one path: drawn, multiplied, copied, and told in double precision."""


class JointForecast(Shown, SampleForecast):
    """Joint sample paths ``[S, H, D]``, data units: a `SampleForecast` that is shown in short, and has totals.

    Attributes:
        item_ids: names of the D series; none where the entry had none.
        attributes: what they have in common: for each attribute, such as a category, their labels by name.
    """

    item_ids: tuple[str, ...] = ()
    attributes: Mapping[str, Mapping[str, str]] = MappingProxyType({})

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
    def of(cls, forecast: SampleForecast, entry: Entry) -> SampleForecast:
        """A forecast of gluonts' own class as one of this, with the names of its entry; any other as it is."""
        if type(forecast) is not SampleForecast or forecast.samples.ndim != 3:
            return forecast
        found = cls(forecast.samples, forecast.start_date, forecast.item_id, forecast.info)
        found.item_ids, found.attributes = entry.item_ids, entry.attributes
        return found

    def aggregate(self, by: By = TOTAL) -> JointForecast:
        """The forecast of the totals of a level: the sums of its paths, so that all levels agree.

        Arguments:
            by: ``"total"``, an attribute of the series such as ``"category"``, or several that are crossed.

        Returns:
            ``samples`` ``[S, H, G]``, float64, data units; its ``item_ids`` name the G totals.

        Raises:
            ValueError: there is no such attribute, or the series have no names.
        """
        if not self.item_ids:
            raise ValueError("aggregate: expected a forecast of series with names, got one without")
        hierarchy = Hierarchy.of_attributes(self.item_ids, self.attributes)
        totals = aggregate(self, hierarchy, by)
        found = JointForecast(totals.samples, totals.start_date, totals.item_id, totals.info)
        found.item_ids = hierarchy.labels(by)
        return found

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


Rungs = TypeVar("Rungs", bound=Callable[..., Iterator[tuple[Any, bool]]])
Training = TypeVar("Training", bound=Callable[..., Any])
Predict = TypeVar("Predict", bound=Callable[..., Iterator[SampleForecast]])


def at_the_door(predict: Predict) -> Predict:
    """A ``predict`` whose paths are finite and within the domain of the data (`Entry.domain`), with the means they had.

    More paths than memory holds are refused, and so are paths with a value that is infinite or not a number. What lies
    below 0 where the data do not is raised and the rest lowered in its place, and counts are rounded so that on every
    path the sum of each series over the horizon stays to less than 1 (`settled`). The mean of a value changes where it
    is below 0 alone, and on days on which a shop is closed, where every path is 0 (`closed`). Other paths within the
    domain, such as those of a model of counts, stay as they are; those of a changed future are rounded as those of the
    planned one (`Entry.planned`).

    A series that is none of the training has no forecast (`by_name`), and one that is not there is not asked for: these
    alone may be NaN.

    Arguments:
        predict: the method of a model, called with ``num_samples`` and ``seed`` in this order or by name; its forecasts
            then raise a ValueError that names the series, the step and its date.
    """

    @wraps(predict)
    def checked(self: Any, dataset: Iterable[Mapping[str, Any]], *args: Any, **kwargs: Any) -> Iterator[SampleForecast]:
        given = dict(zip(("num_samples", "seed"), args, strict=False)) | kwargs
        count, seed = given.get("num_samples", 100), given.get("seed")
        check_kind("num_samples", count, Count)
        check_kind("seed", seed, Seed | None)
        return drawn(self, list(dataset), count, seed, args, kwargs)

    def drawn(
        self: Any, rows: list[Any], count: int, seed: int | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Iterator[SampleForecast]:
        shapes = [np.shape(row["target"]) for row in rows]
        series = max([shape[0] if len(shape) > 1 else len(rows) for shape in shapes], default=1)
        require_paths(count, self.prediction_length, series)
        encoding = getattr(self, "encoding", None)
        others = [row.encoding for row in rows if isinstance(row, Entry) and row.encoding is not None]
        if encoding is not None and any(each != encoding for each in others):
            raise ValueError(
                "dataset: expected categories and texts to be read as those of the training, got another encoding; "
                "read the table by get_dataset(..., encoding=predictor.encoding), or with this argument of from_frame"
            )
        told: list[Entry] = []
        usual = _InTurn(lambda: predict(self, [entry.planned or entry for entry in told], *args, **kwargs))
        for number, forecast in enumerate(predict(self, rows, *args, **kwargs)):
            wrong = ~np.isfinite(forecast.samples)
            if wrong.any():
                entry = as_multivariate(rows, "dataset", unseen=True)[number]
                _refuse(forecast, wrong.reshape(*wrong.shape[:2], -1), entry, tuple(self.item_ids))
            told = told or _entries(rows)
            settled_paths = _within(forecast, told[number], [seed or 0, number], partial(usual.at, number))
            yield JointForecast.of(settled_paths, told[number])

    return cast(Predict, checked)


def keeping_encoding(train: Training) -> Training:
    """A ``train`` or ``update`` whose fitted model knows the encoding of the entries that it was given.

    Arguments:
        train: the method of a model.

    Raises:
        ValueError: entries have another encoding than each other, or than a fitted model that is updated.
    """

    @wraps(train)
    def trained(self: Any, *args: Any, **kwargs: Any) -> Any:
        encoding = _encoding_of([*args, *kwargs.values()])
        return _knowing(encoding, train(self, *args, **kwargs))

    return cast(Training, trained)


def keeping_encoding_in_rungs(rungs: Rungs) -> Rungs:
    """The same for a ``train_in_rungs``, of each fitted model that it yields."""

    @wraps(rungs)
    def trained(self: Any, *args: Any, **kwargs: Any) -> Iterator[tuple[Any, bool]]:
        encoding = _encoding_of([*args, *kwargs.values()])
        for fitted, whole in rungs(self, *args, **kwargs):
            yield _knowing(encoding, fitted), whole

    return cast(Rungs, trained)


def _knowing(encoding: Encoding | None, fitted: Any) -> Any:
    if encoding is not None and getattr(fitted, "encoding", encoding) is None:
        fitted.encoding = encoding
    return fitted


def _encoding_of(given: Sequence[object]) -> Encoding | None:
    """That of all arguments of a training; ``None`` if they have none."""
    found = [each for value in given for each in _encodings(value)]
    if any(each != found[0] for each in found):
        raise ValueError(
            "training_data: expected categories and texts in one encoding, got several; read the table by "
            "get_dataset(..., encoding=predictor.encoding)"
        )
    return found[0] if found else None


def _encodings(value: object) -> Iterable[Encoding]:
    """Those of entries in a list, or of a fitted model."""
    told = value if isinstance(value, list | tuple) else [value]
    for each in told:
        encoding = each.get("encoding") if isinstance(each, Mapping) else getattr(each, "encoding", None)
        if isinstance(encoding, Encoding):
            yield encoding


class _InTurn:
    """Samples of forecasts that are drawn when one of them is asked for, each once and in their order.

    Arguments:
        begin: draws them.
    """

    def __init__(self, begin: Callable[[], Iterator[SampleForecast]]) -> None:
        self._begin = begin
        self._rest: Iterator[SampleForecast] | None = None
        self._next = 0

    def at(self, number: int) -> np.ndarray:
        """Those of a number, none before one that was asked for."""
        self._rest = self._begin() if self._rest is None else self._rest
        found = next(islice(self._rest, number - self._next, None))
        self._next = number + 1
        return np.asarray(found.samples)


def _entries(rows: list[Mapping[str, Any]]) -> list[Entry]:
    """An entry for each forecast: the rows, or the one that single series are grouped to."""
    single = any(np.ndim(row["target"]) == 1 for row in rows)
    return as_multivariate(rows, "dataset", unseen=True) if single else [Entry.of(row) for row in rows]


def _within(forecast: SampleForecast, entry: Entry, seed: list[int], usual: Callable[[], np.ndarray]) -> SampleForecast:
    """A forecast within the domain of its entry.

    Arguments:
        forecast: finite.
        entry: what is forecast.
        seed: of the phases by which counts are rounded.
        usual: draws the samples of the planned future, where the entry has a changed one.
    """
    given = np.asarray(forecast.samples)
    if entry.domain == "real":
        return forecast
    paths = given.reshape(*given.shape[:2], -1)
    fixed = None if entry.imposed is None else ~np.isnan(entry.imposed.T)
    shut = closed(entry.target, entry.freq, paths.shape[1])
    if fixed is not None:
        shut &= ~fixed
    # A series that is none of the training has no forecast, be it open or closed.
    if (paths[:, shut] > 0).any():
        paths = np.where(shut & ~np.isnan(paths), 0, paths)
    elif _lies_within(paths, entry.domain):
        return forecast
    if not _lies_within(paths, entry.domain):
        like = None
        if entry.planned is not None and entry.domain == "count":
            like = np.where(shut, 0, usual().reshape(paths.shape))
        paths = settled(paths, entry.domain, phases(len(paths), _names(entry), seed), like=like, fixed=fixed)
    return SampleForecast(paths.reshape(given.shape), forecast.start_date, forecast.item_id, forecast.info)


def _lies_within(paths: np.ndarray, domain: DataDomain) -> bool:
    if domain == "count" and (paths % 1 > 0).any():
        return False
    return not (paths < 0).any() and not (domain == "unit" and (paths > 1).any())


def _names(entry: Entry) -> Sequence[str] | range:
    return entry.item_ids or range(entry.dim)


def require_paths(count: int, horizon: int, series: int) -> None:
    """Refuse a horizon that no data have, and more paths than there is memory for.

    Raises:
        ValueError: it is one, or they are.
    """
    require_steps("prediction_length", horizon)
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
            f"forecast: expected finite numbers, got {value} for {name!r} on {date}; are the "
            "past and the plan those that were meant?"
        )
