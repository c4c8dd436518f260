"""Entries of another assortment than the one of the training, brought into its order by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .channels import ChannelName, Channels
from .checks import numbers_of
from .entry import Entry
from .gluonts_keys import CHANNELS, STATIC

_SHOWN = 5

RESERVED = 0.2
"""Places for articles to come, as a share of those that there are, whenever a model of fixed places gets more."""

_FREE = "(free {})"


@dataclass(frozen=True, eq=False)
class Placed:
    """An entry with the series of a training in their order.

    Arguments:
        entry: the series that are not there are `Entry.absent`.
        places: for each series of the entry that was given its row, ``[D]``; -1 for one that is none of the training.
    """

    entry: Entry
    places: np.ndarray

    def of(self, samples: np.ndarray) -> np.ndarray:
        """Paths ``[S, H, D]`` of the series that were given, NaN where one is none of the training."""
        return np.where(self.places >= 0, samples[..., self.places], np.float32(np.nan))


def is_another(entry: Entry, item_ids: tuple[str, ...]) -> bool:
    """Whether the series of an entry differ from those of training in names or order.

    Arguments:
        entry: a multivariate entry.
        item_ids: names of the series of the training; their numbers, or none, where it knew no names.
    """
    if not entry.item_ids or not item_ids or entry.item_ids == item_ids:
        return False
    return item_ids != numbers_of(len(item_ids)) or set(entry.item_ids) == set(item_ids)


def placed(entry: Entry, item_ids: tuple[str, ...]) -> Placed:
    """Reorder the series of an entry to those of training.

    A series that is not there has no value. Its channels are what those of its kind are on average over the others, or
    0 for a flag, at every step alike, so that they say nothing; its static numbers are the mean, its categories 0.

    Arguments:
        entry: with names.
        item_ids: names of the series of the training.

    Raises:
        ValueError: the entry has none of them.

    Example:
        >>> import pandas as pd
        >>> entry = Entry(pd.Period("2024-01-01", "D"), np.array([[1.0, 2.0], [3.0, 4.0]]), item_ids=("hat", "new"))
        >>> found = placed(entry, ("coat", "hat"))
        >>> found.entry.target.tolist(), found.entry.absent.tolist(), found.places.tolist()
        ([[nan, nan], [1.0, 2.0]], [True, False], [1, -1])
    """
    given = {name: row for row, name in enumerate(entry.item_ids)}
    rows = np.array([given.get(name, -1) for name in item_ids])
    if (rows < 0).all():
        raise ValueError(
            f"dataset: expected some of the series of the training, {_shown(item_ids)}, got {_shown(entry.item_ids)}"
        )
    absent = rows < 0
    if entry.absent is not None:  # one that keeps its place here is no more there for being known
        absent |= entry.absent[rows]
    fields: dict[str, Any] = {"target": np.where(absent[:, None], np.float32(np.nan), entry.target[rows])}
    for name in CHANNELS:
        fields[name] = _channels(getattr(entry, name), item_ids, set(given))
    for name in STATIC:
        told = getattr(entry, name)
        if told is not None:
            usual = told.mean(axis=0) if name == "static_real" else np.zeros(told.shape[1], dtype=told.dtype)
            fields[name] = np.where(absent[:, None], usual.astype(told.dtype), told[rows])
    if entry.imposed is not None:
        fields["imposed"] = np.where(absent[:, None], np.nan, entry.imposed[rows])
    if entry.planned is not None:
        fields["planned"] = placed(entry.planned, item_ids).entry
    number = {name: place for place, name in enumerate(item_ids)}
    places = np.array([number.get(name, -1) for name in entry.item_ids])
    return Placed(entry.with_(**fields, item_ids=item_ids, absent=absent), places)


def with_room(item_ids: tuple[str, ...], series: Sequence[str]) -> tuple[str, ...]:
    """Series names of a model for a grown assortment, known series keeping their positions.

    A new series takes a free place. Where there is none left, places are added at the end, and with them free ones, a
    fifth of all, so that not every new series adds some.

    Arguments:
        item_ids: names at the places of a model.
        series: names of the series that it is to have a place for.

    Returns:
        The names, free places called ``(free n)``.

    Example:
        >>> with_room(("coat", "hat"), ("hat", "scarf"))
        ('coat', 'hat', 'scarf', '(free 1)')
        >>> with_room(("coat", "hat", "scarf", "(free 1)"), ("glove",))
        ('coat', 'hat', 'scarf', 'glove')
    """
    new = [name for name in series if name not in set(item_ids)]
    places = list(item_ids)
    for place, name in enumerate(places):
        if new and is_free(name):
            places[place] = new.pop(0)
    if new:
        places += new
        places += [_FREE.format(number + 1) for number in range(math.ceil(RESERVED * len(places)))]
    return tuple(places)


def is_free(item: str) -> bool:
    """Whether a name is a placeholder for a future series."""
    return item.startswith(_FREE.format("")[:-1])


def in_places(entries: Sequence[Entry], item_ids: tuple[str, ...]) -> list[Entry]:
    """Entries in the order of a training, whatever their own is; see `placed`."""
    return [placed(entry, item_ids).entry if is_another(entry, item_ids) else entry for entry in entries]


def strangers(entry: Entry, item_ids: Sequence[str]) -> list[str]:
    """The series of an entry that are new since training; placeholders left out."""
    absent = np.zeros(entry.dim, dtype=bool) if entry.absent is None else entry.absent
    trained = set(item_ids)
    return [name for name, gone in zip(entry.item_ids, absent, strict=True) if name not in trained and not gone]


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more


def _channels(channels: Channels, item_ids: tuple[str, ...], given: set[str]) -> Channels:
    """The channels, kind by kind, of the series of a training; of shared ones as they are."""
    if not channels.names:
        return channels
    of = {name: ChannelName.parse(name) for name in channels.names}
    by_name = dict(zip(channels.names, channels.values, strict=True))
    names: list[str] = []
    rows: list[np.ndarray] = []
    for name in dict.fromkeys(str(ChannelName(each.kind)) if each.item else str(each) for each in of.values()):
        if name in by_name:
            names, rows = [*names, name], [*rows, by_name[name]]
        own = np.array([by_name[each] for each, parsed in of.items() if parsed.item and parsed.kind == name])
        for item in item_ids if len(own) else ():
            wanted = str(ChannelName(name, item))
            if wanted in by_name:
                names, rows = [*names, wanted], [*rows, by_name[wanted]]
            elif item not in given:
                names, rows = [*names, wanted], [*rows, np.full_like(own[0], _usual(own))]
    return Channels(np.stack(rows), tuple(names)) if rows else Channels()


def _usual(values: np.ndarray) -> float:
    """The mean of channels of one kind; 0 of flags."""
    seen = values[~np.isnan(values)]
    return 0.0 if np.isin(seen, (0, 1)).all() else float(seen.mean())
