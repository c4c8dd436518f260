"""Reconciled forecasts: totals that help, scenarios, gaps, launches, saving, and bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import Entry, Hierarchy, simulated_sales
from hemline.evaluation.scores.multivariate import energy_score
from hemline.forecasting import (
    RandomWalkPredictor,
    ReconciledEstimator,
    RespondingEstimator,
    Scenario,
    SeasonalNaivePredictor,
    VARPredictor,
    load_predictor,
    simulate,
)
from hemline.forecasting.paths.reconciliation import error_covariance, moves, ranked_totals, reconciling_gain

HORIZON = 7


def mirrored(length: int = 400, series: int = 6) -> Entry:
    """Series whose noise cancels in their sum, which has a season alone: the total is far easier than its parts."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(series, length)).cumsum(1) * 3
    noise -= noise.mean(0)
    season = 10 * np.sin(2 * np.pi * np.arange(length) / 7)
    items = tuple(f"s{number}" for number in range(series))
    return Entry(pd.Period("2024-01-01", "D"), 100 + season + noise, item_ids=items)


def fitted(entry: Entry, **options: object) -> object:
    hierarchy = Hierarchy(entry.item_ids, {"half": ("x", "x", "x", "y", "y", "y")})
    walks = RandomWalkPredictor(HORIZON, joint=False)
    return ReconciledEstimator(walks, hierarchy, of_totals=SeasonalNaivePredictor(HORIZON, 7), **options).train([entry])


def test_a_total_that_is_forecast_better_helps_at_every_level():
    entry = mirrored()
    model = fitted(entry.until(300))
    pasts = [entry.until(end) for end in range(300, 390, HORIZON)]
    truth = np.stack([entry.target[:, end : end + HORIZON].T for end in range(300, 390, HORIZON)])
    told, own = (
        np.stack([each.samples for each in of.predict(pasts, num_samples=100)]).astype(float)
        for of in (model, model.series)
    )
    assert model.gain.any()
    for sums in (np.eye(6), np.ones((1, 6))):
        scores = [np.mean(energy_score(paths @ sums.T, truth @ sums.T)) for paths in (told, own)]
        assert scores[0] < scores[1] * (0.5 if len(sums) == 1 else 1.0)


def test_without_strength_the_paths_are_those_of_the_series():
    entry = mirrored()
    model = fitted(entry, strength=0.0)
    (told,), (own,) = (list(of.predict([entry], num_samples=20, seed=1)) for of in (model, model.series))
    np.testing.assert_allclose(told.samples, own.samples, rtol=1e-6)


def test_totals_that_never_erred_are_taken_as_they_were_drawn():
    rng = np.random.default_rng(0)
    matrix = np.array([[1.0, 1, 1, 1], [1, 1, 0, 0]])
    paths, totals = rng.normal(10, 2, size=(50, 3, 4)), rng.normal([50, 20], 1, size=(50, 3, 2))
    errors = rng.normal(size=(6, 40)) * np.array([1e-7, 1e-7, 1, 1, 1, 1])[:, None]
    gain = reconciling_gain(error_covariance(errors, "shrink", matrix), matrix)
    ranked = ranked_totals(paths, totals, matrix)
    told = paths + moves(paths, ranked, matrix, gain)
    np.testing.assert_allclose(told @ matrix.T, ranked, rtol=1e-6)
    np.testing.assert_array_equal(np.sort(ranked, axis=0), np.sort(totals, axis=0))
    # Ranks of the sums stay.
    sums = (paths @ matrix.T).argsort(0).argsort(0)
    np.testing.assert_array_equal(ranked.argsort(0).argsort(0), sums)


def test_the_gain_is_that_of_mint():
    rng = np.random.default_rng(1)
    matrix = np.array([[1.0, 1, 1], [1, 1, 0]])
    root = rng.normal(size=(5, 5))
    covariance, summing = root @ root.T, np.vstack([matrix, np.eye(3)])
    inverse = np.linalg.inv(covariance)
    mint = np.linalg.solve(summing.T @ inverse @ summing, summing.T @ inverse)
    gain = reconciling_gain(covariance, matrix)
    base = rng.normal(size=5)
    np.testing.assert_allclose(base[2:] + gain @ (base[:2] - matrix @ base[2:]), mint @ base, rtol=1e-9)


def test_errors_that_are_missing_leave_a_covariance():
    rng = np.random.default_rng(2)
    errors = rng.normal(size=(5, 60))
    errors[1, :30] = errors[4, 20:45] = np.nan
    matrix = np.array([[1.0, 1, 1], [1, 1, 0]])
    for weights in ("variance", "shrink"):
        covariance = error_covariance(errors, weights, matrix)
        assert np.linalg.eigvalsh(covariance).min() > 0
        assert np.isfinite(reconciling_gain(covariance, matrix)).all()
    errors[4, :-1] = np.nan
    with pytest.raises(ValueError, match="errors: expected at least 2 known ones a row, got 1 in row 4"):
        error_covariance(errors, "shrink", matrix)


@pytest.fixture(scope="module")
def shop():
    data = simulated_sales(articles=4, weeks=130, windows=1)
    hierarchy = Hierarchy(data.metadata.item_ids, {"category": ("a", "a", "b", "b")})
    vector = VARPredictor(data.metadata.prediction_length)
    answering = RespondingEstimator(vector, domain="count")
    estimator = ReconciledEstimator(answering, hierarchy, of_totals=vector, domain="count", windows=3)
    return data, estimator, estimator.train(data.train)


def test_paths_are_counts_and_the_same_after_saving(shop, tmp_path):
    data, _, model = shop
    (drawn,) = model.predict([data.history(0)], num_samples=50, seed=4)
    assert (drawn.samples % 1 == 0).all()
    assert (drawn.samples >= 0).all()
    model.serialize(tmp_path)
    again = load_predictor(tmp_path)
    (same,) = again.predict([data.history(0)], num_samples=50, seed=4)
    np.testing.assert_array_equal(same.samples, drawn.samples)
    assert again.trained_by.configuration() == model.trained_by.configuration()


def test_a_scenario_changes_what_the_model_of_the_series_says_it_changes(shop):
    data, _, model = shop
    item = data.metadata.item_ids[0]
    cut = [Scenario("cut", f"price[{item}] = -20%")]
    ours, theirs = (simulate(of, data.history(0), cut, paths=200, seed=1)["cut"] for of in (model, model.series))
    assert ours.difference().units(item).mean() == pytest.approx(theirs.difference().units(item).mean(), rel=0.1)


def test_an_update_goes_on_with_both_models(shop):
    data, estimator, model = shop
    after = estimator.update(model, data.train)
    np.testing.assert_array_equal(after.gain, model.gain)
    assert np.isfinite(next(after.predict([data.history(0)], num_samples=10)).samples).all()


def test_a_series_that_begins_in_the_held_out_windows_is_not_moved():
    entry = mirrored(200)
    target = entry.target.copy()
    target[5, : 200 - 2 * HORIZON] = np.nan
    model = fitted(entry.with_(target=target), windows=3)
    assert not model.gain[5].any()
    assert model.gain[:5].any()
    assert np.isfinite(next(model.predict([entry.with_(target=target)], num_samples=10)).samples).all()


def test_bad_input_is_one_line():
    entry = mirrored(60)
    other = Hierarchy(("a", "b"), {})
    walk = RandomWalkPredictor(HORIZON)
    with pytest.raises(ValueError, match="hierarchy: expected attributes for every series, got none for 's0'"):
        ReconciledEstimator(walk, other).train([entry])
    with pytest.raises(ValueError, match="strength: expected from 0 to 1, got 2"):
        ReconciledEstimator(walk, other, strength=2.0)
    with pytest.raises(ValueError, match="of_totals: expected a model with a horizon of 7, got one of 9"):
        ReconciledEstimator(walk, other, of_totals=RandomWalkPredictor(9))
    with pytest.raises(ValueError, match="weights: expected"):
        ReconciledEstimator(walk, other, weights="mint")
    with pytest.raises(ValueError, match="levels: expected at least one, got none"):
        ReconciledEstimator(walk, other, levels=[])
    with pytest.raises(ValueError, match="training_data: expected at least 21 steps"):
        ReconciledEstimator(walk, Hierarchy(entry.item_ids)).train([entry.until(15)])
