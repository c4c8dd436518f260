"""What makes one run the same as another: the model's settings, the numbers of the data, the version."""

from __future__ import annotations

import copyreg
import dataclasses
import datetime
import enum
import functools
import inspect
import json
import struct
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ...datasets.entries.data import ForecastData
from ...datasets.entries.entry import Entry
from ...datasets.entries.stamps import DatedPeriod, stamps_of
from ...runtime.digest import sha256_of
from ...runtime.names import spelled
from ...runtime.plain import PlainObject
from ..old_names import as_before

_SHOWN = (
    *(bytes, complex, range, slice, Decimal, np.dtype, np.datetime64, np.timedelta64),
    *(datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo),
)
"""What says in its ``repr`` all that it holds."""

_SHOWN_BY_NAME = ("torch:dtype", "torch:device")

_TABULAR = ("pandas", "pyarrow")
"""Libraries whose objects keep besides their numbers what has been looked up in them; pickle leaves that out."""


def describe(model: Estimator | Predictor) -> PlainObject:
    """All settings of a model as plain data: the same for the same settings, in every process.

    A model with a method ``configuration() -> dict`` speaks for itself. Gluonts objects whose constructor is
    ``@validated`` are described by their arguments, anything else by its class and attributes, arrays and weights
    by their digest.

    Arguments:
        model: a gluonts estimator or predictor.

    Returns:
        A dict that JSON can hold.

    Raises:
        ValueError: the model holds something that looks different in every process, such as a lambda, or that does
            not show what it holds.

    Example:
        >>> from gluonts.model.seasonal_naive import SeasonalNaivePredictor
        >>> describe(SeasonalNaivePredictor(2, season_length=7))["season_length"]
        7
    """
    if callable(getattr(model, "configuration", None)):
        return dict(_plain(model.configuration(), type(model).__name__))
    try:
        return dict(_plain(model, type(model).__name__))
    except RecursionError as error:
        raise ValueError(
            f"{type(model).__name__}: its attributes refer to each other in a circle; give it a method "
            f"configuration() that returns its settings"
        ) from error


def fingerprint(data: ForecastData) -> str:
    """A digest of everything in a dataset that a forecast or a score can depend on.

    Arguments:
        data: the dataset.

    Returns:
        64 hexadecimal digits.
    """
    train, test = ([_dated(entry) for entry in entries] for entries in (data.train, data.test))
    metadata = _plain(data.metadata, "metadata")
    # Data without attributes are what they were before there were any.
    kept = {name: value for name, value in metadata.items() if name != "attributes" or value}
    return digest({"metadata": kept, "train": train, "test": test})


def _dated(entry: Entry) -> dict[str, Any]:
    """An entry whose start is a date alone, as its table writes it; frequency and domain stand in the metadata."""
    usual = not isinstance(entry.start, DatedPeriod)
    return {**entry.of_domain("real"), "start": str(entry.start)} | (
        {} if usual else {"dated": str(stamps_of(entry.start))}
    )


def digest(value: object) -> str:
    """SHA-256 of plain data and arrays, whatever the order of keys.

    Arguments:
        value: what `describe` returns, or entries.

    Returns:
        64 hexadecimal digits.

    Raises:
        ValueError: the value holds something that looks different in every process.

    Example:
        >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
        True
    """
    return sha256_of(json.dumps(as_before(_plain(value, "value")), sort_keys=True, allow_nan=True))


def _plain(value: Any, where: str) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (dict, list, tuple)) and getattr(value, "__dict__", None):
        items = dict(value) if isinstance(value, dict) else list(value)
        return {"items": _plain(items, where), "attributes": _plain(vars(value), where)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{where}[{number}]") for number, item in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return sorted(json.dumps(_plain(item, where), sort_keys=True) for item in value)
    if isinstance(value, np.generic) and not isinstance(value, _SHOWN):
        return value.item()
    if isinstance(value, np.ma.MaskedArray):
        return _plain({"masked": np.ma.getmaskarray(value), "data": value.filled()}, where)
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        return {"dtype": str(value.dtype), "items": _plain(value.tolist(), where)}
    array = _array(value)
    if array is not None:
        return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": sha256_of(array)}
    return _plain_object(value, where)


def _array(value: Any) -> np.ndarray | None:
    """Arrays, and tensors of any library that can show themselves as arrays."""
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        # Reduced precisions have no numpy type; float32 holds all of them exactly.
        tensor = value.detach().cpu()
        return np.asarray(tensor.float() if tensor.is_floating_point() else tensor)
    return None


def _plain_object(value: Any, where: str) -> Any:
    if inspect.ismethod(value):
        return {"method": value.__name__, "of": _plain(value.__self__, where)}
    name = getattr(value, "__qualname__", None)
    if name is not None and hasattr(value, "__module__"):
        if "<" in name:
            raise ValueError(
                f"{where}: a function defined inside another looks different in every process ({name}); define it "
                f"in a module, or give the model a method configuration() that returns its settings"
            )
        return spelled(value)
    kind = spelled(type(value))
    if isinstance(value, enum.Enum):
        return f"{kind}.{value.name}"
    if isinstance(value, (Path, pd.Timestamp, pd.offsets.BaseOffset)):
        return str(value)
    if isinstance(value, pd.Period):
        return f"{value} ({value.freqstr})"
    if isinstance(value, _SHOWN) or kind in _SHOWN_BY_NAME:
        return {"type": kind, "repr": repr(value)}
    if isinstance(value, functools.partial):
        return {"type": kind, "of": _plain([value.func, value.args, value.keywords], where)}
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {"type": kind, **_plain(fields, where)}
    # Gluonts marks the constructors it validates; a subclass with one of its own knows more than they do.
    if hasattr(type(value).__init__, "Model") and hasattr(value, "__init_args__"):
        return {"type": kind, **_plain(value.__init_args__, where)}
    if any(cls.__module__.partition(".")[0] in _TABULAR for cls in type(value).__mro__):
        return {"type": kind, "pickled": _plain(_pickled(value, where), where)}
    slots = _slots(type(value))
    compiled = _compiled(type(value), len(slots))
    if not compiled and (slots or hasattr(value, "__dict__")):
        # Names of the language, as pydantic has them, are bookkeeping.
        held = {name: getattr(value, name) for name in slots if hasattr(value, name) and not name.startswith("__")}
        return {"type": kind, **_plain(held | getattr(value, "__dict__", {}), where)}
    if " at 0x" in repr(value):
        raise ValueError(
            f"{where}: a {type(value).__name__} looks different in every process; give the model a method "
            f"configuration() that returns its settings"
        )
    return {"type": kind, "pickled": _plain(_pickled(value, where), where)}


def _slots(kind: type) -> list[str]:
    """The names of attributes that instances keep in slots."""
    return [name for cls in kind.__mro__ for name, member in vars(cls).items() if inspect.ismemberdescriptor(member)]


def _compiled(kind: type, slots: int) -> bool:
    """Whether an instance has room for more than its attributes and slots, which compiled code alone can read."""
    pointers = slots + (kind.__dictoffset__ > 0) + (kind.__weakrefoffset__ > 0)
    return kind.__itemsize__ > 0 or kind.__basicsize__ > object.__basicsize__ + pointers * struct.calcsize("P")


def _pickled(value: Any, where: str) -> Any:
    """The parts from which pickle would put an object together again."""
    try:
        reduce = copyreg.dispatch_table.get(type(value))
        parts: Any = value.__reduce_ex__(4) if reduce is None else reduce(value)
    except Exception as error:
        raise ValueError(
            f"{where}: a {type(value).__name__} does not show what it holds ({error}); give the model a method "
            f"configuration() that returns its settings"
        ) from error
    if isinstance(parts, str):
        return parts
    made, arguments, state, *items = (*parts, None, None, None)[:5]
    return [made, arguments, state, *(None if one is None else list(one) for one in items)]
