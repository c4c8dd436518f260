"""Totals of series: sums of paths, and entries whose series are sums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gluonts.model.forecast import SampleForecast

from ..entries.channels import Channels, items_of, kinds_of, names_of
from ..entries.entry import Entry
from .hierarchy import TOTAL, By, Hierarchy


def aggregate(forecast: SampleForecast, hierarchy: Hierarchy, by: By = TOTAL) -> SampleForecast:
    """Forecast of the totals of a level: the sums of joint paths.

    Paths of several levels agree to the last digit: values of single precision are summed in double precision, where
    nothing is rounded off as long as the largest is less than some 10⁸ times the last digit of the smallest.

    Arguments:
        forecast: joint paths of the D series, ``samples`` ``[S, H, D]``.
        hierarchy: the labels of these series.
        by: the level, or attributes that are crossed.

    Returns:
        ``samples`` ``[S, H, G]``, float64, data units; ``hierarchy.labels(by)`` names the G totals.

    Raises:
        ValueError: the forecast has another number of series than the hierarchy.

    Example:
        >>> import pandas as pd
        >>> drawn = SampleForecast(np.ones((5, 2, 3)), pd.Period("2024-01-01", "D"))
        >>> shop = Hierarchy(("coat", "jacket", "hat"), {"category": ("warm", "warm", "head")})
        >>> aggregate(drawn, shop, "category").samples[0].tolist()
        [[2.0, 1.0], [2.0, 1.0]]
    """
    samples = np.asarray(forecast.samples)
    if samples.ndim != 3 or samples.shape[-1] != len(hierarchy.item_ids):
        raise ValueError(
            f"forecast: expected joint paths [S, H, {len(hierarchy.item_ids)}], one series a name of the hierarchy, "
            f"got {list(samples.shape)}"
        )
    totals = samples.astype(np.float64) @ hierarchy.matrix(by).T
    return SampleForecast(totals, forecast.start_date, forecast.item_id, forecast.info)


def totals_of(entry: Entry, names: Sequence[str], matrix: np.ndarray, ended_after: int) -> Entry:
    """The entry whose series are totals of another one.

    A series adds nothing before its first value, as an article that is not sold yet, nor after its last one where that
    is `ended_after` steps ago or more; elsewhere a total is missing where one of its series is. A channel of articles
    becomes that of a total by the mean over its articles; shared channels stay; those of the past alone and static
    features are left out.

    Arguments:
        entry: D series.
        names: of the A totals.
        matrix: ``[A, D]``, the summing matrix.
        ended_after: steps without a value at the end after which a series counts as ended, such as the horizon.

    Returns:
        An entry of A series, data units.

    Example:
        >>> import pandas as pd
        >>> entry = Entry(pd.Period("2024-01-01", "D"), np.array([[1.0, 2.0, np.nan], [np.nan, 5.0, 6.0]]))
        >>> totals_of(entry, ["total"], np.ones((1, 2)), ended_after=1).target
        array([[1., 7., 6.]])
        >>> totals_of(entry, ["total"], np.ones((1, 2)), ended_after=2).target
        array([[ 1.,  7., nan]])
    """
    known = ~np.isnan(entry.target)
    to_come = np.logical_or.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    sold = np.logical_or.accumulate(known, axis=1)
    sold[(~to_come).sum(1) >= ended_after] &= to_come[(~to_come).sum(1) >= ended_after]
    missing = (matrix @ (sold & ~known) > 0) | (matrix @ sold == 0)
    target = np.where(missing, np.nan, matrix @ np.where(known, entry.target, 0.0))
    return Entry(entry.start, target, entry.item_id, tuple(names), _channels(entry, names, matrix))


def _channels(entry: Entry, names: Sequence[str], matrix: np.ndarray) -> Channels:
    """The shared channels of an entry and the means of those of its articles; none where channels have no names."""
    rows: list[np.ndarray] = []
    titles: list[str] = []
    values, items = entry.channels.values, items_of(entry.channels.names)
    for kind in dict.fromkeys(kinds_of(entry.channels.names)):
        of_kind = [row for row, each in enumerate(kinds_of(entry.channels.names)) if each == kind]
        for row in (row for row in of_kind if items[row] is None):
            rows.append(values[row])
            titles.append(kind)
        owners = {items[row]: row for row in of_kind if items[row] is not None}
        for title, members in zip(names_of(kind, names), matrix > 0, strict=True):
            chosen = [
                owners[item] for item, inside in zip(entry.item_ids, members, strict=False) if inside and item in owners
            ]
            if chosen:
                known = ~np.isnan(values[chosen])
                mean = np.where(known, values[chosen], 0).sum(0) / np.maximum(known.sum(0), 1)
                rows.append(np.where(known.any(0), mean, np.nan))
                titles.append(title)
    return Channels(np.stack(rows), tuple(titles)) if rows else Channels()
