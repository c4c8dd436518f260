"""Univariate gluonts entries of the series of a multivariate entry."""

from __future__ import annotations

import numpy as np

from .channels import items_of, kinds_of
from .entry import Entry
from .gluonts_keys import KNOWN, STATIC, DataEntry, GluontsEntry


def as_univariate(entry: GluontsEntry) -> list[DataEntry]:
    """Split a multivariate entry into its series.

    Arguments:
        entry: ``target`` ``[D, T]``.

    Returns:
        A gluonts entry a series, its arrays copies, its number in ``feat_static_cat`` before the categories it has.
        Static numbers are standardised over the series. Where the channels are named, a series keeps its own and those
        that all share; without names all go with every series.
    """
    whole = Entry.of(entry)
    owned = _owned(whole)
    categories = np.arange(whole.dim)[:, None]
    if whole.static_cat is not None:
        categories = np.concatenate([categories, whole.static_cat], axis=1)
    rows = []
    for number, values in enumerate(whole.target.astype(np.float32)):
        row: DataEntry = {"start": whole.start, "target": values, "item_id": str(number)}
        row[STATIC["static_cat"]] = categories[number]
        if whole.static_real is not None:
            numbers = whole.static_real.astype(np.float32)
            spread = numbers.std(0)
            row[STATIC["static_real"]] = (numbers[number] - numbers.mean(0)) / np.where(spread > 0, spread, 1)
        if whole.channels:
            row[KNOWN] = whole.channels.values[owned[number]]
        rows.append(row)
    return rows


def _owned(entry: Entry) -> list[list[int]]:
    """The channels of each series: its own and the shared ones."""
    names = entry.channels.names
    if not names or not entry.item_ids:
        return [list(range(len(entry.channels)))] * entry.dim
    owners, kinds = items_of(names), kinds_of(names)
    kept = [[row for row, owner in enumerate(owners) if owner in (None, item)] for item in entry.item_ids]
    # A model with shared weights reads the same channels of every series.
    channels = {tuple(kinds[row] for row in rows) for rows in kept}
    if len(channels) > 1:
        raise ValueError(f"covariates: expected the same channels for every series, got {sorted(channels)}")
    return kept
