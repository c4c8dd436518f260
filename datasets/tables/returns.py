"""Units that came back, in rows of their own or in a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from ...runtime.display.numbers import percent

Returns = Literal["refuse", "net", "drop"]


def without_returns(sales: pd.DataFrame, keys: Sequence[str], returns: Returns) -> tuple[pd.DataFrame, str]:
    """A sales table without rows of their own for units that came back.

    Arguments:
        sales: rows with ``units``, below 0 where they came back, NaN where they are not known; and with ``returned``,
            at least 0, where that is a column.
        keys: the columns that tell what is sold where and when.
        returns: ``"net"`` takes what came back off the units of the same keys, ``"drop"`` leaves it out.

    Returns:
        The table, and in words what came back, empty where nothing did. Where units came back and none were sold, one
        row of them stays, with their number below 0, or 0 where they are left out.
    """
    units = sales["units"].to_numpy()
    back = units < 0
    came = np.where(back, -units, 0.0)
    if "returned" in sales:
        came = came + sales["returned"].fillna(0.0).to_numpy()
        sales = sales.drop(columns="returned")
    count, sold = float(came.sum()), float(units[units > 0].sum())
    of = sales.groupby(list(keys), sort=False).ngroup().to_numpy()
    # The first row of a sale stands for all of its key; where there is none, the first row.
    order = np.lexsort((np.arange(len(of)), back, of))
    first = order[np.r_[True, np.diff(of[order]) > 0]]
    units = np.where(back, 0.0, units)
    if returns == "net":
        units[first] -= np.bincount(of, came)
    stays = ~back
    stays[first] = True
    done = "taken off those sold" if returns == "net" else "left out"
    words = f"{count:g} units, {percent(count / sold, 1)} of those sold, {done}" if count and sold else ""
    return sales.assign(units=units)[stays], words
