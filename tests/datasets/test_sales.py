from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import get_dataset, simulated_sales
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def data():
    return simulated_sales()


def channel(data, kind):
    """The rows of one kind of channel over the whole span, [D, T]."""
    entry, metadata = data.test[-1], data.metadata
    names, field = (
        (metadata.past_covariates, "past_feat_dynamic_real")
        if kind == "in_stock"
        else (metadata.covariates, "feat_dynamic_real")
    )
    return entry[field][[row for row, name in enumerate(names) if name.split("[")[0] == kind]].astype(float)


def test_the_same_seed_gives_the_same_numbers(data):
    again, other = simulated_sales(), simulated_sales(seed=1)
    np.testing.assert_array_equal(data.train[0]["target"], again.train[0]["target"])
    np.testing.assert_array_equal(data.truth.elasticity, again.truth.elasticity)
    assert not np.array_equal(data.train[0]["target"], other.train[0]["target"])


def test_the_default_is_known_by_name(data):
    named = get_dataset("simulated_sales")
    np.testing.assert_array_equal(named.test[-1]["target"], data.test[-1]["target"])
    with pytest.raises(ValueError, match="path: 'simulated_sales' is made, not read"):
        get_dataset("simulated_sales", "somewhere")


def test_the_entries_have_the_promised_shape(data):
    metadata, train = data.metadata, data.train[0]
    assert metadata.covariates[:2] == ("price[dress_1]", "price[dress_2]")
    assert metadata.covariates[-1] == "holiday"
    assert metadata.past_covariates[0] == "in_stock[dress_1]"
    assert train["start"] == pd.Period("2020-01-06", "W-SUN")
    assert train["target"].shape == (20, 236)
    assert train["feat_dynamic_real"].shape == (len(metadata.covariates), 236)
    assert train["past_feat_dynamic_real"].shape == (20, 236)
    assert [entry["target"].shape for entry in data.test] == [(20, 244), (20, 252), (20, 260)]
    for entry in (train, *data.test):
        for field in ("target", "feat_dynamic_real", "past_feat_dynamic_real"):
            assert entry[field].dtype == np.float32
            assert entry[field].flags.c_contiguous
    assert np.all(train["target"] >= 0)
    np.testing.assert_array_equal(train["target"] % 1, 0)


@settings(max_examples=25, deadline=None)
@given(
    articles=st.integers(1, 30), style_size=st.integers(1, 7), weeks=st.integers(10, 120), seed=st.integers(0, 2**32)
)
def test_any_assortment_is_sound(articles, style_size, weeks, seed):
    data = simulated_sales(articles=articles, style_size=style_size, weeks=weeks, seed=seed, prediction_length=3)
    truth = data.truth
    assert len(set(truth.articles)) == articles
    same = np.equal.outer(truth.styles, truth.styles)
    assert np.all(truth.elasticity[~same] == 0)
    assert np.all(np.diag(truth.elasticity) < -1)
    off = same & ~np.eye(articles, dtype=bool)
    assert np.all(truth.elasticity[off] > 0)
    assert np.all(truth.elasticity.sum(axis=1) < 0)
    assert np.all(channel(data, "price") > 0)
    assert len(truth.substitutes()) == off.sum()
    np.testing.assert_allclose(truth.season.mean(axis=0), 0, atol=1e-12)


def test_the_planted_elasticities_are_in_the_data(data):
    """A log-linear regression on price, promotion, holiday, trend and season finds them again."""
    truth, units = data.truth, data.test[-1]["target"].astype(float)
    price = np.log(channel(data, "price") / truth.list_price[:, None])
    promo, holiday, in_stock = channel(data, "promo"), channel(data, "holiday"), channel(data, "in_stock")
    week = np.arange(units.shape[1])
    waves = [wave(2 * np.pi * k * week / 52) for k in (1, 2) for wave in (np.sin, np.cos)]
    found, promotion = np.empty_like(truth.elasticity), np.empty(len(units))
    for i in range(len(units)):
        regressors = np.column_stack([np.ones_like(week), week, *waves, holiday[0], promo[i], price.T])
        seen = in_stock[i] > 0
        fit = np.linalg.lstsq(regressors[seen], np.log(units[i][seen] + 0.5), rcond=None)[0]
        found[i], promotion[i] = fit[-len(units) :], fit[7]
    pairs = [(truth.articles.index(a), truth.articles.index(b)) for a, b in truth.substitutes()]
    assert np.mean([found[pair] > 0 for pair in pairs]) > 0.97
    assert np.sqrt(np.mean((found - truth.elasticity) ** 2)) < 0.15
    np.testing.assert_allclose(np.diag(found), np.diag(truth.elasticity), atol=0.4)
    assert abs(found[truth.elasticity == 0].mean()) < 0.02
    np.testing.assert_allclose(promotion.mean(), truth.promotion.mean(), atol=0.05)


def test_demand_has_the_expected_mean_and_is_overdispersed():
    truth = simulated_sales(articles=40, weeks=520, style_size=1).truth
    many = simulated_sales(articles=40, weeks=520, style_size=1)
    price, promo = channel(many, "price").T, channel(many, "promo").T
    mean = truth.expected_units(price, promo, np.arange(520)) * np.exp(truth.shocks)
    errors = truth.demand - mean
    np.testing.assert_allclose(truth.demand.sum() / mean.sum(), 1, atol=0.01)
    variance = mean + truth.dispersion * mean**2
    np.testing.assert_allclose(np.mean(errors**2 / variance), 1, atol=0.05)
    assert np.mean(errors**2 / mean) > 2


def test_shocks_tie_the_series_together_and_keep_the_mean():
    truth = simulated_sales(articles=8, weeks=20_800).truth
    correlation = np.corrcoef(truth.shocks.T)
    assert correlation[0, 1] > correlation[0, 7] > 0.4
    np.testing.assert_allclose(np.exp(truth.shocks).mean(), 1, atol=0.007)


def test_a_stockout_caps_the_sales_and_no_other_week_does(data):
    units, in_stock = data.test[-1]["target"].T, channel(data, "in_stock").T
    np.testing.assert_array_equal(units[in_stock == 1], data.truth.demand[in_stock == 1])
    assert np.all(units[in_stock == 0] <= 0.7 * data.truth.demand[in_stock == 0])
    assert 0.01 < np.mean(in_stock == 0) < 0.03
    assert np.all(channel(simulated_sales(stockouts=0), "in_stock") == 1)


def test_a_price_cut_moves_expected_units_by_the_elasticity(data):
    truth, weeks = data.truth, np.arange(252, 260)
    prices, promo = np.tile(truth.list_price, (8, 1)), np.zeros((8, 20))
    cut = prices.copy()
    cut[:, 0] *= 0.7
    ratio = truth.expected_units(cut, promo, weeks) / truth.expected_units(prices, promo, weeks)
    np.testing.assert_allclose(ratio, np.tile(0.7 ** truth.elasticity[:, 0], (8, 1)))
    np.testing.assert_allclose(ratio[0, 1] - 1, truth.price_effect("dress_2", of="dress_1", change=-0.3))
    assert truth.price_effect("coat_1", of="dress_1", change=-0.3) == 0


def test_expected_units_takes_many_scenarios_at_once(data):
    truth, weeks = data.truth, np.arange(4)
    prices = np.tile(truth.list_price, (3, 4, 1)) * np.array([0.8, 0.9, 1.0])[:, None, None]
    units = truth.expected_units(prices, np.zeros_like(prices), weeks)
    assert units.shape == (3, 4, 20)
    np.testing.assert_allclose(units[1], truth.expected_units(prices[1], np.zeros((4, 20)), weeks))


def test_level_season_growth_promotion_and_holiday_enter_as_documented(data):
    truth = replace(data.truth, holidays=np.zeros(260))
    prices, still = np.tile(truth.list_price, (1, 1)), np.zeros((1, 20))

    def units(week, promo=still, law=truth):
        return law.expected_units(prices, promo, np.array([week]))[0]

    np.testing.assert_allclose(units(0), truth.level * np.exp(truth.season[0]))
    np.testing.assert_allclose(units(52) / units(0), np.exp(truth.growth))
    np.testing.assert_allclose(units(0, promo=still + 1) / units(0), np.exp(truth.promotion))
    holiday = replace(truth, holidays=np.ones(260))
    np.testing.assert_allclose(units(0, law=holiday) / units(0), np.exp(truth.holiday))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"articles": 0}, "articles: expected a whole number from 1, got 0"),
        ({"weeks": 1}, "weeks: expected at least 2, got 1"),
        ({"style_size": 0}, "style_size: expected a whole number from 1, got 0"),
        ({"stockouts": 0.5}, "stockouts: expected a share of weeks"),
        ({"weeks": 24}, "prediction_length: expected a history before 3 windows of 8 steps"),
        ({"prediction_length": 0}, "prediction_length: expected a whole number from 1 to 100000, got 0"),
        ({"windows": -1}, "windows: expected a whole number from 0"),
    ],
)
def test_arguments_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        simulated_sales(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"prices": np.ones((2, 3))},
            r"prices: expected the last axes to be .* \(2, 20\), got \(2, 3\)",
        ),
        ({"promo": np.ones((3, 20))}, "promo: expected the last axes"),
        ({"prices": np.zeros((2, 20))}, "prices: expected positive prices, got one that is not for 'dress_1'"),
        ({"prices": np.full((2, 20), np.nan)}, "prices: expected positive prices"),
        ({"weeks": np.array([259, 260])}, "weeks: expected weeks from 0 to 259, got 259 to 260"),
    ],
)
def test_prices_and_weeks_that_do_not_fit_are_refused(data, changes, message):
    arguments = {"prices": np.ones((2, 20)), "promo": np.zeros((2, 20)), "weeks": np.arange(2)} | changes
    with pytest.raises(ValueError, match=message):
        data.truth.expected_units(**arguments)


def test_unknown_articles_and_impossible_changes_are_refused(data):
    with pytest.raises(ValueError, match=r"article: expected one of dress_1, .* got 'hat'"):
        data.truth.price_effect("hat", of="dress_1", change=0.1)
    with pytest.raises(ValueError, match=r"of: expected one of .* got 'hat'"):
        data.truth.price_effect("dress_1", of="hat", change=0.1)
    with pytest.raises(ValueError, match="change: expected more than -1"):
        data.truth.price_effect("dress_1", of="dress_1", change=-1)
