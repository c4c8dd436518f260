"""Lags and calendar features of a frequency."""

from __future__ import annotations

import numpy as np
import pandas as pd
from gluonts.time_feature import time_features_from_frequency_str

from ...datasets.entries.frequency import MINUTES, frequency_family
from ...runtime.quiet import own_filters

LAGS = {"B": (1, 2), "D": (1, 7, 14), "W": (1, 2, 4, 52), "M": (1, 2, 12), "Q": (1, 4), "Y": (1,)}


def frequency_lags(freq: str) -> tuple[int, ...]:
    """Lags, in steps, that a model of frequency `freq` looks back on.

    Business days 1, 2; days 1, 7, 14; hours 1, 24, 168; half hours 1, 4, 12, 24, 48 (the published choices:
    Salinas et al. 2019, arXiv 1910.03002); weeks 1, 2, 4, 52; months 1, 2, 12; quarters 1, 4; years 1. Other
    multiples of minutes and hours, a minute among them, look back one step, an hour, a day and a week.

    Arguments:
        freq: a pandas frequency alias.

    Returns:
        The lags in increasing order.

    Raises:
        ValueError: no lags are known for the frequency; it is never replaced by lag 1.

    Example:
        >>> frequency_lags("h")
        (1, 24, 168)
        >>> frequency_lags("15min")
        (1, 4, 96, 672)
    """
    count, family = frequency_family(freq)
    if family in MINUTES:
        step = MINUTES[family] * count
        if step == 30:
            return (1, 4, 12, 24, 48)
        spans = (60, 24 * 60, 7 * 24 * 60)
        return tuple(sorted({1} | {span // step for span in spans if span % step == 0 and span > step}))
    if family not in LAGS or count != 1:
        raise ValueError(
            f"freq: no lags are known for {freq!r}; pass lags=(...) in steps, or use one of "
            "B, D, W, M, Q, Y, h, min or a multiple of minutes or hours"
        )
    return LAGS[family]


def calendar_features(start: pd.Period, length: int) -> np.ndarray:
    """Calendar features of consecutive steps, each between -0.5 and 0.5.

    Arguments:
        start: the first step.
        length: number of steps T.

    Returns:
        float32 ``[T, F]``: gluonts' features of the frequency (hour, weekday, day of month, ...).

    Example:
        >>> calendar_features(pd.Period("2024-01-01", "D"), 3).shape
        (3, 3)
    """
    functions = time_features_from_frequency_str(start.freq.freqstr)
    # For weeks of the year pandas has filters of warnings too.
    with own_filters():
        index = pd.period_range(start, periods=length, freq=start.freq)
        columns = [np.asarray(function(index), dtype=np.float32) for function in functions]
    return np.stack(columns, axis=1) if columns else np.zeros((length, 0), dtype=np.float32)
