"""Which articles of a table are sold now and then, and which models forecast those best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...datasets.entries.entry import Entry
from ..paths.weights import pool_weights

MANY = 0.1
"""Share of the series from which on a table counts as one of rare demand."""

ENOUGH = 300
"""Series by which models of rare demand are weighed, at most."""


def rarely_sold(target: np.ndarray) -> np.ndarray:
    """Which series ``[D]`` sell nothing at most of their steps.

    Arguments:
        target: ``[D, T]``; missing steps do not count, nor does what is before the first sale.

    Example:
        >>> rarely_sold(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 6.0], [0.0, 0.0, 0.0]]))
        array([ True, False,  True])
    """
    sold = np.nan_to_num(target) > 0
    begun = (sold.cumsum(1) > 0) | ~sold.any(1, keepdims=True)
    return np.asarray(sold.sum(1) < 0.5 * (begun & ~np.isnan(target)).sum(1))


def sells_rarely(entries: Sequence[Entry]) -> bool:
    """Whether at least a tenth of the series that have sold sell nothing at most of their steps.

    Arguments:
        entries: of the same series.

    Example:
        >>> import pandas as pd
        >>> start = pd.Period("2024-01-01", "D")
        >>> sells_rarely([Entry(start, np.array([[1.0, 0.0, 0.0], [5.0, 4.0, 6.0]]))])
        True
        >>> sells_rarely([Entry(start, np.array([[1.0, 2.0, 0.0], [5.0, 4.0, 6.0]]))])
        False
    """
    target = np.concatenate([entry.target for entry in entries], axis=1)
    begun = (np.nan_to_num(target) > 0).any(1)
    return bool(begun.any() and rarely_sold(target)[begun].mean() >= MANY)


def rare_weights(
    drawn: Mapping[str, np.ndarray], truth: np.ndarray, rarely: np.ndarray, smallest: float
) -> dict[str, float] | None:
    """The weights of the mixture that forecasts series which sell rarely best; ``None`` where nothing is known of them.

    In a score of all series at once they hardly count. Here the sum of each over the horizon has a score of its own,
    the CRPS, by what the models expect of it, so that a rate of three sales a year counts as one of thirty; what is
    expected below a tenth of the mean of these series counts as that, or one that never sold would be all.

    Arguments:
        drawn: for each of J models the paths ``[W, S, H, D]`` of W windows.
        truth: ``[W, H, D]``, NaN where missing.
        rarely: bool ``[D]``, the series.
        smallest: smaller weights are set to 0.
    """
    chosen = np.flatnonzero(rarely)
    chosen = chosen[:: -(-len(chosen) // ENOUGH) or 1]
    came = truth[..., chosen].sum(1)
    sums = [paths[..., chosen].sum(2, dtype=float) for paths in drawn.values()]
    level = np.median([each.mean((0, 1)) for each in sums], axis=0)
    known = ~np.isnan(came)
    if not known.any() or not level.any():
        return None
    level = np.maximum(level, 0.1 * level.mean())
    scaled = [np.moveaxis(each / level, 1, 2)[known][:, :, None, None] for each in sums]
    found = pool_weights(scaled, (came / level)[known][:, None, None], smallest)
    return dict(zip(drawn, found.tolist(), strict=True))
