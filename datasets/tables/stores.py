"""Sums over stores: whose weeks they count in, and what a store that ran out would have sold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

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


@dataclass(frozen=True, eq=False)
class StoreSums:
    """The sums over the stores, where some of them are not known.

    A store counts in the sum of an article from its first row to its last, but for H steps or more without a row: it
    was closed then, or did not have the article.

    Arguments:
        units: of each article in each store, ``[D, T, S]``; NaN where they are not known.
        rows: whether there is a row, bool ``[D, T, S]``.
        horizon: the steps H without a row after which a store does not count.
        share: whether what is not known is made up by the usual share of the store; else the sum is missing.
        whole: whether sums are whole numbers.
    """

    units: np.ndarray
    rows: np.ndarray
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
        units, there = self.units[:, :steps], self._there()[:, :steps]
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

    @property
    def stores(self) -> np.ndarray:
        """How many stores count at each step, ``[D, T]``: one that ran out is no less there than others."""
        return self._there().sum(axis=-1)

    def _there(self) -> np.ndarray:
        """Whether each store counts, bool ``[D, T, S]``."""
        steps = np.arange(self.rows.shape[1])[None, :, None]
        last = np.maximum.accumulate(np.where(self.rows, steps, -1), axis=1)
        following = np.where(self.rows, steps, 2 * self.rows.shape[1])[:, ::-1]
        following = np.minimum.accumulate(following, axis=1)[:, ::-1]
        return (last >= 0) & (following < self.rows.shape[1]) & (following - last - 1 < self.horizon)

    def _facts(self, values: np.ndarray, partial: np.ndarray, completed: np.ndarray) -> dict[str, str]:
        count = (~np.isnan(values)).sum()
        made, missing = (partial & ~np.isnan(completed)).sum(), (partial & np.isnan(completed)).sum()
        if not made + missing:
            return {"a store empty": "never"}
        return {
            "a store empty": f"in {(made + missing) / count:.1%} of article-steps: {made / count:.1%} made up by its "
            f"usual share, {missing / count:.1%} missing; none is judged"
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
