"""Sums over stores: whose weeks they count in, and what a store that ran out would have sold."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...runtime.display.numbers import percent
from .timeline import Timeline

ROUNDS = 200
"""Rounds of proportional fitting at most."""

PRIOR = 10.0
"""Units of an article that are shared as those of all articles are, before it has sold any."""

LEAST = 0.5
"""The share of its usual sales that the stores with a full shelf make, at least, for the others to be made up."""


def refuse_weekdays(sales: pd.DataFrame) -> None:
    """Refuse stores whose weeks are dated by different days, of which no sum of the stores can be made."""
    told: dict[str, str] = {}
    for store, dates in sales.groupby("store", sort=False)["date"]:
        days = pd.DatetimeIndex(np.unique(dates))
        if len(days) < 2:
            continue
        if pd.Series(np.diff(days)).mode()[0] % pd.Timedelta(weeks=1):
            return
        names = pd.Series(days.day_name())
        usual = str(names.mode()[0])
        told.setdefault(usual, f"{usual}s in store {store!r} (such as {days[names == usual][0].date()})")
    if len(told) > 1:
        first, other, *_ = told.values()
        raise ValueError(f"date: expected the weeks of all stores to be dated by one weekday, got {first} and {other}")


def summed(sales: pd.DataFrame, channels: Sequence[str], shared: Sequence[str]) -> pd.DataFrame:
    """One row for each article and date: summed units, mean channels, the number of stores.

    Arguments:
        sales: a row for each article, store and date.
        channels: columns of which the mean is taken.
        shared: columns that are the same for all rows of a date.

    Raises:
        ValueError: rows of a date disagree on a shared column.
    """
    for column in shared:
        cells = sales.groupby("date")[column].agg(["min", "max"])
        different = cells[cells["min"] < cells["max"]]
        if len(different):
            low, high = different.iloc[0]
            raise ValueError(
                f"shared_covariates: expected {column!r} to be the same for all rows of a date, got {low:g} and "
                f"{high:g} on {different.index[0]}"
            )
    groups = sales.groupby(["article", "date"], sort=False)
    rows = groups[list(channels)].mean()
    rows[list(shared)] = groups[list(shared)].first()
    rows.insert(0, "units", groups["units"].sum(min_count=1))
    rows["stores"] = groups["units"].count()
    rows = rows.reset_index()
    rows.index = pd.Index(rows["article"] + " on " + rows["date"].astype(str))
    return rows


def sold_off_empty(units: pd.Series, stock: pd.Series, column: str) -> str:
    """What was sold off shelves that are said to be empty, in words; empty where that is nothing.

    Some is: a shelf runs out within a week. Where it is most of all units, the column may say the opposite.

    Arguments:
        units: of each row.
        stock: 1 where the shelf was full, 0 where it ran out.
        column: its name, for the messages.

    Raises:
        ValueError: no shelf was ever full.
    """
    empty, sold = stock == 0, units.where(units > 0)
    off, whole = float(sold[empty].sum()), float(sold.sum())
    if empty.any() and not (stock == 1).any():
        raise ValueError(f"in_stock: expected some rows with a full shelf, 1 in {column!r}, got 0 in all of them")
    if off > 0.5 * whole:
        warnings.warn(
            f"in_stock: {percent(off / whole)} of all units were sold where {column!r} says that the shelf was empty, "
            "and are treated as missing; invert the column if its 1 means that an article was out of stock",
            UserWarning,
            stacklevel=4,
        )
    return (
        f"{off:g} units, {percent(off / whole, 1)} of all, in {int((sold[empty] > 0).sum())} rows; treated as missing"
        if off
        else ""
    )


@dataclass(frozen=True, eq=False)
class PartUnits:
    """The units of each article in each of its parts, stores or sizes or both, on the grid of the sums.

    Arguments:
        units: ``[D, T, S]``, NaN where they are not known.
        rows: whether there is a row, bool ``[D, T, S]``.
        parts: what each of the S is, a column for the store and one for the size, where the table has them.
        items: names of the D articles.
        place: the article and the step of each row of the sums.
    """

    units: np.ndarray
    rows: np.ndarray
    parts: pd.DataFrame
    items: pd.Index
    place: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(
        cls, by_part: pd.DataFrame, parts: Sequence[str], sums: pd.DataFrame, timeline: Timeline, zero: bool
    ) -> PartUnits:
        """Lay the rows of the parts on the grid of their sums.

        Arguments:
            by_part: a row for each article, date and part.
            parts: the columns that tell the parts.
            sums: a row for each article and date.
            timeline: the grid of the sums.
            zero: whether a part without a row has sold nothing.
        """
        items = pd.Index(pd.unique(sums["article"]))
        names = by_part[list(parts)].drop_duplicates(ignore_index=True)
        number = pd.Series(range(len(names)), index=pd.MultiIndex.from_frame(names))
        step = pd.Series(timeline.positions, index=pd.MultiIndex.from_frame(sums[["article", "date"]]))
        place = (
            items.get_indexer(pd.Index(by_part["article"])),
            step.loc[pd.MultiIndex.from_frame(by_part[["article", "date"]])].to_numpy(),
            number.loc[pd.MultiIndex.from_frame(by_part[list(parts)])].to_numpy(),
        )
        units = np.full((len(items), timeline.length, len(names)), np.nan)
        rows = np.zeros(units.shape, dtype=bool)
        units[place], rows[place] = by_part["units"], True
        if zero:
            units[~rows] = 0.0
        return cls(units, rows, names, items, (pd.factorize(sums["article"])[0], timeline.positions))

    @property
    def observed(self) -> int:
        """The steps up to the last one with any units."""
        seen = (~np.isnan(self.units) & self.rows).any(axis=(0, 2))
        return len(seen) - int(seen[::-1].argmax())

    def there(self, horizon: int) -> np.ndarray:
        """Whether each part counts, bool ``[D, T, S]``: from its first row to its last, but for H steps without one."""
        steps = np.arange(self.rows.shape[1])[None, :, None]
        last = np.maximum.accumulate(np.where(self.rows, steps, -1), axis=1)
        following = np.where(self.rows, steps, 2 * self.rows.shape[1])[:, ::-1]
        following = np.minimum.accumulate(following, axis=1)[:, ::-1]
        return (last >= 0) & (following < self.rows.shape[1]) & (following - last - 1 < horizon)

    def stores(self, horizon: int, partial: bool, zero: bool) -> np.ndarray:
        """How many stores count in each row of the sums.

        The sum holds the share of stores that ran out: without them the number would tell of another sum.

        Arguments:
            horizon: the steps H without a row after which a store does not count.
            partial: whether a sum is what is known of it alone.
            zero: whether the table lists only what was sold.
        """
        counts = self.rows & ~np.isnan(self.units) if partial else self.rows if zero else self.there(horizon)
        number = pd.factorize(self.parts["store"])[0]
        by_store = [counts[..., number == each].any(axis=-1) for each in range(number.max() + 1)]
        return np.sum(by_store, axis=0)[self.place]

    def size_shares(self, until: int) -> pd.DataFrame:
        """The usual share of each size in what is sold of an article: ``item_id``, ``size``, ``share``.

        Arguments:
            until: the steps that they are learnt from.
        """
        number, sizes = pd.factorize(self.parts["size"])
        shares = usual_shares(self.units[:, :until]) @ np.eye(len(sizes))[number]
        rows = [
            (item, size, share)
            for item, of_item in zip(self.items, shares, strict=True)
            for size, share in zip(sizes, of_item, strict=True)
            if share > 0
        ]
        return pd.DataFrame(rows, columns=["item_id", "size", "share"])


@dataclass(frozen=True, eq=False)
class StoreSums:
    """The sums over the stores, where some of them are not known.

    A store counts in the sum of an article from its first row to its last, but for H steps or more without a row: it
    was closed then, or did not have the article. Sizes are summed likewise.

    Arguments:
        parts: the units of each article in each store.
        horizon: the steps H without a row after which a store does not count.
        share: whether what is not known is made up by the usual share of the store; else the sum is missing.
        whole: whether sums are whole numbers.
    """

    parts: PartUnits
    horizon: int
    share: bool
    whole: bool

    def __call__(self, values: np.ndarray, ends: Sequence[int]) -> tuple[np.ndarray, np.ndarray, Mapping[str, str]]:
        """The sums to learn from, those to judge forecasts by, and what was done, in words.

        Arguments:
            values: the sums of what is known, ``[D, T]``.
            ends: ends of stretches of the steps; the units that are made up in one come of the shares before its end.
        """
        steps = values.shape[1]
        units, there = self.parts.units[:, :steps], self.parts.there(self.horizon)[:, :steps]
        known = there & ~np.isnan(units)
        partial = known.any(axis=-1) & (there & ~known).any(axis=-1)
        judged = np.where(partial, np.nan, values)
        completed = judged.copy()
        first = 0
        for end in ends if self.share else ():
            part = slice(first, end)
            if partial[:, part].any():
                shares = usual_shares(np.where(known, units, np.nan)[:, :end])
                made = _made_up(units[:, part], known[:, part], there[:, part], shares)
                completed[:, part] = np.where(partial[:, part], made, completed[:, part])
            first = end
        if self.whole:
            completed = np.rint(completed)
        return completed, judged, self._facts(values, partial, completed)

    def _facts(self, values: np.ndarray, partial: np.ndarray, completed: np.ndarray) -> dict[str, str]:
        count = (~np.isnan(values)).sum()
        made, missing = (partial & ~np.isnan(completed)).sum(), (partial & np.isnan(completed)).sum()
        if not made + missing:
            return {"stores out of stock": "never"}
        return {
            "stores out of stock": f"in {percent((made + missing) / count, 1)} of article-steps: "
            f"{percent(made / count, 1)} filled in by the usual share, {percent(missing / count, 1)} missing; none is "
            "used in scores"
        }


def usual_shares(units: np.ndarray) -> np.ndarray:
    r"""The share of each store in an article's sales, from steps where some may not be known.

    The likeliest shares :math:`s_{ds}` of Poisson units with means :math:`m_{dt} s_{ds}`, by proportional fitting
    over the cells that are known (Bishop, Fienberg and Holland 1975, Discrete Multivariate Analysis, ch. 5). To each
    article come `PRIOR` units that are shared as those of all articles are.

    Arguments:
        units: ``[D, T, S]``, NaN where not known.

    Returns:
        ``[D, S]``, rows that sum to 1.

    Example:
        >>> sold = np.array([[[90.0, 10.0], [180.0, 20.0], [np.nan, 10.0]]])
        >>> usual_shares(sold).round(3).tolist()
        [[0.9, 0.1]]
    """
    dim, steps, stores = units.shape
    overall = _fitted(units.reshape(1, dim * steps, stores))
    prior = np.broadcast_to(PRIOR * overall[:, None], (dim, 1, stores))
    return _fitted(np.concatenate([units, prior], axis=1))


def _fitted(units: np.ndarray) -> np.ndarray:
    known = ~np.isnan(units)
    sold, of_step, of_store = np.where(known, units, 0.0), known.astype(float), known.any(axis=1)
    total, by_step = sold.sum(axis=1), sold.sum(axis=-1)
    shares = of_store / np.maximum(of_store.sum(-1, keepdims=True), 1)
    for _ in range(ROUNDS):
        seen = np.einsum("dts,ds->dt", of_step, shares)
        size = np.divide(by_step, seen, out=np.zeros_like(by_step), where=seen > 0)
        weight = np.einsum("dts,dt->ds", of_step, size)
        new = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
        new /= np.maximum(new.sum(-1, keepdims=True), np.finfo(float).tiny)
        if np.abs(new - shares).max() < 1e-9:
            break
        shares = new
    return new


def _made_up(units: np.ndarray, known: np.ndarray, there: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The sums ``[D, T]`` with the usual share of the stores that are not known; NaN where they are most of it."""
    seen, all_there = (np.einsum("dts,ds->dt", cells.astype(float), shares) for cells in (known, there))
    sold = np.where(known, units, 0.0).sum(axis=-1)
    enough = (seen > 0) & (seen >= LEAST * all_there)
    return np.where(enough, sold * np.divide(all_there, seen, out=np.ones_like(seen), where=seen > 0), np.nan)
