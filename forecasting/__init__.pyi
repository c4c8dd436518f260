from ..evaluation.adapters.estimator import GroupedEstimator as GroupedEstimator
from ..evaluation.adapters.predictor import GroupedPredictor as GroupedPredictor
from .models.analog import AnalogEstimator as AnalogEstimator
from .models.classical import ClassicalPredictor as ClassicalPredictor
from .models.composed import ForecastEstimator as ForecastEstimator
from .models.cross_fit import CrossFitEstimator as CrossFitEstimator
from .models.deepar import DeepAREstimator as DeepAREstimator
from .models.naive import RandomWalkPredictor as RandomWalkPredictor
from .models.naive import SeasonalNaivePredictor as SeasonalNaivePredictor
from .models.predictor import ForecastPredictor as ForecastPredictor
from .models.published import GPCopulaEstimator as GPCopulaEstimator
from .models.published import GPScalingEstimator as GPScalingEstimator
from .models.published import GRUMAFEstimator as GRUMAFEstimator
from .models.published import GRURealNVPEstimator as GRURealNVPEstimator
from .models.published import LSTMMAFEstimator as LSTMMAFEstimator
from .models.published import LSTMRealNVPEstimator as LSTMRealNVPEstimator
from .models.published import TimeGradEstimator as TimeGradEstimator
from .models.published import TransformerMAFEstimator as TransformerMAFEstimator
from .models.published import VecLSTMCopulaEstimator as VecLSTMCopulaEstimator
from .models.published import VecLSTMIndependentEstimator as VecLSTMIndependentEstimator
from .models.statistical.vector_autoregression import VARPredictor as VARPredictor
from .models.stored import load_predictor as load_predictor
from .networks.direct import Direct as Direct
from .networks.encoders.recurrent import Recurrent as Recurrent
from .networks.encoders.shared import SharedWeights as SharedWeights
from .networks.encoders.transformer import Transformer as Transformer
from .networks.heads.diffusion import Diffusion as Diffusion
from .networks.heads.flows import MAF as MAF
from .networks.heads.flows import RealNVP as RealNVP
from .networks.heads.gaussian import Gaussian as Gaussian
from .networks.heads.gaussian import LowRankGaussian as LowRankGaussian
from .networks.heads.gaussian_process import GaussianProcess as GaussianProcess
from .networks.heads.negative_binomial import NegativeBinomial as NegativeBinomial
from .networks.heads.student_t import StudentT as StudentT
from .paths.table import forecast_frame as forecast_frame
from .registry.named import MODELS as MODELS
from .registry.named import NamedModel as NamedModel
from .registry.named import build_model as build_model
from .registry.named import model_names as model_names
from .response.response import LogLinear as LogLinear
from .scenarios.cannibalisation import cannibalisation as cannibalisation
from .scenarios.notation import Change as Change
from .scenarios.notation import parse_change as parse_change
from .scenarios.outcome import Outcome as Outcome
from .scenarios.outcome import Simulation as Simulation
from .scenarios.pair_page import write_pair_view as write_pair_view
from .scenarios.scenario import Scenario as Scenario
from .scenarios.scenario import read_scenarios as read_scenarios
from .scenarios.simulate import simulate as simulate
from .training.options import NonFiniteLoss as NonFiniteLoss
from .training.options import TrainConfig as TrainConfig
from .units.ranks import Copula as Copula
from .units.scaling import Scaling as Scaling
from .wrappers.cold_start.estimator import ColdStartEstimator as ColdStartEstimator
from .wrappers.coupled import Coupled as Coupled
from .wrappers.coupled import CoupledEstimator as CoupledEstimator
from .wrappers.coupled import couple as couple
from .wrappers.ensemble import EnsembleEstimator as EnsembleEstimator
from .wrappers.partitions.estimator import PartitionedEstimator as PartitionedEstimator
from .wrappers.pool import PooledEstimator as PooledEstimator
from .wrappers.reconciled import ReconciledEstimator as ReconciledEstimator
from .wrappers.responding import RespondingEstimator as RespondingEstimator
from .wrappers.responding import RespondingPredictor as RespondingPredictor

__all__ = [
    "MAF",
    "Copula",
    "DeepAREstimator",
    "Diffusion",
    "ForecastEstimator",
    "GPCopulaEstimator",
    "GPScalingEstimator",
    "GRUMAFEstimator",
    "GRURealNVPEstimator",
    "Gaussian",
    "GaussianProcess",
    "LogLinear",
    "LowRankGaussian",
    "NegativeBinomial",
    "PartitionedEstimator",
    "RealNVP",
    "ReconciledEstimator",
    "Recurrent",
    "Scaling",
    "Scenario",
    "SharedWeights",
    "StudentT",
    "TimeGradEstimator",
    "TrainConfig",
    "Transformer",
    "TransformerMAFEstimator",
    "VecLSTMCopulaEstimator",
    "VecLSTMIndependentEstimator",
    "build_model",
    "cannibalisation",
    "forecast_frame",
    "load_predictor",
    "simulate",
    "write_pair_view",
]
