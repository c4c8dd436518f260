"""What-if simulation: joint sales paths of a baseline and of changed futures, drawn from the same noise."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor

from ...datasets.entries.channels import PRICE, Channels, rows_of
from ...datasets.entries.checks import numbers_of
from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import written_date
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...evaluation.adapters.foreign import channels_of, item_ids_of
from ...runtime.arguments.kinds import Count, Seed, check_kind
from .beyond import require_held, unseen_values
from .future import BASELINE, Future
from .outcome import Outcome, Simulation
from .scenario import Scenario


def simulate(
    predictor: Predictor,
    history: GluontsEntry | Iterable[GluontsEntry],
    scenarios: Scenario | Sequence[Scenario] = (),
    paths: int = 1000,
    seed: int = 0,
) -> Simulation:
    """Draw joint paths of the planned future and of changed ones under common random numbers.

    Every future is drawn from the same seed in the same order, so that path s differs between two of them only by
    what was changed (common random numbers; Glasserman and Yao 1992, Management Science 38). The baseline equals
    ``predictor.predict(history, num_samples=paths, seed=seed)`` path by path. The entry of a changed future has that of
    the planned one as ``planned``, for models whose paths are not a function of seed and future alone.

    Arguments:
        predictor: a trained predictor of many series.
        history: one entry of all series; its channels reach over the horizon, with the planned future.
        scenarios: changed futures, each with a name of its own.
        paths: number of joint paths S of each future.
        seed: of the draws.

    Returns:
        The outcomes.

    Raises:
        ValueError: a scenario names an article, a channel or steps that the model does not know; nothing is drawn
            then. Or a value is set that no network can hold, or sales by a model that does not set them, or paths are
            not finite.

    Example:
        >>> from hemline.datasets import simulated_sales
        >>> from hemline.forecasting import ForecastEstimator, Scenario, TrainConfig, simulate
        >>> data = simulated_sales(articles=2, weeks=104, windows=1)
        >>> training = TrainConfig(max_epochs=1, batches_per_epoch=2)
        >>> predictor = ForecastEstimator("W-SUN", 8, lags=(1,), train=training).train(data.train)
        >>> outcomes = simulate(predictor, data.history(0), Scenario("out", "sales[dress_1] = 0 @ 3:5"), paths=10)
        >>> print(outcomes["out"].paths[:, 2:5, 0].max())
        0.0
    """
    if predictor is None:
        raise ValueError("predictor: expected a trained model, got None")
    for argument, value, kind in (("history", history, Iterable), ("paths", paths, Count), ("seed", seed, Seed)):
        check_kind(argument, value, kind)
    given = [history] if isinstance(history, Mapping) else list(history)
    entries = as_multivariate(given, "history", unseen=True)
    if len(entries) != 1:
        raise ValueError(f"history: expected one entry of all series, got {len(entries)}")
    entry = entries[0]
    chosen = (scenarios,) if isinstance(scenarios, Scenario) else tuple(scenarios)
    names = [scenario.name for scenario in chosen]
    if len(set(names)) < len(names):
        raise ValueError(f"scenarios: expected a name of its own for each, got {', '.join(names)}")
    futures = futures_of(predictor, entry, chosen)
    planned, item_ids, channels = futures.planned, futures.item_ids, futures.channels
    for scenario in chosen:
        future = futures.futures[scenario.name]
        require_held(future, scenario.changes, channels)
        sales = Future(None, future.imposed)
        for sentence in unseen_values(planned, sales, item_ids, channels, entry.target, room=1.0):
            warnings.warn(f"sales: {sentence}", stacklevel=2)

    outcomes: dict[str, Outcome] = {}
    for name, future in futures.futures.items():
        told = _told(entry, future)
        if name != BASELINE:
            told = told.with_(planned=_told(entry, planned))
        # What is beyond all bounds is refused below, with its name.
        with np.errstate(over="ignore"):
            forecast = next(iter(predictor.predict([told], num_samples=paths, seed=seed)))
        samples = forecast.samples
        _require_finite(forecast, name, item_ids)
        _require_imposed(forecast, future, item_ids)
        price = _prices(future, item_ids, channels)
        outcomes[name] = Outcome(
            name=name,
            paths=samples,
            item_ids=item_ids,
            start=forecast.start_date,
            money=None if price is None else samples * price,
            baseline=outcomes.get(BASELINE),
        )
    unseen = {
        scenario.name: unseen_values(planned, futures.futures[scenario.name], item_ids, channels, entry.target)
        for scenario in chosen
    }
    return Simulation(outcomes, chosen, entry, unseen)


@dataclass(frozen=True, eq=False)
class Futures:
    """The planned future of an entry, and changed ones.

    Arguments:
        futures: by name, ``"baseline"`` is the planned one.
        item_ids: names of the D series.
        channels: names of the K channels.
    """

    futures: Mapping[str, Future]
    item_ids: tuple[str, ...]
    channels: tuple[str, ...]

    @property
    def planned(self) -> Future:
        """The planned one."""
        return self.futures[BASELINE]


def futures_of(predictor: Predictor, entry: Entry, scenarios: Sequence[Scenario]) -> Futures:
    """What a model would be told of the planned future and of changed ones; nothing is drawn.

    Arguments:
        predictor: the model.
        entry: of all series.
        scenarios: changed futures.

    Raises:
        ValueError: a change is of what the model does not know.
    """
    item_ids, channels = _known(predictor, entry)
    planned = _planned(predictor, entry)
    futures = {BASELINE: planned}
    for scenario in scenarios:
        future = planned
        # What became too large may be set anew by a later change.
        with np.errstate(over="ignore", invalid="ignore"):
            for change in scenario.changes:
                future = future.changed(change, item_ids, channels)
        futures[scenario.name] = future
    return Futures(futures, item_ids, channels)


def _require_finite(forecast: SampleForecast, name: str, item_ids: Sequence[str]) -> None:
    """Raise where paths ``[S, H, D]`` are not numbers: of a price that is no price sales may be beyond all bounds."""
    samples = forecast.samples
    wrong = ~np.isfinite(samples).all(axis=0)
    if wrong.any():
        step, series = np.argwhere(wrong)[0]
        raise ValueError(
            f"scenarios: expected finite sales, got {samples[:, step, series].max()} units of {item_ids[series]!r} on "
            f"{written_date(forecast.start_date, step)} in {name!r}; are its values those that were meant?"
        )


def _require_imposed(forecast: SampleForecast, future: Future, item_ids: Sequence[str]) -> None:
    """Raise where paths ``[S, H, D]`` do not have the sales that the future imposes: a walk, for one, reads none."""
    samples, wanted = forecast.samples, future.imposed.T.astype(np.float32)
    missed = ~np.isnan(wanted) & ~np.isclose(samples, wanted).all(axis=0)
    if missed.any():
        step, series = np.argwhere(missed)[0]
        raise ValueError(
            f"sales[{item_ids[series]}]: expected a model that can impose sales, got one whose paths do not have them "
            f"on {written_date(forecast.start_date, step)}"
        )


def _known(predictor: Predictor, entry: Entry) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of series and channels: those of the entry, else those that the model was trained on."""
    item_ids, channels = entry.item_ids or item_ids_of(predictor), channels_of(predictor)
    named = entry.channels.names if channels is None or (channels and entry.channels.names) else channels
    return item_ids or numbers_of(entry.dim), named


def _planned(predictor: Predictor, entry: Entry) -> Future:
    horizon = predictor.prediction_length
    imposed = np.full((entry.dim, horizon), np.nan) if entry.imposed is None else entry.imposed.astype(float)
    covariates = entry.channels.steps(0, entry.length + horizon).values.astype(float)
    return Future(covariates if entry.channels else None, imposed)


def _told(entry: Entry, future: Future) -> Entry:
    channels = entry.channels
    if future.covariates is not None:
        channels = Channels(future.covariates.astype(np.float32), channels.names)
    return entry.with_(channels=channels, imposed=None if np.isnan(future.imposed).all() else future.imposed)


def _prices(future: Future, item_ids: Sequence[str], channels: Sequence[str]) -> np.ndarray | None:
    """Prices ``[H, D]`` over the horizon, ``None`` where an article has none."""
    rows = rows_of(channels, PRICE, item_ids)
    if future.covariates is None or rows is None:
        return None
    return future.covariates[rows, -future.imposed.shape[1] :].T
