"""Results of a simulation: sample paths of each scenario, and their differences from the baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ...datasets.entries.channels import PRICE
from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import dates_of, written_date
from ...runtime.display.showing import Shown
from .future import BASELINE, some
from .questions import holds, known_steps
from .scenario import Scenario


@dataclass(frozen=True, eq=False, repr=False)
class Outcome(Shown):
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

    def _shown(self) -> dict[str, object]:
        """Future, series, paths, horizon, start, and the mean of all units."""
        paths, horizon, _ = self.paths.shape
        return {
            "future": self.name,
            "series": self.item_ids,
            "paths": paths,
            "horizon": horizon,
            "start": written_date(self.start),
            "mean units": round(float(self.units().mean()), 1),
        }

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
            condition: such as ``"units[A] + units[B] < 500"``; `questions.holds` has all
                of it.

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


@dataclass(frozen=True, eq=False, repr=False)
class Simulation(Shown, Mapping[str, Outcome]):
    """The outcomes of a simulation by name, the baseline first.

    Arguments:
        outcomes: one for the baseline and each scenario.
        scenarios: the changed futures.
        history: the entry that was continued.
        unseen: of each scenario, in words, the channels and sales that it takes beyond all that they were so far.
    """

    outcomes: Mapping[str, Outcome]
    scenarios: tuple[Scenario, ...]
    history: Entry = field(repr=False)
    unseen: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def _shown(self) -> dict[str, object]:
        """Futures, series, paths, horizon, start, and the mean of all units in each future."""
        said = self.baseline._shown()
        means = [f"{name} {outcome._shown()['mean units']}" for name, outcome in self.outcomes.items()]
        shared = {name: said[name] for name in ("series", "paths", "horizon", "start")}
        return {"futures": tuple(self.outcomes), **shared, "mean units": means}

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
