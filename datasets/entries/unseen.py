"""Plans beyond all that was seen: which channels go there, in words."""

from __future__ import annotations

import warnings

import numpy as np

from .channels import PRICE, kinds_of
from .entry import Entry

_FAR = 1.0
"""How far beyond the values seen, in their range, a plan may go before a forecast warns of it."""

_TOLD = 5
"""Channels that a warning names."""

_SAME = 1e-6
"""Share of its size by which a value may differ and be the same."""


def range_in_words(name: str, low: float, high: float, values: np.ndarray) -> str:
    """What a channel was and would be.

    Arguments:
        name: of the channel.
        low: the lowest value seen.
        high: the highest one.
        values: those that it would have.

    Example:
        >>> range_in_words("promo[coat]", 0.0, 0.0, np.array([1.0, 1.0]))
        'promo[coat] was always 0 and would be 1'
    """
    was = f"was always {low:.4g}" if low == high else f"was between {low:.4g} and {high:.4g}"
    least, most = values.min(), values.max()
    return f"{name} {was} and would be " + (f"{least:.4g}" if least == most else f"{least:.4g} to {most:.4g}")


def warn_of_unseen(entry: Entry, horizon: int, low: np.ndarray | None = None, high: np.ndarray | None = None) -> None:
    """Warn of channels known of the future whose values ahead are far from all that were seen of them.

    A channel that never moved, or one that goes beyond its values by more than their whole range: what it does then
    is a guess from what others do. Prices are compared by their ratios.

    Arguments:
        entry: with channels over the horizon; without names there is nothing to tell.
        horizon: steps H.
        low: ``[K]`` the lowest values in training; what the entry's past holds is added to them.
        high: ``[K]`` the highest ones.
    """
    names, length = entry.channels.names, entry.length
    past, ahead = entry.channels.values[:, :length], entry.channels.values[:, length : length + horizon]
    if not names or not past.shape[1] or not ahead.shape[1]:
        return
    low, high = (
        seen if known is None or not np.isfinite(known).all() else choose(seen, known)
        for seen, known, choose in ((past.min(1), low, np.minimum), (past.max(1), high, np.maximum))
    )
    # In ratios where a channel is a price; one of 0 has none, and is for the models to refuse.
    priced = (np.array(kinds_of(names)) == PRICE) & (np.minimum(low, ahead.min(1)) > 0)
    least, most, first, last = (
        np.log(values, out=values.astype(float), where=priced) for values in (low, high, ahead.min(1), ahead.max(1))
    )
    room = _FAR * (most - least) + _SAME * np.maximum(np.abs(least), np.abs(most))
    far = np.flatnonzero((first < least - room) | (last > most + room))
    if len(far):
        beyond = (ahead < low[:, None]) | (ahead > high[:, None])
        said = [range_in_words(names[row], low[row], high[row], ahead[row][beyond[row]]) for row in far[:_TOLD]]
        more = f", and {len(far) - _TOLD} more channels would be far from theirs" if len(far) > _TOLD else ""
        warnings.warn(
            f"covariates: {'; '.join(said)}{more}: how sales answer to that was never seen, and is taken to be as is "
            "usual",
            stacklevel=2,
        )
