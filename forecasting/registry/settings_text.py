"""The settings of a model as the TOML file that changes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ...runtime.plain import Plain, to_plain
from ...runtime.texts import toml_value

OF_THE_DATA = ("freq", "prediction_length", "domain", "season_length", "cycle_length")
"""Settings that a model has from its dataset."""


def as_toml(model: Estimator | Predictor) -> str:
    """All settings of a model but those that it has from its dataset; a setting that is not set stands in a comment.

    Arguments:
        model: an estimator of ours, or one of gluonts, whose settings are the arguments of its class.

    Returns:
        TOML, to which ``model.override`` answers with the same model.

    Example:
        >>> from hemline.forecasting import DeepAREstimator
        >>> print(as_toml(DeepAREstimator("D", 7)).splitlines()[0])
        # context_length: not set
    """
    return "\n".join(_lines(cast("Mapping[str, Plain]", to_plain(model)), ())).strip() + "\n"


def _lines(settings: Mapping[str, Plain], place: tuple[str, ...]) -> Iterator[str]:
    """The lines of a table and of those in it, whose place is their keys from the top."""
    own = {key: value for key, value in settings.items() if key != "type" and key not in OF_THE_DATA}
    tables = {key: value for key, value in own.items() if isinstance(value, Mapping) and not _fixed(value, settings)}
    values = {key: value for key, value in own.items() if key not in tables}
    if place and values:
        yield f"\n[{'.'.join(place)}]"
    for key, value in values.items():
        if value is None or isinstance(value, Mapping):
            yield f"# {key}: {'not set' if value is None else str(value['type']).partition(':')[2]}"
        else:
            yield f"{key} = {toml_value(value)}"
    for key, table in tables.items():
        yield from _lines(table, (*place, key))


def _fixed(part: Mapping[str, Plain], whole: Mapping[str, Plain]) -> bool:
    """Whether a part is an object within a model of gluonts, which takes it whole."""
    return all(str(each.get("type", "")).startswith("gluonts.") for each in (part, whole))
