"""Predictors of gluonts read from their folders, without gluonts' own decoder, which calls whatever a file names."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from gluonts.model.predictor import Predictor

from ....runtime.names import Names
from ....runtime.reading.json_files import read_json
from .names import PARTS, VALUES, placed

_LARGEST = 10**6
"""The largest whole number that a setting of gluonts is believed: of steps, series, categories."""

_NETWORK = "prediction-net-state.pt"


def read_gluonts(kind: type[Predictor], folder: Path, names: Names, device: str) -> Predictor:
    """A predictor that gluonts' ``serialize`` wrote.

    Arguments:
        kind: its class.
        folder: where it lies.
        names: the predictors that its files may name; parts may be those of `PARTS`, and what is trusted in `names`.
        device: on which a network draws.

    Raises:
        ValueError: its files name something else, or hold another predictor than one of `kind`.
    """
    described, names = read_json(folder / "predictor.json"), names.with_(placed(PARTS))
    if described.get("__kind__") != "instance" or names.find(str(described.get("class"))) is not kind:
        raise ValueError(f"{folder}: expected a {kind.__name__}, got {described.get('class')!r}")
    arguments = _dict(described, "kwargs")
    if _reader_of(kind) != "PyTorchPredictor":
        return _decoded(described, names)
    from ....runtime.reading.weights import network_with_weights

    form = arguments.pop("prediction_net", None)
    network = network_with_weights(lambda: _decoded(form, names), folder / _NETWORK, form)
    return kind(prediction_net=network, **_decoded({**arguments, "device": device}, names))


def is_read_by_gluonts(kind: type[Predictor]) -> bool:
    """Whether a class has no way of its own to read a folder, but that of gluonts, whose decoder is not used here.

    Raises:
        ValueError: it has none at all, or one of gluonts that is not read here.
    """
    reader = _reader_of(kind)
    if reader in ("Predictor", "of gluonts"):
        raise ValueError(f"type: expected a predictor that can be read from a folder, got {kind.__name__}")
    return reader != "own"


def _reader_of(kind: type[Predictor]) -> str:
    owner = next(cls for cls in kind.__mro__ if "deserialize" in vars(cls))
    if owner.__module__.partition(".")[0] != "gluonts":
        return "own"
    known = ("Predictor", "RepresentablePredictor", "PyTorchPredictor")
    return owner.__name__ if owner.__name__ in known else "of gluonts"


def _decoded(value: Any, names: Names) -> Any:
    """What gluonts' JSON describes, made of nothing but the classes of `names` and plain data."""
    if isinstance(value, list):
        return [_decoded(item, names) for item in value]
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise ValueError(f"number: expected at most {_LARGEST}, got {value}")
    if not isinstance(value, dict):
        return value
    if "__kind__" not in value:
        return {key: _decoded(item, names) for key, item in value.items()}
    kind, name = value["__kind__"], str(value.get("class"))
    if kind == "type":
        return _value(name)
    if kind != "instance":
        raise ValueError(f"type: expected gluonts' objects to be instances or types, got {kind!r}")
    make = _MAKERS.get(name) or names.find(name)
    arguments = _decoded(value.get("args", []), names)
    return make(*arguments, **_decoded(_dict(value, "kwargs"), names))


def _dict(described: dict[str, Any], key: str) -> dict[str, Any]:
    found = described.get(key, {})
    if not isinstance(found, dict) or "__kind__" in found:
        raise ValueError(f"{key}: expected arguments by their names, got {found!r:.80}")
    return found


def _value(name: str) -> Any:
    if name not in VALUES:
        raise ValueError(f"type: expected one of {', '.join(VALUES)}, got {name!r}")
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def _dtype(name: str) -> np.dtype[Any]:
    if np.dtype(name).kind not in "biuf":
        raise ValueError(f"dtype: expected one of numbers, got {name!r}")
    return np.dtype(name)


def _array(values: list[Any], dtype: np.dtype[Any] | None = None) -> np.ndarray:
    return np.array(values, dtype=np.dtype(float) if dtype is None else dtype)


_MAKERS: dict[str, Callable[..., Any]] = {
    "builtins.tuple": tuple,
    "builtins.set": set,
    "numpy.dtype": _dtype,
    "numpy.array": _array,
    "pandas.Period": pd.Period,
    "pandas.Timestamp": pd.Timestamp,
}
"""What is made of plain data alone, by the names that gluonts gives it."""
