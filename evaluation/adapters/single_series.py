"""Single series, and which gluonts models read entries of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import KNOWN, STATIC, DataEntry
from ...datasets.entries.univariate import as_univariate

ROOMS = ("gluonts.torch.", "gluonts.model.", "gluonts.ext.")

OTHERS = (
    "gluonts.torch.model.i_transformer",
    "gluonts.ext.hierarchicalforecast",
    "gluonts.model.estimator",  # these two hold what wraps any model
    "gluonts.model.predictor",
)

_READ = {
    STATIC["static_real"]: ("num_feat_static_real", "static_dims"),
    STATIC["static_cat"]: ("num_feat_static_cat", "static_cardinalities"),
    KNOWN: ("num_feat_dynamic_real", "dynamic_dims"),
}
"""The attributes by which gluonts' estimators say that they read a field."""


def reads_single_series(model: Estimator | Predictor) -> bool:
    """Whether a model is one of gluonts' own that read ``target`` ``[T]``: all but a few.

    Arguments:
        model: an estimator or a predictor; one with a network is judged by it.

    Returns:
        False for everything that is not gluonts' own, of which nothing is known.

    Example:
        >>> from gluonts.model.seasonal_naive import SeasonalNaivePredictor
        >>> reads_single_series(SeasonalNaivePredictor(2, season_length=7))
        True
    """
    place = type(getattr(model, "prediction_net", model)).__module__
    return place.startswith(ROOMS) and not place.startswith(OTHERS)


def single_series(entries: Iterable[Entry]) -> list[DataEntry]:
    """The single series of multivariate entries, one entry after the other, channels as far as the targets reach.

    Those that are absent are left out.
    """
    return [
        row
        for entry in entries
        for number, row in enumerate(as_univariate(entry.until(entry.length)))
        if entry.absent is None or not entry.absent[number]
    ]


def held_out_ends(entries: list[Entry], horizon: int) -> tuple[list[Entry], list[DataEntry]]:
    """The data without their last horizons, and single series that end with each of these, for a training to watch.

    They are a twentieth of the longest entry, but at most 5. Nothing of either where what is left would be shorter than
    what is held out.

    Arguments:
        entries: as `as_multivariate` reads them.
        horizon: H, in steps.
    """
    longest = max(entry.length for entry in entries)
    count = min(max(longest // (20 * horizon), 1), 5)
    long = [entry for entry in entries if entry.length > 2 * count * horizon]
    part = [entry.until(entry.length - count * horizon) if entry in long else entry for entry in entries]
    ends = [entry.until(entry.length - number * horizon) for entry in long for number in range(count)]
    watched = [row for row in single_series(ends) if not np.isnan(row["target"][-horizon:]).all()]
    return (part, watched) if watched else ([], [])


def reads_channels(estimator: Estimator) -> bool:
    """Whether a univariate estimator reads channels known of the future; gluonts' own say how many."""
    told = (getattr(estimator, name, 0) for name in ("num_feat_dynamic_real", "dynamic_dims"))
    return not type(estimator).__module__.startswith("gluonts.") or any(told)


def read_fields(estimator: Estimator) -> list[str]:
    """The fields without which a gluonts estimator's predictor fails; of others' estimators nothing is known."""
    if not type(estimator).__module__.startswith("gluonts."):
        return []
    return [field for field, names in _READ.items() if any(getattr(estimator, name, 0) for name in names)]
