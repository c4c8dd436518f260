"""Models of other packages, by ``module:Class``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ...datasets.entries.data import Metadata
from ...evaluation.adapters.estimator import GroupedEstimator
from ...evaluation.adapters.fitted import PlainModel
from ...runtime.plain import Configured, refuse_unknown
from ...runtime.reading.current_folder import import_typed


def imported_model(name: str, metadata: Metadata, settings: Mapping[str, object]) -> Estimator | Predictor:
    """Make a model that is not ours, for a dataset.

    Arguments:
        name: ``module:Class`` of an estimator or of a model that needs no training, or ``module:function`` of a
            function of the `Metadata`. An estimator of gluonts is taken for one of single series and grouped; what a
            function returns is taken as it is.
        metadata: the dataset; the class is given its frequency and horizon.
        settings: further arguments of the class, and of a network of gluonts ``stop_after`` (`GroupedEstimator`); of
            one of ours, or made like ours, nested settings as of a model that is known by name.

    Returns:
        The model.

    Raises:
        ValueError: nothing of this name can be imported, it is neither an estimator nor a function, or a setting is
            unknown to it.

    Example:
        >>> metadata = Metadata("sales", "D", 7, ("a", "b"))
        >>> imported_model("gluonts.torch:PatchTSTEstimator", metadata, {"patch_len": 7}).estimator.patch_len
        7
    """
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_typed(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"models: cannot import {name!r}: {error}") from error
    is_class = isinstance(found, type) and issubclass(found, (Estimator, PlainModel))
    if not is_class:
        if not callable(found) or isinstance(found, type):
            raise ValueError(f"models: expected an estimator or a function of the metadata, got {name!r}")
        refuse_unknown((), settings, name)
        return found(metadata)
    known = inspect.signature(found).parameters
    stops = {"stop_after"} & set(settings) if "trainer_kwargs" in known else set()
    refuse_unknown([*known, *stops], settings, name)
    given = {"freq": metadata.freq, "prediction_length": metadata.prediction_length}
    arguments = {key: value for key, value in given.items() if key in known} | dict(settings)
    needed = [key for key, parameter in known.items() if parameter.default is inspect.Parameter.empty]
    for key in needed:
        if key not in arguments:
            raise ValueError(f"{name}: expected a value for {key}, which has no default")
    if not issubclass(found, Configured):
        of_grouped: dict[str, Any] = {key: arguments.pop(key) for key in stops}
        return GroupedEstimator(found(**arguments), **of_grouped)
    made = found(**{key: value for key, value in arguments.items() if key in (*given, *needed)})
    changes = {key: value for key, value in settings.items() if key not in (*given, *needed)}
    return made.override(changes) if changes else made
