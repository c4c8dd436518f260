"""Vector autoregression: what it fits, and what it draws."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hemline.datasets.entries.entry import Entry
from hemline.forecasting import VARPredictor
from hemline.forecasting.models.statistical.ridge_autoregression import OTHERS, PENALTIES, ridge_equations
from hemline.forecasting.models.statistical.vector_autoregression import choose_order, least_squares

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


def late(values, begins):
    return {**entry(np.where(np.arange(len(values))[:, None] < begins, np.nan, values))}


def test_ridge_equations_are_those_of_ridge_regression_and_errors_of_steps_left_out():
    """One equation, solved by hand: the penalty that was chosen is found again from the coefficients."""
    values = simulated(60)
    found = ridge_equations(values.T, 2)
    scaled = (values - values.mean(0)) / values.std(0)
    rows = np.concatenate([np.ones((58, 1)), scaled[1:-1], scaled[:-2]], axis=1)
    size = np.sum(scaled[1:-1] ** 2 + scaled[:-2] ** 2 / 4) / 58

    def solved(penalty, other, kept):
        weights = np.array([1 / 100, 1, 1 / other**2, 4, 4 / other**2]) * penalty * size
        return np.linalg.solve(rows[kept].T @ rows[kept] + np.diag(weights), rows[kept].T @ scaled[2:][kept, 0])

    every = np.arange(58)
    tried = {(p, o): solved(p, o, every) for p in PENALTIES for o in OTHERS if o}
    (penalty, other), nearest = min(tried.items(), key=lambda item: np.abs(item[1] - found.coefficients[:, 0]).max())
    np.testing.assert_allclose(nearest, found.coefficients[:, 0], atol=1e-8)
    left_out = [scaled[2 + t, 0] - rows[t] @ solved(penalty, other, every != t) for t in (0, 20, 57)]
    np.testing.assert_allclose(found.residuals[[0, 20, 57], 0], left_out, atol=1e-8)


def test_each_equation_has_its_own_start_and_the_others_keep_theirs():
    values = simulated(300)
    whole = VARPredictor(3).predict([entry(values)], num_samples=4000)
    broken = VARPredictor(3).predict([late(values, np.array([0, 200]))], num_samples=4000)
    first, second = next(whole).samples, next(broken).samples
    np.testing.assert_allclose(second.mean(0), first.mean(0), atol=0.5)
    np.testing.assert_allclose(second.mean(0)[:, 0], first.mean(0)[:, 0], atol=0.25)
    np.testing.assert_allclose(second.std(0), first.std(0), rtol=0.2)
    assert np.corrcoef(second[:, 0].T)[0, 1] > 0.5


def test_more_series_than_steps_are_regressed_and_better_than_a_mean():
    rng = np.random.default_rng(0)
    common = rng.normal(size=(105, 1)).cumsum(0)
    values = 20 + common + 0.3 * rng.normal(size=(105, 57))
    begins = np.where(np.arange(57) % 3 == 0, rng.integers(20, 97, 57), 0)
    data = late(values[:104], begins)
    drawn = next(VARPredictor(1).predict([data], num_samples=300)).samples[:, 0]
    error = np.abs(drawn.mean(0) - values[104])
    assert np.sqrt((error**2).mean()) < 0.6 * np.sqrt(((np.nanmean(data["target"], axis=1) - values[104]) ** 2).mean())
    inside = (np.quantile(drawn, 0.05, axis=0) <= values[104]) & (values[104] <= np.quantile(drawn, 0.95, axis=0))
    assert inside.mean() > 0.8


@pytest.mark.parametrize("seen", [1, 2, 5])
def test_a_series_seen_hardly_ever_varies_as_the_others(seen):
    values = np.abs(10 + simulated(80) @ np.array([[1, 0, 1], [0, 1, 1]]))
    drawn = next(VARPredictor(4).predict([late(values, np.array([0, 0, 80 - seen]))], num_samples=500)).samples
    relative = drawn.std((0, 1)) / drawn.mean((0, 1))
    assert 0.3 < relative[2] / relative[:2].mean() < 2
    assert drawn[..., 2].mean() == pytest.approx(values[-seen:, 2].mean(), rel=0.3)


def test_too_few_steps_are_refused():
    with pytest.raises(ValueError, match="dataset: expected at least 13 steps to regress them on 5 before, got 12"):
        next(VARPredictor(2).predict([entry(np.random.default_rng(0).normal(size=(12, 10)))]))
    drawn = np.random.default_rng(0).normal(size=(40, 10))
    short, enough = Entry.of(entry(drawn[:12])), Entry.of(entry(drawn))
    VARPredictor(2).require_steps([short, enough], "training_data")  # one is long enough
    with pytest.raises(ValueError, match="training_data: expected at least 13 steps"):
        VARPredictor(2).require_steps([short], "training_data")
    with pytest.raises(ValueError, match="max_lags: expected a whole number from 1 to 100000, got 0"):
        VARPredictor(2, max_lags=0)
