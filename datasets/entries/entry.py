"""An entry: several series on one time axis, with the channels and features that go with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast, get_args

import numpy as np
import pandas as pd

from ...runtime.arguments.kinds import Number, check_kind
from ...runtime.display.showing import html_table
from ..encodings.encoding import Encoding
from .channels import Channels, read_only
from .domain import DataDomain
from .frequency import shifted, steps_until, written_date
from .gluonts_keys import CHANNELS, DOMAIN, SAME, STATIC, DataEntry, GluontsEntry, fields_of


@dataclass(frozen=True, eq=False, repr=False)
class Entry(Mapping[str, Any]):
    """Several series on one time axis, with the channels and features that go with them.

    It never changes: methods return another entry, and the arrays are read-only views. It is a `Mapping` with the keys
    of gluonts as well, so that whatever reads a gluonts dict reads it: ``entry["target"]``,
    ``{**entry, "target": values}``, the transformations of gluonts' own models.

    Arguments:
        start: the first step.
        target: ``[D, T]``, data units, NaN where missing.
        item_id: the name of the entry as a whole.
        item_ids: names of the D series; empty where they have none.
        channels: known of the future too, such as prices; they may reach beyond the target.
        past_channels: known of the past alone, such as ``in_stock``.
        static_real: ``[D, k]`` numbers that describe each series; ``None`` for none.
        static_cat: ``[D, c]`` categories of each series; ``None`` for none.
        imposed: ``[D, H]`` values that every path of a forecast takes, data units, NaN where free; ``None`` for none.
        planned: the entry with the planned future, where this one has a changed one; else ``None``.
        absent: bool ``[D]``, series that are not there and only keep their places for a model that was trained on them;
            ``None`` where all are there.
        domain: the values that the series can take, in which a forecast of them leaves its model.
        encoding: how the categories and texts of its table became numbers; ``None`` where it has none.
        attributes: what series have in common, such as a category: for each attribute their labels by name.
        others: whatever else the entry was given, by key.
        checked: whether `as_multivariate` has found the numbers fit for models; cuts keep it, changes lose it.

    Raises:
        ValueError: `start` is no Period, the target is not ``[D, T]``, or names are not one a row, each once.

    Example:
        >>> entry = Entry(pd.Period("2024-01-01", "D"), np.arange(10.0)[None], channels=Channels(np.ones((1, 10))))
        >>> past = entry.history(3)
        >>> past.length, past.channels.length, str(past.forecast_start)
        (7, 10, '2024-01-08')
        >>> entry["feat_dynamic_real"].shape
        (1, 10)
    """

    start: pd.Period
    target: np.ndarray
    item_id: str | None = None
    item_ids: tuple[str, ...] = ()
    channels: Channels = field(default_factory=Channels)
    past_channels: Channels = field(default_factory=Channels)
    static_real: np.ndarray | None = None
    static_cat: np.ndarray | None = None
    imposed: np.ndarray | None = None
    planned: Entry | None = None
    absent: np.ndarray | None = None
    domain: DataDomain = "real"
    encoding: Encoding | None = None
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    others: Mapping[str, object] = field(default_factory=dict)
    checked: bool = field(default=False, init=False)

    # Arrays have no truth of their equality, so entries are told apart by identity.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __post_init__(self) -> None:
        if not isinstance(self.start, pd.Period):
            raise ValueError(f"start: expected a Period, got {self.start!r}")
        if self.domain not in get_args(DataDomain):
            raise ValueError(f"domain: expected one of {', '.join(get_args(DataDomain))}; got {self.domain!r}")
        target = np.atleast_2d(np.asarray(self.target))
        if target.ndim != 2:
            raise ValueError(f"target: expected [D, T], got {list(target.shape)}")
        self._set("target", read_only(target))
        self._set("item_ids", tuple(str(item) for item in self.item_ids))
        for name in (*STATIC, "imposed", "absent"):
            if getattr(self, name) is not None:
                self._set(name, read_only(np.asarray(getattr(self, name))))
        named = {"item_ids": (self.item_ids, len(target))}
        named |= {
            CHANNELS[name][1]: (rows.names, len(rows)) for name in CHANNELS if (rows := getattr(self, name)).names
        }
        for name, (names, count) in named.items():
            if names and not len(names) == len(set(names)) == count:
                raise ValueError(
                    f"{name}: expected {count} different names, one a row, got {len(names)} ({names[0]!r} first)"
                )

    @classmethod
    def of(cls, given: GluontsEntry) -> Entry:
        """The entry that a gluonts dict describes; an `Entry` is returned as it is.

        Arguments:
            given: ``start`` (Period) and ``target`` ``[D, T]``, where ``[T]`` counts as one series; ``item_id``,
                ``item_ids``; ``feat_dynamic_real`` ``[K, T']`` with names in ``covariates``, ``past_feat_dynamic_real``
                ``[P, T'']`` with names in ``past_covariates``; ``feat_static_real`` ``[D, k]``, ``feat_static_cat``
                ``[D, c]``; ``imposed``, ``planned``, ``target_domain``. Other keys are kept.

        Raises:
            ValueError: ``start`` or ``target`` is missing, or the entry cannot be made.
        """
        if isinstance(given, Entry):
            return given
        fields = fields_of(given)
        if "planned" in fields:
            fields["planned"] = cls.of(cast("GluontsEntry", fields["planned"]))
        return cls(**cast("dict[str, Any]", fields))

    @property
    def dim(self) -> int:
        """The number of series D."""
        return len(self.target)

    @property
    def length(self) -> int:
        """The number of steps T of the target."""
        return self.target.shape[1]

    @property
    def freq(self) -> str:
        """The pandas alias of the frequency."""
        return self.start.freqstr

    @property
    def forecast_start(self) -> pd.Period:
        """The first step after the target."""
        return shifted(self.start, self.length)

    def until(self, end: int | str | pd.Timestamp | pd.Period, horizon: int = 0) -> Entry:
        """The entry as it was known at a time.

        Arguments:
            end: the number of steps to keep, or the date of the last of them.
            horizon: steps beyond, for which channels known of the future are kept.

        Returns:
            The entry; a shorter one has no imposed values and no planned future, which follow its old end.

        Raises:
            ValueError: the end lies outside the entry.
        """
        check_kind("horizon", horizon, Number)
        steps = steps_until(self.start, self.length, end)
        shorter = {} if steps == self.length else {"imposed": None, "planned": None}
        return self._part(
            target=self.target[:, :steps],
            channels=self.channels.steps(0, steps + horizon),
            past_channels=self.past_channels.steps(0, steps),
            **shorter,
        )

    def since(self, first: int) -> Entry:
        """The entry without so many of its first steps, at most all; its start is moved."""
        check_kind("first", first, Number)
        if first > self.length:
            raise ValueError(f"first: expected 0 to {self.length} steps, got {first}")
        return self._part(
            start=shifted(self.start, first),
            target=self.target[:, first:],
            channels=self.channels.steps(first),
            past_channels=self.past_channels.steps(first),
        )

    def history(self, prediction_length: int) -> Entry:
        """What is known before the last steps, with the channels that are known over them: the past of a test window.

        Arguments:
            prediction_length: the horizon H, in steps, with which the target ends.

        Raises:
            ValueError: nothing lies before the horizon.
        """
        check_kind("prediction_length", prediction_length, int)
        if not 1 <= prediction_length < self.length:
            expected = f"expected 1 to {self.length - 1} steps, so that some lie before them"
            raise ValueError(f"prediction_length: {expected}, got {prediction_length}")
        return self.until(self.length - prediction_length, horizon=prediction_length)

    def of_series(self, series: Sequence[str] | Sequence[int] | np.ndarray) -> Entry:
        """The entry of some of its series, with all channels.

        Arguments:
            series: their names or numbers, or bool ``[D]``.

        Raises:
            ValueError: there is no series of a name or number.
        """
        check_kind("series", series, Sequence[str] | Sequence[int] | np.ndarray)
        chosen: Sequence[Any] | np.ndarray = series
        if not isinstance(series, np.ndarray) and any(isinstance(name, str) for name in series):
            unknown = next((name for name in series if name not in self.item_ids), None)
            if unknown is not None:
                raise ValueError(f"series: expected some of {', '.join(self.item_ids)}; got {unknown!r}")
            chosen = [self.item_ids.index(str(name)) for name in series]
        try:
            index = np.arange(self.dim)[chosen if len(chosen) else []]
        except IndexError:
            raise ValueError(f"series: expected numbers below {self.dim}, got {list(chosen)[:5]}") from None
        rows = {name: getattr(self, name) for name in ("target", *STATIC, "imposed", "absent")}
        return self._part(
            **{name: None if values is None else values[index] for name, values in rows.items()},
            item_ids=tuple(self.item_ids[number] for number in index) if self.item_ids else (),
            planned=None if self.planned is None else self.planned.of_series(index),
        )

    def channel(self, name: str) -> np.ndarray:
        """The values of a channel, known of the future or of the past alone.

        Arguments:
            name: such as ``price[coat]``.

        Returns:
            ``[T']``, in the units of the channel.

        Raises:
            ValueError: there is no such channel.
        """
        for rows in (self.channels, self.past_channels):
            if name in rows.names:
                return rows.values[rows.names.index(name)]
        known = ", ".join((*self.channels.names, *self.past_channels.names)) or "no channel with a name"
        raise ValueError(f"name: expected one of {known}; got {name!r}")

    def without_channels_of(self, items: set[str]) -> Entry:
        """The entry without the channels of some items, by name; shared ones and those without names stay."""
        return self._part(**{name: getattr(self, name).without(items) for name in CHANNELS})

    def with_(self, **changes: object) -> Entry:
        """The entry with other values in some of its fields.

        Arguments:
            changes: the fields by name, as they are made with.

        Raises:
            ValueError: there is no such field, or the entry cannot be made.
        """
        if unknown := set(changes) - set(self.__match_args__):
            raise ValueError(
                f"with_: expected some of {', '.join(self.__match_args__)}; got {', '.join(sorted(unknown))}"
            )
        return replace(self, **cast("dict[str, Any]", changes))

    def of_domain(self, domain: DataDomain) -> Entry:
        """The entry with other values that its series can take, and so its planned future."""
        if self.domain == domain:
            return self
        return self._part(domain=domain, planned=None if self.planned is None else self.planned.of_domain(domain))

    def to_gluonts(self) -> DataEntry:
        """The entry as a gluonts dict of its own: its arrays are copies, free to be changed."""
        nested = {} if self.planned is None else {"planned": self.planned.to_gluonts()}
        return {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in self.items()} | nested

    copy = to_gluonts  # gluonts' transformations change a copy

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        """The keys of both in a dict."""
        return {**self, **other}

    def __getitem__(self, key: str) -> Any:
        return self._face[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._face)

    def __len__(self) -> int:
        return len(self._face)

    def _repr_html_(self) -> str:
        return html_table([], caption=repr(self))

    def __repr__(self) -> str:
        named = {"channels": self.channels, "past channels": self.past_channels}
        rest = "".join(f", {len(rows)} {name}" for name, rows in named.items() if rows)
        return f"Entry({self.dim} series, {self.length} steps of {self.freq!r} from {written_date(self.start)}{rest})"

    @cached_property
    def _face(self) -> dict[str, Any]:
        """What the entry holds, by gluonts' keys; what it does not hold has none."""
        held: dict[str, Any] = {key: getattr(self, key) for key in SAME} | {"item_ids": self.item_ids or None}
        for name, (key, names) in CHANNELS.items():
            rows: Channels = getattr(self, name)
            held |= {key: rows.values if rows else None, names: rows.names or None}
        held |= {key: getattr(self, name) for name, key in STATIC.items()} | dict(self.others)
        held[DOMAIN] = None if self.domain == "real" else self.domain
        return {key: value for key, value in held.items() if value is not None}

    def as_checked(self) -> Entry:
        """The entry with the mark that its numbers are fit for models."""
        marked = self if self.checked else replace(self)
        marked._set("checked", True)
        return marked

    def _part(self, **changes: Any) -> Entry:
        """The entry with some of its rows or steps, which are as fit for models as all of them."""
        part = replace(self, **changes)
        part._set("checked", self.checked)
        return part

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
