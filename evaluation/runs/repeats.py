"""Answers that stand in the past: test windows which the data have had before, value for value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...datasets.entries.frequency import written_date
from .windows import Window

TELLING = 20
"""Different numbers that a window must hold; with fewer, as in sparse counts, it may come back by chance."""


class RepeatedDataWarning(UserWarning):
    """A test window is an exact copy of an earlier stretch of the data."""


def repeated_windows(windows: Sequence[Window]) -> dict[int, int]:
    """Test windows whose observations are an exact copy of earlier data (leakage).

    A model that remembers wins on such a window, and a score of it says nothing of the future.

    Arguments:
        windows: the windows of a dataset.

    Returns:
        Number of the window to the step of the past, from 0, at which its copy begins.

    Example:
        >>> import pandas as pd
        >>> from .windows import cut_window
        >>> values = np.random.default_rng(0).normal(size=(3, 50))
        >>> entry = {"start": pd.Period("2024-01-01", "D"), "target": np.hstack([values, values[:, 20:30]])}
        >>> repeated_windows([cut_window(entry, 10)])
        {0: 20}
    """
    found = {}
    for window in windows:
        past, answer = window.past.target.T, window.observed
        if len(past) < len(answer) or len(np.unique(answer[~np.isnan(answer)])) < TELLING:
            continue
        same = ((past == answer[0]) | (np.isnan(past) & np.isnan(answer[0]))).all(1)
        for first in np.flatnonzero(same[: len(past) - len(answer) + 1]):
            if np.array_equal(past[first : first + len(answer)], answer, equal_nan=True):
                found[window.number] = int(first)
                break
    return found


def describe_repeats(name: str, windows: Sequence[Window]) -> str:
    """One line on the windows that are copies of the past; empty where none is.

    Arguments:
        name: of the dataset.
        windows: its windows.
    """
    found = repeated_windows(windows)
    if not found:
        return ""
    number, first = next(iter(found.items()))
    window = next(window for window in windows if window.number == number)
    then, now = (_span(window, step) for step in (first, window.past.length))
    return (
        f"{name}: {len(found)} of {len(windows)} test windows repeat earlier data value for value, window {number} "
        f"({now}) those of {then}: a model that has learnt them by heart wins there"
    )


def _span(window: Window, step: int) -> str:
    start = window.past.start
    return f"{written_date(start, step)} to {written_date(start, step + len(window.observed) - 1)}"
