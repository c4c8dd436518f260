"""What-if simulation: joint sales paths of a baseline and of changed futures, drawn from the same noise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from gluonts.model.predictor import Predictor

from ..datasets.frequency import dates_of
from .conditions import holds, known_steps
from .grouping import Entry, as_multivariate
from .scenarios import BASELINE, Future, Scenario, some, unseen_values

PRICE = "price"


@dataclass(frozen=True, eq=False)
class Outcome:
    """Joint paths of the assortment in one future, or the difference between two.

    Arguments:
        name: of the future.
        paths: ``[S, H, D]`` units; path s of every outcome of a simulation comes from the same noise.
        item_ids: names of the D series.
        start: the first step of the horizon.
        money: ``[S, H, D]`` units times price; ``None`` where the model knows no prices.
        baseline: the planned future; ``None`` for the baseline itself and for differences.
    """

    name: str
    paths: np.ndarray
    item_ids: tuple[str, ...]
    start: pd.Period
    money: np.ndarray | None = field(default=None, repr=False)
    baseline: Outcome | None = field(default=None, repr=False)

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The dates of the H steps of the horizon."""
        return dates_of(self.start, self.paths.shape[1])

    def quantile(self, level: float | Sequence[float]) -> np.ndarray:
        """Quantiles of every article and step.

        Arguments:
            level: between 0 and 1, one or Q.

        Returns:
            ``[H, D]`` or ``[Q, H, D]``, units.
        """
        return np.quantile(self.paths, level, axis=0)

    def units(self, article: str | None = None, steps: slice | None = None) -> np.ndarray:
        """Total units over the horizon on every path.

        Arguments:
            article: a name; ``None`` for the whole assortment.
            steps: part of the horizon; ``None`` for all of it.

        Returns:
            ``[S]``, units.
        """
        return self._total(self.paths, article, steps)

    def revenue(self, article: str | None = None, steps: slice | None = None) -> np.ndarray:
        """Total of units times price over the horizon on every path; see `units`.

        Returns:
            ``[S]``, money.

        Raises:
            ValueError: the model knows no prices.
        """
        if self.money is None:
            raise ValueError(f"revenue: expected a model with a channel {PRICE}[article] for every article")
        return self._total(self.money, article, steps)

    def probability(self, condition: str) -> float:
        """The share of paths on which a condition holds.

        Arguments:
            condition: such as ``"units[A] + units[B] < 500"``; `hemline.forecasting.conditions.holds` has all of it.

        Raises:
            ValueError: the condition cannot be read, or names what is not there.
        """
        look = {"units": self.units, "revenue": self.revenue}
        horizon = self.paths.shape[1]
        return float(
            holds(
                condition,
                lambda quantity, article, steps: look[quantity](article, known_steps(steps, horizon)),
            ).mean()
        )

    def difference(self, other: Outcome | None = None) -> Outcome:
        """This future minus another one, path by path.

        The paths share their noise, so the difference is what the changes do, and its standard error is far below
        that of two independent forecasts.

        Arguments:
            other: an outcome of the same simulation; the baseline if ``None``.

        Returns:
            An outcome whose units and money are differences.
        """
        other = other or self.baseline or self
        money = None if self.money is None or other.money is None else self.money - other.money
        name = f"{self.name} minus {other.name}"
        return Outcome(name, self.paths - other.paths, self.item_ids, self.start, money)

    def standard_error(self) -> np.ndarray:
        """Standard error of the mean of every article and step, ``[H, D]`` units."""
        return self.paths.std(axis=0, ddof=1) / np.sqrt(len(self.paths))

    def effect(self, article: str, steps: slice | None = None) -> np.ndarray:
        """The relative change of an article's total against the baseline on every path.

        Paths on which the baseline sells nothing are left out.

        Returns:
            ``[S']``; 0.1 is 10 per cent more.
        """
        before = (self.baseline or self).units(article, steps)
        sold = before > 0
        return self.units(article, steps)[sold] / before[sold] - 1

    def column(self, article: str) -> int:
        """The place of an article in the last axis of ``paths``.

        Raises:
            ValueError: there is no such article.
        """
        if article not in self.item_ids:
            raise ValueError(f"article: expected one of {some(self.item_ids)}; got {article!r}")
        return self.item_ids.index(article)

    def _total(self, values: np.ndarray, article: str | None, steps: slice | None) -> np.ndarray:
        part = values if steps is None else values[:, steps]
        # Paths are of single precision, in which whole numbers beyond 2**24 have no last digit.
        if article is None:
            return part.sum(axis=(1, 2), dtype=np.float64)
        return part[:, :, self.column(article)].sum(axis=1, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Simulation(Mapping[str, Outcome]):
    """The outcomes of a simulation by name, the baseline first.

    Arguments:
        outcomes: one for the baseline and each scenario.
        scenarios: the changed futures.
        history: the entry that was continued.
        unseen: of each scenario, in words, the channels that it takes beyond all that they were so far.
    """

    outcomes: Mapping[str, Outcome]
    scenarios: tuple[Scenario, ...]
    history: Entry = field(repr=False)
    unseen: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    @property
    def baseline(self) -> Outcome:
        """The planned future."""
        return self.outcomes[BASELINE]

    def __getitem__(self, name: str) -> Outcome:
        return self.outcomes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.outcomes)

    def __len__(self) -> int:
        return len(self.outcomes)


def simulate(
    predictor: Predictor,
    history: Entry | Iterable[Entry],
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
        history: one entry, ``target`` ``[D, T]``, ``feat_dynamic_real`` ``[K, T + H]`` with the planned future.
        scenarios: changed futures, each with a name of its own.
        paths: number of joint paths S of each future.
        seed: of the draws.

    Returns:
        The outcomes.

    Raises:
        ValueError: a scenario names an article, a channel or steps that the model does not know; nothing is drawn
            then. Or sales are to be imposed, and the model does not set them. Or paths are not finite.

    Example:
        >>> from hemline.datasets import simulated_sales
        >>> from hemline.forecasting import ForecastEstimator, Scenario, TrainConfig, simulate
        >>> data = simulated_sales(articles=2, weeks=104, windows=1)
        >>> training = TrainConfig(max_epochs=1, batches_per_epoch=2)
        >>> predictor = ForecastEstimator("W-SUN", 8, lags=(1,), train=training).train(data.train)
        >>> history = {**data.test[0], "target": data.test[0]["target"][:, :-8]}
        >>> outcomes = simulate(predictor, history, Scenario("out", "sales[dress_1] = 0 @ 3:5"), paths=10)
        >>> print(outcomes["out"].paths[:, 2:5, 0].max())
        0.0
    """
    given = [history] if isinstance(history, dict) else list(history)
    entries = as_multivariate(given, "history", unseen=True)
    if len(entries) != 1:
        raise ValueError(f"history: expected one entry of all series, got {len(entries)}")
    entry = entries[0]
    chosen = (scenarios,) if isinstance(scenarios, Scenario) else tuple(scenarios)
    names = [scenario.name for scenario in chosen]
    if len(set(names)) < len(names):
        raise ValueError(f"scenarios: expected a name of its own for each, got {', '.join(names)}")
    item_ids, channels = _known(predictor, entry)
    planned = _planned(predictor, entry)
    futures = {BASELINE: planned}
    for scenario in chosen:
        future = planned
        for change in scenario.changes:
            future = future.changed(change, item_ids, channels)
        futures[scenario.name] = future

    outcomes: dict[str, Outcome] = {}
    for name, future in futures.items():
        told = _told(entry, future)
        if name != BASELINE:
            told["planned"] = _told(entry, planned)
        # What is beyond all bounds is refused below, with its name.
        with np.errstate(over="ignore"):
            forecast = next(iter(predictor.predict([told], num_samples=paths, seed=seed)))
        samples = forecast.samples
        _require_finite(samples, name, item_ids)
        _require_imposed(samples, future, item_ids)
        price = _prices(future, item_ids, channels)
        outcomes[name] = Outcome(
            name=name,
            paths=samples,
            item_ids=item_ids,
            start=forecast.start_date,
            money=None if price is None else samples * price,
            baseline=outcomes.get(BASELINE),
        )
    unseen = {name: unseen_values(planned, future, channels) for name, future in futures.items() if name != BASELINE}
    return Simulation(outcomes, chosen, entry, unseen)


def _require_finite(samples: np.ndarray, name: str, item_ids: Sequence[str]) -> None:
    """Raise where paths ``[S, H, D]`` are not numbers: of a price that is no price sales may be beyond all bounds."""
    wrong = ~np.isfinite(samples).all(axis=0)
    if wrong.any():
        step, series = np.argwhere(wrong)[0]
        raise ValueError(
            f"scenarios: expected finite sales, got {samples[:, step, series].max()} units of {item_ids[series]!r} at "
            f"step {step + 1} of {name!r}; are its values those that were meant?"
        )


def _require_imposed(samples: np.ndarray, future: Future, item_ids: Sequence[str]) -> None:
    """Raise where paths ``[S, H, D]`` do not have the sales that the future imposes: a walk, for one, reads none."""
    wanted = future.imposed.T.astype(np.float32)
    missed = ~np.isnan(wanted) & ~np.isclose(samples, wanted).all(axis=0)
    if missed.any():
        step, series = np.argwhere(missed)[0]
        raise ValueError(
            f"sales[{item_ids[series]}]: expected a model that can impose sales, got one whose paths do not have them "
            f"at step {step + 1}"
        )


def _known(predictor: Predictor, entry: Entry) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of series and channels: those that the model was trained on, else those of the entry."""
    item_ids = getattr(predictor, "item_ids", ()) or entry.get("item_ids", ())
    dim = len(entry["target"])
    channels = getattr(predictor, "covariate_names", None)
    if channels is None:
        channels = entry.get("covariates", ())
    return tuple(item_ids) or tuple(str(number) for number in range(dim)), tuple(channels)


def _planned(predictor: Predictor, entry: Entry) -> Future:
    dim, length = entry["target"].shape
    horizon = predictor.prediction_length
    covariates = entry.get("feat_dynamic_real")
    free = np.full((dim, horizon), np.nan)
    imposed = np.asarray(entry.get("imposed", free), dtype=float)
    return Future(None if covariates is None else covariates[:, : length + horizon].astype(float), imposed)


def _told(entry: Entry, future: Future) -> dict[str, Any]:
    told = dict(entry)
    if future.covariates is not None:
        told["feat_dynamic_real"] = future.covariates.astype(np.float32)
    if not np.isnan(future.imposed).all():
        told["imposed"] = future.imposed
    return told


def _prices(future: Future, item_ids: Sequence[str], channels: Sequence[str]) -> np.ndarray | None:
    """Prices ``[H, D]`` over the horizon, ``None`` where an article has none."""
    wanted = [f"{PRICE}[{item}]" for item in item_ids]
    if future.covariates is None or not set(wanted) <= set(channels):
        return None
    horizon = future.imposed.shape[1]
    rows = [list(channels).index(name) for name in wanted]
    return future.covariates[rows, -horizon:].T
