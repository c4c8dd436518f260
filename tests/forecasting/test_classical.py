"""Exponential smoothing and ARIMA for every series on its own."""

import sys

import numpy as np
import pandas as pd
import pytest
from hemline.forecasting import ClassicalPredictor

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


@pytest.mark.parametrize("family", ["ets", "arima"])
def test_a_series_that_ended_early_is_forecast_over_its_gap(family):
    values = 20 + 5 * np.sin(np.arange(90) * 2 * np.pi / 7) + 0.3 * np.random.default_rng(4).normal(size=90)
    ended = np.where(np.arange(90) < 78, values, np.nan)
    whole, found = (
        paths(ClassicalPredictor(7, family, season_length=7), [each], 300)[:, :, 0] for each in (values, ended)
    )
    np.testing.assert_allclose(np.median(found, 0), np.median(whole, 0), atol=1)
    assert found.std(0).mean() < 3 * whole.std(0).mean()


def test_nothing_before_a_long_gap_is_read_where_there_is_enough_behind_it():
    values = np.concatenate([np.full(50, 1000.0), np.full(20, np.nan), np.arange(30.0) % 7])
    found = paths(ClassicalPredictor(7, season_length=7), values, 50)
    expected = paths(ClassicalPredictor(7, season_length=7), values[70:], 50)
    np.testing.assert_array_equal(found, expected)


def test_the_history_bounds_what_is_read():
    broken = np.concatenate([np.full(50, 1000.0), 5 + 0.1 * np.random.default_rng(3).normal(size=30)])
    found = paths(ClassicalPredictor(2, "arima", history=30), broken)
    assert np.abs(found - 5).max() < 2


def test_a_history_that_begins_in_a_gap_goes_on_from_the_value_before_it():
    values = np.arange(60.0) % 7
    values[35:45] = np.nan
    assert np.isfinite(paths(ClassicalPredictor(2, history=20), values, 10)).all()


def test_what_is_not_installed_or_known_is_said(monkeypatch):
    with pytest.raises(ValueError, match="family: expected one of ets, arima, croston, tsb, got 'theta'"):
        ClassicalPredictor(2, "theta")
    monkeypatch.setitem(sys.modules, "statsforecast.models", None)
    with pytest.raises(ValueError, match=r"pip install statsforecast"):
        paths(ClassicalPredictor(2), np.arange(20.0))
