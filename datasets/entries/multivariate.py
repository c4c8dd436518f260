"""Between gluonts entries of single series and entries of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .frequency import to_period, written_date

Entry = dict[str, Any]

STATIC = {"feat_static_real": np.float32, "feat_static_cat": np.int64}


def as_multivariate(dataset: Iterable[Entry], argument: str = "training_data", unseen: bool = False) -> list[Entry]:
    """Read any gluonts dataset as multivariate entries.

    Entries whose target is ``[D, T]`` are taken as they are. Univariate ones are grouped to a single entry: laid
    on the span from the earliest start to the latest end, NaN where a series has no value; each one's covariates
    become rows of their own, a channel ``price`` called ``price[item]``. One series gives D = 1.

    Arguments:
        dataset: gluonts entries, all multivariate or all univariate.
        argument: the name by which errors call it.
        unseen: whether series may be without any value: articles that are yet to be launched.

    Returns:
        Entries with ``start`` (Period), ``target`` float32 ``[D, T]`` and, where given, ``feat_dynamic_real``
        float32 ``[K, T']`` and ``past_feat_dynamic_real`` float32 ``[P, T'']``, NaN where a past channel is unknown.
        Where a past channel ``in_stock[item]`` is 0 the target is NaN: what was sold off an empty shelf is no
        demand. That is all such a channel says, so it is left out. ``feat_static_real`` float32 ``[D, Ks]`` and
        ``feat_static_cat`` int64 ``[D, Kc]`` have a row a series; those of an entry as a whole (one dimension)
        tell no series from another and are left out.

    Raises:
        ValueError: the dataset is empty or mixed, entries disagree in D, K or frequency, a value is infinite, a
            series has no value at all where not `unseen`, or covariates of either kind are missing, infinite or
            shorter than the target.

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
        _check(entry, entries[0], rows, number, argument, unseen)
    return entries


def _group(rows: list[Entry]) -> Entry:
    starts = [to_period(row["start"].to_timestamp(), row["start"].freq.freqstr) for row in rows]
    first = min(starts)
    offsets = [(start - first).n // first.freq.n if start != first else 0 for start in starts]
    targets = [np.asarray(row["target"], dtype=np.float32) for row in rows]
    # One without a value ends nothing: it may begin on the day of its launch, after what is known of the others.
    length = max((offset + len(line) for offset, line in zip(offsets, targets, strict=True) if len(line)), default=0)
    grouped = np.full((len(rows), length), np.nan, dtype=np.float32)
    for line, offset, target in zip(grouped, offsets, targets, strict=True):
        line[offset : offset + len(target)] = target
    entry: Entry = {"start": first, "target": grouped}
    if len(rows) == 1 and "item_id" in rows[0]:
        entry["item_id"] = rows[0]["item_id"]
    names = [str(row["item_id"]) for row in rows if "item_id" in row]
    if len(set(names)) == len(rows):
        entry["item_ids"] = tuple(names)
    for key, called in (("feat_dynamic_real", "covariates"), ("past_feat_dynamic_real", "past_covariates")):
        channels = [np.atleast_2d(row[key]) for row in rows if key in row]
        if channels:
            if len(channels) < len(rows):
                without = next(_name(row, number) for number, row in enumerate(rows) if key not in row)
                raise ValueError(f"dataset: expected {key} in every entry or in none, got none in {without}")
            empty = [number for number, block in enumerate(channels) if not block.shape[1]]
            if empty and key == "feat_dynamic_real":
                raise ValueError(
                    f"dataset: expected {key} of at least one step, got none in {_name(rows[empty[0]], empty[0])}; of "
                    "an article that is yet to be launched, give those of the steps to come"
                )
            ends = [offset + block.shape[1] for offset, block in zip(offsets, channels, strict=True) if block.size]
            width = max(ends, default=0)
            padded = [
                np.pad(block, ((0, 0), (offset, width - offset - block.shape[1])), mode="edge")
                if block.size
                else np.full((len(block), width), np.nan)
                for offset, block in zip(offsets, channels, strict=True)
            ]
            entry[key] = np.concatenate(padded).astype(np.float32)
            if "item_ids" in entry and all(called in row for row in rows):
                entry[called] = tuple(
                    name if "[" in name else f"{name}[{item}]"
                    for item, row in zip(names, rows, strict=True)
                    for name in row[called]
                )
    for key, kind in STATIC.items():
        if any(key in row for row in rows):
            told = [np.atleast_1d(row.get(key, ())) for row in rows]
            if len({len(values) for values in told}) > 1:
                raise ValueError(f"dataset: expected {key} of one length in every entry, got {sorted(map(len, told))}")
            entry[key] = np.stack(told).astype(kind)
    return _without_stockouts(entry)


def _normalised(row: Entry) -> Entry:
    entry = {**row, "target": np.asarray(row["target"], dtype=np.float32)}
    for key in ("feat_dynamic_real", "past_feat_dynamic_real"):
        if key in row:
            entry[key] = np.atleast_2d(np.asarray(row[key], dtype=np.float32))
    for key, kind in STATIC.items():
        if key in row:
            entry[key] = np.asarray(row[key], dtype=kind)
            if entry[key].ndim < 2:
                del entry[key]
    return _without_stockouts(entry)


def _without_stockouts(entry: Entry) -> Entry:
    target, past = entry["target"], entry.get("past_feat_dynamic_real")
    names, items = list(entry.get("past_covariates", ())), list(entry.get("item_ids", ()))
    wanted = [f"in_stock[{item}]" for item in items]
    if past is None or len(items) != len(target) or not any(name in names for name in wanted):
        return entry  # names that are not those of the series are refused where the names are read
    target = target.copy()
    for line, name in zip(target, wanted, strict=True):
        if name in names:
            in_stock = past[names.index(name)][: target.shape[1]]
            line[: len(in_stock)][in_stock == 0] = np.nan
    others = [row for row, name in enumerate(names) if name not in wanted]
    kept = {key: value for key, value in entry.items() if key not in ("past_feat_dynamic_real", "past_covariates")}
    if others:
        kept |= {"past_feat_dynamic_real": past[others], "past_covariates": tuple(names[row] for row in others)}
    return {**kept, "target": target}


def _check(entry: Entry, first: Entry, rows: list[Entry], number: int, argument: str, unseen: bool) -> None:
    name, target = _name(entry, number), entry["target"]
    if target.shape[0] != first["target"].shape[0]:
        raise ValueError(
            f"{argument}: expected {first['target'].shape[0]} series as in the first entry, "
            f"got {target.shape[0]} in {name}"
        )
    empty, infinite = np.isnan(target).all(1) & (not unseen), np.isinf(target).any(1)
    new = "; the model 'cold-start' (ColdStartEstimator) forecasts articles without a past"
    for bad, what in ((infinite, "an infinite value"), (empty, "only missing values")):
        if bad.any():
            series = int(np.flatnonzero(bad)[0])
            label = _name(rows[series], series) if len(rows) == len(target) > 1 else f"series {series} of {name}"
            called = f"{entry['item_ids'][series]!r}, " if len(entry.get("item_ids", ())) == len(target) > 1 else ""
            raise ValueError(
                f"{argument}: expected finite numbers, or NaN for gaps; got {what} in {called}{label}"
                f"{new if what.startswith('only') else ''}"
            )
    for key, names in (("feat_dynamic_real", "covariates"), ("past_feat_dynamic_real", "past_covariates")):
        channels, reference = entry.get(key), first.get(key)
        if (channels is None) != (reference is None) or (
            channels is not None and reference is not None and len(channels) != len(reference)
        ):
            raise ValueError(f"{argument}: expected the same {key} rows in every entry, got others in {name}")
        if channels is not None:
            _check_channels(entry, key, entry.get(names, ()), name, argument)
    for key in STATIC:
        told = entry.get(key)
        if told is not None and (len(told) != len(target) or not np.isfinite(told).all()):
            raise ValueError(
                f"{argument}: expected a row of finite {key} for each of {len(target)} series, got {len(told)} rows "
                f"with {int((~np.isfinite(told)).sum())} that are not finite in {name}"
            )


def _check_channels(entry: Entry, key: str, names: Sequence[str], entry_name: str, argument: str) -> None:
    channels, length = entry[key], entry["target"].shape[1]
    if channels.shape[1] < length:
        raise ValueError(
            f"{argument}: expected {key} over at least {length} steps, got {channels.shape[1]} in {entry_name}"
        )
    # What is known of the past alone may have gaps; what is planned may not.
    bad = np.isinf(channels) if key.startswith("past") else ~np.isfinite(channels)
    if bad.any():
        row, step = np.argwhere(bad)[0]
        channel = f"{names[row]!r}" if len(names) == len(channels) else f"row {row}"
        raise ValueError(
            f"{argument}: expected finite {key}, got {channels[row, step]} in {channel} at "
            f"{written_date(entry['start'], int(step))} of {entry_name}"
        )


def _name(entry: Entry, number: int) -> str:
    return f"entry {number} ({entry['item_id']!r})" if "item_id" in entry else f"entry {number}"
