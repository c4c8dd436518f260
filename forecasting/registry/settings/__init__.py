"""The shipped settings, a TOML file a dataset; each says how its choices were made."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import cast

from ....runtime.toml_files import parse_toml


def shipped_settings(dataset: str, model: str) -> Mapping[str, object]:
    """Settings of a model for a dataset, those for any model first.

    Arguments:
        dataset: the name of a dataset.
        model: the name of a model.

    Returns:
        What `ForecastEstimator.override` takes; empty where nothing is shipped.
    """
    file = files(__package__) / f"{dataset}.toml"
    if not file.is_file():
        return {}
    return cast("Mapping[str, object]", parse_toml(file.read_bytes(), str(file)).get(model, {}))
