"""Cutting one history into a training span and consecutive test windows."""

from __future__ import annotations

from numbers import Integral

import numpy as np
import pandas as pd

from .channels import Channels
from .data import ForecastData, Metadata
from .entry import Entry


def split_windows(
    metadata: Metadata,
    start: pd.Period,
    target: np.ndarray,
    windows: int,
    known: np.ndarray | None = None,
    past: np.ndarray | None = None,
    truth: object = None,
    judged: np.ndarray | None = None,
) -> ForecastData:
    """Cut a history so that ``windows`` consecutive, non-overlapping windows of H steps lie at its end.

    Training data are what lies before the first window; each test entry holds everything up to the end of
    its window.

    Arguments:
        metadata: what the numbers are; gives the horizon and the names of the series and channels.
        start: the period of the first column.
        target: the values, ``[D, T]``, data units; missing values are NaN.
        windows: the number of test windows; 0 keeps everything for training.
        known: channels known in the future too, ``[K, T]``; they may reach beyond the target.
        past: channels known of the past alone, ``[P, T]``.
        truth: the parameters that made the numbers, for simulated data.
        judged: the values by which forecasts are judged, ``[D, T]``, where they are other ones than those to learn
            from: they stand in the last H steps of a test entry.

    Returns:
        The dataset, its arrays float32 and contiguous.

    Raises:
        ValueError: the horizon or the windows are not positive, or leave no history to train on.
    """
    horizon, length = metadata.prediction_length, target.shape[1]
    for argument, steps in (("prediction_length", horizon), ("windows", windows)):
        if not isinstance(steps, Integral):
            raise ValueError(f"{argument}: expected a whole number, got {steps!r}")
    if horizon < 1:
        raise ValueError(f"prediction_length: expected at least 1 step, got {horizon}")
    if windows < 0:
        raise ValueError(f"windows: expected 0 or more test windows, got {windows}")
    if windows * horizon >= length:
        raise ValueError(
            f"prediction_length: expected a history before {windows} windows of {horizon} steps, got {length} steps in "
            f"{metadata.name!r}"
        )

    def rows(values: np.ndarray | None, stop: int | None, names: tuple[str, ...]) -> Channels:
        return Channels() if values is None or not len(values) else Channels(_single(values, stop), names)

    def until(end: int, known_until: int | None, values: np.ndarray = target) -> Entry:
        # The names travel with the numbers, so that a trained model can be asked about its articles by name.
        return Entry(
            start,
            _single(values, end),
            item_id=metadata.name,
            item_ids=metadata.item_ids,
            channels=rows(known, known_until, metadata.covariates),
            past_channels=rows(past, end, metadata.past_covariates),
        )

    first = length - windows * horizon
    ends = [first + window * horizon for window in range(1, windows + 1)]
    further = windows > 0 and (judged is not None or (known is not None and len(known) > 0 and known.shape[1] > length))
    columns = np.arange(length)

    def test(end: int) -> Entry:
        return until(end, end, target if judged is None else np.where(columns < end - horizon, target, judged))

    return ForecastData(
        metadata=metadata,
        train=[until(first, first if windows else None)],
        test=[test(end) for end in ends],
        truth=truth,
        ahead=until(length, None) if further else None,
    )


def _single(values: np.ndarray, stop: int | None) -> np.ndarray:
    """The first steps in single precision, in an array of their own."""
    return np.array(values[:, :stop], dtype=np.float32, order="C")
