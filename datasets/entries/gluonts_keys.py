"""The keys by which gluonts calls what belongs to an entry, and what of it each is read into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from .channels import Channels

GluontsEntry: TypeAlias = Mapping[str, object]
"""An entry as gluonts has it, a dict with ``start``, ``target`` and the like; an `Entry` is one too."""

# Any: gluonts' own name and type for an entry; a key decides what its value is.
DataEntry: TypeAlias = dict[str, Any]
"""An entry of a single series, as gluonts' models read it."""

KNOWN, PAST = "feat_dynamic_real", "past_feat_dynamic_real"
"""The keys of channels that are known of the future too, and of those of the past alone."""

CHANNELS = {"channels": (KNOWN, "covariates"), "past_channels": (PAST, "past_covariates")}
"""The fields of an entry that hold channels, each with the keys of its values and of their names."""

STATIC = {"static_real": "feat_static_real", "static_cat": "feat_static_cat"}
"""The fields of an entry that hold static features, each with its key."""

SAME = ("start", "item_id", "item_ids", "target", "imposed", "planned", "encoding")
"""The fields of an entry that are called as their keys."""


DOMAIN = "target_domain"
"""The key of the values that the series can take; no entry of gluonts has it."""


def fields_of(given: GluontsEntry) -> dict[str, object]:
    """The arguments of an `Entry` that a gluonts dict holds, unknown keys among ``others``.

    Raises:
        ValueError: ``start`` or ``target`` is missing.
    """
    left: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if not {"start", "target"} <= set(left):
        raise ValueError(f"entry: expected 'start' and 'target', got {sorted(left)}")
    fields = {key: left.pop(key) for key in SAME if key in left}
    if DOMAIN in left:
        fields["domain"] = left.pop(DOMAIN)
    for name, (key, names) in CHANNELS.items():
        if key in left:
            fields[name] = Channels(left.pop(key), left.pop(names, ()))
    for name, key in STATIC.items():
        # Features of the entry as a whole, with one dimension, tell no series from another.
        if key in left and np.ndim(left[key]) == 2:
            fields[name] = left.pop(key)
    return {**fields, "others": left}
