"""The weights of a pool: of its mixture of paths, of that of the sum of all series, and of series that sell rarely."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...datasets.entries.domain import Domain
from ...datasets.entries.entry import Entry
from ...evaluation.scores.mixtures import model_distances
from ..paths.totals import reconciled, summed
from ..paths.weights import weights_of
from .rare_demand import rare_weights, rarely_sold

logger = logging.getLogger(__name__)

SUM, SERIES, RARE = "the sum", "the series", "rare series"

PARTS = 5
"""Parts of the held-out windows, each of which is left out once where it is asked whether a weight is mere chance."""


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


@dataclass(frozen=True)
class Mixtures:
    """The mixtures of a pool, whose weights forecasts of held-out windows earn; see `PooledEstimator`.

    Arguments:
        domain: the values that a path can take.
        smallest: weight below which a model is dropped.
        shrinkage: how much the weights are drawn towards equal ones.
        only_totals: names of models that take part in the forecast of the sum alone.
        only_rare: names of models that take part only where demand is rare.
    """

    domain: Domain
    smallest: float
    shrinkage: float
    only_totals: Collection[str]
    only_rare: Collection[str]

    def weights(self, drawn: dict[str, np.ndarray], truth: np.ndarray, before: Sequence[Entry]) -> MixtureWeights:
        """The weights that are best on all windows.

        Arguments:
            drawn: for each model the paths ``[W, S, H, D]`` of W windows.
            truth: what came of them ``[W, H, D]``, NaN where missing.
            before: the data before the windows, which say what sells rarely.
        """
        found = {
            kind: dict(zip(names, shares[0].tolist(), strict=True))
            for kind, names, shares in self._shares(drawn, truth, before, 1)
        }
        for kind, of in found.items():
            logger.info("weights of %s: %s", kind, ", ".join(f"{name} {weight:.2f}" for name, weight in of.items()))
        return MixtureWeights(dict.fromkeys(drawn, 0.0) | found[SERIES], found.get(SUM), found.get(RARE, {}))

    def earning(self, drawn: dict[str, np.ndarray], truth: np.ndarray, before: Sequence[Entry]) -> set[str]:
        """The models with a weight in any mixture, be it by all windows or by those without any of five parts of them.

        Arguments:
            drawn: as for `weights`.
            truth: likewise.
            before: likewise.
        """
        return {
            name
            for _, names, shares in self._shares(drawn, truth, before, min(len(truth), PARTS))
            for name, weight in zip(names, shares.max(0), strict=True)
            if weight > 0
        }

    def _shares(
        self, drawn: dict[str, np.ndarray], truth: np.ndarray, before: Sequence[Entry], parts: int
    ) -> Iterator[tuple[str, list[str], np.ndarray]]:
        """For each mixture its models and their weights ``[V, J]``, by all windows and by those without each part."""
        rows = np.array_split(np.arange(len(truth)), parts)
        without = [np.delete(np.arange(len(truth)), part) for part in rows] if parts > 1 else []

        def found(drawn: Mapping[str, np.ndarray], truth: np.ndarray) -> tuple[list[str], np.ndarray]:
            told = [model_distances([each[part] for each in drawn.values()], truth[part]) for part in rows]
            distance, between = (np.stack(each) for each in zip(*told, strict=True))
            taken = [np.full(parts, True), *(~np.eye(parts, dtype=bool) if parts > 1 else ())]
            return list(drawn), np.stack(
                [weights_of(distance[of].sum(0), between[of].sum(0), self.smallest, self.shrinkage) for of in taken]
            )

        if set(self.only_rare) & set(drawn):
            rarely = rarely_sold(np.concatenate([entry.target for entry in before], axis=1))
            # Of counts, models that draw numbers which are not whole have no share: what is left of an article of three
            # sales a year is then the tail of their law.
            allowed = {
                name: paths
                for name, paths in drawn.items()
                if name not in self.only_totals and not (self.domain == "count" and (paths[..., rarely] % 1 > 0).any())
            }
            shares = [
                rare_weights({name: paths[of] for name, paths in allowed.items()}, truth[of], rarely, self.smallest)
                for of in (np.arange(len(truth)), *without)
                if allowed
            ]
            known = [list(each.values()) for each in shares if each is not None]
            if known and shares[0] is not None:
                yield RARE, list(allowed), np.array(known)
        if truth.shape[-1] > 1:
            names, totals = found(*summed(drawn, truth))
            yield SUM, names, totals
            drawn = reconciled(drawn, totals[0].tolist(), self.domain)
        yield SERIES, *found({name: of for name, of in drawn.items() if name not in self.only_totals} or drawn, truth)
