"""Whether the articles of a table are sold now and then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...datasets.entries.entry import Entry

MANY = 0.1
"""Share of the series from which on a table counts as one of rare demand."""


def sells_rarely(entries: Sequence[Entry]) -> bool:
    """Whether at least a tenth of the series sell nothing at most of their steps.

    Arguments:
        entries: of the same series; missing steps do not count, nor does what is before the first sale.

    Example:
        >>> import pandas as pd
        >>> start = pd.Period("2024-01-01", "D")
        >>> sells_rarely([Entry(start, np.array([[1.0, 0.0, 0.0], [5.0, 4.0, 6.0]]))])
        True
        >>> sells_rarely([Entry(start, np.array([[1.0, 2.0, 0.0], [5.0, 4.0, 6.0]]))])
        False
    """
    target = np.concatenate([entry.target for entry in entries], axis=1)
    sold = np.nan_to_num(target) > 0
    seen = ~np.isnan(target) & (sold.cumsum(1) > 0)
    begun = seen.any(1)
    share = (sold & seen).sum(1) / np.maximum(seen.sum(1), 1)
    return bool(begun.any() and (share[begun] < 0.5).mean() >= MANY)
