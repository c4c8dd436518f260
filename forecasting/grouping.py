"""Between gluonts entries of single series and entries of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..datasets.frequency import to_period

Entry = dict[str, Any]


def as_multivariate(dataset: Iterable[Entry], argument: str = "training_data") -> list[Entry]:
    """Read any gluonts dataset as multivariate entries.

    Entries whose target is ``[D, T]`` are taken as they are. Univariate ones are grouped to a single entry: laid
    on the span from the earliest start to the latest end, NaN where a series has no value; each one's covariates
    become rows of their own. One series gives D = 1.

    Arguments:
        dataset: gluonts entries, all multivariate or all univariate.
        argument: the name by which errors call it.

    Returns:
        Entries with ``start`` (Period), ``target`` float32 ``[D, T]`` and, where given, ``feat_dynamic_real``
        float32 ``[K, T']``. Where a past channel ``in_stock[item]`` is 0 the target is NaN: what was sold off an
        empty shelf is no demand.

    Raises:
        ValueError: the dataset is empty or mixed, entries disagree in D, K or frequency, a value is infinite, a
            series has no value at all, or covariates are missing or shorter than the target.

    Example:
        >>> import pandas as pd
        >>> start = pd.Period("2024-01-01", "D")
        >>> rows = [{"start": start, "target": [1.0, 2.0]}, {"start": start + 1, "target": [3.0]}]
        >>> as_multivariate(rows)[0]["target"]
        array([[ 1.,  2.],
               [nan,  3.]], dtype=float32)
    """
    rows = list(dataset)
    if not rows:
        raise ValueError(f"{argument}: expected at least one entry, got an empty dataset")
    for number, row in enumerate(rows):
        if "target" not in row or "start" not in row:
            raise ValueError(f"{argument}: expected 'start' and 'target' in {_name(row, number)}, got {sorted(row)}")
    dims = {np.ndim(row["target"]) for row in rows}
    if not dims <= {1, 2} or len(dims) > 1:
        raise ValueError(
            f"{argument}: expected targets all [T] or all [D, T], got arrays with {sorted(dims)} dimensions"
        )
    freqs = {row["start"].freqstr if hasattr(row["start"], "freqstr") else None for row in rows}
    if len(freqs) > 1 or None in freqs:
        raise ValueError(f"{argument}: expected every start to be a Period of one frequency, got {freqs}")
    entries = [_group(rows)] if dims == {1} else [_normalised(row) for row in rows]
    for number, entry in enumerate(entries):
        _check(entry, entries[0], rows, number, argument)
    return entries


def as_univariate(entry: Entry) -> list[Entry]:
    """Split a multivariate entry into its series.

    Arguments:
        entry: ``target`` ``[D, T]``.

    Returns:
        An entry a series, its number in ``feat_static_cat``. Where the covariates are named, a series keeps its own
        channels and those that all share; without names all go with every series.
    """
    target = np.asarray(entry["target"], dtype=np.float32)
    owned = _owned(entry)
    rows: list[Entry] = []
    for number, values in enumerate(target):
        row = {"start": entry["start"], "target": values, "item_id": str(number), "feat_static_cat": np.array([number])}
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


def _group(rows: list[Entry]) -> Entry:
    starts = [to_period(row["start"].to_timestamp(), row["start"].freq.freqstr) for row in rows]
    first = min(starts)
    offsets = [(start - first).n // first.freq.n if start != first else 0 for start in starts]
    targets = [np.asarray(row["target"], dtype=np.float32) for row in rows]
    length = max(offset + len(target) for offset, target in zip(offsets, targets, strict=True))
    grouped = np.full((len(rows), length), np.nan, dtype=np.float32)
    for line, offset, target in zip(grouped, offsets, targets, strict=True):
        line[offset : offset + len(target)] = target
    entry: Entry = {"start": first, "target": grouped}
    if len(rows) == 1 and "item_id" in rows[0]:
        entry["item_id"] = rows[0]["item_id"]
    names = [str(row["item_id"]) for row in rows if "item_id" in row]
    if len(set(names)) == len(rows):
        entry["item_ids"] = tuple(names)
    channels = [np.atleast_2d(row["feat_dynamic_real"]) for row in rows if "feat_dynamic_real" in row]
    if channels:
        width = max(offset + block.shape[1] for offset, block in zip(offsets, channels, strict=True))
        padded = [
            np.pad(block, ((0, 0), (offset, width - offset - block.shape[1])), mode="edge")
            for offset, block in zip(offsets, channels, strict=True)
        ]
        entry["feat_dynamic_real"] = np.concatenate(padded).astype(np.float32)
    return entry


def _normalised(row: Entry) -> Entry:
    entry = {**row, "target": np.asarray(row["target"], dtype=np.float32)}
    if "feat_dynamic_real" in row:
        entry["feat_dynamic_real"] = np.atleast_2d(np.asarray(row["feat_dynamic_real"], dtype=np.float32))
    return _without_stockouts(entry)


def _without_stockouts(entry: Entry) -> Entry:
    target, past = entry["target"], entry.get("past_feat_dynamic_real")
    names, items = list(entry.get("past_covariates", ())), list(entry.get("item_ids", ()))
    wanted = [f"in_stock[{item}]" for item in items]
    if past is None or not any(name in names for name in wanted):
        return entry
    target = target.copy()
    for line, name in zip(target, wanted, strict=True):
        if name in names:
            in_stock = np.asarray(past[names.index(name)])[: target.shape[1]]
            line[: len(in_stock)][in_stock == 0] = np.nan
    return {**entry, "target": target}


def _check(entry: Entry, first: Entry, rows: list[Entry], number: int, argument: str) -> None:
    name, target = _name(entry, number), entry["target"]
    if target.shape[0] != first["target"].shape[0]:
        raise ValueError(
            f"{argument}: expected {first['target'].shape[0]} series as in the first entry, "
            f"got {target.shape[0]} in {name}"
        )
    empty, infinite = np.isnan(target).all(1), np.isinf(target).any(1)
    for bad, what in ((infinite, "an infinite value"), (empty, "only missing values")):
        if bad.any():
            series = int(np.flatnonzero(bad)[0])
            label = _name(rows[series], series) if len(rows) == len(target) > 1 else f"series {series} of {name}"
            raise ValueError(f"{argument}: expected finite numbers, or NaN for gaps; got {what} in {label}")
    covariates, reference = entry.get("feat_dynamic_real"), first.get("feat_dynamic_real")
    if (covariates is None) != (reference is None) or (
        covariates is not None and reference is not None and len(covariates) != len(reference)
    ):
        raise ValueError(f"{argument}: expected the same feat_dynamic_real rows in every entry, got others in {name}")
    if covariates is not None:
        if covariates.shape[1] < target.shape[1]:
            raise ValueError(
                f"{argument}: expected feat_dynamic_real over at least {target.shape[1]} steps, "
                f"got {covariates.shape[1]} in {name}"
            )
        if not np.isfinite(covariates).all():
            row, step = np.argwhere(~np.isfinite(covariates))[0]
            names = entry.get("covariates", ())
            channel = f"{names[row]!r}" if len(names) == len(covariates) else f"row {row}"
            raise ValueError(
                f"{argument}: expected finite feat_dynamic_real, got {covariates[row, step]} in {channel} at "
                f"{entry['start'] + int(step)} of {name}"
            )


def _name(entry: Entry, number: int) -> str:
    return f"entry {number} ({entry['item_id']!r})" if "item_id" in entry else f"entry {number}"
