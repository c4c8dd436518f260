"""Channels beside the series, such as prices: their values, and their names ``kind[item]``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

PRICE, PROMO, IN_STOCK = "price", "promo", "in_stock"
"""Kinds of channels that some models know."""

_OF_ITEM = re.compile(r"(?P<kind>[^\[]+)\[(?P<item>.+)\]", re.DOTALL)


@dataclass(frozen=True)
class ChannelName:
    """The name of a channel: ``kind[item]`` where it belongs to one item, ``kind`` where all share it.

    An item may have brackets of its own: the first opening bracket ends the kind, the last closing one the item.

    Arguments:
        kind: what is measured, such as ``price``.
        item: the series whose channel it is; ``None`` for a shared one.

    Raises:
        ValueError: the name would be read as another one.

    Example:
        >>> ChannelName.parse("price[coat [red]]")
        ChannelName(kind='price', item='coat [red]')
        >>> str(ChannelName("price", "coat [red]")), str(ChannelName("holiday"))
        ('price[coat [red]]', 'holiday')
    """

    kind: str
    item: str | None = None

    def __post_init__(self) -> None:
        if _parts(str(self)) != (self.kind, self.item):
            wanted = "no item in brackets" if self.item is None else "no '['"
            raise ValueError(
                f"kind: expected a kind of channel with {wanted} in it, got {self.kind!r} of {self.item!r}"
            )

    @classmethod
    def parse(cls, name: str) -> ChannelName:
        """The name that a text spells; whatever is not ``kind[item]`` is the kind of a shared channel."""
        return cls(*_parts(name))

    def owned_by(self, item: str) -> ChannelName:
        """This name if it has an item, else that of the channel of `item`."""
        return self if self.item is not None else ChannelName(self.kind, item)

    def __str__(self) -> str:
        return self.kind if self.item is None else f"{self.kind}[{self.item}]"


def _parts(name: str) -> tuple[str, str | None]:
    found = _OF_ITEM.fullmatch(name)
    return (name, None) if found is None else (found["kind"], found["item"])


def names_of(kind: str, items: Iterable[str]) -> tuple[str, ...]:
    """The names of the channels of one kind, one for each item.

    Example:
        >>> names_of("price", ["coat", "hat"])
        ('price[coat]', 'price[hat]')
    """
    return tuple(str(ChannelName(kind, item)) for item in items)


def kinds_of(names: Iterable[str]) -> list[str]:
    """The kind of each channel.

    Example:
        >>> kinds_of(["price[coat]", "holiday"])
        ['price', 'holiday']
    """
    return [_parts(name)[0] for name in names]


def items_of(names: Iterable[str]) -> list[str | None]:
    """The item to which each channel belongs, ``None`` for one that all share.

    Example:
        >>> items_of(["price[coat]", "holiday"])
        ['coat', None]
    """
    return [_parts(name)[1] for name in names]


def rows_of(names: Sequence[str], kind: str, items: Sequence[str]) -> list[int] | None:
    """The rows of the channels of one kind, in the order of the items.

    Returns:
        A row an item; ``None`` where an item has no such channel, or there are no items.

    Example:
        >>> rows_of(["price[hat]", "holiday", "price[coat]"], "price", ["coat", "hat"])
        [2, 0]
        >>> rows_of(["price[hat]"], "price", ["coat", "hat"]) is None
        True
    """
    places = {name: row for row, name in enumerate(names)}
    rows = [places.get(name, -1) for name in names_of(kind, items)]
    return None if -1 in rows or not rows else rows


@dataclass(frozen=True, eq=False)
class Channels:
    """Rows of numbers that go with the series of an entry, step by step; true where there are any.

    Arguments:
        values: ``[K, T]`` in the units of each channel; read-only.
        names: of the K channels; empty where they have none.
    """

    values: np.ndarray = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", read_only(np.atleast_2d(np.asarray(self.values))))
        object.__setattr__(self, "names", tuple(str(name) for name in self.names))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def length(self) -> int:
        """The number of steps over which the channels are known."""
        return self.values.shape[1]

    def steps(self, first: int, last: int | None = None) -> Channels:
        """The channels from one step up to another, the last not included."""
        return replace(self, values=self.values[:, first:last])

    def rows(self, rows: Sequence[int]) -> Channels:
        """Some of the channels."""
        return Channels(self.values[list(rows)], tuple(self.names[row] for row in rows) if self.names else ())

    def without(self, items: set[str]) -> Channels:
        """The channels of no item of these; all where they have no names."""
        if not self.names:
            return self
        return self.rows([row for row, item in enumerate(items_of(self.names)) if item not in items])


def read_only(array: np.ndarray) -> np.ndarray:
    """A read-only view of an array."""
    view = array.view()
    view.flags.writeable = False
    return view
