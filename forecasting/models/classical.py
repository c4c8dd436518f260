"""Exponential smoothing, ARIMA and methods for rare demand for every series on its own: the classical rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from gluonts.model.forecast import SampleForecast

from ...datasets.entries.gluonts_keys import GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...evaluation.adapters.fitted import PlainModel
from ...runtime.arguments.kinds import Count, Seed, Steps
from ...runtime.seeds import seeded
from ..names import NAMES
from ..windows.gaps import bridged
from .naive import RandomWalkPredictor
from .statistical.rare_paths import rare_paths

LONGEST = 24
"""Steps of a season beyond which exponential smoothing has none."""

RARE = ("croston", "tsb")
"""Families for articles that are sold now and then."""

FAMILIES = ("ets", "arima", *RARE)
"""The families by name."""

SHORTEST = 12
"""Values below which no classical model is chosen; such a series walks at random."""


class ClassicalPredictor(PlainModel):
    """A model of the exponential smoothing or the ARIMA family for each series, chosen by information criterion.

    Or, for articles that are sold now and then, Croston's method or that of Teunter, Syntetos and Babai (`rare_paths`),
    which read the steps that were seen, one after the other, and have no season.

    Fitted anew on what lies before each forecast, the first two by statsforecast (the extra ``classical``); the series
    have independent paths, which `couple` can tie together. A gap is bridged (`bridged`); before one of more than a
    season, or 12 steps, nothing is read where there is enough behind it. One at the end is forecast over. A series of
    fewer than 12 values is a bootstrapped random walk.

    Source: Hyndman & Khandakar (2008), Automatic time series forecasting, Journal of Statistical Software 27(3).

    Arguments:
        prediction_length: horizon H, in steps.
        family: ``"ets"``, ``"arima"``, ``"croston"`` or ``"tsb"``.
        season_length: steps of a season, 1 for none. Exponential smoothing leaves out seasons beyond 24 steps.
        history: the last steps that are read, all if ``None``; ARIMA with a season takes long on thousands.
        seed: of the draws.

    Raises:
        ValueError: the family is unknown.

    Example:
        >>> ClassicalPredictor(7, "ets", season_length=7).family
        'ets'
    """

    names = NAMES

    def __init__(
        self,
        prediction_length: Steps,
        family: str = "ets",
        season_length: Steps = 1,
        history: Count | None = None,
        seed: Seed = 0,
    ) -> None:
        super().__init__(prediction_length=prediction_length)
        if family not in FAMILIES:
            raise ValueError(f"family: expected one of {', '.join(FAMILIES)}, got {family!r}")
        if history is not None and history < SHORTEST:
            raise ValueError(f"history: expected at least {SHORTEST} steps, got {history}")
        self.family, self.season_length, self.history, self.seed = family, season_length, history, seed

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        names = ("prediction_length", "family", "season_length", "history", "seed")
        return {name: getattr(self, name) for name in names}

    def for_run(self, seed: int, directory: Path | None = None) -> ClassicalPredictor:
        """This predictor with another seed."""
        return ClassicalPredictor(self.prediction_length, self.family, self.season_length, self.history, seed)

    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units, drawn from `seed` if given.

        Raises:
            ValueError: exponential smoothing or ARIMA is asked for, and statsforecast is not installed.
        """
        seed = self.seed if seed is None else seed
        for number, entry in enumerate(as_multivariate(dataset, "dataset")):
            seeds = np.random.SeedSequence((seed, number)).generate_state(entry.dim)
            paths = [self._paths(entry.target[series], num_samples, int(own)) for series, own in enumerate(seeds)]
            yield SampleForecast(
                samples=np.stack(paths, axis=2).astype(np.float32),
                start_date=entry.forecast_start,
                item_id=entry.item_id,
            )

    def _paths(self, target: np.ndarray, count: int, seed: int) -> np.ndarray:
        """Paths ``[S, H]`` of one series."""
        seen = np.flatnonzero(~np.isnan(target))
        if self.family in RARE:
            sold = np.maximum(target[seen][-(self.history or len(seen)) :], 0).astype(np.float64)
            return rare_paths(sold, self.family, self.prediction_length, count, seed)
        try:
            from statsforecast.models import AutoARIMA, AutoETS
        except ModuleNotFoundError as error:
            raise ValueError(
                f"{self.family}: expected statsforecast to be installed, got none; pip install statsforecast"
            ) from error
        values = target[seen[0] : seen[-1] + 1].astype(np.float64)
        if len(values) < SHORTEST:
            walk = RandomWalkPredictor(self.prediction_length, joint=False, seed=seed)
            return walk.paths(target[None, seen[0] :].astype(np.float64), count)[:, :, 0]
        # A long gap is nothing that a model of single steps can be fitted to; a short one may lie before the cut.
        season = self.season_length if self.season_length <= LONGEST else 1
        begins = seen[1:][np.diff(seen) > max(season, SHORTEST) + 1] - seen[0]
        enough = begins[len(values) - begins >= max(SHORTEST, 2 * season)]
        values = bridged(values[None, enough[-1] if len(enough) else 0 :], season)[:, 0]
        values, missing = values[-(self.history or len(values)) :], len(target) - 1 - int(seen[-1])
        # Not once in training: the fit of one candidate depends on those tried before it, whose bounds it takes over.
        chosen = (AutoETS if self.family == "ets" else AutoARIMA)(season_length=self.season_length)
        with seeded(seed):
            return chosen.simulate(missing + self.prediction_length, count, y=values, seed=seed)[:, missing:]
