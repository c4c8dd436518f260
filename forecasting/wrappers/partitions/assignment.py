"""Which series belongs to which partition, and the entries of the partitions and of their totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ....datasets.entries.channels import Channels, kinds_of
from ....datasets.entries.cuts import in_parts
from ....datasets.entries.entry import Entry
from ....datasets.hierarchies.correlation import correlated_parts
from ....datasets.hierarchies.hierarchy import By, Hierarchy
from ....datasets.hierarchies.totals import totals_of

CORRELATION = "correlation"
"""What stands in the place of an attribute where series are divided by correlation alone."""

USUAL = 1000
"""The most series of a partition by correlation, where no size is given."""


@dataclass(frozen=True)
class Partitions:
    """The partition of each series.

    Arguments:
        item_ids: names of the D series.
        places: for each the number of its partition ``[D]``.
        names: of the G partitions.
        labels: for each the label of the attribute by which it was made ``[G]``; several have the same where a label
            was divided.

    Raises:
        ValueError: a name occurs twice, or there is not a partition for each series and a label for each partition.
    """

    item_ids: tuple[str, ...]
    places: tuple[int, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        for argument in ("item_ids", "names"):
            if len(set(getattr(self, argument))) < len(getattr(self, argument)):
                raise ValueError(f"{argument}: expected different names, got one twice")
        if len(self.places) != len(self.item_ids) or set(self.places) != set(range(len(self.names))):
            raise ValueError(
                f"places: expected all below {len(self.names)} for {len(self.item_ids)} series, each once at least, "
                f"got {len(self.places)} of {len(set(self.places))} kinds"
            )
        if len(self.labels) != len(self.names):
            raise ValueError(f"labels: expected {len(self.names)}, one a partition, got {len(self.labels)}")

    def __len__(self) -> int:
        return len(self.names)

    def items(self, number: int) -> tuple[str, ...]:
        """The names of the series of a partition, in their order."""
        return tuple(item for item, place in zip(self.item_ids, self.places, strict=True) if place == number)

    def cut(self, entries: Sequence[Entry]) -> list[list[Entry]]:
        """For each partition its part of each entry ``[G][N]``; see `in_parts`."""
        places = np.array(self.places)
        return [list(parts) for parts in zip(*(in_parts(entry, places, len(self)) for entry in entries), strict=True)]

    def grown(self, entry: Entry, by: By) -> Partitions:
        """The partitions of the series of an entry: known ones stay where they are, whatever their label is now.

        A new series joins the partition of its label that has the fewest, or begins one if there is none of its label;
        a partition of which nothing is left ends.
        """
        known, told = dict(zip(self.item_ids, self.places, strict=True)), _labels(entry, by)
        names, labels = list(self.names), list(self.labels)
        places = [known.get(item, -1) for item in entry.item_ids]
        counts = np.bincount([place for place in places if place >= 0], minlength=len(names)).tolist()
        for number, label in enumerate(told):
            if places[number] >= 0:
                continue
            fitting = [place for place, each in enumerate(labels) if each == label]
            if not fitting:
                fitting = [len(names)]
                names, labels, counts = [*names, _unused(label, names)], [*labels, label], [*counts, 0]
            places[number] = min(fitting, key=counts.__getitem__)
            counts[places[number]] += 1
        left = [place for place, count in enumerate(counts) if count]
        moved = {place: number for number, place in enumerate(left)}
        return Partitions(
            entry.item_ids,
            tuple(moved[place] for place in places),
            tuple(names[place] for place in left),
            tuple(labels[place] for place in left),
        )


def partitions_of(entry: Entry, by: By, size: int | None = None) -> Partitions:
    """The partitions of an assortment.

    Arguments:
        entry: all series, with names, and their attributes.
        by: the attribute whose labels are partitions, or several that are crossed; ``"correlation"`` divides all series
            by correlation alone.
        size: the most series of a partition; a label that has more is divided by correlation (`correlated_parts`).
            ``None`` keeps every label whole, and divides by correlation alone into parts of 1000.

    Raises:
        ValueError: the series have no names, there is no such attribute, or a series has no label.
    """
    if not entry.item_ids:
        raise ValueError(f"training_data: expected series with names, got {entry.dim} without")
    of_series = _labels(entry, by)
    most = USUAL if size is None and _by_correlation(by, entry) else size
    names: list[str] = []
    labels: list[str] = []
    places = np.zeros(entry.dim, dtype=np.int64)
    numbers = {label: number for number, label in enumerate(dict.fromkeys(of_series))}
    of_label = np.array([numbers[label] for label in of_series])
    for label, number in numbers.items():
        rows = np.flatnonzero(of_label == number)
        parts = np.zeros(len(rows), dtype=np.int64)
        if most is not None and len(rows) > most:
            parts = correlated_parts(entry.target[rows], most)
        places[rows] = len(names) + parts
        for part in range(int(parts.max()) + 1):
            names.append(_unused(label if not parts.any() else f"{label} {part + 1}", names))
            labels.append(label)
    return Partitions(entry.item_ids, tuple(places.tolist()), tuple(names), tuple(labels))


def totals_entry(parts: Sequence[Entry], names: Sequence[str], horizon: int) -> Entry:
    """The entry whose series are the totals of partitions; see `totals_of`.

    Arguments:
        parts: the entries of the G partitions, of the same steps.
        names: of the totals.
        horizon: steps without a value at the end after which a series counts as ended.
    """
    found = [totals_of(part, [name], np.ones((1, part.dim)), horizon) for part, name in zip(parts, names, strict=True)]
    rows: dict[str, np.ndarray] = {}
    for total in found:
        rows |= dict(zip(total.channels.names, total.channels.values, strict=False))
    kinds = dict(zip(rows, kinds_of(rows), strict=True))
    order = [name for kind in dict.fromkeys(kinds.values()) for name in rows if kinds[name] == kind]
    channels = Channels(np.stack([rows[name] for name in order]), tuple(order)) if rows else Channels()
    target = np.concatenate([total.target for total in found])
    return Entry(found[0].start, target, found[0].item_id, tuple(names), channels)


def _by_correlation(by: By, entry: Entry) -> bool:
    return by == CORRELATION and CORRELATION not in entry.attributes


def _labels(entry: Entry, by: By) -> list[str]:
    """The label of each series."""
    if _by_correlation(by, entry):
        return ["part"] * entry.dim
    hierarchy = Hierarchy.of_attributes(entry.item_ids, entry.attributes)
    return list(hierarchy.of_series(by))


def _unused(name: str, names: Sequence[str]) -> str:
    while name in names:
        name += "'"
    return name
