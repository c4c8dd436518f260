"""Univariate gluonts entries of the series of a multivariate entry."""

from __future__ import annotations

import numpy as np

from .multivariate import Entry


def as_univariate(entry: Entry) -> list[Entry]:
    """Split a multivariate entry into its series.

    Arguments:
        entry: ``target`` ``[D, T]``.

    Returns:
        An entry a series, its number in ``feat_static_cat`` before the categories it has. Static numbers are
        standardised over the series. Where the covariates are named, a series keeps its own channels and those that
        all share; without names all go with every series.
    """
    target = np.asarray(entry["target"], dtype=np.float32)
    owned = _owned(entry)
    categories = np.arange(len(target))[:, None]
    if "feat_static_cat" in entry:
        categories = np.concatenate([categories, np.asarray(entry["feat_static_cat"])], axis=1)
    rows: list[Entry] = []
    for number, values in enumerate(target):
        row = {
            "start": entry["start"],
            "target": values,
            "item_id": str(number),
            "feat_static_cat": categories[number],
        }
        if "feat_static_real" in entry:
            numbers = np.asarray(entry["feat_static_real"], dtype=np.float32)
            spread = numbers.std(0)
            row["feat_static_real"] = (numbers[number] - numbers.mean(0)) / np.where(spread > 0, spread, 1)
        if "feat_dynamic_real" in entry:
            row["feat_dynamic_real"] = entry["feat_dynamic_real"][owned[number]]
        rows.append(row)
    return rows


def _owned(entry: Entry) -> list[list[int]]:
    """The covariate rows of each series: its own and the shared ones."""
    dim, names, item_ids = len(entry["target"]), entry.get("covariates", ()), entry.get("item_ids", ())
    if not names or not item_ids:
        return [list(range(len(entry.get("feat_dynamic_real", ()))))] * dim
    kept = [
        [row for row, name in enumerate(names) if "[" not in name or name.endswith(f"[{item}]")] for item in item_ids
    ]
    # A model with shared weights reads the same channels of every series.
    channels = {tuple(names[row].partition("[")[0] for row in rows) for rows in kept}
    if len(channels) > 1:
        raise ValueError(f"covariates: expected the same channels for every series, got {sorted(channels)}")
    return kept
