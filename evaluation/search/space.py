"""What may be tried of a model's settings: each setting with its range or its choices."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ...runtime.plain import Configured, Plain, Space
from ...runtime.texts import toml_value

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Stored: TypeAlias = str | int | float
"""A value as the storage of a search has it."""

Point: TypeAlias = dict[str, Stored]
"""One value a setting."""

KEYS = ("low", "high", "log", "step")
OF_THE_DATA = ("freq", "prediction_length", "domain", "seed", "train.seed", "train.checkpoints")
"""Settings that a model has from its data and from the run."""


@dataclass(frozen=True)
class Choices:
    """Some values, of which one is taken.

    Arguments:
        values: plain data, each different.
    """

    values: tuple[Plain, ...]

    @property
    def labels(self) -> list[str]:
        """The values as the storage has them."""
        return [json.dumps(value, sort_keys=True) for value in self.values]

    @property
    def ends(self) -> tuple[Plain, ...]:
        """The values that a model has to be able to take."""
        return self.values

    @property
    def points(self) -> list[Stored] | None:
        """All that can be taken, as the storage has them."""
        return list(self.labels)

    def distribution(self) -> BaseDistribution:
        """As optuna has it."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.labels)

    def value(self, stored: Stored) -> Plain:
        """The value that the storage has so."""
        return self.values[self.labels.index(str(stored))]

    def stored(self, value: Plain) -> Stored | None:
        """A value as the storage has it; ``None`` where it is none of these."""
        return next((label for label, own in zip(self.labels, self.values, strict=True) if own == value), None)


@dataclass(frozen=True)
class Span:
    """Numbers from one to another, both included.

    Arguments:
        low: the smallest.
        high: the largest.
        log: whether they are spread evenly by their logarithm.
        step: from one to the next; ``None`` for any between, or for 1 where both ends are whole.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def whole(self) -> bool:
        """Whether they are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int) and not isinstance(self.step, float)

    @property
    def ends(self) -> tuple[Plain, ...]:
        """The numbers that a model has to be able to take."""
        return self.low, self.high

    @property
    def points(self) -> list[Stored] | None:
        """All that can be taken; ``None`` where they are too many to be told apart."""
        if not self.whole:
            return None
        return list(range(int(self.low), int(self.high) + 1, int(self.step or 1)))

    def distribution(self) -> BaseDistribution:
        """As optuna has it."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
        return FloatDistribution(float(self.low), float(self.high), log=self.log, step=self.step)

    def value(self, stored: Stored) -> Plain:
        """The value that the storage has so."""
        return int(stored) if self.whole else float(stored)

    def stored(self, value: Plain) -> Stored | None:
        """A value as the storage has it; ``None`` where it is none of these."""
        if not isinstance(value, int | float) or isinstance(value, bool) or not self.low <= value <= self.high:
            return None
        return None if self.step and (value - self.low) % self.step else value


Ranges: TypeAlias = dict[str, Choices | Span]


def read_space(space: Space, model: Configured) -> Ranges:
    """The ranges of a space, each found to be one that the model can take.

    Arguments:
        space: the settings.
        model: the model, which makes copies of itself with other settings.

    Raises:
        ValueError: there is no setting, the model has it not, it belongs to the data, or its range is none.

    Example:
        >>> from hemline.forecasting import ForecastEstimator
        >>> read_space({"train.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}}, ForecastEstimator("D", 7))
        {'train.learning_rate': Span(low=0.0001, high=0.01, log=True, step=None)}
    """
    if not isinstance(space, Mapping) or not space:
        raise ValueError(f"space: expected settings with their ranges, got {space!r}")
    found: Ranges = {}
    for name, given in space.items():
        where = f"space[{name!r}]"
        if name in OF_THE_DATA:
            raise ValueError(f"{where}: expected a setting of the model, got one of its data and runs")
        found[name] = _range(given, where)
        for value in found[name].ends:
            try:
                model.override(nested({name: value}))
            except (ValueError, TypeError) as error:
                raise ValueError(f"{where}: the model cannot take {value!r}, {error}") from error
    return found


def _range(given: object, where: str) -> Choices | Span:
    if isinstance(given, list | tuple):
        labels = [json.dumps(value, sort_keys=True, default=repr) for value in given]
        if len(set(labels)) < max(2, len(labels)):
            raise ValueError(f"{where}: expected at least 2 different choices, got {list(given)}")
        return Choices(tuple(given))
    if not isinstance(given, Mapping):
        raise ValueError(f"{where}: expected a list of choices, or low and high, got {given!r}")
    for key in given:
        if key not in KEYS:
            raise ValueError(f"{where}: unknown key {key!r}, expected some of {', '.join(KEYS)}")
    numbers: dict[str, Any] = {key: given.get(key) for key in ("low", "high", "step")}
    for key, number in numbers.items():
        known = isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
        if not known and not (key == "step" and number is None):
            raise ValueError(f"{where}: expected a number as {key}, got {number!r}")
    log = given.get("log", False)
    if not isinstance(log, bool):
        raise ValueError(f"{where}: expected true or false as log, got {log!r}")
    span = Span(**numbers, log=log)
    if span.low >= span.high:
        raise ValueError(f"{where}: expected low below high, got {span.low} and {span.high}")
    if log and (span.low <= 0 or span.step is not None):
        raise ValueError(f"{where}: expected low above 0 and no step with log, got {span.low} and step {span.step}")
    if span.step is not None and span.step <= 0:
        raise ValueError(f"{where}: expected a step above 0, got {span.step}")
    return span


def nested(values: Mapping[str, Plain]) -> dict[str, object]:
    """Settings by their places as mappings in mappings, as ``override`` and TOML have them.

    Example:
        >>> nested({"train.learning_rate": 0.01, "context_length": 8})
        {'train': {'learning_rate': 0.01}, 'context_length': 8}
    """
    made: dict[str, object] = {}
    for name, value in values.items():
        place: Any = made
        *parts, last = name.split(".")
        for part in parts:
            place = place.setdefault(part, {})
        place[last] = value
    return made


def settings_toml(values: Mapping[str, Plain]) -> str:
    """Settings by their places as TOML, as ``hemline train --config`` reads it."""
    return "".join(f"{'.'.join(name.split('.'))} = {toml_value(value)}\n" for name, value in values.items())


def own_point(ranges: Ranges, model: Configured) -> Point | None:
    """The settings that the model has; ``None`` where one lies outside of its range."""
    made: dict[str, Stored | None] = {}
    for name, each in ranges.items():
        value: Any = model
        for part in name.split("."):
            settings = value.settings() if isinstance(value, Configured) else value
            value = settings.get(part) if isinstance(settings, Mapping) else getattr(settings, part, None)
        made[name] = each.stored(value)
    known: Point = {name: value for name, value in made.items() if value is not None}
    return known if len(known) == len(made) else None


def every_point(ranges: Ranges) -> Iterator[Point] | None:
    """All points of a space that can be counted; ``None`` for one with a span of real numbers."""
    points = [each.points for each in ranges.values()]
    if any(own is None for own in points):
        return None
    return (dict(zip(ranges, values, strict=True)) for values in itertools.product(*(own or [] for own in points)))
