"""What simulated purchases were made of: tastes, places of the articles, popularity and seasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_WEEKS_OF_YEAR = 52.18


@dataclass(frozen=True, eq=False)
class CustomerTruth:
    """The law of simulated purchases.

    Arguments:
        place: ``[n, k]``, the places of the articles in the taste space.
        popularity: ``[n]``, what is common to all customers, log odds.
        phase: ``[n]``, the place of an article's season in the year, in years.
        taste: float32 ``[weeks, C, k]``.
        rate: ``[C]``, baskets a week.
        basket: mean number of articles in a basket.
        season: amplitude of the season, log odds.
        first_week: int64 ``[n]``, the week in which an article comes.
        last_week: int64 ``[n]``, the week from which on it is gone.
    """

    place: np.ndarray
    popularity: np.ndarray
    phase: np.ndarray
    taste: np.ndarray
    rate: np.ndarray
    basket: float
    season: float
    first_week: np.ndarray
    last_week: np.ndarray

    def log_odds(self, week: int, customers: np.ndarray) -> np.ndarray:
        """Log odds of each article in a basket of some customers, float32 ``[c, n]``; −∞ where it is not on sale."""
        swing = self.season * np.cos(2 * np.pi * (week / _WEEKS_OF_YEAR - self.phase))
        there = (self.first_week <= week) & (week < self.last_week)
        common = np.where(there, self.popularity + swing, -np.inf).astype(np.float32)
        found: np.ndarray = self.taste[week, customers] @ self.place.T.astype(np.float32) + common
        return found

    def expected(self, begin: int, end: int, customers: np.ndarray) -> np.ndarray:
        """The purchases that are expected of each customer and article in some weeks, float32 ``[c, n]``.

        That an article is bought once at most, and the draws of one basket without replacement, are left out: both
        matter where a customer buys a good part of what there is.

        Arguments:
            begin: the first week.
            end: the week after the last.
            customers: int64 ``[c]``.
        """
        total = np.zeros((len(customers), len(self.place)), dtype=np.float32)
        for week in range(begin, end):
            odds = self.log_odds(week, customers)
            share = np.exp(odds - odds.max(axis=1, keepdims=True))
            total += share / share.sum(axis=1, keepdims=True)
        return total * (self.rate[customers] * self.basket).astype(np.float32)[:, None]
