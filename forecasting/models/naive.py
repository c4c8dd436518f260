"""Forecasts without learning: the rows that every table carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from gluonts.model.forecast import SampleForecast

from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...evaluation.adapters.fitted import PlainModel
from ...runtime.arguments.kinds import Seed, Steps
from ..names import NAMES
from ..windows.gaps import last_season, previous_values


class SeasonalNaivePredictor(PlainModel):
    """The value of one season before, on every path: ``y_{T+h} = y_{T+h-m}``.

    Where that value is missing, the last one seen at the same place of a season takes its place. Before there was one
    it is the last one of all of an article younger than a season, and 0 of others. With a season of one step it is the
    last-value forecast.

    Arguments:
        prediction_length: horizon H, in steps.
        season_length: steps m of a season.

    Example:
        >>> import pandas as pd
        >>> entry = {"start": pd.Period("2024-01-01", "D"), "target": np.array([[1.0, 2.0, 3.0]])}
        >>> forecast = next(SeasonalNaivePredictor(3, season_length=2).predict([entry], num_samples=1))
        >>> forecast.samples[0, :, 0]
        array([2., 3., 2.], dtype=float32)
    """

    names = NAMES

    def __init__(self, prediction_length: Steps, season_length: Steps = 1) -> None:
        super().__init__(prediction_length=prediction_length)
        self.season_length = season_length

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {"prediction_length": self.prediction_length, "season_length": self.season_length}

    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, all paths equal whatever the seed."""
        for entry in as_multivariate(dataset, "dataset"):
            path = _season_before(entry.target, self.season_length, self.prediction_length)
            yield _forecast(entry, np.repeat(path[None], num_samples, axis=0))


class RandomWalkPredictor(PlainModel):
    """Past changes, drawn with replacement and added up: ``y_{T+h} = y_{T+h-m} + e_h``.

    The bootstrapped walk learns nothing, and is hard to beat on CRPS-sum (Koochali et al. 2022,
    arXiv 2201.08671).

    Arguments:
        prediction_length: horizon H, in steps.
        season_length: steps m over which changes are taken: 1 for a random walk, the season for a seasonal one.
        joint: whether the changes of all series are drawn from the same past step, which keeps their dependence,
            or for each series on its own. A series that has none at a step, such as a new article, takes another of
            its own.
        seed: of the draws.

    Example:
        >>> import pandas as pd
        >>> entry = {"start": pd.Period("2024-01-01", "D"), "target": np.array([[1.0, 2.0, 3.0]])}
        >>> next(RandomWalkPredictor(2).predict([entry], num_samples=1)).samples[0, :, 0]
        array([4., 5.], dtype=float32)
    """

    names = NAMES

    def __init__(self, prediction_length: Steps, season_length: Steps = 1, joint: bool = True, seed: Seed = 0) -> None:
        super().__init__(prediction_length=prediction_length)
        self.season_length, self.joint, self.seed = season_length, joint, seed

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {
            "prediction_length": self.prediction_length,
            "season_length": self.season_length,
            "joint": self.joint,
            "seed": self.seed,
        }

    def for_run(self, seed: int, directory: Path | None = None) -> RandomWalkPredictor:
        """This predictor with another seed."""
        return RandomWalkPredictor(self.prediction_length, self.season_length, self.joint, seed)

    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units, drawn from `seed` if given."""
        generator = np.random.default_rng(self.seed if seed is None else seed)
        for entry in as_multivariate(dataset, "dataset"):
            yield _forecast(entry, self.paths(entry.target, num_samples, generator))

    def paths(self, target: np.ndarray, count: int, generator: np.random.Generator | None = None) -> np.ndarray:
        """Paths ``[S, H, D]`` that follow ``target`` ``[D, T]``, NaN where missing.

        Arguments:
            target: the past.
            count: paths S.
            generator: of the draws; by default one made of the seed.
        """
        generator = generator or np.random.default_rng(self.seed)
        season, horizon = self.season_length, self.prediction_length
        change = (target - previous_values(target, season)).T
        drawn = np.full((count, horizon, len(target)), np.nan, dtype=change.dtype)
        known = ~np.isnan(change)
        if self.joint and known.any():
            steps = change[known.any(1)]
            drawn = steps[generator.integers(len(steps), size=(count, horizon))]
        for series in np.flatnonzero(np.isnan(drawn).any((0, 1))):
            missing, own = np.isnan(drawn[..., series]), change[known[:, series], series]
            drawn[missing, series] = generator.choice(own, size=missing.sum()) if len(own) else 0
        paths = np.repeat(_season_before(target, season, horizon)[None], count, axis=0)
        for phase in range(min(season, horizon)):
            paths[:, phase::season] += drawn[:, phase::season].cumsum(1)
        return paths


def _season_before(target: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """The values ``[H, D]`` that a seasonal forecast repeats."""
    return last_season(target, season).T[np.arange(horizon) % season]


def _forecast(entry: Entry, samples: np.ndarray) -> SampleForecast:
    return SampleForecast(
        samples=samples.astype(np.float32),
        start_date=entry.forecast_start,
        item_id=entry.item_id,
    )
