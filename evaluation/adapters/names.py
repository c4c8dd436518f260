"""The classes of this room, and of gluonts, that stored predictors may name."""

from __future__ import annotations

from ...runtime.names import Names
from .gluonts.names import ESTIMATORS, PREDICTORS, placed

PLACES = {
    "GroupedEstimator": "hemline.evaluation.adapters.estimator:GroupedEstimator",
    "GroupedPredictor": "hemline.evaluation.adapters.predictor:GroupedPredictor",
}

NAMES = Names({**PLACES, **placed(PREDICTORS), **placed(ESTIMATORS)})
