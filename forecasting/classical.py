"""Exponential smoothing and ARIMA for every series on its own: the classical rows."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gluonts.core.component import validated
from gluonts.model.estimator import Estimator
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import RepresentablePredictor

from .configuration import Configured
from .grouping import Entry, as_multivariate
from .naive import RandomWalkPredictor
from .windows import previous_values

logger = logging.getLogger(__name__)

SHORTEST = 12
"""Values below which no classical model is chosen; such a series walks at random."""


class ClassicalEstimator(Configured, Estimator):
    """Chooses a model of the exponential smoothing or the ARIMA family for each series, by information criterion.

    The choice is made once, by statsforecast (the extra ``classical``) on the longest entry; what was chosen is fitted
    anew to what lies before each forecast. Source: Hyndman & Khandakar (2008), Automatic time series forecasting,
    Journal of Statistical Software 27(3).

    Arguments:
        prediction_length: horizon H, in steps.
        family: ``"ets"`` or ``"arima"``.
        season_length: steps of a season, 1 for none. Exponential smoothing leaves out seasons beyond 24 steps.
        history: the last steps that are read, all if ``None``; ARIMA with a season takes long on thousands.
        seed: of the draws.

    Raises:
        ValueError: the family is unknown, or a number is out of its range.

    Example:
        >>> ClassicalEstimator(7, "ets", season_length=7).family
        'ets'
    """

    def __init__(
        self,
        prediction_length: int,
        family: str = "ets",
        *,
        season_length: int = 1,
        history: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        _check(family, season_length, history)
        self.prediction_length, self.family, self.season_length = prediction_length, family, season_length
        self.history, self.seed = history, seed

    def train(
        self, training_data: Iterable[Entry], validation_data: Iterable[Entry] | None = None
    ) -> ClassicalPredictor:
        """Choose a model for each series.

        Arguments:
            training_data: multivariate gluonts entries (``target`` ``[D, T]``), or univariate ones.
            validation_data: not read.

        Returns:
            The predictor.

        Raises:
            ValueError: statsforecast is not installed.
        """
        entries = as_multivariate(training_data)
        target = max((entry["target"] for entry in entries), key=lambda values: values.shape[1])
        kinds: list[dict[str, Any]] = []
        for number, series in enumerate(target, start=1):
            values = _known(series, self.history)
            kinds.append({} if len(values) < SHORTEST else _kind(_chosen(self.family, self.season_length).fit(values)))
            if number % 50 == 0:
                logger.info("%s: chosen for %d of %d series", self.family, number, len(target))
        return ClassicalPredictor(
            self.prediction_length, self.family, self.season_length, self.history, self.seed, kinds
        )

    def for_run(self, seed: int, directory: Path | None = None) -> ClassicalEstimator:
        """This estimator for one run of a backtest; it leaves nothing in a folder."""
        return self.override({"seed": seed})

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = ("prediction_length", "family", "season_length", "history", "seed")
        return {name: getattr(self, name) for name in names}


class ClassicalPredictor(RepresentablePredictor):
    """Fits a classical model to each series before each forecast, and draws its paths.

    The series have independent paths, which `couple` can tie together. A gap is bridged by the last value seen. A
    series of fewer than 12 values is a bootstrapped random walk.

    Arguments:
        prediction_length: horizon H, in steps.
        family: ``"ets"`` or ``"arima"``.
        season_length: steps of a season, 1 for none. Exponential smoothing leaves out seasons beyond 24 steps.
        history: the last steps that are read, all if ``None``.
        seed: of the draws.
        kinds: the model of each series, as `ClassicalEstimator` chose it; one without a kind, or whose kind cannot be
            fitted to what lies before a forecast, has a model chosen anew. All of them if ``None``.

    Raises:
        ValueError: the family is unknown, or a number is out of its range.

    Example:
        >>> ClassicalPredictor(7, "ets", season_length=7).family
        'ets'
    """

    covariate_names: tuple[str, ...] = ()  # it reads none

    @validated()
    def __init__(
        self,
        prediction_length: int,
        family: str = "ets",
        season_length: int = 1,
        history: int | None = None,
        seed: int = 0,
        kinds: list | None = None,
    ) -> None:
        super().__init__(prediction_length=prediction_length)
        _check(family, season_length, history)
        self.family, self.season_length, self.history, self.seed = family, season_length, history, seed
        self.kinds = kinds

    def for_run(self, seed: int, directory: Any = None) -> ClassicalPredictor:
        """This predictor with another seed."""
        return ClassicalPredictor(
            self.prediction_length, self.family, self.season_length, self.history, seed, self.kinds
        )

    def predict(
        self, dataset: Iterable[Entry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units, drawn from `seed` if given.

        Raises:
            ValueError: statsforecast is not installed, or an entry has another number of series than the training data.
        """
        seed = self.seed if seed is None else seed
        for number, entry in enumerate(as_multivariate(dataset, "dataset")):
            dim = len(entry["target"])
            kinds: Sequence[dict[str, Any]] = [{}] * dim if self.kinds is None else self.kinds
            if len(kinds) != dim:
                raise ValueError(f"dataset: expected {len(kinds)} series as in training, got {dim} in entry {number}")
            seeds = np.random.SeedSequence((seed, number)).generate_state(dim)
            paths = [
                self._paths(series, kind, num_samples, int(own))
                for series, kind, own in zip(entry["target"], kinds, seeds, strict=True)
            ]
            yield SampleForecast(
                samples=np.stack(paths, axis=2).astype(np.float32),
                start_date=entry["start"] + entry["target"].shape[1],
                item_id=entry.get("item_id"),
            )

    def _paths(self, series: np.ndarray, kind: dict[str, Any], count: int, seed: int) -> np.ndarray:
        """Paths ``[S, H]`` of one series."""
        values = _known(series, self.history)
        if len(values) < SHORTEST:
            walk = RandomWalkPredictor(self.prediction_length, joint=False, seed=seed)
            return walk.paths(values[None], count)[:, :, 0]
        try:
            fitted = _chosen(self.family, self.season_length, kind).fit(values)
        except Exception:  # statsforecast raises it plain where a kind does not suit: a ratio to zeros, few values
            if not kind:
                raise
            fitted = _chosen(self.family, self.season_length).fit(values)
        return _simulated(fitted, self.prediction_length, count, seed)


def _check(family: str, season_length: int, history: int | None) -> None:
    if family not in ("ets", "arima"):
        raise ValueError(f"family: expected 'ets' or 'arima', got {family!r}")
    if season_length < 1:
        raise ValueError(f"season_length: expected at least 1 step, got {season_length}")
    if history is not None and history < SHORTEST:
        raise ValueError(f"history: expected at least {SHORTEST} steps, got {history}")


def _known(series: np.ndarray, history: int | None) -> np.ndarray:
    """The last values of a series ``[T]`` from its first one on, gaps bridged by the last value seen."""
    values = series[np.flatnonzero(~np.isnan(series))[0] :].astype(np.float64)
    if len(values) < SHORTEST:
        return values
    # Bridged before they are cut, because the last steps may begin in a gap.
    values = np.where(np.isnan(values), previous_values(values[None], 1)[0], values)
    return values[-(history or len(values)) :]


def _chosen(family: str, season_length: int, kind: dict[str, Any] | None = None) -> Any:
    """A model of statsforecast: of a kind, or one that chooses it as it is fitted.

    Raises:
        ValueError: statsforecast is not installed.
    """
    try:
        from statsforecast.models import ARIMA, AutoARIMA, AutoETS
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{family}: expected statsforecast to be installed, got none; pip install 'hemline[classical]'"
        ) from error
    if family == "ets":
        return AutoETS(season_length=season_length, **(kind or {}))
    return ARIMA(season_length=season_length, **kind) if kind else AutoARIMA(season_length=season_length)


def _kind(fitted: Any) -> dict[str, Any]:
    """What a fitted model has chosen, as arguments of a model of that kind."""
    found = fitted.model_
    if "components" in found:
        *letters, damped = found["components"]
        return {"model": "".join(letters), "damped": damped != "N"}
    p, q, seasonal_p, seasonal_q, _, d, seasonal_d = (int(order) for order in found["arma"])
    return {
        "order": [p, d, q],
        "seasonal_order": [seasonal_p, seasonal_d, seasonal_q],
        "include_mean": "intercept" in found["coef"],
        "include_drift": "drift" in found["coef"],
    }


def _simulated(fitted: Any, horizon: int, count: int, seed: int) -> np.ndarray:
    """Paths ``[S, H]`` of a fitted model."""
    if "components" in fitted.model_:
        return fitted.simulate(horizon, count, seed=seed)
    # statsforecast's ARIMA, unlike its AutoARIMA, has no such method.
    from statsforecast.arima import simulate_arima

    return simulate_arima(fitted.model_, horizon, count, seed=seed)
