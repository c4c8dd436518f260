"""Forecasts of an assortment that has changed since the training: series are found by their names."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor

from ...datasets.entries.assortment import Placed, is_another, placed, strangers
from ...datasets.entries.cuts import of_articles
from ...datasets.entries.entry import Entry
from ...datasets.entries.multivariate import as_multivariate
from .foreign import item_ids_of

Predict = TypeVar("Predict", bound=Callable[..., Iterator[SampleForecast]])

_SHOWN = 5


def by_name(predict: Predict) -> Predict:
    """Decorator of ``predict`` that matches series to those of training by name: any order, subset or superset.

    The forecast has the series of the entry in their order. One that is none of the training is NaN on every path, and
    named in a warning. What was trained on and is not there is passed on as `Entry.absent`, and left out of what
    comes back. Entries without names, and those in the order of the training, are passed on as they are.

    Arguments:
        predict: the method of a predictor with ``item_ids``.
    """

    @wraps(predict)
    def predicted(
        self: Any, dataset: Iterable[Mapping[str, Any]], num_samples: int = 100, seed: int | None = None, **others: Any
    ) -> Iterator[SampleForecast]:
        told, names = as_multivariate(dataset, "dataset", unseen=True), tuple(self.item_ids)
        if not any(is_another(entry, names) for entry in told):
            yield from predict(self, told, num_samples, seed, **others)
            return
        found = [placed(entry, names) if is_another(entry, names) else _as_it_is(entry) for entry in told]
        new = dict.fromkeys(name for entry in told for name in strangers(entry, names))
        if new:
            more = f" and {len(new) - _SHOWN} more" if len(new) > _SHOWN else ""
            shown = ", ".join(map(repr, list(new)[:_SHOWN])) + more
            warnings.warn(
                f"{len(new)} series are none of the training and have no forecast: {shown}; train on them, or update",
                UserWarning,
                stacklevel=2,
            )
        forecasts = predict(self, [each.entry for each in found], num_samples, seed, **others)
        for each, forecast in zip(found, forecasts, strict=True):
            samples = each.of(np.asarray(forecast.samples))
            yield SampleForecast(samples, forecast.start_date, forecast.item_id, forecast.info)

    return cast(Predict, predicted)


def drawn_from(
    predictor: Predictor, entries: Sequence[Entry], num_samples: int, seed: Mapping[str, int]
) -> Iterator[SampleForecast]:
    """Forecasts of a wrapped predictor; paths of absent series are 0.

    A predictor that knows its series is told of those that are absent, and any other of those that are there.

    Arguments:
        predictor: of joint forecasts.
        entries: as `as_multivariate` reads them.
        num_samples: paths S an entry.
        seed: of the draws, as `asked` says it.
    """
    knows = bool(item_ids_of(predictor))
    there = [_there(entry) for entry in entries]
    told = [
        entry if knows or present is None else of_articles([entry], present)[0]
        for entry, present in zip(entries, there, strict=True)
    ]
    for forecast, present in zip(predictor.predict(told, num_samples=num_samples, **seed), there, strict=True):
        if present is None:
            yield forecast
            continue
        samples = np.asarray(forecast.samples)
        whole = np.zeros((*samples.shape[:2], len(present)), dtype=samples.dtype)
        whole[..., present] = samples[..., present] if knows else samples
        yield SampleForecast(whole, forecast.start_date, forecast.item_id, forecast.info)


def _there(entry: Entry) -> np.ndarray | None:
    return None if entry.absent is None or not entry.absent.any() else ~entry.absent


def _as_it_is(entry: Entry) -> Placed:
    return Placed(entry, np.arange(entry.dim))
