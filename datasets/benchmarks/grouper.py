"""From the univariate rows of an archive to multivariate entries, as the benchmarks were published."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from ..entries.entry import Entry
from ..entries.frequency import to_period
from .archives import Row


def group_train(rows: Sequence[Row], freq: str, target_dim: int, name: str) -> Entry:
    """Group training rows to one multivariate entry.

    All series are laid on the span from the earliest start to the latest end; a series that does not fill it
    is padded on either side with its own mean. This is what gluonts' ``MultivariateGrouper`` does, by which
    the scores were published. The seven archives need no padding here.

    Arguments:
        rows: the series, all of them, in the order of the archive.
        freq: a normalised frequency.
        target_dim: D; the **last** D series are kept.
        name: the ``item_id`` of the entry.

    Returns:
        An entry with ``target`` float32 ``[D, T]``.
    """
    start, offsets = _offsets(rows, freq)
    length = max(offset + len(row.target) for row, offset in zip(rows, offsets, strict=True))
    target = _pad(rows[-target_dim:], offsets[-target_dim:], length, lambda values: float(np.mean(values)))
    return Entry(start, target, item_id=name)


def group_windows(rows: Sequence[Row], freq: str, target_dim: int, windows: int, name: str) -> list[Entry]:
    """Group test rows, windows × series in order, to one multivariate entry a window.

    Every window starts at the earliest start of **all** test rows, and a series that starts later is padded
    on the left with 0, as by the published grouper. Where all rows start together, as in the archives of one
    history that grows by H steps a window, nothing is padded. Taxi is the exception in kind: it trains on
    January 2015 and is tested on January 2016, so its windows do not continue the training span and the
    first of them have a short history. They are left as short as they are; a context that reaches back
    beyond them is the models' to pad.

    Arguments:
        rows: ``windows * rows_per_window`` series.
        freq: a normalised frequency.
        target_dim: D; the **last** D series of each window are kept.
        windows: the number of rolling windows.
        name: the ``item_id`` of the entries.

    Returns:
        An entry for each window, in the order of the archive; ``target`` is float32 ``[D, T_w]`` and includes
        the H steps to forecast.

    Raises:
        ValueError: the series of one window do not end together.
    """
    start, offsets = _offsets(rows, freq)
    size = len(rows) // windows
    entries: list[Entry] = []
    for first in range(0, windows * size, size):
        last = slice(first + size - target_dim, first + size)
        ends = [offset + len(row.target) for row, offset in zip(rows[last], offsets[last], strict=True)]
        if len(set(ends)) > 1:
            raise ValueError(
                f"{name}: expected the series of test window {first // size} to end together, got lengths "
                f"from {min(ends)} to {max(ends)} steps"
            )
        target = _pad(rows[last], offsets[last], ends[0], lambda values: 0.0)
        entries.append(Entry(start, target, item_id=name))
    return entries


def _offsets(rows: Sequence[Row], freq: str) -> tuple[pd.Period, list[int]]:
    """The earliest start, and by how many steps each row starts later."""
    periods = {start: to_period(start, freq) for start in {row.start for row in rows}}
    first = min(periods.values())
    steps = {start: (period.ordinal - first.ordinal) // first.freq.n for start, period in periods.items()}
    return first, [steps[row.start] for row in rows]


def _pad(rows: Sequence[Row], offsets: Sequence[int], length: int, fill: Callable[[np.ndarray], float]) -> np.ndarray:
    target = np.empty((len(rows), length), dtype=np.float32)
    for values, row, offset in zip(target, rows, offsets, strict=True):
        end = offset + len(row.target)
        if offset or end < length:
            values[:] = fill(row.target)
        values[offset:end] = row.target
    return target
