"""Parts of several entries at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .channels import items_of
from .entry import Entry
from .gluonts_keys import CHANNELS


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


def in_parts(entry: Entry, places: np.ndarray, count: int) -> list[Entry]:
    """An entry for each of several parts of its articles, with their channels and labels and those that all share.

    All parts are cut at once: the names of many thousand channels are read once, not once a part.

    Arguments:
        entry: with a series an article.
        places: int ``[D]``, the part of each article, from 0.
        count: of the parts P.

    Returns:
        P entries; the articles of a part are in their order.

    Example:
        >>> import pandas as pd
        >>> shop = Entry(pd.Period("2024-01-01", "D"), np.arange(6.0).reshape(3, 2), item_ids=("coat", "hat", "cap"))
        >>> [part.item_ids for part in in_parts(shop, np.array([0, 1, 1]), 2)]
        [('coat',), ('hat', 'cap')]
    """
    place_of = dict(zip(entry.item_ids, places.tolist(), strict=False))
    rows: dict[str, list[list[int]]] = {}
    for name in CHANNELS:
        channels = getattr(entry, name)
        if channels.names:
            rows[name] = [[] for _ in range(count)]
            for row, item in enumerate(items_of(channels.names)):
                told = range(count) if item is None or item not in place_of else (place_of[item],)
                for part in told:
                    rows[name][part].append(row)
    planned = None if entry.planned is None else in_parts(entry.planned, places, count)
    parts = []
    for part in range(count):
        found = entry.of_series(np.flatnonzero(places == part))
        changes: dict[str, Any] = {name: getattr(entry, name).rows(told[part]) for name, told in rows.items()}
        changes["attributes"] = {
            name: {item: labels[item] for item in found.item_ids if item in labels}
            for name, labels in entry.attributes.items()
        }
        if found.imposed is not None and np.isnan(found.imposed).all():
            changes["imposed"] = None
        parts.append(found.with_(**changes, planned=None if planned is None else planned[part]))
    return parts
