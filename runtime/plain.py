"""Frozen dataclasses as plain data and back: what is saved with a predictor and shown with a run."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Mapping, Sequence
from types import UnionType
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from .arguments.kinds import Checked
from .names import Names, spelled

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
C = TypeVar("C")

Plain: TypeAlias = "str | int | float | bool | Sequence[Plain] | Mapping[str, Plain] | None"
"""What JSON can hold."""

Space: TypeAlias = Mapping[str, object]
"""Settings to search: their places (``"train.learning_rate"``), each with choices or ``low``, ``high``, ``log``,
``step``."""

PlainObject: TypeAlias = dict[str, Plain]
"""A JSON object: a configuration, a row of a log, the record of a run."""


def to_plain(value: object) -> Plain:
    """A configuration as numbers, strings, lists and dicts; nested dataclasses carry their ``type``.

    Arguments:
        value: a dataclass or plain data, numpy's numbers among them.

    Returns:
        What JSON and TOML can hold.

    Example:
        >>> from hemline.forecasting.units.scaling import Scaling
        >>> to_plain(Scaling("change"))
        {'type': 'Scaling', 'of': 'change', 'lag': 1, 'prior': 1.0, 'domain': 'real'}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        cls = type(value)
        fields = {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
        return {"type": spelled(cls), **fields}
    if isinstance(value, Configured):
        return value.configuration()
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, np.generic):
        return cast("Plain", value.item())
    if _is_validated(value):
        return {"type": spelled(type(value)), **_arguments(value)}
    return cast("Plain", value)


def from_plain(data: object, names: Names, allowed: type | None = None) -> object:
    """The configuration that `to_plain` described.

    Arguments:
        data: plain data.
        names: the classes that it may name.
        allowed: a class whose subclasses may stand there beside dataclasses.

    Returns:
        The configuration.

    Raises:
        ValueError: a ``type`` is not a dataclass of `names`, or a field is unknown to it.

    Example:
        >>> from hemline.forecasting.names import NAMES
        >>> from hemline.forecasting.units.scaling import Scaling
        >>> from_plain(to_plain(Scaling("change", lag=7)), NAMES)
        Scaling(of='change', lag=7, prior=1.0, domain='real')
    """
    if isinstance(data, list):
        return tuple(from_plain(item, names, allowed) for item in data)
    if not isinstance(data, dict):
        return data
    if "type" not in data:
        return {key: from_plain(item, names, allowed) for key, item in data.items()}
    cls = names.find(str(data["type"]))
    if not (dataclasses.is_dataclass(cls) or (allowed and issubclass(cls, allowed))):
        raise ValueError(f"type: expected a configuration, got {data['type']!r}")
    fields = {key: from_plain(item, names, allowed) for key, item in data.items() if key != "type"}
    refuse_unknown(list(inspect.signature(cls).parameters), fields, data["type"])
    return cls(**fields)


def part_from_plain(data: object, names: Names, kind: type[C]) -> C:
    """Rebuild a dataclass that `to_plain` wrote.

    Arguments:
        data: plain data.
        names: the classes that it may name.
        kind: the class that it has to be of.

    Raises:
        ValueError: it is of another class, or cannot be rebuilt.
    """
    made = from_plain(data, names)
    if not isinstance(made, kind):
        raise ValueError(f"type: expected {kind.__name__}, got {type(made).__name__}")
    return made


def made_of(data: Mapping[str, Plain], kind: type[C]) -> C:
    """Make a dataclass of its fields in a JSON object, nested ones by their annotations; the class checks them.

    Arguments:
        data: the fields, by name; the ``type`` that `to_plain` writes beside them may be left out.
        kind: the class.

    Returns:
        The dataclass.

    Raises:
        ValueError: the ``type`` is another one, or a field is unknown.

    Example:
        >>> from hemline.forecasting.units.ranks import Copula
        >>> made_of({"window": 9, "scaling": {"of": "change"}}, Copula).scaling.of
        'change'
    """
    fields = {name: value for name, value in data.items() if name != "type"}
    if data.get("type", spelled(kind)) != spelled(kind):
        raise ValueError(f"type: expected {spelled(kind)}, got {data['type']!r}")
    hints = get_type_hints(kind)
    refuse_unknown(list(inspect.signature(kind).parameters), fields, spelled(kind))
    arguments: dict[str, Any] = {name: _fitted_to(hints[name], value) for name, value in fields.items()}
    return kind(**arguments)


def _fitted_to(hint: Any, value: Plain) -> object:
    """A value of JSON as an annotation has it: lists as tuples, objects as dataclasses."""
    parts = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        of = [part for part in parts if isinstance(value, Mapping) == dataclasses.is_dataclass(part)]
        return value if value is None or not of else _fitted_to(of[0], value)
    if get_origin(hint) is tuple and isinstance(value, list):
        return tuple(_fitted_to(parts[0], each) for each in value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return made_of(value, hint)
    return value


def without_types(value: Plain) -> Plain:
    """Plain data without the ``type`` of any part, as before there were any.

    Example:
        >>> without_types({"type": "A", "parts": [{"type": "B", "size": 1}]})
        {'parts': [{'size': 1}]}
    """
    if isinstance(value, Mapping):
        return {name: without_types(each) for name, each in value.items() if name != "type"}
    return [without_types(each) for each in value] if isinstance(value, list) else value


def object_in(data: Mapping[str, Plain], key: str) -> Mapping[str, Plain]:
    """The JSON object at a key of another one.

    Raises:
        ValueError: there is none.
    """
    found = data.get(key)
    if not isinstance(found, Mapping):
        raise ValueError(f"{key}: expected a JSON object, got {found!r}")
    return found


def override(config: T, changes: Mapping[str, object], where: str = "") -> T:
    """Change fields of a frozen dataclass, nested ones by nested mappings.

    Arguments:
        config: the dataclass.
        changes: field names to values; for a nested dataclass a mapping of its own fields, or another dataclass.
        where: the place of `config` in the whole, for the message.

    Returns:
        The changed copy.

    Raises:
        ValueError: a field is unknown; the message names those known.

    Example:
        >>> from hemline.forecasting.units.scaling import Scaling
        >>> override(Scaling(), {"of": "change"})
        Scaling(of='change', lag=1, prior=1.0, domain='real')
    """
    current = {field.name: getattr(config, field.name) for field in dataclasses.fields(config) if field.init}
    return type(config)(**_changed(current, changes, where or type(config).__name__))


class Configured(Checked):
    """Base class of objects that their constructor arguments describe completely.

    The settings are the arguments of the constructor; a class says in `settings` what they were. Those of another kind
    than the constructor is annotated with are refused (`Checked`).
    """

    def settings(self) -> dict[str, object]:
        """The arguments that the object was made from, by name."""
        raise NotImplementedError

    def override(self, changes: Mapping[str, object]) -> Self:
        """A copy with other settings, nested ones given by nested mappings.

        Arguments:
            changes: constructor arguments to values, or for parts to mappings of their own settings.

        Raises:
            ValueError: a setting is unknown; the message names those known.

        Example:
            >>> from hemline.forecasting import ForecastEstimator
            >>> ForecastEstimator("D", 7).override({"train": {"max_epochs": 3}}).train_config.max_epochs
            3
        """
        return type(self)(**_changed(self.settings(), changes, type(self).__name__))

    def configuration(self) -> PlainObject:
        """All settings as plain data, with the ``type`` of every part."""
        cls = type(self)
        plain = {name: to_plain(value) for name, value in self.settings().items()}
        return {"type": spelled(cls), **plain}


def _changed(current: Mapping[str, Any], changes: Mapping[str, Any], where: str) -> dict[str, Any]:
    refuse_unknown(list(current), changes, where)
    values = dict(current)
    for name, value in changes.items():
        if isinstance(value, Mapping) and dataclasses.is_dataclass(values[name]):
            values[name] = override(values[name], value, f"{where}.{name}")
        elif isinstance(value, Mapping) and isinstance(values[name], Configured):
            values[name] = values[name].override(value)
        elif isinstance(value, Mapping) and _is_validated(values[name]):
            cls = type(values[name])
            refuse_unknown(list(inspect.signature(cls).parameters), value, f"{where}.{name}")
            values[name] = cls(**{**values[name].__init_args__, **value})
        elif isinstance(value, Mapping) and _is_of_models(values[name]):
            values[name] = _changed(dict(values[name]), value, f"{where}.{name}")
        else:
            values[name] = tuple(value) if isinstance(value, list) else value
    return values


def _is_validated(value: Any) -> bool:
    """Whether gluonts' `validated` noted all arguments; a constructor that it does not wrap knows more than that."""
    return hasattr(value, "__init_args__") and hasattr(type(value).__init__, "Model")


def _arguments(validated: Any) -> PlainObject:
    return {name: to_plain(value) for name, value in validated.__init_args__.items()}


def _is_of_models(value: object) -> bool:
    return isinstance(value, Mapping) and any(isinstance(item, Configured) for item in value.values())


def refuse_unknown(known: Sequence[str], given: Iterable[str], where: str) -> None:
    """Raise for the first setting that is not known.

    Raises:
        ValueError: naming the setting and those known.
    """
    for name in given:
        if name not in known:
            raise ValueError(f"{where}: expected one of the settings {', '.join(known)}, got {name!r}")
