"""How channels enter a response: prices as logarithms, others in spans, and none far beyond what was seen of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...datasets.entries.channels import PRICE, PROMO, kinds_of
from ...datasets.entries.frequency import written_date


def logged(covariates: np.ndarray, names: Sequence[str], start: pd.Period | None = None) -> np.ndarray:
    """Channels ``[K, T]`` with prices as logarithms, float64.

    Raises:
        ValueError: a price is not above 0.
    """
    values = np.asarray(covariates, dtype=float).copy()
    for row, (name, kind) in enumerate(zip(names, kinds_of(names), strict=True)):
        if kind == PRICE:
            if not (values[row] > 0).all():
                step = int(np.argmin(values[row] > 0))
                date = "" if start is None else f" on {written_date(start, step)}"
                raise ValueError(f"{name}: expected prices above 0, got {values[row, step]:g}{date}")
            values[row] = np.log(values[row])
    return values


def spans(values: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """What channels ``[K, T]`` are divided by, ``[K]``: 1 for prices, otherwise how far they moved.

    One that never moved, or hardly did, has the usual span of its kind, whose effects it takes: a trial in one store of
    a hundred is no promotion in small. Promotions that are shares, from 0 to 1, have a span of 1.

    Example:
        >>> seen = np.array([[0.0, 1.0], [0.0, 0.01], [20.0, 30.0], [3.0, 7.0]])
        >>> spans(seen, ["promo[a]", "promo[b]", "price", "sun"])
        array([1., 1., 1., 4.])
    """
    kinds, width = np.array(kinds_of(names)), np.ptp(values, axis=1)
    found = width.copy()
    for kind in dict.fromkeys(kinds):
        channels = kinds == kind
        moved = width[channels & (width > 0)]
        usual = float(np.median(moved)) if len(moved) else 1.0
        if kind == PROMO and values[channels].min() >= 0 and values[channels].max() <= 1:
            usual = 1.0
        found[channels] = 1.0 if kind == PRICE else np.maximum(width[channels], usual)
    return found


def bounded(
    covariates: np.ndarray, names: Sequence[str], low: np.ndarray, high: np.ndarray, span: np.ndarray
) -> np.ndarray:
    """Channels ``[K, T]`` of which none but prices is more than a span beyond the values seen, ``[K]`` each."""
    room = np.where(np.array(kinds_of(names)) == PRICE, np.inf, span)
    return np.clip(covariates, (low - room)[:, None], (high + room)[:, None])
