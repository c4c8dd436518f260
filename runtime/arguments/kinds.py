"""Of which kind an argument has to be: read from its annotation, and checked in one place."""

from __future__ import annotations

import functools
import inspect
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from numbers import Integral, Real
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Within:
    """The numbers that an argument takes, as a part of its annotation: ``Annotated[int, Within(1)]``.

    Arguments:
        least: the smallest.
        most: the largest.
        above: whether `least` itself is too small.
        below: whether `most` itself is too large.
    """

    least: float
    most: float = math.inf
    above: bool = False
    below: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number lies within the bounds."""
        begins = self.least < value if self.above else self.least <= value
        ends = value < self.most if self.below else value <= self.most
        return begins and ends and math.isfinite(value)

    def __str__(self) -> str:
        """In words; a bound that none comes near is left out."""
        least = f"above {self.least:g}" if self.above else f"from {self.least:g}"
        if self.most >= 10**9:
            return least
        return f"{least} {'and below' if self.below else 'to'} {self.most:g}"


Count = Annotated[int, Within(1, 10**9)]
"""How many, at least one."""

Number = Annotated[int, Within(0, 10**9)]
"""How many, or none."""

Steps = Annotated[int, Within(1, 100_000)]
"""A horizon, a season, a lag, or the past that a model reads: a year has 35,040 quarters of an hour."""

Seed = Annotated[int, Within(0, 2**63 - 1)]
"""What every generator takes."""

Positive = Annotated[float, Within(0, above=True)]

NotNegative = Annotated[float, Within(0)]

Share = Annotated[float, Within(0, 1)]

SomeShare = Annotated[float, Within(0, 1, above=True)]
"""A share that is not nothing."""

Dropout = Annotated[float, Within(0, 1, below=True)]


class Checked:
    """Base class whose constructors check the types of their arguments against the annotations.

    It holds for every class below this one: for the fields of a dataclass, before its ``__post_init__``, and for the
    arguments of a constructor.

    Example:
        >>> @dataclass(frozen=True)
        ... class Layer(Checked):
        ...     size: Count = 8
        >>> Layer(8.9)
        Traceback (most recent call last):
        ...
        ValueError: size: expected a whole number from 1, got 8.9
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = checked(cls.__init__)  # type: ignore[method-assign]
        if "__post_init__" in vars(cls):
            cls.__post_init__ = _after_fields(cls.__post_init__)  # type: ignore[method-assign, assignment]

    def __post_init__(self) -> None:
        """Refuse fields of another kind."""
        owner: Any = type(self)
        hints = _hints(owner)
        for each in fields(self):  # type: ignore[arg-type]
            if each.init:
                check_kind(each.name, getattr(self, each.name), hints.get(each.name, Any))


def _after_fields(own: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(own)
    def called(self: Any) -> None:
        Checked.__post_init__(self)
        own(self)

    return called


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """Decorator that checks the types of arguments against the annotations of a function or constructor.

    Example:
        >>> @checked
        ... def twice(count: Count) -> int:
        ...     return 2 * count
        >>> twice(None)
        Traceback (most recent call last):
        ...
        ValueError: count: expected a whole number from 1, got None
    """
    signature = inspect.signature(function)
    many = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        hints = _hints(function)
        for name, value in signature.bind_partial(*args, **kwargs).arguments.items():
            if signature.parameters[name].kind not in many:
                check_kind(name, value, hints.get(name, Any))
        return function(*args, **kwargs)

    return called


def check_kind(name: str, value: object, hint: object) -> None:
    """Check the type and range of a value against an annotation.

    Arguments:
        name: of the argument, for the message.
        value: what was given.
        hint: the annotation; what is not known of it is not asked for.

    Raises:
        ValueError: the value is of another kind.
    """
    if not accepts(hint, value):
        shown = repr(value)
        raise ValueError(f"{name}: expected {in_words(hint)}, got {shown if len(shown) < 80 else shown[:77] + '...'}")


def accepts(hint: object, value: object) -> bool:
    """Whether a value has the type that an annotation asks for.

    A truth is no number, a whole number is a number, a list does where a tuple is asked for, and NaN is no number.

    Example:
        >>> [accepts(int, value) for value in (3, 8.9, True, "3")]
        [True, False, False, False]
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        within = [part for part in inner[1:] if isinstance(part, Within)]
        return accepts(inner[0], value) and all(part.holds(cast(float, value)) for part in within)
    if origin in (Union, UnionType):
        return any(accepts(each, value) for each in inner)
    if origin is Literal:
        return isinstance(value, (str, int)) and any(value == each and type(value) is type(each) for each in inner)
    if hint is None or hint is NoneType:
        return value is None
    if hint is bool:
        return isinstance(value, (bool, np.bool_))
    if hint is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    if hint is float:
        return isinstance(value, Real) and not isinstance(value, (bool, np.bool_)) and not math.isnan(value)
    if origin is tuple:
        if not isinstance(value, (tuple, list)):
            return False
        if len(inner) == 2 and inner[1] is Ellipsis:
            return all(accepts(inner[0], each) for each in value)
        return all(map(accepts, inner, value))
    if origin in (list, Sequence):
        if isinstance(value, (tuple, list)):
            return all(accepts(inner[0], each) for each in value)
        return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))
    if origin in (dict, Mapping):
        return isinstance(value, Mapping)
    if hint in (list, tuple):
        return isinstance(value, (list, tuple))
    if origin is type:
        return isinstance(value, type)
    known = origin or hint
    if not isinstance(known, type) or known is object:
        return True
    try:
        return isinstance(value, known)
    except TypeError:  # a protocol says what is called of it, not what it is
        return value is not None


def in_words(hint: object) -> str:
    """The type of an annotation in words, for error messages.

    Example:
        >>> in_words(int | None), in_words(tuple[int, ...]), in_words(Literal["level", "change"])
        ('a whole number or none', 'a list of whole numbers', "'level' or 'change'")
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return " ".join([in_words(inner[0]), *(str(part) for part in inner[1:] if isinstance(part, Within))])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(in_words(each) for each in inner))
    if origin is Literal:
        return f"one of {', '.join(map(repr, inner))}" if len(inner) > 2 else " or ".join(map(repr, inner))
    if origin in (tuple, list, Sequence):
        return f"a list of {_PLURALS.get(inner[0], 'such values') if inner else 'values'}"
    if origin in (dict, Mapping) or hint in (dict, Mapping):
        return "a table"
    known = origin or hint
    return _WORDS.get(known) or str(getattr(known, "__name__", known))


_WORDS: dict[Any, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    NoneType: "none",
    None: "none",
    os.PathLike: "a path",
    Iterable: "a list",
    Callable: "a function",
}

_PLURALS: dict[Any, str] = {str: "texts", int: "whole numbers", float: "numbers"}


@functools.cache
def _hints(owner: Any) -> dict[str, Any]:
    """The annotations of a function or a class, but for those that name what is imported for type checkers alone."""
    if isinstance(owner, type):
        told = [(vars(base).get("__annotations__", {}), vars(sys.modules[base.__module__])) for base in owner.__mro__]
    else:
        told = [(owner.__annotations__, inspect.unwrap(owner).__globals__)]
    found: dict[str, Any] = {}
    for written, names in reversed(told):
        for name, annotation in written.items():
            one = SimpleNamespace(__annotations__={name: annotation})
            with suppress(NameError):
                found |= get_type_hints(one, globalns=names, include_extras=True)
    return found
