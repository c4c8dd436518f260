"""Vector autoregression: what it fits, and what it draws."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hemline.datasets.entries.entry import Entry
from hemline.forecasting import VARPredictor
from hemline.forecasting.models.vector_autoregression import choose_order, least_squares

FIRST = np.array([[0.5, 0.3], [-0.2, 0.4]])
SECOND = np.array([[0.1, 0.0], [0.3, 0.2]])
NOISE = np.array([[1.0, 0.8], [0.8, 1.0]])


def simulated(length=4000, seed=0):
    generator = np.random.default_rng(seed)
    noise = generator.multivariate_normal([0, 0], NOISE, size=length)
    values = np.zeros((length, 2))
    for step in range(2, length):
        values[step] = [1.0, -1.0] + FIRST @ values[step - 1] + SECOND @ values[step - 2] + noise[step]
    return values


def entry(values):
    return {"start": pd.Period("2024-01-01", "D"), "target": values.T.astype(np.float32)}


def test_planted_coefficients_are_found():
    coefficients, residuals = least_squares(simulated(), 2)
    expected = np.concatenate([[[1.0, -1.0]], FIRST.T, SECOND.T])
    np.testing.assert_allclose(coefficients, expected, atol=0.12)
    np.testing.assert_allclose(np.cov(residuals.T), NOISE, atol=0.08)


def test_the_planted_order_is_chosen_but_for_some_of_one_more():
    chosen = [choose_order(simulated(1000, seed), 5) for seed in range(9)]
    assert min(chosen) == 2
    assert np.median(chosen) == 2


def test_fit_and_order_are_those_of_statsmodels():
    statsmodels = pytest.importorskip("statsmodels.tsa.api", reason="statsmodels is not installed")
    values = simulated(500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for order in (1, 3):
            reference = statsmodels.VAR(values).fit(order)
            np.testing.assert_allclose(least_squares(values, order)[0], reference.params, atol=1e-8)
        assert choose_order(values, 6) == statsmodels.VAR(values).select_order(6).aic


def test_paths_have_the_mean_and_the_dependence_of_the_next_step():
    values = simulated()
    samples = next(VARPredictor(1).predict([entry(values)], num_samples=5000)).samples[:, 0]
    expected = [1.0, -1.0] + FIRST @ values[-1] + SECOND @ values[-2]
    np.testing.assert_allclose(samples.mean(0), expected, atol=0.15)
    np.testing.assert_allclose(np.cov(samples.T), NOISE, atol=0.12)


def test_far_ahead_paths_forget_the_start():
    values = simulated()
    samples = next(VARPredictor(60).predict([entry(values)], num_samples=3000)).samples[:, -1]
    np.testing.assert_allclose(samples.mean(0), values.mean(0), atol=0.25)
    np.testing.assert_allclose(samples.std(0), values.std(0), rtol=0.1)


def test_gaps_and_constant_series_leave_paths_finite():
    values = simulated(200)
    values[:, 1] = 3.0
    values[50:60, 0] = np.nan
    samples = next(VARPredictor(4).predict([entry(values)], num_samples=5)).samples
    assert np.isfinite(samples).all()
    np.testing.assert_allclose(samples[..., 1], 3.0, atol=1e-4)


def test_too_few_steps_for_so_many_series_are_refused():
    with pytest.raises(ValueError, match="expected at least 27 steps to regress 10 series on each other, got 20"):
        next(VARPredictor(2).predict([entry(np.random.default_rng(0).normal(size=(20, 10)))]))
    drawn = np.random.default_rng(0).normal(size=(40, 10))
    drawn[:25, 7], drawn[:3, 2] = np.nan, np.nan
    young = {**entry(drawn), "item_ids": tuple("abcdefghij")}
    got = "got 15 from 2024-01-26 on, where the youngest of them, 'h', begins"
    with pytest.raises(ValueError, match=f"dataset: expected at least 27 steps to regress 10 series .*, {got}"):
        next(VARPredictor(2).predict([young]))
    VARPredictor(2).require_steps(
        [Entry.of(each) for each in (young, entry(np.nan_to_num(drawn)))], "training_data"
    )  # one is long enough
    with pytest.raises(ValueError, match="max_lags: expected at least 1, got 0"):
        VARPredictor(2, max_lags=0)
