"""What makes one run the same as another: the model's settings, the numbers of the data, the version."""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..datasets.data import ForecastData


def describe(model: Any) -> dict[str, Any]:
    """All settings of a model as plain data: the same for the same settings, in every process.

    A model with a method ``configuration() -> dict`` speaks for itself. Gluonts objects whose constructor is
    ``@validated`` are described by their arguments, anything else by its class and attributes, arrays and weights
    by their digest.

    Arguments:
        model: a gluonts estimator or predictor.

    Returns:
        A dict that JSON can hold.

    Raises:
        ValueError: the model holds something that looks different in every process, such as a lambda.

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
    return digest({"metadata": _plain(data.metadata, "metadata"), "train": data.train, "test": data.test})


def digest(value: Any) -> str:
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
    text = json.dumps(_plain(value, "value"), sort_keys=True, allow_nan=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any, where: str) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{where}[{number}]") for number, item in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return sorted(json.dumps(_plain(item, where), sort_keys=True) for item in value)
    if isinstance(value, np.generic):
        return value.item()
    array = _array(value)
    if array is not None:
        content = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
        return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": content}
    return _plain_object(value, where)


def _array(value: Any) -> np.ndarray | None:
    """Arrays, and tensors of any library that can show themselves as arrays."""
    if isinstance(value, np.ndarray) and value.dtype != object:
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
        return f"{value.__module__}:{name}"
    kind = f"{type(value).__module__}:{type(value).__qualname__}"
    if isinstance(value, enum.Enum):
        return f"{kind}.{value.name}"
    if isinstance(value, (Path, pd.Period, pd.Timestamp, pd.offsets.BaseOffset)):
        return str(value)
    if isinstance(value, functools.partial):
        return {"type": kind, "of": _plain([value.func, value.args, value.keywords], where)}
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {"type": kind, **_plain(fields, where)}
    if hasattr(value, "__dict__"):
        # Gluonts marks the constructors it validates; a subclass with one of its own knows more than they do.
        validated = hasattr(type(value).__init__, "Model") and hasattr(value, "__init_args__")
        return {"type": kind, **_plain(value.__init_args__ if validated else vars(value), where)}
    text = repr(value)
    if " at 0x" in text:
        raise ValueError(
            f"{where}: a {type(value).__name__} looks different in every process; give the model a method "
            f"configuration() that returns its settings"
        )
    return {"type": kind, "repr": text}
