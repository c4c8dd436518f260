"""How the demand of all articles answers to their prices on each path, in a form that a search can ask often."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

_FLOOR = 1e-3
"""Units below which an expected sale is as good as none, for the ratio of two."""


@dataclass(frozen=True, eq=False)
class DemandPaths:
    r"""Joint paths of the demand, and what prices do to it.

    .. math:: q_{ihs} = b_{ihs} \exp \sum_j e_{ijs} \log(p_{jh} / P_j)

    with the demand b at the regular prices P and the elasticities e of a path, own and cross ones.

    Arguments:
        base: ``[D, H, S]``, units at the regular prices.
        elasticity: ``[D, D, S]``, of the row's article to the price of the column's; ``[D, D, 1]`` where all paths have
            the same.
    """

    base: np.ndarray
    elasticity: np.ndarray

    def logs(self, cuts: np.ndarray) -> np.ndarray:
        """What prices do to the logarithm of the demand, ``[D, H, S]`` or ``[D, H, 1]``.

        Arguments:
            cuts: logarithms of the shares of the regular prices, ``[D, H]``.
        """
        return np.matmul(cuts.T.astype(self.elasticity.dtype), self.elasticity)

    def at(self, cuts: np.ndarray) -> np.ndarray:
        """The demand ``[D, H, S]``, units; see `logs`."""
        return self.base * np.exp(self.logs(cuts))

    def like(self, cuts: np.ndarray, paths: np.ndarray) -> DemandPaths:
        """The same elasticities around what a model draws at some prices, in the mean of each article and step.

        Arguments:
            cuts: as for `logs`.
            paths: ``[D, H, S]``, the demand at these prices.
        """
        told, wanted = self.at(cuts).mean(-1), paths.mean(-1)
        ratio = np.where((told > _FLOOR) & (wanted > _FLOOR), wanted / np.maximum(told, _FLOOR), 1.0)
        return replace(self, base=(self.base * ratio[..., None]).astype(np.float32))


def probed_elasticities(probes: Iterable[tuple[int, np.ndarray]], base: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Elasticities ``[D, D, 1]`` of any model, from one price changed at a time under common random numbers.

    An elasticity is the log ratio of the units of all paths and steps, over the logarithm of the cut; that of an
    article that hardly sells is 0.

    Arguments:
        probes: the place of an article, and the paths ``[D, H, S]`` with its price cut over the whole horizon.
        base: those at the regular prices.
        cuts: the logarithm of the share of the regular price that each article is tried at, ``[D]``.
    """
    found = np.zeros((len(base), len(base), 1), dtype=np.float32)
    before = base.sum((1, 2), dtype=np.float64)
    for article, paths in probes:
        after = paths.sum((1, 2), dtype=np.float64)
        told = (before > _FLOOR) & (after > _FLOOR)
        ratio = np.where(told, after, 1.0) / np.where(told, before, 1.0)
        found[:, article, 0] = np.log(ratio) / cuts[article]
    return found
