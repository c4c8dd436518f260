"""Models of rare demand: rates that are right, paths of whole numbers, and what articles tell of each other."""

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import Metadata
from hemline.evaluation.scores.calibration import randomised_pit
from hemline.forecasting import build_model, load_predictor
from hemline.forecasting.models.statistical.count_laws import LARGEST, LAWS, CountLaw, laws_of, log_likelihoods
from hemline.forecasting.models.statistical.count_model import (
    CountModelPredictor,
    best_fading,
    log_negative_binomial,
    seasonal_profile,
)
from hemline.forecasting.models.statistical.rare_paths import foretold_rate, rare_paths, smoothed
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

HORIZON, DAYS = 14, 300
RATES = np.repeat([0.02, 0.2, 1.0, 4.0], 60)
NAMES = ("croston", "tsb", "counts")


def entry(target):
    return {"start": pd.Period("2023-01-02", "D"), "target": np.asarray(target, dtype=np.float32)}


def sold(days=DAYS, seed=0):
    return np.random.default_rng(seed).poisson(RATES[:, None], (len(RATES), days)).astype(float)


def model(name, dim, season=7):
    return build_model(name, Metadata("rare", "D", HORIZON, tuple(map(str, range(dim))), "count", season))


def paths(name, target, count=300, **options):
    return next(iter(model(name, len(target)).predict([entry(target)], num_samples=count, **options))).samples


@pytest.mark.parametrize("name", NAMES)
def test_rates_are_foretold_and_the_future_lies_evenly_among_the_paths(name):
    whole = sold(DAYS + HORIZON)
    whole[(whole[:, :DAYS] > 0).sum(1) == 0, 40] = 1
    drawn = paths(name, whole[:, :DAYS])
    assert (drawn >= 0).all()
    assert (drawn == np.round(drawn)).all()
    for rate in np.unique(RATES):
        chosen = rate == RATES
        past = whole[chosen, :DAYS].mean()
        assert drawn[..., chosen].mean() == pytest.approx(past, rel=0.15)
        assert drawn[..., chosen].max() <= 4 * max(whole[chosen].max(), 1)
    uniform = np.random.default_rng(1).random((1, len(RATES)))
    pit = np.sort(randomised_pit(drawn.sum(1)[:, None], whole[:, DAYS:].sum(1)[None], uniform)[0])
    assert np.abs(pit - (np.arange(len(pit)) + 0.5) / len(pit)).max() < 1.63 / np.sqrt(len(pit))


@pytest.mark.parametrize("name", NAMES)
def test_a_sale_on_the_first_day_alone_is_no_sale_a_day(name):
    target = sold()[:30]
    target[0] = 0
    target[0, 0] = 1
    assert paths(name, target)[..., 0].mean() < 3 / DAYS


@pytest.mark.parametrize("name", NAMES)
def test_missing_steps_are_no_steps_without_a_sale(name):
    target = sold()
    target[:, ::2] = np.nan
    target[RATES == 0.2, :100] = np.nan
    target[:, 7] = 1
    drawn = paths(name, target)
    for rate in (0.2, 1.0, 4.0):
        assert drawn[..., rate == RATES].mean() == pytest.approx(np.nanmean(target[rate == RATES]), rel=0.15)


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_paths_and_another_others(name, tmp_path):
    target, asked = sold()[::20], model(name, 12)
    first, again, other = (
        next(iter(asked.predict([entry(target)], num_samples=20, seed=seed))).samples for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    asked.serialize(tmp_path)
    read = next(iter(load_predictor(tmp_path).predict([entry(target)], num_samples=20, seed=1))).samples
    np.testing.assert_array_equal(read, first)


def test_a_rate_that_falls_is_followed():
    target = np.random.default_rng(0).poisson(np.where(np.arange(DAYS) < 200, 1.0, 0.1), (80, DAYS)).astype(float)
    target[:, 0] = 1
    assert paths("counts", target).mean() < 0.3
    assert paths("tsb", target).mean() < 0.4


def test_fast_articles_whose_level_wanders_do_not_say_how_the_slow_ones_move():
    generator = np.random.default_rng(3)
    wander = np.exp(generator.normal(scale=0.05, size=(3, 365)).cumsum(1))
    target = np.concatenate([generator.poisson(0.02, (300, 365)), generator.poisson(80 * wander)]).astype(float)
    found = best_fading(target, np.ones(1), HORIZON)
    assert np.unique(found[:300]).tolist() == [np.inf]
    assert np.unique(found[300:]).tolist() != [np.inf]


def test_sums_of_clumped_demand_are_as_wide_as_they_were():
    generator = np.random.default_rng(0)
    target = generator.poisson(0.1, (100, DAYS)) * 4.0
    target[:, 0] = 4
    drawn = paths("counts", target).sum(1)
    assert drawn.var() == pytest.approx(HORIZON * 0.1 * 16, rel=0.15)
    assert (drawn % 4 == 0).mean() > 0.99


def test_the_density_is_that_of_a_negative_binomial_law():
    for dispersion, mean in ((1.5, 0.2), (4.0, 30.0)):
        shape = mean / (dispersion - 1)
        found = log_negative_binomial(np.arange(9.0), np.full(9, shape), np.full(9, dispersion))
        np.testing.assert_allclose(found, nbinom.logpmf(np.arange(9), shape, 1 / dispersion))


@pytest.mark.parametrize("law", [LAWS[0], *(CountLaw(sizes, 4.0) for sizes in ("fixed", "logarithmic", "geometric"))])
def test_a_law_has_the_mean_and_the_variance_that_it_says_and_draws_what_it_says(law):
    counts = np.arange(400)
    for mean in (0.05, 3.0):
        chance = law.probabilities(np.array([mean]), 399)[0]
        assert chance.sum() == pytest.approx(1)
        assert chance @ counts == pytest.approx(mean)
        assert chance @ (counts - mean) ** 2 == pytest.approx(law.dispersion * mean)
        drawn = law.drawn(np.full(40_000, mean), np.random.default_rng(0))
        found = np.bincount(drawn.astype(int), minlength=400)[:10] / len(drawn)
        np.testing.assert_allclose(found, chance[:10], atol=4 * np.sqrt(0.25 / len(drawn)))
    if law.sizes == "logarithmic":
        np.testing.assert_allclose(chance[:20], nbinom.pmf(np.arange(20), 3 / 3.0, 1 / 4.0))


def test_the_likelihood_between_tabled_rates_is_that_of_the_law():
    counts = np.zeros((2, 1, LARGEST + 1))
    counts[0, 0, :3], counts[1, 0, [4, 9, 30]] = (300, 9, 2), (5, 3, 1)
    means = np.array([[0.043], [7.77]])
    found = log_likelihoods(counts, means)
    for number, law in enumerate(LAWS):
        chance = np.maximum(law.probabilities(means[:, 0], LARGEST), np.finfo(float).tiny)
        possible = ((chance > 1e-300) | (counts[:, 0] == 0)).all(1)
        exact = (np.log(chance) * counts[:, 0]).sum(1)
        np.testing.assert_allclose(found[possible, number], exact[possible], atol=0.02)
        assert (found[~possible, number] < -1e3).all()


@pytest.mark.parametrize("sizes", ["logarithmic", "geometric"])
def test_how_demand_clumps_is_learnt_from_articles_that_are_too_slow_to_tell_alone(sizes):
    generator = np.random.default_rng(1)
    sold = CountLaw(sizes, 4.0).drawn(np.full((300, 365), 0.05), generator).astype(int)
    counts = np.stack([np.bincount(each, minlength=LARGEST + 1)[: LARGEST + 1] for each in sold])[:, None]
    laws = laws_of(counts.astype(float), np.full((300, 1), 0.05)).mean(0)
    dispersion = np.array([law.dispersion for law in LAWS])
    assert laws @ dispersion == pytest.approx(4.0, rel=0.2)
    alike = sum(each for law, each in zip(LAWS, laws, strict=True) if law.sizes == sizes)
    assert alike > 0.8


def test_an_article_that_never_sold_is_told_half_a_sale_in_as_long_a_past():
    target = sold()
    target[0] = 0
    drawn = paths("counts", target[:40], 5000)[..., 0]
    assert drawn.mean() == pytest.approx(0.5 / DAYS, rel=0.5)


def test_the_rate_is_that_of_statsforecast_where_smoothing_has_forgotten_its_start():
    models = pytest.importorskip("statsforecast.models", reason="needs the extra `classical`")
    target = np.random.default_rng(2).poisson(0.4, 4000).astype(float)
    bias = models.CrostonClassic().forecast(y=target, h=1)["mean"][0] / foretold_rate(target, "croston", 0.1)
    interval = 1 / models.CrostonClassic().forecast(y=np.sign(target), h=1)["mean"][0]
    assert 1 / bias == pytest.approx((1 - 0.05) / (1 - 0.05 / interval), rel=2e-3)
    share = (target > 0).mean()
    tsb = models.TSB(alpha_d=0.1, alpha_p=0.1 * share).forecast(y=target, h=1)["mean"][0]
    assert foretold_rate(target, "tsb", 0.1) == pytest.approx(tsb, rel=1e-3)


@given(st.floats(0.003, 0.999), st.integers(30, 400), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_corrected_rate_has_no_bias(chance, length, seed):
    generator = np.random.default_rng(seed)
    drawn = (generator.random((300, length)) < chance) * generator.geometric(0.5, (300, length)).astype(float)
    rates = np.array([foretold_rate(each, "croston") for each in drawn])
    error = np.sqrt(rates.var() / len(rates) + drawn.mean(1).var() / len(rates))
    assert abs(rates.mean() - drawn.mean()) < 5 * error + 0.03 * chance * 2


def test_what_is_sold_at_every_step_has_no_bias_to_be_taken_out():
    assert foretold_rate(np.full(50, 4.0), "croston") == pytest.approx(4)
    assert smoothed(np.array([3.0, 5.0]), 0.5, 3.0) == 4
    assert (rare_paths(np.full(50, 4.0), "croston", 5, 20, 0) == 4).all()
    assert (rare_paths(np.zeros(50), "tsb", 5, 20, 0) == 0).all()


def test_a_week_is_that_of_all_articles():
    week = np.array([0.5, 0.5, 1, 1, 1, 1, 2])
    generator = np.random.default_rng(0)
    target = generator.poisson(0.3 * week[np.arange(700) % 7], (100, 700)).astype(float)
    np.testing.assert_allclose(seasonal_profile(target, 7), week, atol=0.1)
    assert seasonal_profile(target[:, :15], 7).tolist() == [1]
    drawn = next(CountModelPredictor(7, 7).predict([entry(target)], num_samples=200)).samples.mean((0, 2))
    np.testing.assert_allclose(drawn / drawn.mean(), week, atol=0.15)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 60), st.floats(1e-3, 1e6))
@settings(max_examples=40, deadline=None)
def test_any_counts_give_finite_whole_numbers(seed, dim, length, rate):
    target = np.random.default_rng(seed).poisson(rate, (dim, length)).astype(float)
    drawn = next(CountModelPredictor(3, 7).predict([entry(target)], num_samples=5)).samples
    assert np.isfinite(drawn).all()
    assert (drawn == np.round(drawn)).all()
    assert (drawn >= 0).all()


def test_what_is_no_count_is_refused():
    with pytest.raises(ValueError, match=r"dataset: expected counts from 0 to 1e\+15, got -2 in entry 0"):
        next(CountModelPredictor(3).predict([entry([[1.0, -2.0]])]))
    with pytest.raises(ValueError, match="season_length: expected a whole number from 1 to 100000, got 0"):
        CountModelPredictor(3, 0)
