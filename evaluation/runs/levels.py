"""Metrics of totals: the score of a level, such as `crps@category`, that of the sums by the labels of an attribute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ...datasets.entries.data import Metadata
from ...datasets.hierarchies.hierarchy import Hierarchy
from .metrics import METRICS, Metric, Outcome

AT = "@"
"""Between the name of a metric and that of a level."""


def metric_named(name: str, argument: str = "metric") -> Metric:
    """The metric of a name in `METRICS`, or of one with a level behind it.

    Arguments:
        name: such as ``"crps"``, ``"crps@category"`` or ``"crps@region/category"``, where two attributes are crossed.
        argument: the one that named it, for the message.

    Raises:
        ValueError: there is no such metric.

    Example:
        >>> metric_named("crps@category").label
        'CRPS by category'
    """
    known, at, level = name.partition(AT)
    if known not in METRICS or (at and not all(level.split("/"))):
        some = "some" if argument == "metrics" else "one"
        raise ValueError(
            f"{argument}: expected {some} of {', '.join(METRICS)}, or with a level behind such as crps@category, got "
            f"{name!r}"
        )
    found = METRICS[known]
    if not at:
        return found
    return replace(
        found,
        label=f"{found.label} by {' and '.join(level.split('/'))}",
        meaning=f"{found.meaning} Of the totals by {' and '.join(level.split('/'))}, in the place of the series.",
    )


def in_order(names: Iterable[str]) -> list[str]:
    """Names of metrics in the order of `METRICS`, each followed by those of its levels.

    Example:
        >>> in_order(["crps@total", "nd", "crps"])
        ['crps', 'crps@total', 'nd']
    """
    told, place = list(dict.fromkeys(names)), {name: number for number, name in enumerate(METRICS)}
    known = [name for name in told if name.partition(AT)[0] in place]
    return sorted(known, key=lambda name: (place[name.partition(AT)[0]], AT in name, told.index(name)))


def level_of(name: str) -> tuple[str, ...]:
    """The attributes of a metric's level, none where it is one of the series."""
    level = name.partition(AT)[2]
    return tuple(level.split("/")) if level else ()


def hierarchy_of(names: Sequence[str], metadata: Metadata) -> Hierarchy | None:
    """The hierarchy of a dataset, if some of these metrics are those of levels.

    Raises:
        ValueError: an attribute of a metric is none of the dataset.
    """
    if not any(level_of(name) for name in names):
        return None
    hierarchy = Hierarchy.of_attributes(metadata.item_ids, metadata.attributes)
    for name in names:
        for level in level_of(name):
            if level not in hierarchy.levels:
                raise ValueError(
                    f"metrics: expected levels of {metadata.name!r}, {', '.join(hierarchy.levels)}; got {name!r}"
                )
    return hierarchy


def at_level(outcome: Outcome, summing: np.ndarray) -> Outcome:
    """A forecast of totals beside what happened; a total is missing where one of its series is.

    Arguments:
        outcome: of the D series.
        summing: ``[G, D]``, 1 where a series belongs to a total.
    """

    def summed(values: np.ndarray, axis: int) -> np.ndarray:
        """The totals of values with the series in an axis."""
        moved = np.moveaxis(np.asarray(values, dtype=np.float64), axis, -1)
        missing = np.isnan(moved)
        totals = np.where(missing, 0.0, moved) @ summing.T
        return np.moveaxis(np.where(missing.astype(float) @ summing.T > 0, np.nan, totals), -1, axis)

    return Outcome(summed(outcome.samples, 2), summed(outcome.observed, 1), summed(outcome.past, 0), outcome.season)
