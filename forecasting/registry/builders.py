"""How each model is made for a dataset: what of its frequency, season, covariates and domain a model is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ...datasets.entries.data import Metadata
from ...datasets.entries.domain import Domain
from ...datasets.entries.frequency import MINUTES, frequency_family
from ..models.analog import AnalogEstimator
from ..models.classical import ClassicalPredictor
from ..models.composed import ForecastEstimator
from ..models.cross_fit import CrossFitEstimator
from ..models.deepar import DeepAREstimator
from ..models.published import GRUMAFEstimator
from ..models.statistical.count_model import CountModelPredictor
from ..models.statistical.vector_autoregression import VARPredictor
from ..networks.heads.flows import MAF
from ..response.response import LogLinear
from ..training.options import TrainConfig
from ..units.scaling import Scaling
from ..wrappers.cold_start.estimator import ColdStartEstimator
from ..wrappers.coupled import CoupledEstimator
from ..wrappers.pool import PooledEstimator
from ..wrappers.responding import RespondingEstimator
from .imported import imported_model
from .settings import shipped_settings

Model: TypeAlias = Estimator | Predictor
"""A model that is to be trained, or one that needs no training."""


def sales(metadata: Metadata) -> Estimator:
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


def cross_fit(metadata: Metadata) -> Estimator:
    """Cross-fitted direct forecasts, of sales without what prices and promotions explain where there are such."""
    return CrossFitEstimator(
        metadata.freq,
        metadata.prediction_length,
        lags=metadata.lags or None,
        domain=_domain(metadata),
        response=LogLinear() if metadata.covariates else None,
    )


def analog(metadata: Metadata) -> Estimator:
    """What happened before, of sales without what prices and promotions explain where there are such."""
    domain: Domain = "nonnegative" if metadata.covariates else _domain(metadata)
    return responding(_stretches(metadata, domain), metadata)


def counts(metadata: Metadata) -> Estimator | Predictor:
    """Negative binomial counts, of sales without what prices and promotions explain where there are such."""
    yearly = metadata.season > 31
    return responding(CountModelPredictor(metadata.prediction_length, 1 if yearly else metadata.season), metadata)


def croston(metadata: Metadata) -> Estimator | Predictor:
    """Croston's method, on sales without what prices and promotions explain where there are such."""
    return responding(ClassicalPredictor(metadata.prediction_length, "croston"), metadata)


def tsb(metadata: Metadata) -> Estimator | Predictor:
    """The method of Teunter, Syntetos and Babai, on sales without what prices and promotions explain, likewise."""
    return responding(ClassicalPredictor(metadata.prediction_length, "tsb"), metadata)


def cold_start(metadata: Metadata) -> Estimator:
    """What happened before, and new articles after those that they resemble."""
    return ColdStartEstimator(
        analog(metadata),
        response=LogLinear() if metadata.covariates else None,
        domain=_domain(metadata),
        context_length=max(metadata.season, 4 * metadata.prediction_length),
    )


def _stretches(metadata: Metadata, domain: Domain) -> AnalogEstimator:
    """Stretches of the past that began whole days or weeks ago; where seasons are years, at any step.

    Within a day they may begin at each hour or at each step.
    """
    unit, season = frequency_family(metadata.freq)[1], metadata.season
    parts_of_a_day = unit in MINUTES and season > 1
    within = sorted({season // 24, 1} - {0, season}, reverse=True) if season % 24 == 0 else [1]
    return AnalogEstimator(
        metadata.prediction_length,
        season_length=season if parts_of_a_day or unit == "D" else 1,
        cycle_length=7 * season if parts_of_a_day else season,
        domain=domain,
        spacings=within if parts_of_a_day else (),
    )


def responding(model: Estimator | Predictor, metadata: Metadata) -> Estimator | Predictor:
    """A model that reads no covariates, of sales without what they explain where there are such."""
    if not metadata.covariates:
        return model
    return RespondingEstimator(model, domain="count" if metadata.domain == "count" else "nonnegative")


def var_responding(metadata: Metadata) -> Estimator | Predictor:
    """A VAR of what prices and promotions leave of sales, where there are such."""
    return responding(VARPredictor(metadata.prediction_length), metadata)


def pool(metadata: Metadata) -> Estimator:
    """Models that err differently: direct, over single series, a joint density, what happened before.

    Where there are prices, one reads none all the same, for the sum of all articles: on origins of the training span of
    orange juice its mixture with those that do was better than either. Where few counts are above 0, models of rare
    demand take part.
    """
    season = 1 if frequency_family(metadata.freq)[1] == "B" else metadata.season
    density: Model = sales(metadata)
    if not metadata.covariates:
        changes = GRUMAFEstimator(
            metadata.freq,
            metadata.prediction_length,
            lags=metadata.lags or None,
            scaling=Scaling("change", lag=season, prior=30, domain=_domain(metadata)),
            train=TrainConfig(max_epochs=6),
        )
        density = shipped("gru-maf", changes, metadata)
    models: dict[str, Model] = {
        "cross-fit": shipped("cross-fit", cross_fit(metadata), metadata),
        "deepar": shipped(
            "deepar", DeepAREstimator(metadata.freq, metadata.prediction_length, lags=metadata.lags or None), metadata
        ),
        "density": density,
        "analog": shipped("analog", analog(metadata), metadata),
    }
    if metadata.covariates:
        models["var"] = shipped("var-responding", var_responding(metadata), metadata)
        models["analog-plain"] = _stretches(metadata, _domain(metadata))
    else:
        models["patch-tst"] = CoupledEstimator(_patches(metadata))
    only_totals = ["analog-plain"] if metadata.covariates else []
    rare: dict[str, Model] = {}
    if metadata.domain == "count":
        rare["counts"] = shipped("counts", counts(metadata), metadata)
        if not metadata.covariates:  # each would fit a response of its own, for forecasts that are much alike
            rare |= {"croston": croston(metadata), "tsb": tsb(metadata)}
    return PooledEstimator({**models, **rare}, domain=_domain(metadata), only_totals=only_totals, only_rare=list(rare))


def _patches(metadata: Metadata) -> Estimator | Predictor:
    """PatchTST, which is stopped where the end of the span is forecast no better: gluonts would take 100 epochs."""
    settings = {"patch_len": 8, "trainer_kwargs": {"max_epochs": 40}, "stop_after": 5}
    return imported_model("gluonts.torch:PatchTSTEstimator", metadata, settings)


def shipped(name: str, model: Model, metadata: Metadata, overrides: Mapping[str, object] | None = None) -> Model:
    """A model with the settings that ship for a dataset, and then others.

    Arguments:
        name: the model's name.
        model: the model.
        metadata: the dataset.
        overrides: settings that go before the shipped ones.

    Raises:
        ValueError: a setting is unknown; the message names those known.
    """
    for settings in (shipped_settings(metadata.name, name), overrides or {}):
        if settings:
            model = model.override(settings)
    return model
