"""Rare demand: articles that are sold now and then are forecast at their rate, beside fast ones too."""

import numpy as np
import pandas as pd
import pytest
from hemline.forecasting import AnalogEstimator, CrossFitEstimator, TrainConfig
from hemline.forecasting.models.analog import RATIOS
from hemline.forecasting.models.analogs.past_stretches import SALES, stretches_before
from hypothesis import given, settings
from hypothesis import strategies as st

DAYS, HORIZON = 300, 14
RATES = np.array([20, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05, 0.02, 0.02, 0.01, 0.01])
SOLD = np.random.default_rng(5).poisson(RATES, (DAYS, len(RATES))).T.astype(np.float32)
ENTRY = {"start": pd.Period("2023-01-01", "D"), "target": SOLD}
SHORT = TrainConfig(max_epochs=2, batches_per_epoch=20, batch_size=16, learning_rate=2e-3)


@pytest.mark.parametrize(
    "model",
    [
        AnalogEstimator(HORIZON, season_length=7, domain="count"),
        CrossFitEstimator("D", HORIZON, domain="count", folds=3, train=SHORT),
    ],
    ids=["analog", "cross-fit"],
)
def test_slow_articles_beside_a_fast_one_are_forecast_at_their_rates(model):
    paths = next(model.train([ENTRY]).predict([ENTRY], num_samples=500)).samples
    assert paths[:, :, 1:].sum((1, 2)).mean() == pytest.approx(HORIZON * RATES[1:].sum(), rel=0.25)
    assert paths[:, :, 1:].max() <= 2 * SOLD[1:].max()
    of_single = HORIZON * SOLD[1:].mean(1)
    assert (np.abs(paths[:, :, 1:].sum(1).mean(0) - of_single) < of_single + 1).all()


@given(st.integers(0, 2**32 - 1), st.floats(0.005, 2), st.floats(1, 20), st.sampled_from([1, 7]))
@settings(max_examples=60, deadline=None)
def test_what_a_season_sold_by_chance_moves_no_rare_article_far(seed, rate, size, season):
    """Clumps of any size at any rate: a ratio is that of sales with `SALES` more on both sides."""
    generator = np.random.default_rng(seed)
    target = np.ceil(size * generator.poisson(rate / size, size=(3, 140)))
    target[0, -3] += np.ceil(size)
    past = stretches_before(target, 14, season, season, 250, "count")
    sold = target[:, -season:].sum(1)
    for move in RATIOS:
        moved = past.moved(move)
        at = past.starts[:, None] + np.arange(14)
        most = 1 + season * target[:, -season:].max(1) / (SALES * past.unit)
        assert np.isfinite(moved).all()
        assert (moved <= target.T[at] * np.maximum(most, 1 + sold / (SALES * past.unit)) + 1e-9).all()


def test_numbers_that_are_no_counts_and_never_0_have_no_unit():
    target = 5 + np.random.default_rng(0).random((2, 60))
    assert (stretches_before(target, 7, 7, 7, 9, "nonnegative").unit == 0).all()
    assert (stretches_before(target - 5, 7, 7, 7, 9, "real").unit == 0).all()
    target[1, ::2] = 0
    np.testing.assert_allclose(stretches_before(target, 7, 7, 7, 9, "nonnegative").unit[1], target[1, 1::2].mean() / 2)


def test_clumps_are_forecast_at_their_rate_by_networks_whose_scale_follows_the_last_ones():
    generator = np.random.default_rng(2)
    occasions = generator.poisson(0.33, (40, DAYS))
    target = occasions + np.where(occasions > 0, generator.negative_binomial(np.maximum(occasions, 1), 1 / 3), 0)
    entry = {"start": pd.Period("2023-01-01", "D"), "target": target.astype(np.float32)}
    fitted = CrossFitEstimator("D", HORIZON, domain="count", folds=3, train=SHORT).train([entry])
    drawn = next(fitted.predict([entry], num_samples=300)).samples
    assert drawn.mean() == pytest.approx(target.mean(), rel=0.1)
    assert (drawn == 0).mean() == pytest.approx((target == 0).mean(), abs=0.05)


def test_articles_that_mostly_sell_are_forecast_as_by_networks_that_do_not_tell_them_apart():
    entry = {"start": pd.Period("2023-01-01", "D"), "target": SOLD}
    fitted = CrossFitEstimator("D", HORIZON, domain="count", folds=3, train=SHORT).train([entry])
    drawn = next(fitted.predict([entry], num_samples=50)).samples
    fitted.forecaster.rare = False
    as_before = next(fitted.predict([entry], num_samples=50)).samples
    np.testing.assert_array_equal(drawn[..., 0], as_before[..., 0])
    assert (drawn[..., 1:] != as_before[..., 1:]).any()
    assert fitted.forecaster.trust[0] == 1
    assert (fitted.forecaster.trust[1:] < 0.5).all()


def test_amounts_that_are_rare_are_forecast_at_their_rate():
    generator = np.random.default_rng(4)
    target = (generator.random((12, DAYS)) < 0.05) * generator.gamma(2, 3.7, (12, DAYS))
    entry = {"start": pd.Period("2023-01-01", "D"), "target": target.astype(np.float32)}
    fitted = CrossFitEstimator("D", HORIZON, domain="nonnegative", folds=3, train=SHORT).train([entry])
    drawn = next(fitted.predict([entry], num_samples=300)).samples
    assert drawn.mean() == pytest.approx(target.mean(), rel=0.2)
    assert drawn.max() < 1.5 * target.max()


def test_nights_are_no_rare_demand():
    generator = np.random.default_rng(4)
    day = np.maximum(np.sin(2 * np.pi * (np.arange(24 * 40) - 9) / 24), 0)
    target = day * generator.gamma(20, 0.5, (3, 24 * 40))
    entry = {"start": pd.Period("2023-01-01 00:00", "h"), "target": target.astype(np.float32)}
    fitted = CrossFitEstimator("h", 24, domain="nonnegative", folds=2, train=SHORT).train([entry])
    assert (target > 0).mean() < 0.5
    assert (fitted.forecaster.trust == 1).all()
