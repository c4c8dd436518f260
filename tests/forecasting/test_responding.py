"""A model that reads no prices answers to them, once it forecasts what they leave."""

from dataclasses import replace

import numpy as np
import pytest
from gluonts.model.predictor import Predictor
from gluonts.model.seasonal_naive import SeasonalNaivePredictor as LastValue
from hemline.datasets import simulated_sales
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.evaluation import backtest
from hemline.evaluation.adapters.predictor import GroupedPredictor
from hemline.forecasting import (
    MODELS,
    AnalogEstimator,
    RandomWalkPredictor,
    RespondingEstimator,
    Scenario,
    SeasonalNaivePredictor,
    VARPredictor,
    build_model,
    simulate,
)
from hemline.forecasting.response.fit import fit_response
from hemline.forecasting.response.response import LogLinear
from hemline.forecasting.windows.spec import infer_spec
from hemline.forecasting.wrappers import responding

DATA = simulated_sales(articles=6, weeks=220, seed=2, windows=1, style_size=3)
HISTORY = DATA.history(0)
CUT = Scenario("cut", "price[dress_1] = -30%")


@pytest.fixture(scope="module", params=["analog", "var", "walk"])
def predictor(request):
    model = {
        "analog": build_model("analog", DATA.metadata),
        "var": build_model("var-responding", DATA.metadata),
        "walk": RespondingEstimator(RandomWalkPredictor(8), domain="count"),
    }
    return model[request.param].train(DATA.train)


class TestForecasts:
    def test_a_markdown_moves_its_article_and_the_substitutes_as_planted(self, predictor):
        outcome = simulate(predictor, HISTORY, CUT, paths=400)["cut"]
        for article in ("dress_1", "dress_2", "dress_3"):
            planted = DATA.truth.price_effect(article, of="dress_1", change=-0.3)
            low, high = np.quantile(outcome.effect(article), (0.02, 0.98))
            assert low < planted < high, article
        unrelated = np.quantile(outcome.effect("coat_1"), (0.02, 0.98))
        assert unrelated[0] < 0 < unrelated[1]

    def test_an_empty_scenario_is_the_plain_forecast_path_by_path(self, predictor):
        outcomes = simulate(predictor, HISTORY, Scenario("nothing"), paths=20, seed=5)
        plain = next(predictor.predict([HISTORY], num_samples=20, seed=5)).samples
        np.testing.assert_array_equal(outcomes.baseline.paths, plain)
        np.testing.assert_array_equal(outcomes["nothing"].paths, plain)

    def test_the_effect_is_told_from_the_noise(self, predictor):
        common = simulate(predictor, HISTORY, CUT, paths=200)["cut"].difference()
        own = common.paths[:, :, common.column("dress_1")].sum(1)
        assert (own > 0).mean() > 0.99

    def test_paths_are_whole_numbers(self, predictor):
        samples = next(predictor.predict([HISTORY], num_samples=30)).samples
        np.testing.assert_array_equal(samples, samples.round())
        assert samples.min() >= 0

    def test_a_predictor_read_back_draws_the_same_paths(self, predictor, tmp_path):
        predictor.serialize(tmp_path)
        again = Predictor.deserialize(tmp_path)
        first, second = (next(each.predict([HISTORY], num_samples=9)).samples for each in (predictor, again))
        np.testing.assert_array_equal(first, second)
        assert again.covariate_names == DATA.metadata.covariates
        assert again.item_ids == DATA.metadata.item_ids

    def test_nothing_after_the_history_is_read_but_the_covariates(self, predictor):
        longer = {**DATA.test[0], "target": HISTORY["target"]}
        first, second = (next(predictor.predict([each], num_samples=5)).samples for each in (HISTORY, longer))
        np.testing.assert_array_equal(first, second)

    def test_some_of_the_series_are_forecast_and_another_number_without_names_is_refused(self, predictor):
        some = HISTORY.of_series([2, 0])
        drawn = next(predictor.predict([some], num_samples=20)).samples
        assert drawn.shape == (20, 8, 2)
        np.testing.assert_allclose(drawn.mean((0, 1)), np.nanmean(some.target, axis=1), rtol=0.8)
        with pytest.raises(ValueError, match="expected 6 series as in training, got 2 in entry 0"):
            next(predictor.predict([some.with_(item_ids=())]))

    def test_gaps_and_a_late_start_give_finite_paths(self, predictor):
        target = HISTORY["target"].astype(float)
        target[1, -12:], target[2, :100] = np.nan, np.nan
        assert np.isfinite(next(predictor.predict([{**HISTORY, "target": target}], num_samples=10)).samples).all()

    def test_no_path_is_refused(self, predictor):
        with pytest.raises(ValueError, match="num_samples: expected a whole number from 1, got 0"):
            next(predictor.predict([HISTORY], num_samples=0))

    def test_imposed_sales_are_refused(self, predictor):
        with pytest.raises(ValueError, match=r"imposed: expected a model that draws step by step"):
            simulate(predictor, HISTORY, Scenario("out", "sales[dress_1] = 0 @ 3:5"), paths=5)

    def test_prices_that_end_with_the_history_are_refused_by_name_and_date(self, predictor):
        short = {**HISTORY, "feat_dynamic_real": HISTORY["feat_dynamic_real"][:, :-8]}
        with pytest.raises(ValueError, match=r"\(price\[dress_1\], .*\) over history and horizon, to 2024-03-24"):
            next(predictor.predict([short]))


def test_the_history_is_told_without_the_response_and_the_paths_with_it():
    """The last value, by hand: what is left of the last week, times the response to each week to come."""
    predictor = RespondingEstimator(SeasonalNaivePredictor(8), seed=3).train(DATA.train)
    entries = as_multivariate(DATA.train)
    response = fit_response(entries, infer_spec(entries, freq="W-SUN", prediction_length=8), LogLinear(), "nonnegative")
    np.testing.assert_array_equal(predictor.response.mean, response.mean)
    entry = as_multivariate([HISTORY.of_domain("real")])[0]
    samples = next(predictor.predict([entry], num_samples=4)).samples
    left = response.history(entry)["target"][:, -1]
    factors = response.factors(entry, 8, 16, 4, (3 + 1) * 7919)
    np.testing.assert_allclose(samples, left * factors, rtol=1e-5)


def test_a_model_that_is_trained_sees_no_covariates_and_its_watched_data_neither():
    seen = []

    class Watching(AnalogEstimator):
        def train(self, training_data, validation_data=None):
            seen.extend([*training_data, *(validation_data or ())])
            return super().train(training_data)

    RespondingEstimator(Watching(8), domain="count").train(DATA.train, DATA.train)
    assert len(seen) == 2
    assert not any("feat_dynamic_real" in entry for entry in seen)


def test_single_series_beneath_a_response_answer_to_a_changed_price():
    """What is left of the sales is the same in both futures, whatever the plan has."""
    single = GroupedPredictor(LastValue(prediction_length=8, season_length=1))
    of_single, of_joint = (
        simulate(RespondingEstimator(model).train(DATA.train), HISTORY, CUT, paths=1)
        for model in (single, SeasonalNaivePredictor(8))
    )
    for name in ("baseline", "cut"):
        np.testing.assert_allclose(of_single[name].paths, of_joint[name].paths, rtol=1e-5)
    assert not np.array_equal(of_single["cut"].paths, of_single.baseline.paths)


def test_prices_make_a_walk_better_on_sales_that_answer_to_them():
    plain = MODELS["random-walk"].build(DATA.metadata)
    models = {"plain": plain, "responding": RespondingEstimator(plain, domain="count")}
    scores = backtest(models, DATA, seeds=[0], num_samples=100, quiet=True)
    whole = scores[scores[["window", "item_id", "step"]].isna().all(axis=1)]
    found = whole[whole.metric == "energy_score"].set_index("model").value
    assert found["responding"] < 0.6 * found["plain"]


def test_a_seed_is_that_of_the_model_too():
    predictor = build_model("analog", DATA.metadata).train(DATA.train)
    known = {name: np.zeros_like(getattr(predictor.response, name)) for name in ("deviation", "root")}
    predictor.response = replace(predictor.response, **known)
    first, again, other = (next(predictor.predict([HISTORY], num_samples=20, seed=seed)).samples for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_run_is_seeded():
    model = build_model("analog", DATA.metadata)
    assert (model.for_run(5).seed, model.for_run(5).model.seed) == (5, 5)
    drawn = [
        next(model.for_run(seed).train(DATA.train).predict([HISTORY], num_samples=20)).samples for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()


def test_what_cannot_respond_is_refused(walks):
    with pytest.raises(ValueError, match="context_length: expected a whole number from 1 to 100000 or none, got 0"):
        RespondingEstimator(VARPredictor(7), context_length=0)
    with pytest.raises(ValueError, match=r"domain: expected one of .*, got 'counts'"):
        RespondingEstimator(VARPredictor(7), domain="counts")
    with pytest.raises(ValueError, match="response: expected feat_dynamic_real with names"):
        RespondingEstimator(VARPredictor(7)).train(walks)


def test_data_too_short_for_the_model_are_refused_before_the_response_is_fitted(monkeypatch):
    fitted = []
    monkeypatch.setattr(responding, "fit_response", lambda *given: fitted.append(given))
    entry = DATA.train[0]
    short = {**entry, "target": entry["target"][:, :12], "feat_dynamic_real": entry["feat_dynamic_real"][:, :12]}
    wanted = "training_data: expected at least 13 steps to regress them on 5 before, got 12$"
    with pytest.raises(ValueError, match=wanted):
        RespondingEstimator(VARPredictor(8)).train([short])
    assert not fitted


def test_single_series_with_a_price_each_are_trained_on():
    item_ids, names = DATA.metadata.item_ids, DATA.train[0]["covariates"]
    rows = [
        {
            "start": DATA.train[0]["start"],
            "target": DATA.train[0]["target"][number],
            "item_id": item,
            "feat_dynamic_real": DATA.train[0]["feat_dynamic_real"][names.index(f"price[{item}]")],
            "covariates": ("price",),
        }
        for number, item in enumerate(item_ids)
    ]
    predictor = RespondingEstimator(RandomWalkPredictor(8)).train(rows)
    assert predictor.covariate_names == tuple(f"price[{item}]" for item in item_ids)
    assert (predictor.response.mean.diagonal()[:6] < 0).all()


def test_series_in_another_order_than_in_training_are_found_by_name():
    predictor = RespondingEstimator(RandomWalkPredictor(8)).train(DATA.train)
    usual = next(predictor.predict([HISTORY], num_samples=10)).samples
    turned = next(predictor.predict([HISTORY.of_series([1, 0, *range(2, 6)])], num_samples=10)).samples
    np.testing.assert_array_equal(turned[..., [1, 0, *range(2, 6)]], usual)
