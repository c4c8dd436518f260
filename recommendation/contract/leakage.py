"""Times, and purchases that would tell a model what it is to foretell."""

from __future__ import annotations

import numpy as np

from ...datasets.purchases.purchases import Purchases, in_seconds

When = str | np.datetime64 | None
"""A time; ``None`` for the end of the training data."""


def as_time(argument: str, time: str | np.datetime64) -> np.datetime64:
    """A time, from what a user wrote.

    Raises:
        ValueError: it is none.
    """
    try:
        found = in_seconds(time)
    except ValueError as error:
        raise ValueError(f"{argument}: expected a date such as 2024-05-31, got {time!r}") from error
    if np.isnat(found):
        raise ValueError(f"{argument}: expected a date such as 2024-05-31, got {time!r}")
    return found


def require_before(purchases: Purchases, time: When, argument: str = "until") -> None:
    """Refuse purchases from a time on: they would tell the model what it is to foretell.

    Raises:
        ValueError: there is one.
    """
    if time is None or not len(purchases):
        return
    last = as_time(argument, time)
    if purchases.time[-1] >= last:
        row = int(np.searchsorted(purchases.time, last))
        raise ValueError(
            f"{argument}: expected purchases before {last}, got one of {purchases.item_ids[purchases.article[row]]!r} "
            f"by {purchases.customers[purchases.customer[row]]!r} on {purchases.time[row]}, which would be leakage"
        )
