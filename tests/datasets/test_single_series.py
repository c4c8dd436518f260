"""Which models of gluonts are of single series."""

import pytest
from gluonts.model.predictor import Localizer
from gluonts.model.seasonal_naive import SeasonalNaivePredictor
from gluonts.torch import DeepAREstimator, SimpleFeedForwardEstimator
from gluonts.torch.model.i_transformer import ITransformerEstimator
from hemline.evaluation.adapters.single_series import reads_single_series


class Mine(SeasonalNaivePredictor):
    """What a user makes of it may well read all series."""


@pytest.mark.parametrize(
    ("model", "single"),
    [
        (DeepAREstimator("D", 7), True),
        (SimpleFeedForwardEstimator(7), True),
        (SeasonalNaivePredictor(7, season_length=1), True),
        (ITransformerEstimator(7), False),
        (Localizer(DeepAREstimator("D", 7)), False),
        (Mine(7, season_length=1), False),
        (lambda metadata: None, False),
    ],
)
def test_models_of_gluonts_are_of_single_series_but_for_a_few(model, single):
    assert reads_single_series(model) == single
