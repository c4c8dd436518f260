"""Which gluonts models read entries of single series."""

from __future__ import annotations

from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

ROOMS = ("gluonts.torch.", "gluonts.model.", "gluonts.ext.")

OTHERS = (
    "gluonts.torch.model.i_transformer",
    "gluonts.ext.hierarchicalforecast",
    "gluonts.model.estimator",  # these two hold what wraps any model
    "gluonts.model.predictor",
)


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
