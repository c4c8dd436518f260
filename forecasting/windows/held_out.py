"""Windows held out at the end of the training span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...datasets.entries.cuts import of_articles
from ...datasets.entries.entry import Entry


@dataclass(frozen=True)
class HeldOut:
    """The end of a training span as W windows of one horizon each, and what lies before them.

    Arguments:
        before: the entries without the windows, of the series that begin before them.
        pasts: what is known before each window, W entries.
        truth: what came ``[W, H, D]``, NaN where missing.
        known: bool, which of all series these D are.
    """

    before: list[Entry]
    pasts: list[Entry]
    truth: np.ndarray
    known: np.ndarray


def held_out_windows(entries: Sequence[Entry], horizon: int, windows: int | None = None) -> HeldOut:
    """The last windows of the longest entry.

    Arguments:
        entries: as `as_multivariate` reads them.
        horizon: H, in steps.
        windows: how many, fewer where they would take more than a third of the longest entry; ``None`` takes a tenth of
            it, from 5 windows to 20.

    Raises:
        ValueError: the data are too short for a window.

    Example:
        >>> import pandas as pd
        >>> span = held_out_windows([Entry(pd.Period("2024-01-01", "D"), np.arange(30.0)[None])], 2, 3)
        >>> span.before[0].length, span.truth[:, :, 0].tolist()
        (24, [[24.0, 25.0], [26.0, 27.0], [28.0, 29.0]])
    """
    longest = max(entry.length for entry in entries)
    wanted = min(max(longest // (10 * horizon), 5), 20) if windows is None else windows
    count = min(wanted, longest // (3 * horizon))
    if count < 1:
        raise ValueError(
            f"training_data: expected at least {3 * horizon} steps, so that a horizon of {horizon} can be held "
            f"out, got {longest}"
        )
    place = max(range(len(entries)), key=lambda number: entries[number].length)
    ends = [longest - number * horizon for number in range(count, 0, -1)]
    before = [entry.until(ends[0]) if number == place else entry for number, entry in enumerate(entries)]
    known = np.any([(~np.isnan(entry.target)).any(1) for entry in before], axis=0)
    # Channels of the others go with them: an update brings each series its own.
    before, last = of_articles(before, known), of_articles([entries[place]], known)[0]
    # What weighs models are their paths as they are: whole numbers are made of what is mixed.
    pasts = [last.until(end, horizon).of_domain("real") for end in ends]
    truth = np.stack([last.target[:, end : end + horizon].T for end in ends])
    return HeldOut(before, pasts, truth, known)
