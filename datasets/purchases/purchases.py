"""Purchases: a row each, sparse, in the order of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from scipy import sparse

from ...runtime.display.showing import Shown

AT_ONCE = np.timedelta64(0, "s")


def in_seconds(time: str | np.datetime64) -> np.datetime64:
    """A time in seconds, from a text or a time of numpy.

    Raises:
        ValueError: the text is no time.
    """
    return cast("np.datetime64", np.asarray(time, dtype="datetime64[s]")[()])


@dataclass(frozen=True, eq=False, repr=False)
class Purchases(Shown):
    """Purchases of customers, a row each, in the order of time.

    Arguments:
        customers: the names of the C customers.
        item_ids: the names of the n articles.
        customer: int32 ``[N]``, the customer of each row, as an index.
        article: int32 ``[N]``, its article, as an index.
        time: datetime64[s] ``[N]``, ascending.
        price: float32 ``[N]``, money a unit, NaN where it is not known; ``None`` where no row has one.
        quantity: float32 ``[N]``, units; ``None`` for one each.
        channel: texts ``[N]``, where it was bought; ``None`` where that is not known.
        size: texts ``[N]``, the size that was bought; ``None`` where that is not known.
        returned: bool ``[N]``, whether it came back; ``None`` where nothing did.

    Raises:
        ValueError: a name occurs twice, columns differ in length, an index is out of range, or the rows are not in
            the order of time.

    Example:
        >>> days = np.array(["2024-01-01", "2024-01-01", "2024-01-09"], dtype="datetime64[s]")
        >>> bought = Purchases(("ada", "eva"), ("coat", "hat"), np.array([0, 0, 1]), np.array([0, 1, 1]), days)
        >>> bought.matrix().toarray().tolist()
        [[1.0, 1.0], [0.0, 1.0]]
    """

    customers: tuple[str, ...]
    item_ids: tuple[str, ...]
    customer: np.ndarray
    article: np.ndarray
    time: np.ndarray
    price: np.ndarray | None = None
    quantity: np.ndarray | None = None
    channel: np.ndarray | None = None
    size: np.ndarray | None = None
    returned: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name, names in (("customers", self.customers), ("item_ids", self.item_ids)):
            if len(set(names)) < len(names):
                twice = next(each for each, count in Counter(names).items() if count > 1)
                raise ValueError(f"{name}: expected each once, got {twice!r} twice")
        rows = len(self.time)
        for name in ("customer", "article", *_OPTIONAL):
            column = getattr(self, name)
            if column is not None and column.shape != (rows,):
                raise ValueError(f"{name}: expected a value in each of {rows} rows, got {list(column.shape)}")
        for name, codes, count in (
            ("customer", self.customer, len(self.customers)),
            ("article", self.article, len(self.item_ids)),
        ):
            if rows and not (codes.min() >= 0 and codes.max() < count):
                raise ValueError(f"{name}: expected numbers from 0 to {count - 1}, got {codes.min()} to {codes.max()}")
            object.__setattr__(self, name, codes.astype(np.int32, copy=False))
        object.__setattr__(self, "time", np.asarray(self.time).astype("datetime64[s]"))
        if rows and (np.diff(self.time) < np.timedelta64(0, "s")).any():
            at = int((np.diff(self.time) < np.timedelta64(0, "s")).argmax())
            raise ValueError(f"time: expected ascending times, got {self.time[at + 1]} after {self.time[at]}")

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.time)

    def _shown(self) -> dict[str, object]:
        """Rows, customers, articles, and the span."""
        span = {"first": str(self.time[0])[:10], "last": str(self.time[-1])[:10]} if len(self) else {}
        return {"rows": len(self), "customers": len(self.customers), "articles": len(self.item_ids), **span}

    def rows(self, chosen: np.ndarray) -> Purchases:
        """Some rows, with the names of all customers and articles.

        Arguments:
            chosen: bool ``[N]``, or row numbers in ascending order.
        """
        columns = {name: getattr(self, name) for name in ("customer", "article", "time", *_OPTIONAL)}
        picked: dict[str, Any] = {name: None if each is None else each[chosen] for name, each in columns.items()}
        return replace(self, **picked)

    def between(self, begin: str | np.datetime64 | None = None, end: str | np.datetime64 | None = None) -> Purchases:
        """The rows from one time on and before another; ``None`` leaves that end open."""
        first = 0 if begin is None else int(np.searchsorted(self.time, in_seconds(begin)))
        last = len(self) if end is None else int(np.searchsorted(self.time, in_seconds(end)))
        return self.rows(np.arange(first, max(last, first)))

    def kept(self) -> Purchases:
        """The rows of what did not come back: a return is no sign of taste."""
        return self if self.returned is None else self.rows(~self.returned)

    def of_buyers(self) -> Purchases:
        """The same rows, without the names of customers who have none."""
        count = np.bincount(self.customer, minlength=len(self.customers))
        return self.of_customers([name for name, some in zip(self.customers, count.tolist(), strict=True) if some])

    def of_customers(self, customers: Sequence[str]) -> Purchases:
        """The rows of some customers, who are then all that there are, in the given order.

        Raises:
            ValueError: one is not among the customers.
        """
        codes = codes_of("customers", customers, self.customers)
        place = np.full(len(self.customers), -1, dtype=np.int32)
        place[codes] = np.arange(len(codes))
        chosen = place[self.customer] >= 0
        some = self.rows(chosen)
        return replace(some, customers=tuple(customers), customer=place[some.customer])

    def of_items(self, item_ids: Sequence[str]) -> Purchases:
        """The rows of some articles, which are then all that there are, in the given order; new ones have no row."""
        place = {item: number for number, item in enumerate(item_ids)}
        code = np.array([place.get(item, -1) for item in self.item_ids], dtype=np.int32)
        some = self.rows(code[self.article] >= 0) if len(self) else self
        return replace(some, item_ids=tuple(item_ids), article=code[some.article])

    def matrix(self, *, counts: bool = False) -> sparse.csr_matrix:
        """The purchase matrix, float32 ``[C, n]``: 1 where a customer bought an article and did not return it.

        Arguments:
            counts: how often instead of whether.
        """
        kept = self.kept()
        shape = (len(self.customers), len(self.item_ids))
        ones = np.ones(len(kept), dtype=np.float32)
        found = sparse.coo_matrix((ones, (kept.customer, kept.article)), shape=shape).tocsr()
        if not counts:
            found.data[:] = 1.0
        return found

    def baskets(self, gap: np.timedelta64 = AT_ONCE) -> Baskets:
        """What each customer bought at once, in the order of customers and time.

        Arguments:
            gap: a purchase that follows the one before within this time is of the same basket: 0 for equal times,
                ``np.timedelta64(1, "D")`` for what was bought within a day of the one before.
        """
        order = np.lexsort((np.arange(len(self)), self.customer))
        customer, time = self.customer[order], self.time[order]
        begins = np.ones(len(order), dtype=bool)
        begins[1:] = (np.diff(customer) != 0) | (np.diff(time) > gap)
        first = np.flatnonzero(begins)
        return Baskets(order, first, customer[first], time[first])


_OPTIONAL = ("price", "quantity", "channel", "size", "returned")


@dataclass(frozen=True, eq=False)
class Baskets:
    """Rows of purchases in baskets, in the order of customers and, for each, of time.

    Arguments:
        order: int64 ``[N]``, the rows, basket by basket.
        first: int64 ``[M]``, the place in `order` at which each basket begins.
        customer: int32 ``[M]``, whose it is.
        time: datetime64[s] ``[M]``, of its first row.
    """

    order: np.ndarray
    first: np.ndarray
    customer: np.ndarray
    time: np.ndarray

    def __len__(self) -> int:
        """The number of baskets."""
        return len(self.first)

    @property
    def basket(self) -> np.ndarray:
        """int64 ``[N]``, the basket of each row of `order`."""
        sizes = np.diff(np.append(self.first, len(self.order)))
        return np.repeat(np.arange(len(self.first)), sizes)


def codes_of(argument: str, names: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """The places of names among the known ones, int64.

    Arguments:
        argument: the argument that gave the names, for the message.
        names: the names.
        known: the known ones.

    Raises:
        ValueError: a name is not known.
    """
    place = {name: number for number, name in enumerate(known)}
    for name in names:
        if name not in place:
            shown = ", ".join(map(repr, list(known)[:3]))
            raise ValueError(f"{argument}: expected one of the {len(known)} known ones ({shown} …), got {name!r}")
    return np.array([place[name] for name in names], dtype=np.int64)
