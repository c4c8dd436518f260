"""Exponential smoothing and ARIMA for every series on its own."""

import sys

import numpy as np
import pandas as pd
import pytest
from gluonts.model.predictor import Predictor
from hemline.forecasting import ClassicalEstimator, ClassicalPredictor, classical

pytest.importorskip("statsforecast", reason="classical rows need the extra 'classical'")

START = pd.Period("2024-01-01", "D")


def entry(target) -> dict:
    return {"start": START, "target": np.atleast_2d(np.asarray(target, dtype=np.float32))}


def paths(model: ClassicalPredictor, target, count: int = 200) -> np.ndarray:
    return next(model.predict([entry(target)], num_samples=count)).samples


def test_a_season_goes_on():
    season = np.tile([1.0, 5.0, 9.0, 20.0], 15)
    noise = 0.1 * np.random.default_rng(0).normal(size=60)
    for family in ("ets", "arima"):
        found = paths(ClassicalPredictor(4, family, season_length=4), season + noise)
        np.testing.assert_allclose(np.median(found[:, :, 0], 0), [1, 5, 9, 20], atol=0.5)


def test_the_paths_of_a_walk_spread_over_the_horizon():
    walk = np.random.default_rng(1).normal(size=400).cumsum() + 100
    spread = paths(ClassicalPredictor(16, "ets"), walk, 2000)[:, :, 0].std(0)
    assert spread[0] == pytest.approx(1.0, rel=0.15)
    # A walk's would be 4; the weight of the last value is estimated.
    assert 3 < spread[15] / spread[0] < 4.5


def test_series_have_their_own_noise_and_the_same_seed_the_same_paths():
    walks = np.random.default_rng(2).normal(size=(2, 100)).cumsum(1)
    found = paths(ClassicalPredictor(3), walks, 1000)
    assert abs(np.corrcoef(found[:, 0].T)[0, 1]) < 0.15
    np.testing.assert_array_equal(paths(ClassicalPredictor(3), walks, 1000), found)
    assert (paths(ClassicalPredictor(3).for_run(1), walks, 1000) != found).any()


def test_gaps_are_bridged_and_short_series_walk():
    values = np.arange(40.0) % 7
    values[:10], values[15:18] = np.nan, np.nan
    young = np.full(40, np.nan)
    young[-3:] = [4.0, 5.0, 6.0]
    found = paths(ClassicalPredictor(2), [values, young], 10)
    assert np.isfinite(found).all()
    assert (found[:, :, 1] == [7.0, 8.0]).all()


def test_the_history_bounds_what_is_read():
    broken = np.concatenate([np.full(50, 1000.0), 5 + 0.1 * np.random.default_rng(3).normal(size=30)])
    found = paths(ClassicalPredictor(2, "arima", history=30), broken)
    assert np.abs(found - 5).max() < 2


def test_a_history_that_begins_in_a_gap_goes_on_from_the_value_before_it():
    values = np.arange(60.0) % 7
    values[35:45] = np.nan
    assert np.isfinite(paths(ClassicalPredictor(2, history=20), values, 10)).all()


def test_what_is_not_installed_or_known_is_said(monkeypatch):
    with pytest.raises(ValueError, match="family: expected 'ets' or 'arima', got 'theta'"):
        ClassicalPredictor(2, "theta")
    monkeypatch.setitem(sys.modules, "statsforecast.models", None)
    with pytest.raises(ValueError, match=r"pip install 'hemline\[classical\]'"):
        paths(ClassicalPredictor(2), np.arange(20.0))
    with pytest.raises(ValueError, match=r"pip install 'hemline\[classical\]'"):
        ClassicalEstimator(2).train([entry(np.arange(20.0))])


def seasonal(length: int, seed: int = 0) -> np.ndarray:
    """A season of four steps with errors that grow with it."""
    noise = np.random.default_rng(seed).normal(size=length)
    return np.resize([10.0, 50.0, 90.0, 200.0], length) * np.exp(0.1 * noise)


@pytest.mark.parametrize("family", ["ets", "arima"])
def test_what_was_chosen_in_training_is_what_would_be_chosen_there(family, tmp_path):
    values = np.stack([seasonal(60), np.random.default_rng(1).normal(size=60).cumsum() + 5 * np.arange(60)])
    trained = ClassicalEstimator(4, family, season_length=4, seed=3).train([entry(values)])
    anew = ClassicalPredictor(4, family, season_length=4, seed=3)
    np.testing.assert_array_equal(paths(trained, values, 20), paths(anew, values, 20))
    trained.serialize(tmp_path)
    np.testing.assert_array_equal(paths(Predictor.deserialize(tmp_path), values, 20), paths(anew, values, 20))


def test_the_choice_is_made_once_and_its_numbers_are_fitted_anew(monkeypatch):
    trained = ClassicalEstimator(4, season_length=4).train([entry(seasonal(60))])
    assert trained.kinds == [{"model": "MNA", "damped": False}]
    asked, real = [], classical._chosen
    monkeypatch.setattr(classical, "_chosen", lambda *given: asked.append(given) or real(*given))
    higher = np.concatenate([seasonal(60), 10 * seasonal(60, seed=1)])
    level = paths(trained, higher).mean()
    assert asked == [("ets", 4, trained.kinds[0])]
    assert 600 < level < 1100  # 87 in the training data


def test_a_kind_that_does_not_suit_what_came_later_is_chosen_anew():
    trained = ClassicalEstimator(4, season_length=4).train([entry(seasonal(60))])
    sold_out = np.concatenate([seasonal(60), np.zeros(8), seasonal(8)])
    assert trained.kinds[0]["model"] == "MNA"  # no error is a share of a value of 0
    found = paths(trained, sold_out)
    np.testing.assert_array_equal(found, paths(ClassicalPredictor(4, season_length=4), sold_out))


def test_a_series_too_young_for_a_choice_in_training_gets_one_when_it_is_older():
    young = np.full((1, 60), np.nan)
    young[0, -6:] = 5.0
    trained = ClassicalEstimator(4, season_length=4).train([entry(young)])
    assert trained.kinds == [{}]
    older = np.concatenate([young, seasonal(60)[None]], axis=1)
    np.testing.assert_array_equal(paths(trained, older), paths(ClassicalPredictor(4, season_length=4), older))


def test_another_number_of_series_than_in_training_is_refused():
    trained = ClassicalEstimator(4).train([entry(seasonal(60))])
    with pytest.raises(ValueError, match="dataset: expected 1 series as in training, got 2 in entry 0"):
        paths(trained, np.stack([seasonal(60)] * 2))
