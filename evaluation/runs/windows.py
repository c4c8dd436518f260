"""Rolling windows: the past without the answer, and the answer apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Literal

import numpy as np
import pandas as pd

from ...datasets.entries.channels import Channels
from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import periods
from ...datasets.entries.gluonts_keys import CHANNELS, GluontsEntry

History = Literal["expanding"] | int


@dataclass(frozen=True)
class Window:
    """A test window: the past, and the observations to be forecast.

    Arguments:
        number: its place among the windows, from 0, oldest first.
        past: an entry that ends where the forecast begins; channels known of the future reach over the horizon, those
            known of the past alone end with it.
        observed: the answer, ``[H, D]``, data units.
        start: the first period to forecast.
    """

    number: int
    past: Entry
    observed: np.ndarray
    start: pd.Period

    @property
    def dates(self) -> pd.PeriodIndex:
        """The H periods to forecast."""
        return periods(self.start, len(self.observed))


def cut_window(
    entry: GluontsEntry, prediction_length: int, *, number: int = 0, history: History = "expanding"
) -> Window:
    """Split an entry into the past and the last H observations.

    Arguments:
        entry: a gluonts entry, ``target`` ``[D, T + H]`` (``[T + H]`` counts as one series).
        prediction_length: the horizon H, in steps.
        number: the number of the window.
        history: ``"expanding"`` keeps all of the past, a number only its last steps.

    Returns:
        The window; its arrays are copies, so that nothing of the answer hangs on the past.

    Raises:
        ValueError: the entry is not longer than the horizon, covariates do not cover it, or an argument is out of
            its range.

    Example:
        >>> entry = {"start": pd.Period("2024-01-01", "D"), "target": np.arange(5.0)[None]}
        >>> window = cut_window(entry, 2)
        >>> window.past.target, window.observed[:, 0], str(window.start)
        (array([[0., 1., 2.]]), array([3., 4.]), '2024-01-04')
    """
    _check_horizon(prediction_length)
    whole = Entry.of(entry)
    end = whole.length - prediction_length
    if end < 1:
        raise ValueError(
            f"prediction_length: expected a history before the horizon of {prediction_length} steps, "
            f"got {whole.length} steps in all for window {number}"
        )
    for name, (key, _) in CHANNELS.items():
        channels: Channels = getattr(whole, name)
        needed = whole.length if name == "channels" else end
        if channels and channels.length < needed:
            raise ValueError(f"{key}: expected at least {needed} steps in window {number}, got {channels.length}")
    past = whole.history(prediction_length).since(_first_step(end, history))
    return Window(number, Entry.of(past.to_gluonts()), whole.target[:, end:].T.copy(), past.forecast_start)


def rolling_windows(
    entry: GluontsEntry,
    prediction_length: int,
    windows: int,
    *,
    stride: int | None = None,
    history: History = "expanding",
) -> list[Window]:
    """Windows at the end of an entry, oldest first.

    Arguments:
        entry: a gluonts entry, ``target`` ``[D, T]``.
        prediction_length: the horizon H, in steps.
        windows: their number W, at least 1.
        stride: steps from one window to the next; ``None`` is the horizon, so that windows follow each other
            without overlap.
        history: ``"expanding"`` gives each window all that lies before it, a number only that many steps.

    Returns:
        W windows; the last one ends with the entry.

    Raises:
        ValueError: an argument is out of its range, or the entry is too short for the windows.

    Example:
        >>> entry = {"start": pd.Period("2024-01-01", "D"), "target": np.arange(10.0)[None]}
        >>> [window.observed[:, 0].tolist() for window in rolling_windows(entry, 2, 3, stride=1)]
        [[6.0, 7.0], [7.0, 8.0], [8.0, 9.0]]
    """
    _check_horizon(prediction_length)
    stride = prediction_length if stride is None else stride
    for name, value in (("windows", windows), ("stride", stride)):
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, got {value}")
    whole = Entry.of(entry)
    length = whole.length
    needed = prediction_length + (windows - 1) * stride
    if needed >= length:
        raise ValueError(
            f"windows: expected more than {needed} steps for {windows} windows of {prediction_length}, {stride} apart, "
            f"got {length}"
        )
    cut = []
    for number in range(windows):
        end = length - (windows - 1 - number) * stride
        cut.append(cut_window(whole.until(end), prediction_length, number=number, history=history))
    return cut


def windows_of(
    entries: Sequence[GluontsEntry], prediction_length: int, *, history: History = "expanding"
) -> list[Window]:
    """The windows of a dataset whose test entries each include their answer.

    Arguments:
        entries: gluonts entries, oldest first, ``target`` ``[D, T_w]`` including the H steps to forecast.
        prediction_length: the horizon H, in steps.
        history: ``"expanding"`` or a number of steps.

    Returns:
        A window for each entry.

    Raises:
        ValueError: there is no entry, or one of them cannot be cut.
    """
    if not entries:
        raise ValueError("data.test: expected at least one test window, got none")
    return [
        cut_window(entry, prediction_length, number=number, history=history) for number, entry in enumerate(entries)
    ]


def training_entry(window: Window) -> Entry:
    """The past of a window as an entry to train on: its channels end with the target."""
    return window.past.until(window.past.length)


def last_steps(entry: Entry, history: History) -> Entry:
    """The last steps of an entry to train on.

    Arguments:
        entry: the entry to train on.
        history: ``"expanding"`` keeps it whole, a number keeps that many steps.

    Returns:
        The entry, its start moved.
    """
    first = _first_step(entry.length, history)
    return entry.since(first) if first else entry


def _first_step(length: int, history: History) -> int:
    if history == "expanding":
        return 0
    if isinstance(history, bool) or not isinstance(history, Integral) or history < 1:
        raise ValueError(f"history: expected 'expanding' or a number of steps, at least 1, got {history!r}")
    return max(0, length - history)


def _check_horizon(prediction_length: int) -> None:
    if prediction_length < 1:
        raise ValueError(f"prediction_length: expected at least 1 step, got {prediction_length}")
