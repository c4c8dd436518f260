"""The classes of this room, and of gluonts, that stored predictors may name."""

from __future__ import annotations

from ...runtime.names import Names

PLACES = {
    "GroupedEstimator": "hemline.evaluation.adapters.estimator:GroupedEstimator",
    "GroupedPredictor": "hemline.evaluation.adapters.predictor:GroupedPredictor",
}

GLUONTS = (
    "gluonts.ext.naive_2._predictor.Naive2Predictor",
    "gluonts.ext.statsforecast.ADIDAPredictor",
    "gluonts.ext.statsforecast.AutoARIMAPredictor",
    "gluonts.ext.statsforecast.AutoCESPredictor",
    "gluonts.ext.statsforecast.AutoETSPredictor",
    "gluonts.ext.statsforecast.AutoThetaPredictor",
    "gluonts.ext.statsforecast.CrostonClassicPredictor",
    "gluonts.ext.statsforecast.CrostonOptimizedPredictor",
    "gluonts.ext.statsforecast.CrostonSBAPredictor",
    "gluonts.ext.statsforecast.DynamicOptimizedThetaPredictor",
    "gluonts.ext.statsforecast.DynamicThetaPredictor",
    "gluonts.ext.statsforecast.HistoricAveragePredictor",
    "gluonts.ext.statsforecast.HoltPredictor",
    "gluonts.ext.statsforecast.HoltWintersPredictor",
    "gluonts.ext.statsforecast.IMAPAPredictor",
    "gluonts.ext.statsforecast.MSTLPredictor",
    "gluonts.ext.statsforecast.NaivePredictor",
    "gluonts.ext.statsforecast.OptimizedThetaPredictor",
    "gluonts.ext.statsforecast.RandomWalkWithDriftPredictor",
    "gluonts.ext.statsforecast.SeasonalExponentialSmoothingOptimizedPredictor",
    "gluonts.ext.statsforecast.SeasonalExponentialSmoothingPredictor",
    "gluonts.ext.statsforecast.SeasonalNaivePredictor",
    "gluonts.ext.statsforecast.SeasonalWindowAveragePredictor",
    "gluonts.ext.statsforecast.SimpleExponentialSmoothingOptimizedPredictor",
    "gluonts.ext.statsforecast.SimpleExponentialSmoothingPredictor",
    "gluonts.ext.statsforecast.TSBPredictor",
    "gluonts.ext.statsforecast.ThetaPredictor",
    "gluonts.ext.statsforecast.WindowAveragePredictor",
    "gluonts.model.npts._predictor.NPTSPredictor",
    "gluonts.model.seasonal_agg._predictor.SeasonalAggregatePredictor",
    "gluonts.model.seasonal_naive._predictor.SeasonalNaivePredictor",
    "gluonts.model.trivial.constant.ConstantPredictor",
    "gluonts.model.trivial.constant.ConstantValuePredictor",
    "gluonts.model.trivial.identity.IdentityPredictor",
    "gluonts.model.trivial.mean.MeanPredictor",
    "gluonts.model.trivial.mean.MovingAveragePredictor",
    "gluonts.torch.model.predictor.PyTorchPredictor",
)
"""Predictors of gluonts that may stand beneath one of ours, as its type files spell them."""

NAMES = Names({**PLACES, **{name: ":".join(name.rsplit(".", 1)) for name in GLUONTS}})
