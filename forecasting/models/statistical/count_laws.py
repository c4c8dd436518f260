"""Laws of counts that come in clumps: what is sold on an occasion is judged from all articles together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

Sizes = Literal["fixed", "logarithmic", "geometric"]

DISPERSIONS = (1.15, 1.35, 1.6, 2.0, 2.5, 3.2, 4.0, 5.2, 7.0, 10.0, 15.0, 25.0, 40.0)
"""Variances by the mean that are tried, beside 1."""

PACKS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 20, 24)
"""Sizes that are tried of articles that sell as many each time."""

LARGEST = 60
"""Count of a step up to which articles tell their law by its likelihood; others by their variance."""

_RATES = np.geomspace(1e-5, 2.0 * LARGEST, 240)
"""Units a step at which likelihoods are tabled."""

_UPDATES = 100
"""Steps of EM for what laws articles have."""

_READ = 3000
"""Articles that say which laws there are, at most."""


@dataclass(frozen=True)
class CountLaw:
    r"""A compound Poisson law: occasions are Poisson, and each sells a size of its own.

    A step with the mean m has occasions at the rate m by the mean size, so that sums over steps are of the same law. Of
    logarithmic sizes it is negative binomial, of geometric ones the Pólya-Aeppli or stuttering Poisson law (Sherbrooke
    1968, doi 10.1287/opre.16.1.122), of a fixed size of 1 Poisson.

    Arguments:
        sizes: the law of the sizes.
        dispersion: variance by mean of a step, and of any sum of steps; above 1. Of fixed sizes it is the size.

    Example:
        >>> law = CountLaw("geometric", 5.0)
        >>> law.mean_size, law.probabilities(np.array([0.3]), 2)[0].round(3)
        (3.0, array([0.905, 0.03 , 0.021]))
    """

    sizes: Sizes
    dispersion: float

    @property
    def mean_size(self) -> float:
        """Units sold on an occasion, on average."""
        if self.sizes == "fixed":
            return self.dispersion
        if self.sizes == "geometric":
            return (self.dispersion + 1) / 2
        return float((self.dispersion - 1) / np.log(self.dispersion))

    def of_sizes(self, largest: int) -> np.ndarray:
        """Probabilities of the sizes 1 to `largest`, ``[largest]``."""
        size = np.arange(1, largest + 1)
        if self.sizes == "fixed":
            return (size == self.dispersion).astype(float)
        if self.sizes == "geometric":
            return np.asarray((1 - 1 / self.mean_size) ** (size - 1) / self.mean_size)
        return np.asarray((1 - 1 / self.dispersion) ** size / size / np.log(self.dispersion))

    def probabilities(self, means: np.ndarray, largest: int) -> np.ndarray:
        """Probabilities ``[n, largest + 1]`` of the counts from 0 on at these means ``[n]`` (Panjer's recursion)."""
        occasions = np.asarray(means) / self.mean_size
        weighted = np.arange(1, largest + 1) * self.of_sizes(largest)
        found = np.zeros((len(occasions), largest + 1))
        found[:, 0] = np.exp(-occasions)
        for count in range(1, largest + 1):
            found[:, count] = occasions / count * (found[:, count - 1 :: -1][:, :count] @ weighted[:count])
        return found

    def drawn(self, means: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Counts at these means, of any shape."""
        if self.sizes == "fixed":
            return generator.poisson(means / self.dispersion) * self.dispersion
        if self.sizes == "geometric":
            occasions = generator.poisson(means / self.mean_size)
            more = generator.negative_binomial(np.maximum(occasions, 1), 1 / self.mean_size)
            return np.asarray(occasions + np.where(occasions > 0, more, 0)).astype(float)
        return np.asarray(negative_binomial(means, self.dispersion, generator))


def negative_binomial(means: np.ndarray, dispersion: np.ndarray | float, generator: np.random.Generator) -> np.ndarray:
    """Negative binomial counts of these means and a variance that is `dispersion` times that, above 1."""
    excess = np.maximum(np.asarray(dispersion) - 1, 1e-3)
    return generator.poisson(generator.gamma(np.maximum(means, 1e-300) / excess) * excess).astype(float)


LAWS = (
    *(CountLaw("fixed", float(size)) for size in PACKS),
    *(CountLaw(sizes, each) for sizes in ("logarithmic", "geometric") for each in DISPERSIONS),
)
"""The laws that are tried."""


def laws_of(counts: np.ndarray, means: np.ndarray) -> np.ndarray:
    """How likely each of `LAWS` is for articles, by their own counts and by what laws the others have.

    The laws of all articles have a common distribution, that of most likelihood (Kiefer and Wolfowitz 1956, doi
    10.1214/aoms/1177728066; by EM, Laird 1978, doi 10.1080/01621459.1978.10480103), with one article's worth of even
    weights beside it.

    Arguments:
        counts: ``[D, P, LARGEST + 1]`` how often an article had each count at each of P places of a season; steps that
            are forgotten in part count in part.
        means: ``[D, P]`` its means there.

    Returns:
        ``[D, len(LAWS)]``, 1 in all.
    """
    chances = log_likelihoods(counts, means)
    likelihood = np.exp(chances - chances.max(1, keepdims=True))
    told = likelihood[:: -(-len(likelihood) // _READ)]
    prior = np.full(len(LAWS), 1 / len(LAWS))
    for _ in range(_UPDATES):
        posterior = told * prior
        posterior /= posterior.sum(1, keepdims=True)
        prior = (posterior.sum(0) + 1 / len(LAWS)) / (len(told) + 1)
    posterior = likelihood * prior
    return np.asarray(posterior / posterior.sum(1, keepdims=True))


def log_likelihoods(counts: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Log-likelihood ``[D, len(LAWS)]`` of counts under each law; see `laws_of` for the arguments."""
    within = means.clip(_RATES[0], _RATES[-1])
    at = np.interp(np.log(within), np.log(_RATES), np.arange(len(_RATES)))
    low = np.floor(at).astype(int).clip(max=len(_RATES) - 2)
    share = at - low
    found = np.empty((len(counts), len(LAWS)))
    for number, (law, table) in enumerate(zip(LAWS, _beside_none(), strict=True)):
        below, above = ((table[low + step] * counts).sum(2) for step in (0, 1))
        none = counts.sum(2) * within / law.mean_size
        found[:, number] = (below + share * (above - below) - none).sum(1)
    return found


@cache
def _beside_none() -> tuple[np.ndarray, ...]:
    """Log of the probability of each count by that of 0, ``[rates, LARGEST + 1]`` a law: nearly straight in log m."""
    with np.errstate(divide="ignore"):
        found = [np.log(law.probabilities(_RATES, LARGEST)) + _RATES[:, None] / law.mean_size for law in LAWS]
    return tuple(np.maximum(each, -1e4) for each in found)
