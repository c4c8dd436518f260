"""Plain data with another value at one of its places."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Way = tuple[Any, ...]
"""The keys and numbers that lead to a value."""


def places(value: Any, where: Way = ()) -> Iterator[Way]:
    """The way to every value within plain data, the whole among them."""
    yield where
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*where, key))


def at(value: Any, where: Way) -> Any:
    """The value at a place."""
    for key in where:
        value = value[key]
    return value


def numbers(value: Any) -> Iterator[Way]:
    """The way to every whole number in plain data."""
    return (where for where in places(value) if type(at(value, where)) is int)


def replaced(value: Any, where: Way, by: Any) -> Any:
    """A copy with another value at a place."""
    if not where:
        return by
    copy = json.loads(json.dumps(value))
    at(copy, where[:-1])[where[-1]] = by
    return copy
