"""The short notation of a change: `price[A] = -20% @ 2:4`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ...datasets.entries.channels import ChannelName
from ...runtime.display.numbers import figure

GRAMMAR = (
    "'channel[article] = value @ first:last' or 'drop article', "
    "with a value such as 9.99, 0, 1, -20% or +10% and steps such as 2, 2:4, 3: or :2"
)

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"

STEPS = r"@\s*(?:(?P<first>\d+)(?P<to>\s*:\s*(?P<last>\d+)?)?|:\s*(?P<until>\d+))"
"""The notation of steps, for `read_steps`."""

_SET = re.compile(
    rf"(?P<channel>[^\[\]=@]+?)\s*(?:\[\s*(?P<article>.+?)\s*\])?\s*=\s*(?P<value>{_NUMBER})\s*(?P<percent>%)?(?:\s*{STEPS})?",
    re.DOTALL,
)

# An article of a store may be called coat@12, so a space goes before the steps of a drop.
_DROP = re.compile(rf"drop\s+(?P<article>.+?)(?:\s+{STEPS})?", re.DOTALL)

SALES = "sales"


@dataclass(frozen=True)
class Change:
    """One change of the future.

    Arguments:
        channel: a known-future covariate such as ``price`` or ``promo``, or ``sales``, whose values are imposed.
        article: the series whose channel it is; ``None`` for a channel that all share.
        value: the new value, in the units of the channel, or for a relative change its share: -0.2 is 20 % less.
        relative: whether `value` is a share of what the future would be otherwise.
        first: first step that is changed, from 1.
        last: last step that is changed; ``None`` for the end of the horizon.

    Example:
        >>> Change("price", "coat", -0.2, relative=True, first=2, last=4)
        Change(channel='price', article='coat', value=-0.2, relative=True, first=2, last=4)
        >>> print(_)
        price[coat] = -20% @ 2:4
    """

    channel: str
    article: str | None
    value: float
    relative: bool = False
    first: int = 1
    last: int | None = None

    def __post_init__(self) -> None:
        if self.first < 1 or (self.last is not None and self.last < self.first):
            raise ValueError(f"steps: expected first:last with 1 <= first <= last, got {self.first}:{self.last}")
        if not math.isfinite(self.value):
            raise ValueError(f"value: expected a finite number, got {self.value} for {self.row!r}")
        if self.channel == SALES and self.article is None:
            raise ValueError(f"sales: expected an article, as in 'sales[coat] = 0 @ 3:5', got {str(self)!r}")
        if self.channel == SALES and (self.relative or self.value < 0):
            raise ValueError(f"sales: expected a number of at least 0 to impose, got {str(self)!r}")

    @property
    def row(self) -> str:
        """The name of the covariate that changes."""
        return str(ChannelName(self.channel, self.article))

    def steps(self, horizon: int) -> slice:
        """The changed steps as a slice of the horizon.

        Raises:
            ValueError: they reach beyond it.
        """
        last = horizon if self.last is None else self.last
        if self.first > horizon or last > horizon:
            raise ValueError(f"steps: expected 1 to {horizon}, the horizon of the model, got {str(self)!r}")
        return slice(self.first - 1, last)

    def words(self) -> str:
        """The change as a person would say it.

        Example:
            >>> parse_change("promo[coat] = 1 @ 1").words()
            'promo of coat is 1 in step 1'
        """
        of = "" if self.article is None else f" of {self.article}"
        if self.channel == SALES:
            what = f"{self.article} sells {_number(self.value)}" if self.value else f"{self.article} cannot be sold"
        elif self.relative:
            size = figure(100 * abs(self.value), 2, apart=(0.0, 100.0))
            size = size.rstrip("0").rstrip(".") if "." in size else size
            what = f"{self.channel}{of} is {size} % {'lower' if self.value < 0 else 'higher'}"
        else:
            what = f"{self.channel}{of} is {_number(self.value)}"
        if self.last == self.first:
            return f"{what} in step {self.first}"
        if self.last is None:
            return f"{what} from step {self.first} on" if self.first > 1 else f"{what} in all steps"
        return f"{what} in steps {self.first} to {self.last}"

    def __str__(self) -> str:
        value = f"{_per_cent(self.value)}%" if self.relative else _number(self.value)
        if self.last is None:
            where = f" @ {self.first}:" if self.first > 1 else ""
        else:
            where = f" @ {self.first}" + (f":{self.last}" if self.last != self.first else "")
        return f"{self.row} = {value}{where}"


def _number(value: float) -> str:
    """The shortest text that is read as this number.

    Example:
        >>> _number(5.0), _number(19.99), _number(1e30)
        ('5', '19.99', '1e+30')
    """
    return repr(float(value)).removesuffix(".0")


def _per_cent(value: float) -> str:
    """The shortest text, with its sign, that is read as this share in per cent.

    Example:
        >>> _per_cent(-0.2), _per_cent(0.07), _per_cent(-0.99999)
        ('-20', '+7', '-99.999')
    """
    size = (100 * Decimal(repr(float(value)))).normalize()
    return f"{size:+f}" if -6 <= size.adjusted() <= 15 else f"{size:+e}"


def parse_change(text: str) -> Change:
    """Read a change from its short notation.

    ``price[A] = -20% @ 2:4`` takes 20 per cent off in steps 2 to 4, both included and counted from 1;
    ``promo[B] = 1 @ 1`` sets a value; ``sales[A] = 0 @ 3:5`` imposes sales, which are fed back into the model;
    ``drop A`` imposes sales of 0 on the whole horizon. ``@ 3:`` are the steps from 3 to the end of the horizon,
    ``@ :2`` those up to 2; without ``@`` every step is changed. A channel that all articles share is written without
    brackets: ``holiday = 1 @ 3``. An article ends at the last bracket before the value, so that it may be called
    ``coat [red]``.

    Arguments:
        text: the notation.

    Returns:
        The change.

    Raises:
        ValueError: the text is not of this form; the message shows it and the form.

    Example:
        >>> parse_change("price[coat]=-20%@2:4").words()
        'price of coat is 20 % lower in steps 2 to 4'
        >>> parse_change("drop coat").words()
        'coat cannot be sold in all steps'
    """
    stripped = text.strip()
    if found := _DROP.fullmatch(stripped):
        return Change(SALES, found["article"], 0.0, **_changed_steps(found))
    found = _SET.fullmatch(stripped)
    if found is None:
        raise ValueError(f"change: expected {GRAMMAR}; got {text!r}")
    value, relative = float(found["value"]), found["percent"] is not None
    if relative and found["value"][0] not in "+-":
        raise ValueError(f"change: expected +{found['value']}% or -{found['value']}%, got {text!r}")
    value = float(Decimal(found["value"]) / 100) if relative else value
    return Change(found["channel"], found["article"], value, relative, **_changed_steps(found))


def read_steps(found: re.Match[str]) -> tuple[int, int | None] | None:
    """The first step and the last of what matched `STEPS`, from 1; ``None`` for the end of the horizon.

    Returns:
        The two, or ``None`` where no steps are told.

    Example:
        >>> [read_steps(re.match(STEPS, text)) for text in ("@ 2", "@ 2:4", "@ 3:", "@ :2")]
        [(2, 2), (2, 4), (3, None), (1, 2)]
    """
    if found["until"] is not None:
        return 1, int(found["until"])
    if found["first"] is None:
        return None
    last = found["last"] if found["to"] is not None else found["first"]
    return int(found["first"]), None if last is None else int(last)


def _changed_steps(found: re.Match[str]) -> dict[str, Any]:
    steps = read_steps(found)
    return {} if steps is None else dict(zip(("first", "last"), steps, strict=True))
