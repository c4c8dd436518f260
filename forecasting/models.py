"""The named models, each a composition of parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ..datasets import Metadata
from .analog import AnalogEstimator
from .autoregression import VARPredictor
from .classical import ClassicalPredictor
from .copula import Copula
from .coupled import CoupledEstimator
from .cross_fit import CrossFitEstimator
from .deepar import DeepAREstimator
from .encoders import Recurrent, SharedWeights, Transformer
from .ensemble import EnsembleEstimator
from .estimator import ForecastEstimator
from .heads import MAF, Diffusion, Gaussian, GaussianProcess, LowRankGaussian, RealNVP
from .naive import RandomWalkPredictor, SeasonalNaivePredictor
from .pooled import PooledEstimator
from .responding import RespondingEstimator
from .response import LogLinear
from .scaling import Domain, Scaling
from .settings import shipped_settings
from .spec import MINUTES, frequency_family
from .training import TrainConfig
from .univariate import imported_model


class GRURealNVPEstimator(ForecastEstimator):
    """GRU encoder, RealNVP head (Rasul et al. 2021, arXiv 2002.06103)."""

    default_encoder = Recurrent("gru")
    default_head = RealNVP()


class GRUMAFEstimator(ForecastEstimator):
    """GRU encoder, masked autoregressive flow head (Rasul et al. 2021, arXiv 2002.06103)."""

    default_encoder = Recurrent("gru")
    default_head = MAF()


class TransformerMAFEstimator(ForecastEstimator):
    """Causal Transformer encoder, masked autoregressive flow head (Rasul et al. 2021, arXiv 2002.06103)."""

    default_encoder = Transformer()
    default_head = MAF()


class LSTMRealNVPEstimator(ForecastEstimator):
    """LSTM encoder, RealNVP head."""

    default_encoder = Recurrent("lstm")
    default_head = RealNVP()


class LSTMMAFEstimator(ForecastEstimator):
    """LSTM encoder, masked autoregressive flow head."""

    default_encoder = Recurrent("lstm")
    default_head = MAF()


JOINT_NORMAL = TrainConfig(batch_size=16)
"""Batches as in Salinas et al. (2019): ranks, and an LSTM a series, make a window dear."""


class VecLSTMIndependentEstimator(ForecastEstimator):
    """LSTM encoder, independent Gaussian series (Vec-LSTM ind-scaling, Salinas et al. 2019, arXiv 1910.03002)."""

    default_encoder = Recurrent("lstm")
    default_head = Gaussian()


class VecLSTMCopulaEstimator(ForecastEstimator):
    """LSTM encoder, low-rank Gaussian copula (Vec-LSTM lowrank-Copula, Salinas et al. 2019, arXiv 1910.03002)."""

    default_encoder = Recurrent("lstm")
    default_head = LowRankGaussian()
    default_scaling = Copula()
    default_train = JOINT_NORMAL


class GPScalingEstimator(ForecastEstimator):
    """One LSTM for all series, Gaussian process over them (GP scaling, Salinas et al. 2019, arXiv 1910.03002)."""

    default_encoder = SharedWeights(Recurrent("lstm"), sample=20)
    default_head = GaussianProcess()
    default_train = JOINT_NORMAL


class GPCopulaEstimator(ForecastEstimator):
    """One LSTM for all series, Gaussian process over their ranks (GP-Copula, Salinas et al. 2019, arXiv 1910.03002)."""

    default_encoder = SharedWeights(Recurrent("lstm"), sample=20)
    default_head = GaussianProcess()
    default_scaling = Copula()
    default_train = JOINT_NORMAL


class TimeGradEstimator(ForecastEstimator):
    """GRU encoder, diffusion head (TimeGrad, Rasul et al. 2021, arXiv 2101.12072)."""

    default_encoder = Recurrent("gru")
    default_head = Diffusion()


Builder = Callable[[Metadata], Any]


def _composed(estimator: type[ForecastEstimator] | type[DeepAREstimator]) -> Builder:
    def build(metadata: Metadata) -> Estimator:
        return estimator(metadata.freq, metadata.prediction_length, lags=metadata.lags or None)

    return build


def _sales(metadata: Metadata) -> Estimator:
    """GRU and MAF on sales without what prices and promotions explain, where the dataset has such channels."""
    return ForecastEstimator(
        metadata.freq,
        metadata.prediction_length,
        lags=metadata.lags or None,
        scaling=Scaling("level", domain="count" if metadata.domain == "count" else "nonnegative"),
        head=MAF(blocks=3, hidden=50),
        response=LogLinear() if metadata.covariates else None,
    )


def _domain(metadata: Metadata) -> Domain:
    return "count" if metadata.domain == "count" else "real" if metadata.domain == "real" else "nonnegative"


def _cross_fit(metadata: Metadata) -> Estimator:
    """Cross-fitted direct forecasts, of sales without what prices and promotions explain where there are such."""
    return CrossFitEstimator(
        metadata.freq,
        metadata.prediction_length,
        lags=metadata.lags or None,
        domain=_domain(metadata),
        response=LogLinear() if metadata.covariates else None,
    )


def _analog(metadata: Metadata) -> Estimator:
    """What happened before, of sales without what prices and promotions explain where there are such."""
    domain: Domain = "nonnegative" if metadata.covariates else _domain(metadata)
    return _responding(_stretches(metadata, domain), metadata)


def _stretches(metadata: Metadata, domain: Domain) -> AnalogEstimator:
    """Stretches of the past that began whole days or weeks ago; where seasons are years, at any step."""
    unit, season = frequency_family(metadata.freq)[1], metadata.season
    parts_of_a_day = unit in MINUTES and season > 1
    return AnalogEstimator(
        metadata.prediction_length,
        season_length=season if parts_of_a_day or unit == "D" else 1,
        cycle_length=7 * season if parts_of_a_day else season,
        domain=domain,
    )


def _responding(model: Estimator | Predictor, metadata: Metadata) -> Estimator | Predictor:
    """A model that reads no covariates, of sales without what they explain where there are such."""
    if not metadata.covariates:
        return model
    return RespondingEstimator(model, domain="count" if metadata.domain == "count" else "nonnegative")


def _pool(metadata: Metadata) -> Estimator:
    """Models that err differently: direct, over single series, a joint density, what happened before.

    Where there are prices, one reads none all the same, for the sum of all articles: on origins of the training span of
    orange juice its mixture with those that do was better than either.
    """
    season = 1 if frequency_family(metadata.freq)[1] == "B" else metadata.season
    density: Any = _sales(metadata)
    if not metadata.covariates:
        density = GRUMAFEstimator(
            metadata.freq,
            metadata.prediction_length,
            lags=metadata.lags or None,
            scaling=Scaling("change", lag=season, prior=30, domain=_domain(metadata)),
            train=TrainConfig(max_epochs=6),
        ).override(shipped_settings(metadata.name, "gru-maf"))
    models: dict[str, Any] = {
        "cross-fit": build_model("cross-fit", metadata),
        "deepar": build_model("deepar", metadata),
        "density": density,
        "analog": build_model("analog", metadata),
    }
    if metadata.covariates:
        models["var"] = build_model("var-responding", metadata)
        models["analog-plain"] = _stretches(metadata, _domain(metadata))
    else:
        patches = imported_model("gluonts.torch:PatchTSTEstimator", metadata, {"patch_len": 8})
        models["patch-tst"] = CoupledEstimator(patches)
    only_totals = ["analog-plain"] if metadata.covariates else []
    return PooledEstimator(models, domain=_domain(metadata), only_totals=only_totals)


MODELS: dict[str, Builder] = {
    "pool": _pool,
    "cross-fit": _cross_fit,
    "analog": _analog,
    "sales-maf": _sales,
    "sales-maf-ensemble": lambda metadata: EnsembleEstimator(_sales(metadata)),
    "gru-real-nvp": _composed(GRURealNVPEstimator),
    "gru-maf": _composed(GRUMAFEstimator),
    "transformer-maf": _composed(TransformerMAFEstimator),
    "lstm-real-nvp": _composed(LSTMRealNVPEstimator),
    "lstm-maf": _composed(LSTMMAFEstimator),
    "vec-lstm-ind": _composed(VecLSTMIndependentEstimator),
    "vec-lstm-copula": _composed(VecLSTMCopulaEstimator),
    "gp-scaling": _composed(GPScalingEstimator),
    "gp-copula": _composed(GPCopulaEstimator),
    "timegrad": _composed(TimeGradEstimator),
    "deepar": _composed(DeepAREstimator),
    "deepar-coupled": lambda metadata: CoupledEstimator(_composed(DeepAREstimator)(metadata)),
    "var": lambda metadata: VARPredictor(metadata.prediction_length),
    "var-responding": lambda metadata: _responding(VARPredictor(metadata.prediction_length), metadata),
    "auto-ets": lambda metadata: ClassicalPredictor(metadata.prediction_length, "ets", metadata.season),
    "auto-arima": lambda metadata: ClassicalPredictor(metadata.prediction_length, "arima", metadata.season),
    "last-value": lambda metadata: SeasonalNaivePredictor(metadata.prediction_length),
    "seasonal-naive": lambda metadata: SeasonalNaivePredictor(metadata.prediction_length, metadata.season),
    "random-walk": lambda metadata: RandomWalkPredictor(metadata.prediction_length),
    "random-walk-independent": lambda metadata: RandomWalkPredictor(metadata.prediction_length, joint=False),
    "seasonal-walk": lambda metadata: RandomWalkPredictor(metadata.prediction_length, metadata.season),
}
"""The models by name: what each is for a dataset, before any settings of its own."""


def build_model(name: str, metadata: Metadata, overrides: Mapping[str, Any] | None = None) -> Any:
    """Make a model for a dataset, with the shipped settings for it.

    Arguments:
        name: a key of `MODELS`, or ``module:Class`` for any other estimator; see `imported_model`.
        metadata: the dataset.
        overrides: settings that go before the shipped ones.

    Returns:
        A gluonts estimator, or for the naive rows a predictor.

    Raises:
        ValueError: the name or a setting is unknown; the message names those known.
    """
    if ":" in name:
        return imported_model(name, metadata, overrides or {})
    if name not in MODELS:
        raise ValueError(f"models: unknown model {name!r}, expected one of {', '.join(MODELS)}")
    model = MODELS[name](metadata)
    for settings in (shipped_settings(metadata.name, name), overrides or {}):
        if settings:
            if not hasattr(model, "override"):
                raise ValueError(f"{name}: has no settings, got {', '.join(settings)}")
            model = model.override(settings)
    return model
