"""How likely two articles are substitutes, by what describes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

MOST_NUMBERS = 12
"""Principal axes of the numbers that describe articles, at most: a metric has the square of them."""

_DOUBT = 2.0
"""Standard deviation of the log odds of two articles that are just alike, before the data say anything."""

_STEEP = 3.0
"""Expected fall of the log odds from two articles of one kind to two of different kinds."""

_TURN = 0.3
"""Expected size of an entry of the metric's root, apart from what all axes have in common."""

_STEPS = 10
"""Steps of the optimiser each time, at most: it goes on from where it was."""


@dataclass(frozen=True, eq=False)
class Described:
    """What tells articles apart.

    Arguments:
        numbers: ``[D, p]``, of spread 1.
        kinds: whole numbers ``[D, c]``, categories.
    """

    numbers: np.ndarray
    kinds: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray | None, kinds: np.ndarray | None, known: np.ndarray) -> Described | None:
        """Principal axes of standardised numbers, and the categories of which there are several.

        Arguments:
            numbers: ``[D, k]``, or ``None``.
            kinds: ``[D, c]``, or ``None``.
            known: bool ``[D]``, over which spreads and axes are taken.

        Returns:
            ``None`` where nothing tells the known articles apart.
        """
        count = len(known)
        places, several = np.empty((count, 0)), np.empty((count, 0), dtype=int)
        if numbers is not None:
            whole = np.asarray(numbers, dtype=float)
            spread = whole[known].std(0)
            told = spread > 1e-9 * np.maximum(np.abs(whole[known]).max(0, initial=0), 1e-300)
            places = (whole[:, told] - whole[known][:, told].mean(0)) / spread[told]
            if places.shape[1] > MOST_NUMBERS:
                axes = np.linalg.svd(places[known], full_matrices=False)[2][:MOST_NUMBERS]
                places = places @ axes.T
                places = places / np.maximum(places[known].std(0), 1e-12)
        if kinds is not None:
            each = np.asarray(kinds)
            several = each[:, [len(np.unique(kind[known])) > 1 for kind in each.T]]
        return cls(places, several) if places.shape[1] + several.shape[1] else None


class PairOdds:
    r"""Logistic regression of whether two articles are substitutes on what describes them, with a learnt metric.

    .. math:: \log\frac{\pi_{ij}}{1 - \pi_{ij}} = a - \sum_c b_c [k_{ic} \ne k_{jc}] - \tfrac12 |L (x_i - x_j)|^2,
        \qquad b_c \ge 0

    The metric L says which numbers, and which sums of them, matter (logistic discriminant metric learning: Guillaumin,
    Verbeek and Schmid 2009, doi 10.1109/ICCV.2009.5459197); a normal prior draws it to one that weighs all alike. Here
    it is the M step of a mixture whose members are known with a probability only (mixtures of experts: Jordan and
    Jacobs 1994, doi 10.1162/neco.1994.6.2.181).

    Arguments:
        described: of the D articles.
        first: ``[n]`` places of the one article of each pair.
        second: ``[n]`` of the other; -1 for one of which nothing is known, which is as unlike as most.
        share: of the pairs, expected to be substitutes, between 0 and 1.
        like: odds of other pairs of these articles, which go by the same law; ``None`` to learn one.

    Example:
        >>> places = np.array([[0.0], [0.1], [2.0], [2.1]])
        >>> pairs = np.array([[0, 1], [2, 3], [0, 2], [1, 3], [0, 3]] * 20)
        >>> odds = PairOdds(Described(places, np.empty((4, 0))), *pairs.T, share=0.5)
        >>> for _ in range(20):
        ...     odds.learn(np.array([1.0, 1.0, 0.0, 0.0, 0.0] * 20))
        >>> np.exp(odds.log_shares()[1, :5]).round(1)
        array([1., 1., 0., 0., 0.])
    """

    def __init__(
        self,
        described: Described,
        first: np.ndarray,
        second: np.ndarray,
        share: float,
        like: PairOdds | None = None,
    ) -> None:
        there = (second >= 0)[:, None]
        numbers, kinds = described.numbers, described.kinds
        self._apart = np.where(there, numbers[first] - numbers[second], 1.0)
        self._unlike = np.where(there, kinds[first] != kinds[second], True).astype(float)
        self._axes, self._fields = numbers.shape[1], kinds.shape[1]
        self._expected = float(logit(share))
        # The entries of L, what its diagonal has in common, the falls b, and a.
        self._found = np.concatenate([np.zeros(self._axes**2), [1.0], np.zeros(self._fields), [self._expected]])
        self._spread = np.repeat([_TURN, _STEEP, _DOUBT], [self._axes**2, 1 + self._fields, 1])
        self._like = like
        self._mean = np.append(np.zeros(len(self._found) - 1), self._expected)

    def log_shares(self) -> np.ndarray:
        """Logarithms ``[2, n]`` of the probabilities of each pair: that it is none of substitutes, and that it is."""
        odds = self._odds((self._like or self)._found)[0]
        return -np.logaddexp(0, np.stack([odds, -odds]))

    def learn(self, member: np.ndarray) -> None:
        """Some steps towards the posterior mode.

        Arguments:
            member: ``[n]`` the probability that a pair is one of substitutes, by what the data say of its effect.
        """
        if self._like is not None:
            return
        bounds = [(None, None)] * self._axes**2 + [(0.0, None)] * (1 + self._fields) + [(None, None)]
        steps = {"maxiter": _STEPS}
        self._found = minimize(
            self.objective, self._found, args=(member,), jac=True, bounds=bounds, method="L-BFGS-B", options=steps
        ).x

    def objective(self, values: np.ndarray, member: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the logarithm of the posterior, but for a constant, and its slope.

        Arguments:
            values: the entries of L, what its diagonal has in common, the falls b, and a.
            member: ``[n]``, as in `learn`.
        """
        odds, turned = self._odds(values)
        left, prior = expit(odds) - member, (values - self._mean) / self._spread
        root = -(turned.T * left) @ self._apart
        common = np.trace(root) / np.sqrt(max(self._axes, 1))
        slope = np.concatenate([root.ravel(), [common], -(left @ self._unlike), [left.sum()]])
        cost = float((np.logaddexp(0, odds) - member * odds).sum() + 0.5 * prior @ prior)
        return cost, slope + prior / self._spread

    def _odds(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The log odds of the pairs ``[n]``, and their differences in the metric ``[n, p]``."""
        axes = self._axes
        root = values[: axes**2].reshape(axes, axes) + values[axes**2] * np.eye(axes) / np.sqrt(max(axes, 1))
        turned = self._apart @ root.T
        return values[-1] - self._unlike @ values[axes**2 + 1 : -1] - 0.5 * (turned**2).sum(1), turned
