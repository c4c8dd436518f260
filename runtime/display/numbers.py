"""Numbers as people read them: with few digits, and never as a 0 or a 100 % that they are not."""

from __future__ import annotations

import math

_MORE = 4
"""Digits beyond those asked for by which a number is told from one that it is not."""

_SAME = 1e-9
"""What differs by less is the same: floating-point numbers of a share of 1 may be 0.9999999999999999."""


def figure(value: float, digits: int = 0, sign: bool = False, apart: tuple[float, ...] = (0.0,)) -> str:
    """A number with so many digits, and with more where it would read as one that it is not.

    Arguments:
        value: the number; a dash where it is NaN.
        digits: after the point, at least 0.
        sign: whether numbers above 0 have a sign too.
        apart: numbers that are told from all others.

    Returns:
        The number with commas between thousands; a bound where four digits more do not tell it either.

    Example:
        >>> [figure(value) for value in (1234.5678, 0.0, 0.3, -0.04, 1e-7)]
        ['1,235', '0', '0.3', '-0.04', '< 0.0001']
    """
    if math.isnan(value):
        return "–"
    form = "+," if sign else ","
    near = next((each for each in apart if abs(value - each) <= _SAME), None)
    if near is not None:
        return f"{near:,.{digits}f}"
    for more in range(digits, digits + _MORE + 1):
        text = f"{value:{form}.{more}f}"
        if not any(float(text.replace(",", "")) == each for each in apart):
            return text
    near = min(apart, key=lambda each: abs(value - each))
    unit = 10.0 ** -(digits + _MORE) * (1 if value > near else -1)
    return f"{'<' if value > near else '>'} {near + unit:,.{digits + _MORE}f}"


def percent(share: float, digits: int = 0, sign: bool = False) -> str:
    """A share in per cent, which reads as 0 % or 100 % only where it is none or all.

    Arguments:
        share: 0.2 is 20 %; a dash where it is NaN.
        digits: after the point, at least 0, and more where it takes them to tell it from 0 % and from 100 %.
        sign: whether shares above 0 have a sign too.

    Example:
        >>> [percent(share) for share in (0.95, 0.996, 1.0, 0.004, 0.0, 0.9999999)]
        ['95 %', '99.6 %', '100 %', '0.4 %', '0 %', '> 99.9999 %']
        >>> percent(-0.2, sign=True)
        '-20 %'
    """
    return "–" if math.isnan(share) else f"{figure(100 * share, digits, sign, (0.0, 100.0))} %"
