"""Models of series: composed estimators, predictors and scenarios."""

from .analog import AnalogEstimator
from .autoregression import VARPredictor
from .classical import ClassicalPredictor
from .cold_start import ColdStartEstimator
from .copula import Copula
from .coupled import Coupled, CoupledEstimator, couple
from .cross_fit import CrossFitEstimator
from .deepar import DeepAREstimator
from .direct import Direct
from .encoders import Recurrent, SharedWeights, Transformer
from .ensemble import EnsembleEstimator
from .estimator import ForecastEstimator
from .grouped import GroupedPredictor
from .heads import MAF, Diffusion, Gaussian, GaussianProcess, LowRankGaussian, NegativeBinomial, RealNVP, StudentT
from .models import (
    GPCopulaEstimator,
    GPScalingEstimator,
    GRUMAFEstimator,
    GRURealNVPEstimator,
    LSTMMAFEstimator,
    LSTMRealNVPEstimator,
    TimeGradEstimator,
    TransformerMAFEstimator,
    VecLSTMCopulaEstimator,
    VecLSTMIndependentEstimator,
)
from .naive import RandomWalkPredictor, SeasonalNaivePredictor
from .named import MODELS, NamedModel, build_model
from .pooled import PooledEstimator
from .predictor import ForecastPredictor
from .responding import RespondingEstimator, RespondingPredictor
from .response import LogLinear
from .scaling import Scaling
from .scenario_grammar import Change, parse_change
from .scenarios import Scenario, read_scenarios
from .simulation import Outcome, Simulation, simulate
from .stored import forecast_frame
from .training import NonFiniteLoss, TrainConfig
from .univariate import GroupedEstimator

__all__ = [
    "MAF",
    "MODELS",
    "AnalogEstimator",
    "Change",
    "ClassicalPredictor",
    "ColdStartEstimator",
    "Copula",
    "Coupled",
    "CoupledEstimator",
    "CrossFitEstimator",
    "DeepAREstimator",
    "Diffusion",
    "Direct",
    "EnsembleEstimator",
    "ForecastEstimator",
    "ForecastPredictor",
    "GPCopulaEstimator",
    "GPScalingEstimator",
    "GRUMAFEstimator",
    "GRURealNVPEstimator",
    "Gaussian",
    "GaussianProcess",
    "GroupedEstimator",
    "GroupedPredictor",
    "LSTMMAFEstimator",
    "LSTMRealNVPEstimator",
    "LogLinear",
    "LowRankGaussian",
    "NamedModel",
    "NegativeBinomial",
    "NonFiniteLoss",
    "Outcome",
    "PooledEstimator",
    "RandomWalkPredictor",
    "RealNVP",
    "Recurrent",
    "RespondingEstimator",
    "RespondingPredictor",
    "Scaling",
    "Scenario",
    "SeasonalNaivePredictor",
    "SharedWeights",
    "Simulation",
    "StudentT",
    "TimeGradEstimator",
    "TrainConfig",
    "Transformer",
    "TransformerMAFEstimator",
    "VARPredictor",
    "VecLSTMCopulaEstimator",
    "VecLSTMIndependentEstimator",
    "build_model",
    "couple",
    "forecast_frame",
    "parse_change",
    "read_scenarios",
    "simulate",
]
