"""Checks that an entry has the series that it should have, and channels over the horizon."""

from __future__ import annotations

from collections.abc import Iterable

from .entry import Entry
from .frequency import written_date
from .gluonts_keys import KNOWN


def check_series(entry: Entry, item_ids: tuple[str, ...]) -> None:
    """Check that series have the names of training, in order.

    Arguments:
        entry: a multivariate entry.
        item_ids: names of the D series, as trained.

    Raises:
        ValueError: a series is another one.
    """
    # Numbers stand for names where the training data have none; then others' names say nothing.
    if item_ids != numbers_of(len(item_ids)) or set(entry.item_ids) == set(item_ids):
        same_names("series", entry.item_ids, item_ids)


def same_names(what: str, given: Iterable[str], names: tuple[str, ...]) -> None:
    """Check that names of series or channels equal those of training, in order."""
    for found, name in zip(given, names, strict=False):
        if found != name:
            raise ValueError(f"dataset: expected the {what} {name!r} as in training, got {found!r}")


def numbers_of(count: int) -> tuple[str, ...]:
    """The names of so many series that have none: their numbers."""
    return tuple(str(number) for number in range(count))


def check_ahead(entry: Entry, horizon: int, number: int, named: str = "") -> None:
    """Raise where the channels that are known of the future do not cover the horizon.

    Arguments:
        entry: that ends where the forecast begins.
        horizon: steps H.
        number: of the entry, for the message.
        named: some of the channels in brackets, for the message.

    Raises:
        ValueError: they end before it does.
    """
    needed = entry.length + horizon
    if entry.channels.length < needed:
        raise ValueError(
            f"dataset: expected {KNOWN}{named} over history and horizon, to {written_date(entry.start, needed - 1)}, "
            f"got them to {written_date(entry.start, entry.channels.length - 1)} in entry {number}; give their values "
            "for the dates to come, in a table as rows without a target"
        )
