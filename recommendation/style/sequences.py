"""What customers bought, basket after basket, as tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...datasets.purchases.purchases import Purchases

DAY = np.timedelta64(1, "D")
_YEAR = 365.25


@dataclass(frozen=True)
class Baskets:
    """The baskets of some customers, each customer's behind one another.

    Arguments:
        items: int64 ``[P]``, the article of each purchase.
        place: int64 ``[P]``, the basket of each purchase among the ``B · M`` ones.
        facts: float32 ``[B, M, 4]``: how long after the one before, how many articles, and the time of the year.
        queries: float32 ``[B, M, 4]``: what is known of a basket before it is: how long after the one before, whether
            it is the first, and the time of the year.
        week: int64 ``[B, M]``, the week of each basket since the first one of all.
        length: int64 ``[B]``, baskets of each customer.
    """

    items: Tensor
    place: Tensor
    facts: Tensor
    queries: Tensor
    week: Tensor
    length: Tensor


class Sequences:
    """Purchases of customers in baskets, from which batches are made.

    What is bought within a day of the purchase before is one basket: a set, without an order. Of a customer with more
    than `longest` baskets the last ones are read.

    Arguments:
        purchases: none of them returned.
        longest: baskets of a customer, at most.
        origin: the time that weeks are counted from.
    """

    def __init__(self, purchases: Purchases, longest: int, origin: np.datetime64) -> None:
        baskets = purchases.baskets(DAY)
        self.items = purchases.article[baskets.order].astype(np.int64)
        self.first = np.append(baskets.first, len(self.items))
        self.time, self.origin, self.longest = baskets.time, origin, longest
        customers = len(purchases.customers)
        self.begin = np.searchsorted(baskets.customer, np.arange(customers + 1))

    def __len__(self) -> int:
        """The number of customers."""
        return len(self.begin) - 1

    def batch(self, customers: np.ndarray) -> Baskets:
        """The baskets of some customers."""
        last = self.begin[customers + 1]
        first = np.maximum(self.begin[customers], last - self.longest)
        length = last - first
        most = max(int(length.max(initial=0)), 1)
        number = first[:, None] + np.arange(most)
        there = np.arange(most) < length[:, None]
        number = np.where(there, number, 0)
        time = self.time[number]
        gap = np.zeros(number.shape)
        # The basket before the first one that is read is looked at for its time.
        earlier = there & (number > self.begin[customers][:, None])
        gap[earlier] = (time - self.time[np.maximum(number - 1, 0)])[earlier] / DAY
        size = np.where(there, self.first[number + 1] - self.first[number], 0)
        place = np.repeat(np.arange(number.size), size.ravel())
        within = np.arange(len(place)) - np.repeat(np.cumsum(size.ravel()) - size.ravel(), size.ravel())
        items = self.items[np.repeat(self.first[number.ravel()], size.ravel()) + within]
        season = seasons_of(time)
        facts = np.concatenate([np.log1p(gap)[..., None] / 3, np.log1p(size)[..., None], season], axis=-1)
        queries = np.concatenate([np.log1p(gap)[..., None] / 3, (~earlier)[..., None], season], axis=-1)
        return Baskets(
            torch.from_numpy(items),
            torch.from_numpy(place),
            torch.from_numpy(facts.astype(np.float32)),
            torch.from_numpy(queries.astype(np.float32)),
            torch.from_numpy(weeks_since(time, self.origin)),
            torch.from_numpy(length.astype(np.int64)),
        )

    def queries_at(self, customers: np.ndarray, time: np.datetime64) -> Tensor:
        """What is known of a basket at some time, float32 ``[B, 4]``."""
        last = self.begin[customers + 1] - 1
        some = last >= self.begin[customers]
        gap = np.where(some, (time - self.time[np.maximum(last, 0)]) / DAY, 0.0)
        season = np.tile(seasons_of(np.array([time])), (len(customers), 1))
        columns = [np.log1p(np.maximum(gap, 0))[:, None] / 3, (~some)[:, None], season]
        return torch.from_numpy(np.concatenate(columns, axis=1).astype(np.float32))


def seasons_of(time: np.ndarray) -> np.ndarray:
    """The time of the year as a point on a circle, ``[..., 2]``."""
    part = 2 * np.pi * ((time.astype("datetime64[s]").astype(np.int64) / 86400) % _YEAR) / _YEAR
    return np.stack([np.sin(part), np.cos(part)], axis=-1)


def weeks_since(time: np.ndarray, origin: np.datetime64) -> np.ndarray:
    """Whole weeks since a time, int64."""
    weeks: np.ndarray = ((time - origin) / (7 * DAY)).astype(np.int64)
    return weeks
