"""Models of series: composed estimators, predictors and scenarios."""

from ..evaluation.adapters.estimator import GroupedEstimator
from ..evaluation.adapters.predictor import GroupedPredictor
from .models.analog import AnalogEstimator
from .models.classical import ClassicalPredictor
from .models.composed import ForecastEstimator
from .models.cross_fit import CrossFitEstimator
from .models.deepar import DeepAREstimator
from .models.naive import RandomWalkPredictor, SeasonalNaivePredictor
from .models.predictor import ForecastPredictor
from .models.published import (
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
from .models.vector_autoregression import VARPredictor
from .networks.direct import Direct
from .networks.encoders.recurrent import Recurrent
from .networks.encoders.shared import SharedWeights
from .networks.encoders.transformer import Transformer
from .networks.heads.diffusion import Diffusion
from .networks.heads.flows import MAF, RealNVP
from .networks.heads.gaussian import Gaussian, LowRankGaussian
from .networks.heads.gaussian_process import GaussianProcess
from .networks.heads.negative_binomial import NegativeBinomial
from .networks.heads.student_t import StudentT
from .paths.table import forecast_frame
from .registry.named import MODELS, NamedModel, build_model
from .response.response import LogLinear
from .scenarios.notation import Change, parse_change
from .scenarios.outcome import Outcome, Simulation
from .scenarios.scenario import Scenario, read_scenarios
from .scenarios.simulate import simulate
from .training.options import NonFiniteLoss, TrainConfig
from .units.ranks import Copula
from .units.scaling import Scaling
from .wrappers.cold_start.estimator import ColdStartEstimator
from .wrappers.coupled import Coupled, CoupledEstimator, couple
from .wrappers.ensemble import EnsembleEstimator
from .wrappers.pool import PooledEstimator
from .wrappers.responding import RespondingEstimator, RespondingPredictor

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
