"""Which gluonts models read entries of single series, and how they become models of all series together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ROOMS = ("gluonts.torch.", "gluonts.model.", "gluonts.ext.")

OTHERS = (
    "gluonts.torch.model.i_transformer",
    "gluonts.ext.hierarchicalforecast",
    "gluonts.model.estimator",  # these two hold what wraps any model
    "gluonts.model.predictor",
)


def reads_single_series(model: Any) -> bool:
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


_known: list[Callable[[Any], Any]] = []


def groups_single_series(group: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make a function the one by which `grouped` groups: the room of the models has it, that of the backtests asks."""
    _known[:] = [group]
    return group


def grouped(model: Any) -> Any:
    """A model of all series together: gluonts' own of single ones is grouped, any other stays as it is.

    Raises:
        ValueError: it reads single series, and nothing that groups has been imported.
    """
    if not reads_single_series(model):
        return model
    if not _known:
        raise ValueError(
            f"expected a model of all series together, got gluonts' {type(model).__name__} of single ones; import "
            "hemline.forecasting, which groups them"
        )
    return _known[0](model)
