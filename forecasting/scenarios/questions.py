"""Questions to sample paths, such as `units[A] + units[B] < 500`, read by a parser of their own."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .notation import STEPS, read_steps

_Operator = Callable[[Any, Any], Any]

Look = Callable[[str, "str | None", "slice | None"], np.ndarray]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)"
    r"|(?P<quantity>[A-Za-z_]+)\s*(?:\[\s*(?P<article>(?:[^\[\]]|\[[^\[\]]*\])+?)\s*\])?"
    rf"(?:\s*{STEPS})?"
    r"|(?P<symbol><=|>=|==|!=|[-+*/()<>]))"
)

_COMPARE: dict[str, _Operator] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

_ADD: dict[str, _Operator] = {"+": operator.add, "-": operator.sub}

_MULTIPLY: dict[str, _Operator] = {"*": operator.mul, "/": operator.truediv}

QUANTITIES = ("units", "revenue")


def holds(condition: str, look: Look) -> np.ndarray:
    """On which paths a condition holds.

    Two sums are compared by ``< <= > >= == !=``. They are made of numbers, ``units[article]`` and
    ``revenue[article]`` (totals over the horizon, or over steps as in ``units[A] @ 2:4``, to its end as in ``@ 3:``
    or from its start as in ``@ :2``), ``units`` and ``revenue`` of the whole assortment, ``+ - * /`` and brackets.
    Several comparisons are joined by ``and`` or ``or``. An article may be called ``coat [red]``.

    Arguments:
        condition: the text.
        look: gives the values ``[S]`` of a quantity, an article (``None`` for all) and steps (``None`` for all).

    Returns:
        bool ``[S]``.

    Raises:
        ValueError: the text cannot be read; the message points at the place.

    Example:
        >>> paths = {"A": np.array([1.0, 5.0]), "B": np.array([2.0, 6.0])}
        >>> holds("units[A] + 2 * units[B] < 10", lambda quantity, article, steps: paths[article])
        array([ True, False])
    """
    return _Parser(condition, look).read()


class _Parser:
    """Recursive descent over the tokens of a condition."""

    def __init__(self, text: str, look: Look) -> None:
        self.text, self.look, self.at = text, look, 0
        self.token = self._next()

    def read(self) -> np.ndarray:
        result = self._all()
        while self._word("or"):
            result = result | self._all()
        if self.token is not None:
            raise self._error("the end, 'and' or 'or'")
        return result

    def _all(self) -> np.ndarray:
        result = self._comparison()
        while self._word("and"):
            result = result & self._comparison()
        return result

    def _comparison(self) -> np.ndarray:
        left = self._sum()
        compare = self._symbol(_COMPARE)
        if compare is None:
            raise self._error("one of " + " ".join(_COMPARE))
        return np.asarray(compare(left, self._sum()))

    def _sum(self) -> np.ndarray:
        return self._chain(_ADD, self._product)

    def _product(self) -> np.ndarray:
        return self._chain(_MULTIPLY, self._value)

    def _chain(self, operators: Mapping[str, _Operator], part: Callable[[], np.ndarray]) -> np.ndarray:
        result = part()
        while (combine := self._symbol(operators)) is not None:
            result = combine(result, part())
        return result

    def _value(self) -> np.ndarray:
        token = self.token
        if token is not None and token["number"]:
            self.token = self._next()
            return np.asarray(float(token["number"]))
        if token is not None and token["quantity"] in QUANTITIES:
            self.token = self._next()
            told = read_steps(token)
            steps = None if told is None else slice(told[0] - 1, told[1])
            return self.look(token["quantity"], token["article"], steps)
        if self._takes("-"):
            return -self._value()
        if self._takes("("):
            inside = self._sum()
            if not self._takes(")"):
                raise self._error("')'")
            return inside
        raise self._error("a number, units[article], revenue[article] or '('")

    def _symbol(self, known: Mapping[str, _Operator]) -> _Operator | None:
        symbol = "" if self.token is None else self.token["symbol"] or ""
        return known[symbol] if symbol in known and self._takes(symbol) else None

    def _takes(self, symbol: str) -> bool:
        """Whether this symbol comes next; then the reader goes on behind it."""
        if self.token is None or self.token["symbol"] != symbol:
            return False
        self.token = self._next()
        return True

    def _word(self, word: str) -> bool:
        if self.token is None or self.token["quantity"] != word or self.token["article"]:
            return False
        self.token = self._next()
        return True

    def _next(self) -> re.Match[str] | None:
        rest = self.text[self.at :]
        if not rest.strip():
            self.start = len(self.text)
            return None
        found = _TOKEN.match(rest)
        self.start = self.at + len(rest) - len(rest.lstrip())
        if found is None:
            raise self._error("a number, units[article], revenue[article] or an operator")
        self.at += found.end()
        return found

    def _error(self, expected: str) -> ValueError:
        got = self.text[self.start :] or "the end"
        return ValueError(f"condition: expected {expected} at {got!r} in {self.text!r}")


def known_steps(steps: slice | None, horizon: int) -> slice:
    """Steps of a condition within the horizon.

    Raises:
        ValueError: they reach beyond it.
    """
    if steps is None:
        return slice(None)
    last = horizon if steps.stop is None else steps.stop
    if not 0 <= steps.start < last <= horizon:
        told = "" if steps.stop is None else steps.stop
        raise ValueError(f"condition: expected steps 1 to {horizon}, got {steps.start + 1}:{told}")
    return steps
