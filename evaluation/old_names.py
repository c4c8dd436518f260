"""How version 0.1 spelled the classes of the library: short name to ``module:Class`` of that time.

Digests are still those of that spelling, so that the runs, kept members and checkpoints of before are known again and
none is computed twice. No line changes when code moves, and a class that came later has no line. Runs of another
version are other runs anyway, so all of it goes with version 0.3, as the old spelling in `Names.find` does.
"""

from __future__ import annotations

from typing import TypeVar, cast

P = TypeVar("P")

SPELLED = {
    "AffineCoupling": "hemline.forecasting.transforms.affine_coupling:AffineCoupling",
    "AnalogEstimator": "hemline.forecasting.analog:AnalogEstimator",
    "AnalogPredictor": "hemline.forecasting.analog:AnalogPredictor",
    "Base": "hemline.forecasting.transforms.base:Base",
    "BatchNorm": "hemline.forecasting.transforms.batch_norm:BatchNorm",
    "Bijection": "hemline.forecasting.transforms.bijection:Bijection",
    "Block": "hemline.forecasting.encoders.transformer:Block",
    "Buffers": "hemline.forecasting.transforms.level_solver:Buffers",
    "CapturedInverse": "hemline.forecasting.transforms.captured:CapturedInverse",
    "ClassicalPredictor": "hemline.forecasting.classical:ClassicalPredictor",
    "ColdStartEstimator": "hemline.forecasting.cold_start.estimator:ColdStartEstimator",
    "ColdStartPredictor": "hemline.forecasting.cold_start.predictor:ColdStartPredictor",
    "Columns": "hemline.forecasting.direct:Columns",
    "Configured": "hemline.forecasting.configuration:Configured",
    "Copula": "hemline.forecasting.copula:Copula",
    "Coupled": "hemline.forecasting.coupled:Coupled",
    "CoupledEstimator": "hemline.forecasting.coupled:CoupledEstimator",
    "CrossFitEstimator": "hemline.forecasting.cross_fit:CrossFitEstimator",
    "CrossFitted": "hemline.forecasting.cross_fit:CrossFitted",
    "DeepAREstimator": "hemline.forecasting.deepar:DeepAREstimator",
    "DensityHead": "hemline.forecasting.heads.head:DensityHead",
    "Diffusion": "hemline.forecasting.heads.diffusion:Diffusion",
    "DiffusionHead": "hemline.forecasting.heads.diffusion:DiffusionHead",
    "Direct": "hemline.forecasting.direct:Direct",
    "DirectNetwork": "hemline.forecasting.direct:DirectNetwork",
    "EffectPrior": "hemline.forecasting.effect_prior:EffectPrior",
    "EmissionHead": "hemline.forecasting.heads.head:EmissionHead",
    "Encoder": "hemline.forecasting.encoders.encoder:Encoder",
    "EncoderConfig": "hemline.forecasting.encoders.encoder:EncoderConfig",
    "EnsembleEstimator": "hemline.forecasting.ensemble:EnsembleEstimator",
    "EnsemblePredictor": "hemline.forecasting.ensemble:EnsemblePredictor",
    "Feedback": "hemline.forecasting.feedback:Feedback",
    "Flow": "hemline.forecasting.transforms.flow:Flow",
    "FlowDistribution": "hemline.forecasting.transforms.flow:FlowDistribution",
    "FlowHead": "hemline.forecasting.heads.flows:FlowHead",
    "ForecastEstimator": "hemline.forecasting.estimator:ForecastEstimator",
    "ForecastPredictor": "hemline.forecasting.predictor:ForecastPredictor",
    "Forecaster": "hemline.forecasting.forecaster:Forecaster",
    "GPCopulaEstimator": "hemline.forecasting.models:GPCopulaEstimator",
    "GPScalingEstimator": "hemline.forecasting.models:GPScalingEstimator",
    "GRUMAFEstimator": "hemline.forecasting.models:GRUMAFEstimator",
    "GRURealNVPEstimator": "hemline.forecasting.models:GRURealNVPEstimator",
    "Gaussian": "hemline.forecasting.heads.gaussian:Gaussian",
    "GaussianBase": "hemline.forecasting.transforms.base:GaussianBase",
    "GaussianHead": "hemline.forecasting.heads.gaussian:GaussianHead",
    "GaussianProcess": "hemline.forecasting.heads.gaussian_process:GaussianProcess",
    "GaussianProcessHead": "hemline.forecasting.heads.gaussian_process:GaussianProcessHead",
    "GroupedEstimator": "hemline.forecasting.univariate:GroupedEstimator",
    "GroupedPredictor": "hemline.forecasting.grouped:GroupedPredictor",
    "HeadConfig": "hemline.forecasting.heads.head:HeadConfig",
    "JointForecaster": "hemline.forecasting.contract:JointForecaster",
    "LSTMMAFEstimator": "hemline.forecasting.models:LSTMMAFEstimator",
    "LSTMRealNVPEstimator": "hemline.forecasting.models:LSTMRealNVPEstimator",
    "Learner": "hemline.forecasting.contract:Learner",
    "Level": "hemline.forecasting.transforms.level_solver:Level",
    "LevelWeights": "hemline.forecasting.transforms.level_solver:LevelWeights",
    "Likeness": "hemline.forecasting.cold_start.foretold:Likeness",
    "LogLinear": "hemline.forecasting.response:LogLinear",
    "LowRank": "hemline.forecasting.heads.gaussian:LowRank",
    "LowRankGaussian": "hemline.forecasting.heads.gaussian:LowRankGaussian",
    "LowRankGaussianHead": "hemline.forecasting.heads.gaussian:LowRankGaussianHead",
    "LowRankHead": "hemline.forecasting.heads.gaussian:LowRankHead",
    "LowRankNormal": "hemline.forecasting.heads.gaussian:LowRankNormal",
    "MADE": "hemline.forecasting.transforms.made:MADE",
    "MAF": "hemline.forecasting.heads.flows:MAF",
    "Marginals": "hemline.forecasting.copula:Marginals",
    "MaskedAffine": "hemline.forecasting.transforms.masked_affine:MaskedAffine",
    "Metadata": "hemline.datasets.data:Metadata",
    "Move": "hemline.forecasting.past_stretches:Move",
    "NegativeBinomial": "hemline.forecasting.heads.negative_binomial:NegativeBinomial",
    "NegativeBinomialHead": "hemline.forecasting.heads.negative_binomial:NegativeBinomialHead",
    "NoiseNetwork": "hemline.forecasting.heads.diffusion:NoiseNetwork",
    "NonFiniteLoss": "hemline.forecasting.training:NonFiniteLoss",
    "Permutation": "hemline.forecasting.transforms.permutation:Permutation",
    "PooledEstimator": "hemline.forecasting.pooled:PooledEstimator",
    "RandomWalkPredictor": "hemline.forecasting.naive:RandomWalkPredictor",
    "RealNVP": "hemline.forecasting.heads.flows:RealNVP",
    "Recurrent": "hemline.forecasting.encoders.recurrent:Recurrent",
    "RecurrentEncoder": "hemline.forecasting.encoders.recurrent:RecurrentEncoder",
    "ResidualLayer": "hemline.forecasting.heads.diffusion:ResidualLayer",
    "RespondingEstimator": "hemline.forecasting.responding:RespondingEstimator",
    "RespondingPredictor": "hemline.forecasting.responding:RespondingPredictor",
    "Response": "hemline.forecasting.response:Response",
    "Scaling": "hemline.forecasting.scaling:Scaling",
    "SeasonalNaivePredictor": "hemline.forecasting.naive:SeasonalNaivePredictor",
    "SeriesFit": "hemline.forecasting.series_fit:SeriesFit",
    "SeriesSpec": "hemline.forecasting.spec:SeriesSpec",
    "SeriesTensor": "hemline.forecasting.windows:SeriesTensor",
    "SharedEncoder": "hemline.forecasting.encoders.shared:SharedEncoder",
    "SharedWeights": "hemline.forecasting.encoders.shared:SharedWeights",
    "Statistics": "hemline.forecasting.windows:Statistics",
    "StepPairs": "hemline.forecasting.step_pairs:StepPairs",
    "Stretches": "hemline.forecasting.past_stretches:Stretches",
    "StudentT": "hemline.forecasting.heads.student_t:StudentT",
    "StudentTBase": "hemline.forecasting.transforms.base:StudentTBase",
    "StudentTHead": "hemline.forecasting.heads.student_t:StudentTHead",
    "TimeGradEstimator": "hemline.forecasting.models:TimeGradEstimator",
    "TrainConfig": "hemline.forecasting.training:TrainConfig",
    "Transformer": "hemline.forecasting.encoders.transformer:Transformer",
    "TransformerEncoder": "hemline.forecasting.encoders.transformer:TransformerEncoder",
    "TransformerMAFEstimator": "hemline.forecasting.models:TransformerMAFEstimator",
    "VARPredictor": "hemline.forecasting.autoregression:VARPredictor",
    "VecLSTMCopulaEstimator": "hemline.forecasting.models:VecLSTMCopulaEstimator",
    "VecLSTMIndependentEstimator": "hemline.forecasting.models:VecLSTMIndependentEstimator",
    "Window": "hemline.forecasting.windows:Window",
    "WindowEstimator": "hemline.forecasting.estimator:WindowEstimator",
    "Workspace": "hemline.forecasting.transforms.level_solver:Workspace",
    "WrappingEstimator": "hemline.forecasting.wrapping:WrappingEstimator",
}

LATER = {"PooledEstimator": {"drop_after": 1.0}}
"""Settings that came later, with the value that does what was done before there was a choice."""


def as_before(plain: P) -> P:
    """Plain data with each ``type`` in the spelling of version 0.1, to be digested, without what does as before.

    Arguments:
        plain: what `to_plain` or `describe` returns.

    Example:
        >>> as_before({"scaling": {"type": "Scaling", "lag": 7}})
        {'scaling': {'type': 'hemline.forecasting.scaling:Scaling', 'lag': 7}}
    """
    return cast("P", _respelled(plain))


def _respelled(plain: object) -> object:
    if isinstance(plain, dict):
        kind = plain.get("type")
        usual = LATER.get(kind, {}) if isinstance(kind, str) else {}
        renamed = {key: _respelled(value) for key, value in plain.items() if key not in usual or value != usual[key]}
        return renamed | {"type": SPELLED[kind]} if isinstance(kind, str) and kind in SPELLED else renamed
    return [_respelled(value) for value in plain] if isinstance(plain, list) else plain
