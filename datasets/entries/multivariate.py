"""Between gluonts entries of single series and entries of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .channels import IN_STOCK, ChannelName, Channels, names_of
from .entry import Entry
from .frequency import dated_as, to_period, written_date
from .gluonts_keys import CHANNELS, STATIC, GluontsEntry

_KINDS = {"static_real": np.float32, "static_cat": np.int64}


def as_multivariate(
    dataset: Iterable[GluontsEntry], argument: str = "training_data", unseen: bool = False
) -> list[Entry]:
    """Read any gluonts dataset as multivariate entries whose numbers a model can read.

    The door of every model: what has come through it (`Entry.checked`) comes through another one as it is.

    Entries whose target is ``[D, T]`` are taken as they are. Univariate ones are grouped to a single entry: laid
    on the span from the earliest start to the latest end, NaN where a series has no value; each one's covariates
    become rows of their own, a channel ``price`` called ``price[item]``. One series gives D = 1.

    Arguments:
        dataset: gluonts entries, all multivariate or all univariate.
        argument: the name by which errors call it.
        unseen: whether series may be without any value: articles that are yet to be launched.

    Returns:
        Entries of float32, static categories of int64; past channels are NaN where they are unknown. Where a past
        channel ``in_stock[item]`` is 0 the target is NaN: what was sold off an empty shelf is no demand. That is all
        such a channel says, so it is left out. Static features of an entry as a whole (one dimension) tell no series
        from another and are left out.

    Raises:
        ValueError: the dataset is empty or mixed, entries disagree in D, K or frequency, a value is infinite, a
            series has no value at all where not `unseen`, or covariates of either kind are missing, infinite or
            shorter than the target.

    Example:
        >>> import pandas as pd
        >>> start = pd.Period("2024-01-01", "D")
        >>> rows = [{"start": start, "target": [1.0, 2.0]}, {"start": start + 1, "target": [3.0]}]
        >>> as_multivariate(rows)[0].target
        array([[ 1.,  2.],
               [nan,  3.]], dtype=float32)
    """
    if not isinstance(dataset, Iterable) or isinstance(dataset, (str, bytes, Mapping)):
        raise ValueError(f"{argument}: expected entries, as in data.train, got {type(dataset).__name__}")
    rows = list(dataset)
    if not rows:
        raise ValueError(f"{argument}: expected at least one entry, got an empty dataset")
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise ValueError(f"{argument}: expected entries, as in data.train, got {type(row).__name__} at {number}")
        if "target" not in row or "start" not in row:
            raise ValueError(f"{argument}: expected 'start' and 'target' in {_name(row, number)}, got {sorted(row)}")
    dims = {np.ndim(np.asarray(row["target"])) for row in rows}
    if not dims <= {1, 2} or len(dims) > 1:
        raise ValueError(
            f"{argument}: expected targets all [T] or all [D, T], got arrays with {sorted(dims)} dimensions"
        )
    freqs = {getattr(row["start"], "freqstr", None) for row in rows}
    if len(freqs) > 1 or None in freqs:
        raise ValueError(f"{argument}: expected every start to be a Period of one frequency, got {freqs}")
    entries = [_group(rows)] if dims == {1} else [_read(Entry.of(row)) for row in rows]
    for number, entry in enumerate(entries):
        _check_rows(entry, entries[0], rows, number, argument, unseen)
        if not entry.checked:
            _check_features(entry, _name(rows[number], number), argument)
    return [entry.as_checked() for entry in entries]


def _read(entry: Entry) -> Entry:
    """An entry in the precision of models, without what they do not read."""
    if entry.checked:
        return entry
    fields: dict[str, Any] = {"target": entry.target.astype(np.float32, copy=False)}
    for name in CHANNELS:
        rows: Channels = getattr(entry, name)
        fields[name] = Channels(rows.values.astype(np.float32, copy=False), rows.names)
    for name, kind in _KINDS.items():
        if getattr(entry, name) is not None:
            fields[name] = getattr(entry, name).astype(kind, copy=False)
    fields["others"] = {key: value for key, value in entry.others.items() if key not in STATIC.values()}
    if entry.planned is not None:
        (fields["planned"],) = as_multivariate([entry.planned], "planned", unseen=True)
    return _without_stockouts(entry.with_(**fields))


def _group(rows: Sequence[GluontsEntry]) -> Entry:
    given = [Entry.of(row) for row in rows]
    starts = [to_period(entry.start.to_timestamp(), entry.start.freq.freqstr) for entry in given]
    first = dated_as(min(starts), given[0].start)
    offsets = [(start - first).n // first.freq.n if start != first else 0 for start in starts]
    # One without a value ends nothing: it may begin on the day of its launch, after what is known of the others.
    ends = [offset + entry.length for offset, entry in zip(offsets, given, strict=True) if entry.length]
    grouped = np.full((len(rows), max(ends, default=0)), np.nan, dtype=np.float32)
    for line, offset, entry in zip(grouped, offsets, given, strict=True):
        line[offset : offset + entry.length] = entry.target[0]
    names = [str(entry.item_id) for entry in given if entry.item_id is not None]
    item_ids = tuple(names) if len(set(names)) == len(rows) else ()
    fields: dict[str, Any] = {name: _grouped_channels(given, offsets, item_ids, name) for name in CHANNELS}
    for name, kind in _KINDS.items():
        key = STATIC[name]
        if any(key in row for row in rows):
            told = [np.atleast_1d(np.asarray(row.get(key, ()))) for row in rows]
            if len({len(values) for values in told}) > 1:
                raise ValueError(f"dataset: expected {key} of one length in every entry, got {sorted(map(len, told))}")
            fields[name] = np.stack(told).astype(kind)
    item_id = given[0].item_id if len(given) == 1 else None
    if len(domains := {entry.domain for entry in given}) == 1:
        fields["domain"] = domains.pop()
    return _without_stockouts(Entry(first, grouped, item_id=item_id, item_ids=item_ids, **fields))


def _grouped_channels(
    given: Sequence[Entry], offsets: Sequence[int], item_ids: tuple[str, ...], field: str
) -> Channels:
    """The channels of single series, of one of the two kinds, as rows of their own."""
    key, blocks = CHANNELS[field][0], [getattr(entry, field) for entry in given]
    if not any(blocks):
        return Channels()
    if not all(blocks):
        without = next(_name(entry, number) for number, entry in enumerate(given) if not blocks[number])
        raise ValueError(f"dataset: expected {key} in every entry or in none, got none in {without}")
    empty = [number for number, block in enumerate(blocks) if not block.length]
    if empty and field == "channels":
        raise ValueError(
            f"dataset: expected {key} of at least one step, got none in {_name(given[empty[0]], empty[0])}; of "
            "an article that is yet to be launched, give those of the steps to come"
        )
    width = max(
        (offset + block.length for offset, block in zip(offsets, blocks, strict=True) if block.length), default=0
    )
    padded = [
        np.pad(block.values, ((0, 0), (offset, width - offset - block.length)), mode="edge")
        if block.length
        else np.full((len(block), width), np.nan)
        for offset, block in zip(offsets, blocks, strict=True)
    ]
    values = np.concatenate(padded).astype(np.float32)
    if not item_ids or not all(block.names for block in blocks):
        return Channels(values)
    pairs = zip(item_ids, blocks, strict=True)
    return Channels(
        values, tuple(str(ChannelName.parse(name).owned_by(item)) for item, block in pairs for name in block.names)
    )


def _without_stockouts(entry: Entry) -> Entry:
    past, wanted = entry.past_channels, names_of(IN_STOCK, entry.item_ids)
    if not set(wanted) & set(past.names):
        return entry
    target = entry.target.copy()
    for line, name in zip(target, wanted, strict=True):
        if name in past.names:
            in_stock = entry.channel(name)[: entry.length]
            line[: len(in_stock)][in_stock == 0] = np.nan
    others = [row for row, name in enumerate(past.names) if name not in wanted]
    return entry.with_(target=target, past_channels=past.rows(others))


def _check_rows(
    entry: Entry, first: Entry, rows: Sequence[GluontsEntry], number: int, argument: str, unseen: bool
) -> None:
    name = _name(rows[number], number)
    if entry.dim != first.dim:
        raise ValueError(f"{argument}: expected {first.dim} series as in the first entry, got {entry.dim} in {name}")
    nothing = np.zeros(entry.dim, dtype=bool)
    empty = nothing if unseen else np.isnan(entry.target).all(1)
    empty = empty if entry.absent is None else empty & ~entry.absent
    infinite = nothing if entry.checked else np.isinf(entry.target).any(1)
    new = "; the model 'cold-start' (ColdStartEstimator) forecasts articles without a past"
    for bad, what in ((infinite, "an infinite value"), (empty, "only missing values")):
        if bad.any():
            series = int(np.flatnonzero(bad)[0])
            label = _name(rows[series], series) if len(rows) == entry.dim > 1 else f"series {series} of {name}"
            called = f"{entry.item_ids[series]!r}, " if entry.item_ids and entry.dim > 1 else ""
            raise ValueError(
                f"{argument}: expected finite numbers, or NaN for gaps; got {what} in {called}{label}"
                f"{new if what.startswith('only') else ''}"
            )
    for field, (key, _) in CHANNELS.items():
        if len(getattr(entry, field)) != len(getattr(first, field)):
            raise ValueError(f"{argument}: expected the same {key} rows in every entry, got others in {name}")


def _check_features(entry: Entry, name: str, argument: str) -> None:
    for field, (key, _) in CHANNELS.items():
        channels: Channels = getattr(entry, field)
        if not channels:
            continue
        if channels.length < entry.length:
            raise ValueError(
                f"{argument}: expected {key} over at least {entry.length} steps, got {channels.length} in {name}"
            )
        # What is known of the past alone may have gaps; what is planned may not.
        bad = np.isinf(channels.values) if field == "past_channels" else ~np.isfinite(channels.values)
        if bad.any():
            row, step = np.argwhere(bad)[0]
            channel = f"{channels.names[row]!r}" if channels.names else f"row {row}"
            raise ValueError(
                f"{argument}: expected finite {key}, got {channels.values[row, step]} in {channel} at "
                f"{written_date(entry.start, int(step))} of {name}"
            )
    for field, key in STATIC.items():
        told = getattr(entry, field)
        if told is not None and (len(told) != entry.dim or not np.isfinite(told).all()):
            raise ValueError(
                f"{argument}: expected a row of finite {key} for each of {entry.dim} series, got {len(told)} rows "
                f"with {int((~np.isfinite(told)).sum())} that are not finite in {name}"
            )


def _name(entry: GluontsEntry, number: int) -> str:
    return f"entry {number} ({entry['item_id']!r})" if "item_id" in entry else f"entry {number}"
