"""The weights of a pool: of its mixture of paths, of that of the sum of all series, and of series that sell rarely."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...datasets.entries.domain import Domain
from ...datasets.entries.entry import Entry
from ..paths.totals import reconciled, summed
from ..paths.weights import pool_weights
from .rare_demand import rare_weights, rarely_sold

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MixtureWeights:
    """What share each model has, by name.

    Arguments:
        series: in the mixture of paths.
        totals: in the forecast of the sum; ``None`` where there is a single series.
        rare: in the mixture for series that sell rarely; none where there is no such mixture.
    """

    series: Mapping[str, float]
    totals: Mapping[str, float] | None
    rare: Mapping[str, float]

    @property
    def kept(self) -> list[str]:
        """The models with a share in any of them."""
        return [
            name for name in self.series if any((of or {}).get(name) for of in (self.series, self.totals, self.rare))
        ]


def mixture_weights(
    drawn: dict[str, np.ndarray],
    truth: np.ndarray,
    before: Sequence[Entry],
    *,
    domain: Domain,
    smallest: float,
    shrinkage: float,
    only_totals: Collection[str],
    only_rare: Collection[str],
) -> MixtureWeights:
    """The weights that forecasts of held-out windows have earned; see `PooledEstimator`, whose arguments these are.

    Arguments:
        drawn: for each model the paths ``[W, S, H, D]`` of W windows.
        truth: what came of them ``[W, H, D]``, NaN where missing.
        before: the data before the windows, which say what sells rarely.
        domain: the values that a path can take.
        smallest: weight below which a model is dropped.
        shrinkage: how much the weights are drawn towards equal ones.
        only_totals: names of models that take part in the forecast of the sum alone.
        only_rare: names of models that take part only where demand is rare.
    """

    def found(kind: str, drawn: Mapping[str, np.ndarray], truth: np.ndarray) -> dict[str, float]:
        weights = pool_weights(list(drawn.values()), truth, smallest, shrinkage)
        return _told(kind, dict(zip(drawn, weights.tolist(), strict=True)))

    rare: dict[str, float] = {}
    if set(only_rare) & set(drawn):
        rarely = rarely_sold(np.concatenate([entry.target for entry in before], axis=1))
        # Of counts, models that draw numbers which are not whole have no share: what is left of an article of three
        # sales a year is then the tail of their law.
        allowed = {
            name: paths
            for name, paths in drawn.items()
            if name not in only_totals and not (domain == "count" and (paths[..., rarely] % 1 > 0).any())
        }
        rare = _told("rare series", (rare_weights(allowed, truth, rarely, smallest) if allowed else None) or {})
    totals = None
    if truth.shape[-1] > 1:
        totals = found("the sum", *summed(drawn, truth))
        drawn = reconciled(drawn, list(totals.values()), domain)
    allowed = {name: paths for name, paths in drawn.items() if name not in only_totals} or drawn
    return MixtureWeights(dict.fromkeys(drawn, 0.0) | found("the series", allowed, truth), totals, rare)


def _told(kind: str, weights: dict[str, float]) -> dict[str, float]:
    logger.info("weights of %s: %s", kind, ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items()))
    return weights
