"""Numbers that are given for all articles at once, or for each by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

PerArticle = float | Mapping[str, float]
"""One number for all articles, or one for each by its name."""


def each_of(
    name: str, given: PerArticle, items: Sequence[str], *, above: bool = False, least: float = 0.0, most: float = np.inf
) -> np.ndarray:
    """A number for each article ``[D]``; names that are no article are left out.

    Arguments:
        name: of the argument, for the message.
        given: the numbers.
        items: names of the D articles.
        above: whether `least` itself is too small.
        least: the smallest number that counts.
        most: the largest.

    Raises:
        ValueError: an article has no number, or one that is out of range.

    Example:
        >>> each_of("stock", {"coat": 5, "hat": 2}, ["hat", "coat"])
        array([2., 5.])
    """
    if isinstance(given, Mapping):
        unknown = next((item for item in items if item not in given), None)
        if unknown is not None:
            raise ValueError(f"{name}: expected a number for every article, got none for {unknown!r}")
        values = np.array([given[item] for item in items], dtype=np.float64)
    else:
        values = np.full(len(items), given, dtype=np.float64)
    wrong = ~np.isfinite(values) | (values < least) | (above & (values <= least)) | (values > most)
    if wrong.any():
        place = int(wrong.argmax())
        bound = f"{'more than' if above else 'at least'} {least:g}" + (
            f" and at most {most:g}" if most < np.inf else ""
        )
        raise ValueError(f"{name}: expected {bound}, got {values[place]:g} for {items[place]!r}")
    return values


def limit_of(name: str, value: float) -> float:
    """A limit that all articles share, at least 0 and finite.

    Raises:
        ValueError: it is not.
    """
    if not 0 <= value < np.inf:
        raise ValueError(f"{name}: expected at least 0, got {value:g}")
    return float(value)
