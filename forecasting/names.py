"""The classes of this room that files may name: configurations, estimators and predictors."""

from __future__ import annotations

from ..evaluation.adapters.names import NAMES as BELOW

PLACES = {
    "AnalogEstimator": "hemline.forecasting.models.analog:AnalogEstimator",
    "AnalogPredictor": "hemline.forecasting.models.analog:AnalogPredictor",
    "ClassicalPredictor": "hemline.forecasting.models.classical:ClassicalPredictor",
    "ColdStartEstimator": "hemline.forecasting.wrappers.cold_start.estimator:ColdStartEstimator",
    "ColdStartPredictor": "hemline.forecasting.wrappers.cold_start.predictor:ColdStartPredictor",
    "Copula": "hemline.forecasting.units.ranks:Copula",
    "Coupled": "hemline.forecasting.wrappers.coupled:Coupled",
    "CoupledEstimator": "hemline.forecasting.wrappers.coupled:CoupledEstimator",
    "CrossFitEstimator": "hemline.forecasting.models.cross_fit:CrossFitEstimator",
    "DeepAREstimator": "hemline.forecasting.models.deepar:DeepAREstimator",
    "Diffusion": "hemline.forecasting.networks.heads.diffusion:Diffusion",
    "Direct": "hemline.forecasting.networks.direct:Direct",
    "EnsembleEstimator": "hemline.forecasting.wrappers.ensemble:EnsembleEstimator",
    "EnsemblePredictor": "hemline.forecasting.wrappers.ensemble:EnsemblePredictor",
    "ForecastEstimator": "hemline.forecasting.models.composed:ForecastEstimator",
    "ForecastPredictor": "hemline.forecasting.models.predictor:ForecastPredictor",
    "GPCopulaEstimator": "hemline.forecasting.models.published:GPCopulaEstimator",
    "GPScalingEstimator": "hemline.forecasting.models.published:GPScalingEstimator",
    "GRUMAFEstimator": "hemline.forecasting.models.published:GRUMAFEstimator",
    "GRURealNVPEstimator": "hemline.forecasting.models.published:GRURealNVPEstimator",
    "Gaussian": "hemline.forecasting.networks.heads.gaussian:Gaussian",
    "GaussianProcess": "hemline.forecasting.networks.heads.gaussian_process:GaussianProcess",
    "LSTMMAFEstimator": "hemline.forecasting.models.published:LSTMMAFEstimator",
    "LSTMRealNVPEstimator": "hemline.forecasting.models.published:LSTMRealNVPEstimator",
    "Likeness": "hemline.forecasting.wrappers.cold_start.descriptors:Likeness",
    "LogLinear": "hemline.forecasting.response.response:LogLinear",
    "LowRankGaussian": "hemline.forecasting.networks.heads.gaussian:LowRankGaussian",
    "MAF": "hemline.forecasting.networks.heads.flows:MAF",
    "Move": "hemline.forecasting.models.past_stretches:Move",
    "NegativeBinomial": "hemline.forecasting.networks.heads.negative_binomial:NegativeBinomial",
    "PooledEstimator": "hemline.forecasting.wrappers.pool:PooledEstimator",
    "RandomWalkPredictor": "hemline.forecasting.models.naive:RandomWalkPredictor",
    "RealNVP": "hemline.forecasting.networks.heads.flows:RealNVP",
    "Recurrent": "hemline.forecasting.networks.encoders.recurrent:Recurrent",
    "RespondingEstimator": "hemline.forecasting.wrappers.responding:RespondingEstimator",
    "RespondingPredictor": "hemline.forecasting.wrappers.responding:RespondingPredictor",
    "Scaling": "hemline.forecasting.units.scaling:Scaling",
    "SeasonalNaivePredictor": "hemline.forecasting.models.naive:SeasonalNaivePredictor",
    "SeriesSpec": "hemline.forecasting.windows.spec:SeriesSpec",
    "SharedWeights": "hemline.forecasting.networks.encoders.shared:SharedWeights",
    "StudentT": "hemline.forecasting.networks.heads.student_t:StudentT",
    "TimeGradEstimator": "hemline.forecasting.models.published:TimeGradEstimator",
    "TrainConfig": "hemline.forecasting.training.options:TrainConfig",
    "Transformer": "hemline.forecasting.networks.encoders.transformer:Transformer",
    "TransformerMAFEstimator": "hemline.forecasting.models.published:TransformerMAFEstimator",
    "VARPredictor": "hemline.forecasting.models.statistical.vector_autoregression:VARPredictor",
    "VecLSTMCopulaEstimator": "hemline.forecasting.models.published:VecLSTMCopulaEstimator",
    "VecLSTMIndependentEstimator": "hemline.forecasting.models.published:VecLSTMIndependentEstimator",
}

NAMES = BELOW.with_(PLACES)
"""Those of the rooms below among them."""
