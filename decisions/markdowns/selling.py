"""What is sold of a stock when demand comes step by step, and how its worth depends on the demand."""

from __future__ import annotations

import numpy as np


def sold(demand: np.ndarray, stock: np.ndarray, kept: np.ndarray) -> np.ndarray:
    r"""Units sold in each step, of a stock that nobody fills up.

    .. math:: n_h = \min(q_h, r_h), \qquad r_{h+1} = r_h - k\, n_h

    with demand q, what is left r, and the share k of the units sold that are kept; the others are back on the shelf
    in the next step.

    Arguments:
        demand: ``[..., H, S]``, units, at least 0.
        stock: ``[...]``, units before the first step.
        kept: ``[...]``, above 0 and at most 1.

    Returns:
        ``[..., H, S]``, units.

    Example:
        >>> sold(np.array([[[3.0], [4.0], [2.0]]]), np.array([6.0]), np.array([1.0]))[0, :, 0].tolist()
        [3.0, 3.0, 0.0]
        >>> sold(np.array([[[3.0], [4.0], [2.0]]]), np.array([6.0]), np.array([0.5]))[0, :, 0].tolist()
        [3.0, 4.0, 2.0]
    """
    found = np.empty_like(demand)
    left = np.broadcast_to(stock[..., None], demand[..., 0, :].shape).astype(demand.dtype)
    share = kept[..., None].astype(demand.dtype)
    for step in range(demand.shape[-2]):
        np.minimum(demand[..., step, :], left, out=found[..., step, :])
        left = left - share * found[..., step, :]
    return found


def slopes(worth: np.ndarray, demand: np.ndarray, units: np.ndarray, kept: np.ndarray) -> np.ndarray:
    r"""Derivatives of what the units sold are worth by the logarithm of the demand in each step.

    A unit more in a step adds its worth, and takes that of the unit that would have been the last of the stock, if the
    stock is sold out later. The derivative by what is left before a step runs backwards:
    :math:`\lambda_h = \lambda_{h+1}` where demand was served, else :math:`w_h + (1 - k) \lambda_{h+1}`.

    Arguments:
        worth: of a unit, ``[..., H]``, money.
        demand: ``[..., H, S]``, units.
        units: those sold, as `sold` gives them.
        kept: the share of them that is kept, ``[...]``.

    Returns:
        ``[..., H, S]``, money.
    """
    found = np.empty_like(demand)
    of_left = np.zeros_like(demand[..., 0, :])
    share = kept[..., None].astype(demand.dtype)
    for step in reversed(range(demand.shape[-2])):
        served = demand[..., step, :] <= units[..., step, :]
        own = worth[..., step, None].astype(demand.dtype)
        found[..., step, :] = np.where(served, demand[..., step, :] * (own - share * of_left), 0)
        of_left = np.where(served, of_left, own + (1 - share) * of_left)
    return found
