"""Parts of several entries at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .entry import Entry


def of_articles(entries: Sequence[Entry], wanted: np.ndarray) -> list[Entry]:
    """Entries of some articles and of their channels; a planned future and imposed sales with them.

    Arguments:
        entries: each with a series an article.
        wanted: bool ``[D]``.
    """
    return list(entries) if wanted.all() else [_of_articles(entry, wanted) for entry in entries]


def _of_articles(entry: Entry, wanted: np.ndarray) -> Entry:
    others = {item for item, stays in zip(entry.item_ids, wanted, strict=False) if not stays}
    left = entry.of_series(wanted).without_channels_of(others)
    if entry.planned is not None:
        left = left.with_(planned=_of_articles(entry.planned, wanted))
    if left.imposed is not None and np.isnan(left.imposed).all():
        left = left.with_(imposed=None)
    return left
