"""How an array or a table is told in a row or two of the golden record."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

Rows = Iterator[tuple[str, Any]]
"""Names and what JSON can hold."""


def sha(data: bytes | str) -> str:
    """The first 16 hexadecimal digits of SHA-256."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()[:16]


def of_settings(value: Any) -> str:
    """A digest of a configuration, our classes by their names alone: older versions wrote their modules too."""
    text = json.dumps(value, sort_keys=True)
    return sha(re.sub(r'"hemline\.[\w.]+:(\w+)"', r'"\1"', text))


def of_array(name: str, array: np.ndarray, count: int = 4) -> Rows:
    """Shape, type, a digest of the bytes, and some values in full: what differs a little can be told from much."""
    array = np.ascontiguousarray(array)
    places = np.linspace(0, array.size - 1, count).astype(int)
    yield f"{name}/array", f"{array.dtype}{list(array.shape)} {sha(array.tobytes())}"
    yield f"{name}/values", [float(value) for value in array.ravel()[places]]


def of_frame(name: str, frame: pd.DataFrame) -> Rows:
    """The columns, the number of rows, and a digest of a table with numbers in full."""
    yield f"{name}/columns", list(frame.columns)
    yield f"{name}/table", f"{len(frame)} {sha(frame.to_csv(index=False, float_format='%.17g'))}"
