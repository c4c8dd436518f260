"""A univariate gluonts predictor over the single series, its paths put side by side."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from gluonts.model.forecast import Forecast, QuantileForecast, SampleForecast
from gluonts.model.predictor import Predictor

from ...datasets.entries.checks import check_ahead, check_series
from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import KNOWN, STATIC, DataEntry, GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...datasets.entries.univariate import as_univariate
from ...datasets.entries.unseen import warn_of_unseen
from ...runtime.arguments.kinds import Seed
from ...runtime.names import Names
from ...runtime.plain import PlainObject
from ...runtime.reading.json_files import read_json
from ...runtime.seeds import seeded
from .by_name import by_name
from .fitted import FittedModel
from .predictor_folder import read_predictor, store_predictor
from .quiet import quiet_gluonts


class GroupedPredictor(FittedModel):
    """Forecasts every series on its own and groups the independent paths to a joint forecast.

    Path number s of the group is path number s of every series; across series the paths are independent.

    Arguments:
        predictor: a univariate gluonts predictor, whose forecasts are samples, distributions or quantiles.
        seed: of the draws.
        training_log: a row an epoch.
        item_ids: names of the D series, as trained.
        covariate_names: names of the channels that the predictor reads, as trained; none if it reads none.
        fields: how many rows or values a series had in each field that the predictor reads, as trained; the number of
            a series in ``feat_static_cat`` is none of them.
        categories: how many values each category of a series had, as trained; none where that is not known.
    """

    item_ids: tuple[str, ...] = ()
    covariate_names: tuple[str, ...] = ()

    def __init__(
        self,
        predictor: Predictor,
        seed: Seed = 0,
        training_log: list[PlainObject] | None = None,
        item_ids: tuple[str, ...] = (),
        covariate_names: tuple[str, ...] = (),
        fields: Mapping[str, int] | None = None,
        categories: tuple[int, ...] = (),
    ) -> None:
        super().__init__(prediction_length=predictor.prediction_length)
        self.predictor, self.seed, self.training_log = predictor, seed, training_log or []
        self.item_ids, self.covariate_names, self.fields = item_ids, covariate_names, dict(fields or {})
        self.categories = categories

    @by_name
    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units.

        Single series share no noise with each other. So, where an entry holds that of the planned future as
        ``planned`` (`simulate`), a series whose own channels are the planned ones has the planned paths.

        Raises:
            ValueError: the predictor says neither samples nor quantiles, or values are to be imposed, or the series
                have no names and are not as many as in training: a network knows each by its number; or a field that
                the predictor reads is missing, or is not as long as it was in training.
        """
        seed = self.seed if seed is None else seed
        for number, entry in enumerate(as_multivariate(dataset, "dataset")):
            if entry.imposed is not None:
                raise ValueError("imposed: expected a joint model to impose sales on, got one of single series")
            if self.item_ids and entry.item_ids and entry.dim != len(self.item_ids):
                raise ValueError(
                    f"dataset: expected {len(self.item_ids)} series as in training, got {entry.dim} in entry {number}"
                )
            check_series(entry, tuple(self.item_ids))
            if self.covariate_names:
                check_ahead(entry, self.prediction_length, number)
                warn_of_unseen(entry, self.prediction_length)
            there = np.ones(entry.dim, dtype=bool) if entry.absent is None else ~entry.absent
            rows = [row for row, present in zip(as_univariate(entry), there, strict=True) if present]
            self._check_fields(rows, entry, number)
            samples = self._joined(rows, num_samples, (seed + 1) * 7919 + number)
            if entry.planned is not None:
                planned = [row for row, present in zip(as_univariate(entry.planned), there, strict=True) if present]
                same = [_same_channels(*pair) for pair in zip(rows, planned, strict=True)]
                samples[..., same] = self._joined(planned, num_samples, (seed + 1) * 7919 + number)[..., same]
            whole = np.zeros((*samples.shape[:2], entry.dim), dtype=samples.dtype)
            whole[..., there] = samples
            yield SampleForecast(
                samples=whole,
                start_date=entry.forecast_start,
                item_id=entry.item_id,
            )

    def _check_fields(self, rows: list[DataEntry], entry: Entry, number: int) -> None:
        for field, expected in self.fields.items():
            for series, row in enumerate(rows):
                got = field_length(row, field)
                if got != expected:
                    name = entry.item_ids[series] if entry.item_ids else series
                    raise ValueError(
                        f"dataset: expected {field} of length {expected} for each series as in training, got "
                        f"{f'one of {got}' if got else 'none'} for series {name!r} of entry {number}"
                    )
        for series, row in enumerate(rows if self.categories else ()):
            for place, (found, count) in enumerate(zip(row[STATIC["static_cat"]][1:], self.categories, strict=True)):
                if found >= count:
                    name = entry.item_ids[series] if entry.item_ids else series
                    raise ValueError(
                        f"dataset: expected a category below {count} in place {place} of static_cat, as in training, "
                        f"got {int(found)} for series {name!r} of entry {number}; update the model with it"
                    )

    def _joined(self, rows: list[DataEntry], num_samples: int, seed: int) -> np.ndarray:
        """Paths ``[S, H, D]`` of the single series."""
        rows = [{**row, "target": with_a_level(row["target"], self.prediction_length)} for row in rows]
        with seeded(seed), quiet_gluonts():
            try:
                forecasts = self.predictor.predict(rows, num_samples=num_samples)
                return np.stack([paths_of(forecast, num_samples) for forecast in forecasts], axis=2)
            except ValueError as error:
                if "\n" not in str(error):
                    raise
                # What torch says of a distribution without numbers is a page of them.
                raise ValueError(
                    f"forecast: expected a distribution of numbers, got from {type(self.predictor).__name__}: "
                    f"{str(error).partition(', but')[0].splitlines()[0]}"
                ) from error

    def write(self, folder: Path) -> None:
        """Write the univariate predictor into a folder of its own, and what the series were."""
        store_predictor(self.predictor, folder / "univariate")
        described = {
            "seed": self.seed,
            "training_log": self.training_log,
            "item_ids": self.item_ids,
            "covariate_names": self.covariate_names,
            "fields": self.fields,
            "categories": self.categories,
        }
        (folder / "grouped.json").write_text(json.dumps(described))

    @classmethod
    def read(cls, folder: Path, names: Names, device: str) -> GroupedPredictor:
        """The fitted model that `write` stored in a folder."""
        described = read_json(folder / "grouped.json")
        inner = read_predictor(folder / "univariate", names, device=device)
        items, channels = (tuple(described[key]) for key in ("item_ids", "covariate_names"))
        fields, categories = described.get("fields"), tuple(described.get("categories", ()))
        return cls(inner, described["seed"], described["training_log"], items, channels, fields, categories)


def with_a_level(target: np.ndarray, steps: int) -> np.ndarray:
    """A series whose last steps are all missing, with its level there: a network that scales by them knows no other.

    Arguments:
        target: ``[T]``, NaN where missing.
        steps: so many at the end; as they are if one of them has a value, or no step before them has one.

    Returns:
        ``[T]``, the mean of as many values seen before from the last one on.

    Example:
        >>> with_a_level(np.array([1.0, 2.0, 4.0, np.nan, np.nan]), 2)
        array([1., 2., 4., 3., 3.])
    """
    seen = np.flatnonzero(~np.isnan(target))
    if not len(seen) or seen[-1] >= len(target) - steps:
        return target
    level = target[seen[-steps:]].mean(dtype=np.float64).astype(target.dtype)
    return np.where(np.arange(len(target)) > seen[-1], level, target)


def field_length(row: DataEntry, field: str) -> int:
    """How many rows or values a single series has in a field, its number in ``feat_static_cat`` not counted."""
    return len(row.get(field, ())) - (field == STATIC["static_cat"])


def _same_channels(first: DataEntry, second: DataEntry) -> bool:
    """Whether a series reads the same of the future in two entries."""
    return KNOWN not in first or np.array_equal(first[KNOWN], second[KNOWN])


def paths_of(forecast: Forecast, count: int) -> np.ndarray:
    """Sample paths of any univariate forecast.

    A forecast that says quantiles alone has its steps drawn independently: at each step the quantiles at `count`
    evenly spread levels, in random order.

    Arguments:
        forecast: samples, a distribution or quantiles.
        count: paths S.

    Returns:
        ``[S, H]``, data units; a forecast by samples keeps its own S.

    Raises:
        ValueError: the forecast says none of these.
    """
    if isinstance(forecast, SampleForecast):
        return forecast.samples
    if hasattr(forecast, "to_sample_forecast"):
        return forecast.to_sample_forecast(count).samples
    if not isinstance(forecast, QuantileForecast):
        raise ValueError(
            f"predictor: expected forecasts by samples, distributions or quantiles, got {type(forecast).__name__}"
        )
    levels = (np.arange(count) + 0.5) / count
    quantiles = np.stack([forecast.quantile(float(level)) for level in levels])
    order = np.random.random_sample(quantiles.shape).argsort(axis=0)
    return np.take_along_axis(quantiles, order, axis=0)


def asked(seed: int | None) -> dict[str, int]:
    """The seed as an argument of the ``predict`` of any predictor, which need not know of seeds unless one is asked.

    Arguments:
        seed: of the draws; ``None`` leaves it to the predictor.

    Example:
        >>> asked(3), asked(None)
        ({'seed': 3}, {})
    """
    return {} if seed is None else {"seed": seed}
