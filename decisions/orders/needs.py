"""What an order has to cover on each path, and what a quantity costs on average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Unmet = Literal["lost", "waits"]
"""What becomes of demand that finds an empty shelf: it is lost, or waits for the next delivery."""


@dataclass(frozen=True, eq=False)
class Needs:
    """The units of an order that each path asks for.

    Arguments:
        units: ``[S, D]``, what the order has to cover; below 0 where the stock alone lasts, by what is left of it.
        lost_before: ``[S, D]``, units lost before the order arrives, which no order can save.
    """

    units: np.ndarray
    lost_before: np.ndarray


def needs_of(paths: np.ndarray, stock: np.ndarray, lead_time: int, unmet: Unmet = "lost") -> Needs:
    """What an order placed now has to cover.

    The order arrives after `lead_time` steps and has to last to the end of the horizon. Until then the stock serves;
    what is left of it helps to cover the rest.

    Arguments:
        paths: demand ``[S, H, D]``, units, at least 0.
        stock: ``[D]``, units on the shelf, or on their way and here before the order.
        lead_time: steps before the order arrives, fewer than H.
        unmet: whether demand on an empty shelf is lost or waits for the order.

    Returns:
        The needs; `lost_before` is 0 where demand waits.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> paths = np.array([[[3.0], [4.0], [2.0]], [[8.0], [1.0], [1.0]]])
        >>> needs_of(paths, np.array([5.0]), 1).units[:, 0].tolist()
        [4.0, 2.0]
        >>> needs_of(paths, np.array([5.0]), 1, "waits").units[:, 0].tolist()
        [4.0, 5.0]
    """
    if unmet not in get_args(Unmet):
        raise ValueError(f"unmet: expected one of {', '.join(get_args(Unmet))}, got {unmet!r}")
    horizon = paths.shape[1]
    if not 0 <= lead_time < horizon:
        raise ValueError(
            f"lead_time: expected 0 to {horizon - 1} steps, before the end of the forecast, got {lead_time}"
        )
    paths = np.maximum(paths.astype(np.float64), 0)
    before, after = paths[:, :lead_time].sum(1), paths[:, lead_time:].sum(1)
    left = stock - before
    if unmet == "waits":
        return Needs(after - left, np.zeros_like(left))
    return Needs(after - np.maximum(left, 0), np.maximum(-left, 0))


def expected(needs: np.ndarray, quantities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Units that are missing and units that are left over on average.

    Arguments:
        needs: ``[S, D]``.
        quantities: ordered ``[D]``.

    Returns:
        Missing and left over, each ``[D]``.
    """
    gap = needs - quantities
    return np.maximum(gap, 0).mean(0), np.maximum(-gap, 0).mean(0)
