"""What a model draws under plans of prices, and how its demand answers to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from gluonts.model.predictor import Predictor

from ...datasets.entries.channels import PRICE, rows_of
from ...datasets.entries.entry import Entry
from ...evaluation.adapters.fitted import FittedModel
from ...forecasting.scenarios.notation import Change
from ...forecasting.scenarios.scenario import Scenario
from ...forecasting.scenarios.simulate import simulate
from .demand import DemandPaths, probed_elasticities
from .terms import Terms, at_steps, regular

_AT_ONCE = 20
"""Futures that are in memory at once."""


@dataclass(frozen=True, eq=False)
class Futures:
    """Draws joint paths of the demand under plans of prices, by `simulate`.

    Arguments:
        predictor: a trained model whose horizon is H.
        entry: the history, with the planned channels over the horizon.
        terms: of D articles, with the prices of their ladders.
    """

    predictor: Predictor
    entry: Entry
    terms: Terms

    def drawn(
        self, plans: Mapping[str, np.ndarray], paths: int, seed: int
    ) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
        """Demand under each plan, and what of the last one the model has never seen.

        Arguments:
            plans: steps of the ladder ``[D, H]``, by name.
            paths: S.
            seed: of the draws.

        Returns:
            ``[D, H, S]`` for each, units; and prices beyond all that were seen, in words.
        """
        scenarios = [Scenario(name, list(self._changes(plan))) for name, plan in plans.items()]
        outcomes = simulate(self.predictor, self.entry, scenarios, paths=paths, seed=seed)
        found = {name: np.ascontiguousarray(outcomes[name].paths.transpose(2, 1, 0)) for name in plans}
        return {name: np.maximum(each, 0) for name, each in found.items()}, outcomes.unseen[list(plans)[-1]]

    def _changes(self, plan: np.ndarray) -> Iterator[Change]:
        """What differs from the planned prices, a change for each spell of one price."""
        rows = rows_of(self.entry.channels.names, PRICE, self.terms.item_ids)
        if rows is None:
            raise ValueError(f"history: expected a channel {PRICE}[article] for every article")
        horizon = plan.shape[1]
        planned = self.entry.channels.values[rows, self.entry.length : self.entry.length + horizon]
        wanted = at_steps(self.terms.prices, plan)
        for item, now, then in zip(self.terms.item_ids, wanted, planned, strict=True):
            if (now.astype(np.float32) == then.astype(np.float32)).all():
                continue
            borders = [0, *(np.flatnonzero(np.diff(now)) + 1).tolist(), horizon]
            for first, last in pairwise(borders):
                yield Change(PRICE, item, float(now[first]), first=first + 1, last=last)

    def demand(self, paths: int, seed: int) -> tuple[DemandPaths, bool]:
        """How the demand answers to prices, and whether the model says so itself, path by path.

        Where it does not, the price of one article after the other is changed in a simulation of its own; all paths
        then have the same elasticities.
        """
        horizon, terms = self.predictor.prediction_length, self.terms
        usual = regular(terms, horizon)
        base = self.drawn({"regular": usual}, paths, seed)[0]["regular"]
        told = None
        if isinstance(self.predictor, FittedModel):
            told = self.predictor.price_effects(self.entry, paths, seed)
        if told is not None:
            return DemandPaths(base, told), True
        tried = np.array([schedules.steps[len(schedules.steps) // 2] for schedules in terms.schedules])
        tried[[schedules.changes == 0 for schedules in terms.schedules]] = 0
        cuts = np.log(terms.prices[np.arange(len(tried)), tried] / terms.prices[:, 0])
        moving = np.flatnonzero(cuts).tolist()
        probes = self._probes(moving, tried, paths, seed)
        return DemandPaths(base, probed_elasticities(probes, base, cuts)), False

    def _probes(
        self, moving: Sequence[int], tried: np.ndarray, paths: int, seed: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """The demand with the price of one article cut over the whole horizon, article by article."""
        horizon = self.predictor.prediction_length
        for first in range(0, len(moving), _AT_ONCE):
            plans = {}
            for article in moving[first : first + _AT_ONCE]:
                plan = regular(self.terms, horizon)
                plan[article] = tried[article]
                plans[f"cut {article}"] = plan
            found = self.drawn(plans, paths, seed)[0]
            yield from zip(moving[first : first + _AT_ONCE], found.values(), strict=True)
