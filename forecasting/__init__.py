"""Models of series: composed estimators, predictors and scenarios."""

from .deepar import DeepAREstimator
from .encoders import Recurrent, Transformer
from .estimator import ForecastEstimator
from .grouped import GroupedPredictor
from .heads import MAF, RealNVP, StudentT
from .models import (
    MODELS,
    GRUMAFEstimator,
    GRURealNVPEstimator,
    LSTMMAFEstimator,
    LSTMRealNVPEstimator,
    TransformerMAFEstimator,
    build_model,
)
from .naive import RandomWalkPredictor, SeasonalNaivePredictor
from .predictor import ForecastPredictor
from .scaling import Scaling
from .training import NonFiniteLoss, TrainConfig

__all__ = [
    "MAF",
    "MODELS",
    "DeepAREstimator",
    "ForecastEstimator",
    "ForecastPredictor",
    "GRUMAFEstimator",
    "GRURealNVPEstimator",
    "GroupedPredictor",
    "LSTMMAFEstimator",
    "LSTMRealNVPEstimator",
    "NonFiniteLoss",
    "RandomWalkPredictor",
    "RealNVP",
    "Recurrent",
    "Scaling",
    "SeasonalNaivePredictor",
    "StudentT",
    "TrainConfig",
    "Transformer",
    "TransformerMAFEstimator",
    "build_model",
]
