"""Channels without which an article does not sell at all: it is listed while promoted, or the shop is closed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...datasets.entries.channels import PRICE, kinds_of

_EXPECTED = 10.0
"""Units that would have been sold in a state, had it been as the other: of fewer, none may be chance."""

_NOTHING = 0.02
"""Share of these that counts as nothing sold."""

_CENT = 1e-6
"""Share of a channel's span by which two of its values may differ and be one."""


class Gates:
    r"""Which channels shut the sales of which series, at the lowest of their values or at the highest.

    The logarithm of what is left of sales runs off to minus infinity where none are left, and no coefficient is found.
    So the steps at which a gate is shut are left out, as if out of stock, and what is left of sales then is a share of
    its own: what was sold and half a unit, of what would have been.

    Arguments:
        sales: ``[D, T]``, NaN where missing.
        values: ``[K, T]`` the channels.
        names: of the channels.
        direct: bool ``[D, K]``, those of the article itself and those shared by all, which may shut it.
        counts: whether sales are counts; the unit of others is the smallest amount ever sold.

    Example:
        >>> promoted = np.tile([0.0, 0.0, 1.0], 20)[None]
        >>> gates = Gates(2 * promoted, promoted, ["promo"], np.ones((1, 1), dtype=bool), counts=True)
        >>> gates.at[0].round(2), gates.shut(promoted)[0, :3]
        (array([[-5.02]]), array([ True,  True, False]))
    """

    def __init__(
        self, sales: np.ndarray, values: np.ndarray, names: Sequence[str], direct: np.ndarray, counts: bool
    ) -> None:
        self.low, self.high = values.min(axis=1), values.max(axis=1)
        self.at = np.zeros((2, *direct.shape))
        """``[2, D, K]`` logarithms of what is left of sales at the lowest and at the highest value; 0 for all."""
        states = np.stack(at_ends(values, self.low, self.high))
        moved = (self.high > self.low) & (np.array(kinds_of(names)) != PRICE)
        for series, sold in enumerate(sales):
            positive = np.flatnonzero(sold > 0)
            if not len(positive):
                continue
            # Nothing is known of an article before its first sale.
            known = np.arange(len(sold)) >= positive[0]
            known &= ~np.isnan(sold)
            unit = 1.0 if counts else float(sold[positive].min())
            for channel in np.flatnonzero(direct[series] & moved):
                for end in range(2):
                    self.at[end, series, channel] = _left(sold, known, states[end, channel], unit)
        # What is never sold in either state is not sold.
        self.at[:, (self.at < 0).all(axis=0)] = 0.0

    def shut(self, values: np.ndarray) -> np.ndarray:
        """Bool ``[D, T]``, where some gate of a series is shut by channels ``[K, T]``."""
        states = at_ends(values, self.low, self.high)
        return np.any([(at < 0) @ state for at, state in zip(self.at, states, strict=True)], axis=0)

    def beside(self, mean: np.ndarray, inputs: np.ndarray, values: np.ndarray) -> np.ndarray:
        """What is left, ``[2, D, K]`` in logarithms, beside what the coefficients say of a shut gate themselves.

        A coefficient counts from the mean of the channel at the steps at which its gate is open.

        Arguments:
            mean: ``[D, K]`` coefficients.
            inputs: ``[T, K]`` the channels on the scale on which they enter.
            values: ``[K, T]`` the channels.
        """
        found = self.at.copy()
        for end, states in enumerate(at_ends(values, self.low, self.high)):
            for series, channel in np.argwhere(self.at[end]):
                column, state = inputs[:, channel], states[channel]
                found[end, series, channel] += mean[series, channel] * (column[~state].mean() - column[state].mean())
        return found


def at_ends(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where channels ``[K, T]`` have the lowest and the highest of the values seen; bool ``[K, T]`` each."""
    room = _CENT * (high - low)
    return values <= (low + room)[:, None], values >= (high - room)[:, None]


def _left(sold: np.ndarray, known: np.ndarray, state: np.ndarray, unit: float) -> float:
    """The logarithm of the share that is left of sales in a state; 0 where some are, or too little is known."""
    within, beside = sold[known & state], sold[known & ~state]
    if not len(within) or not len(beside):
        return 0.0
    usual = len(within) * float(beside.mean())
    got = float(within.sum())
    if usual < _EXPECTED * unit or got > _NOTHING * usual or got > 0.5 * unit * len(within):
        return 0.0
    return float(np.log((got + unit / 2) / usual))
