"""Articles without a past are forecast beside those that have one, on the same paths."""

from dataclasses import replace

import numpy as np
import properscoring
import pytest
from gluonts.model.predictor import Predictor
from hemline.datasets import simulated_sales
from hemline.datasets.entries.entry import Entry
from hemline.evaluation import backtest
from hemline.forecasting import (
    AnalogEstimator,
    ColdStartEstimator,
    LogLinear,
    RandomWalkPredictor,
    Scenario,
    build_model,
    simulate,
)
from hemline.forecasting.wrappers.cold_start.descriptors import Likeness

SHOP = simulated_sales(articles=28, weeks=150, seed=4, windows=1)
NEW = np.arange(28) % 5 == 2
NAMES = [name for name, new in zip(SHOP.metadata.item_ids, NEW, strict=True) if new]
LEVELS = np.log(SHOP.truth.level)
VECTORS = np.random.default_rng(0).normal(size=(28, 5)).astype(np.float32)
VECTORS[:, 1] = 3 * (LEVELS + np.random.default_rng(1).normal(scale=0.1, size=28))


def told(entry, vectors=VECTORS, seen=0, ahead=0):
    """An entry in which the new articles were sold in the last `seen` steps alone."""
    target = entry["target"][:, : entry["target"].shape[1] - ahead].copy()
    target[NEW, : target.shape[1] - seen] = np.nan
    return {**entry, "target": target, "feat_static_real": vectors}


TRAIN, PAST = told(SHOP.train[0]), told(SHOP.test[0], ahead=8)
TRUTH = SHOP.test[0]["target"][:, -8:].T


@pytest.fixture(scope="module")
def predictor():
    return build_model("cold-start", SHOP.metadata).train([TRAIN])


def paths(predictor, entry=PAST, count=200, seed=1):
    return next(predictor.predict([entry], num_samples=count, seed=seed)).samples


def crps(samples):
    return properscoring.crps_ensemble(TRUTH, np.moveaxis(samples, 0, -1))[:, NEW].sum() / TRUTH[:, NEW].sum()


class TestForecasts:
    def test_the_others_have_the_paths_of_their_own_model_where_no_new_one_moves_them(self, predictor):
        from hemline.datasets.entries.cuts import of_articles

        still = {**PAST, "feat_dynamic_real": PAST["feat_dynamic_real"].copy()}
        for row, name in enumerate(PAST["covariates"]):
            if name.partition("[")[2][:-1] in NAMES:
                still["feat_dynamic_real"][row] = 10.0 if name.startswith("price") else 0.0
        alone = next(predictor.predictor.predict(of_articles([Entry.of(still)], ~NEW), num_samples=50, seed=1)).samples
        np.testing.assert_array_equal(paths(predictor, still, count=50)[:, :, ~NEW], alone)

    def test_new_articles_sell_whole_numbers_near_what_their_vectors_say(self, predictor):
        samples = paths(predictor, count=400)[:, :, NEW]
        np.testing.assert_array_equal(samples, samples.round())
        assert samples.min() >= 0
        level = np.log(samples.sum((0, 1)))
        assert np.corrcoef(level, np.log(TRUTH[:, NEW].sum(0)))[0, 1] > 0.8
        low, high = np.quantile(samples, (0.1, 0.9), axis=0)
        assert ((low <= TRUTH[:, NEW]) & (TRUTH[:, NEW] <= high)).mean() > 0.65

    def test_their_own_vectors_help_and_not_those_of_others(self, predictor):
        mixed = VECTORS[np.random.default_rng(1).permutation(28)]
        shuffled = build_model("cold-start", SHOP.metadata).train([{**TRAIN, "feat_static_real": mixed}])
        assert crps(paths(predictor)) < 0.85 * crps(paths(shuffled, {**PAST, "feat_static_real": mixed}))

    def test_they_rise_and_fall_with_the_others(self, predictor):
        samples = paths(predictor, count=1000)
        by_step = samples / samples.mean(0)
        new, others = by_step[:, :, NEW].mean(2), by_step[:, :, ~NEW].mean(2)
        mixed = others[np.random.default_rng(0).permutation(1000)]
        bend = [np.corrcoef(np.diff(new).ravel(), np.diff(each).ravel())[0, 1] for each in (others, mixed)]
        assert bend[0] > 0.2 > abs(bend[1]) + 0.1

    def test_the_same_seed_draws_the_same_paths_and_another_one_others(self, predictor):
        np.testing.assert_array_equal(paths(predictor, seed=3), paths(predictor, seed=3))
        assert (paths(predictor, seed=3) != paths(predictor, seed=4))[:, :, NEW].any()

    def test_nothing_after_the_history_is_read_but_the_covariates(self, predictor):
        channels = PAST["feat_dynamic_real"]
        longer = {**PAST, "feat_dynamic_real": np.concatenate([channels, channels[:, :3]], axis=1)}
        np.testing.assert_array_equal(paths(predictor), paths(predictor, longer))

    def test_a_predictor_read_back_draws_the_same_paths(self, predictor, tmp_path):
        predictor.serialize(tmp_path)
        again = Predictor.deserialize(tmp_path)
        np.testing.assert_array_equal(paths(predictor), paths(again))
        assert (again.item_ids, again.covariate_names) == (SHOP.metadata.item_ids, SHOP.metadata.covariates)

    def test_without_new_articles_it_is_the_model_alone(self):
        train, past = SHOP.train[0], SHOP.history(0)
        with_it, alone = (build_model(name, SHOP.metadata).train([train]) for name in ("cold-start", "analog"))
        np.testing.assert_array_equal(paths(with_it, past), paths(alone, past))

    def test_without_new_articles_sales_below_0_are_no_matter(self):
        below = {**SHOP.train[0].of_domain("real"), "target": SHOP.train[0]["target"] - 20}
        found = ColdStartEstimator(RandomWalkPredictor(8), response=LogLinear(), domain="real").train([below])
        assert paths(found, {**below, "target": below["target"][:, :-8]}).min() < 0

    def test_one_that_ends_on_the_day_of_a_later_launch_is_no_longer(self):
        rows = [{"start": TRAIN["start"], "target": line} for line in TRAIN["target"][:6]]
        rows[2] = {"start": rows[0]["start"] + len(rows[0]["target"]) + 2, "target": np.empty(0)}
        found = ColdStartEstimator(RandomWalkPredictor(8)).train(rows)
        assert next(found.predict(rows)).start_date == rows[2]["start"] - 2

    def test_they_do_not_answer_to_prices_of_others_that_the_others_do_not_answer_to(self):
        found = ColdStartEstimator(RandomWalkPredictor(8), response=LogLinear(iterations=5)).train([TRAIN])
        down = {**PAST, "feat_dynamic_real": PAST["feat_dynamic_real"].copy()}
        rows = [row for row, name in enumerate(PAST["covariates"]) if "price" in name and name[6:-1] not in NAMES]
        down["feat_dynamic_real"][rows, -8:] *= 0.7
        usual, moved = (paths(found, entry)[:, :, NEW].mean((0, 1)) for entry in (PAST, down))
        # Cheaper rivals take what is planted; their own answer to their prices would be another factor of 0.4.
        taken = np.exp(np.log(0.7) * (SHOP.truth.elasticity.sum(1) - np.diag(SHOP.truth.elasticity)))
        assert (moved / usual).mean() == pytest.approx(taken.mean(), abs=0.12)

    def test_series_without_a_name_or_a_channel_do_as_well(self):
        rows = [{"start": TRAIN["start"], "target": line} for line in TRAIN["target"][:6]]
        rows[2]["target"] = np.empty(0)
        found = ColdStartEstimator(AnalogEstimator(8), domain="count").train(rows)
        assert found.known.tolist() == [True, True, False, True, True, True]
        assert np.isfinite(next(found.predict(rows)).samples).all()
        assert found.covariate_names == ()


class TestFirstSales:
    @pytest.mark.parametrize("times", [0.2, 5])
    def test_they_move_the_level_towards_what_was_sold(self, times):
        bare, past, sold = (
            {key: value for key, value in entry.items() if key != "feat_static_real"}
            for entry in (TRAIN, PAST, told(SHOP.test[0], seen=4, ahead=8))
        )
        sold["target"][NEW] = np.round(sold["target"][NEW] * times)
        predictor = build_model("cold-start", SHOP.metadata).train([bare])
        usual, moved = (np.log(paths(predictor, entry)[:, :, NEW].mean((0, 1))) for entry in (past, sold))
        asked = np.log(TRUTH[:, NEW].mean(0) * times) - usual
        assert 0.4 < ((moved - usual) * asked).sum() / (asked**2).sum() < 1.1

    def test_they_say_no_less_where_few_paths_are_drawn(self):
        bare, sold = (
            {key: value for key, value in entry.items() if key in ("start", "target", "item_ids")}
            for entry in (TRAIN, told(SHOP.test[0], seen=4, ahead=8))
        )
        sold["target"][NEW] *= 20
        predictor = ColdStartEstimator(AnalogEstimator(8), domain="count").train([bare])
        few = np.mean([paths(predictor, sold, count, seed)[:, :, NEW] for count in (1,) for seed in range(30)])
        assert few == pytest.approx(paths(predictor, sold, 300)[:, :, NEW].mean(), rel=0.2)

    def test_they_are_read_in_any_unit(self):
        found = []
        for unit in (1, 1e-5):
            bare, sold = (
                {"start": entry["start"], "target": entry["target"] * unit}
                for entry in (TRAIN, told(SHOP.test[0], seen=4, ahead=8))
            )
            predictor = ColdStartEstimator(RandomWalkPredictor(8)).train([bare])
            found.append(paths(predictor, sold)[:, :, NEW].mean((0, 1)) / unit)
        np.testing.assert_allclose(*found, rtol=1e-3)

    def test_four_weeks_make_it_surer_than_one(self, predictor):
        spread = [
            np.log(paths(predictor, told(SHOP.test[0], seen=seen, ahead=8), 400)[:, :, NEW].sum(1) + 1).std(0).mean()
            for seen in (1, 4)
        ]
        assert spread[0] > spread[1]


class TestScenarios:
    def test_a_markdown_of_a_new_article_moves_it_as_prices_usually_do_and_of_others_its_rivals(self, predictor):
        outcome = simulate(predictor, PAST, Scenario("cut", f"price[{NAMES[0]}] = -30%"), paths=400)["cut"]
        planted = 0.7 ** np.diag(SHOP.truth.elasticity).mean() - 1
        assert np.median(outcome.effect(NAMES[0])) == pytest.approx(planted, rel=0.35)
        styles = dict(zip(SHOP.truth.articles, SHOP.truth.styles, strict=True))
        rivals, rest = (
            [name for name in styles if name not in NAMES and (styles[name] == styles[NAMES[0]]) is same]
            for same in (True, False)
        )
        # What its price did to others before it was sold here is in the data.
        assert np.mean([outcome.effect(name).mean() for name in rivals]) < -0.05
        assert abs(np.mean([outcome.effect(name).mean() for name in rest])) < 0.01

    def test_a_markdown_of_another_is_not_followed(self, predictor):
        outcome = simulate(predictor, PAST, Scenario("cut", "price[shirt_1] = -40%"), paths=200)["cut"]
        assert (np.median(outcome.effect("shirt_1"))) > 1
        for name in NAMES:  # of other styles, which do not read the price of a shirt
            assert abs(np.median(outcome.effect(name))) < 0.05

    def test_no_path_follows_a_markdown_of_the_article_whose_course_it_has(self, predictor):
        cut = Scenario("cut", [f"price[shirt_{number}] = -40%" for number in range(1, 5)])
        outcome = simulate(predictor, PAST, cut, paths=200)["cut"]
        for name in NAMES:  # a sixth of the paths has the course of a shirt, which sells three times as much
            assert np.quantile(np.abs(outcome.effect(name)), 0.95) < 0.4, name

    def test_an_empty_scenario_is_the_plain_forecast(self, predictor):
        outcomes = simulate(predictor, PAST, Scenario("nothing"), paths=30, seed=1)
        np.testing.assert_array_equal(outcomes["nothing"].paths, paths(predictor, count=30))

    def test_what_a_new_article_sells_can_be_set(self, predictor):
        outcome = simulate(predictor, PAST, Scenario("off", f"sales[{NAMES[1]}] = 0 @ 2:5"), paths=30)["off"]
        column = outcome.column(NAMES[1])
        assert (outcome.paths[:, 1:5, column] == 0).all()
        change = outcome.difference().paths
        change[:, 1:5, column] = 0
        assert (change == 0).all()


@pytest.mark.parametrize("before", ["its regular price", "markdowns as of the others"])
def test_a_level_is_that_of_the_regular_price_however_often_others_were_marked_down(before):
    generator = np.random.default_rng(0)
    price = np.where(generator.random((15, 108)) < 0.4, 7.0, 10.0)
    price[-1, 100:] = 10
    if before == "its regular price":
        price[-1] = 10
    units = generator.poisson(50 * (price[:, :100] / 10) ** -2.5).astype(float)
    units[-1] = np.nan
    names = tuple(f"a{number}" for number in range(15))
    entry = {"start": TRAIN["start"], "target": units, "item_ids": names, "feat_dynamic_real": price}
    entry["covariates"] = tuple(f"price[{name}]" for name in names)
    model = ColdStartEstimator(AnalogEstimator(8), response=LogLinear(), domain="count")
    forecast = next(model.train([entry]).predict([entry], num_samples=400)).samples
    assert forecast[:, :, -1].mean() == pytest.approx(50, rel=0.12)


def test_a_dear_article_is_foretold_to_sell_as_dear_ones_do():
    generator = np.random.default_rng(0)
    regular = np.linspace(5, 20, 20)
    price = np.repeat(regular[:, None], 108, axis=1) * np.where(generator.random((20, 108)) < 0.1, 0.8, 1.0)
    units = generator.poisson(np.repeat(20_000 / regular[:, None] ** 2, 100, axis=1)).astype(float)
    units[-2] = np.nan
    price[-2] = regular[-2]
    names = tuple(f"a{number}" for number in range(20))
    entry = {"start": TRAIN["start"], "target": units, "item_ids": names, "feat_dynamic_real": price}
    entry["covariates"] = tuple(f"price[{name}]" for name in names)
    model = ColdStartEstimator(AnalogEstimator(8), response=LogLinear(), domain="count")
    forecast = next(model.train([entry]).predict([entry], num_samples=200)).samples
    assert np.median(forecast[:, :, -2]) == pytest.approx(20_000 / regular[-2] ** 2, rel=0.25)


def test_the_first_steps_of_a_new_article_are_those_of_past_launches():
    generator = np.random.default_rng(0)
    expected = np.full((20, 120), 50.0)
    for number, begin in enumerate(range(20, 80, 5)):
        expected[number, :begin], expected[number, begin : begin + 4] = np.nan, 100
    units = np.where(np.isnan(expected), np.nan, generator.poisson(np.nan_to_num(expected))).astype(float)
    units[-1] = np.nan
    entry = {"start": TRAIN["start"], "target": units}
    model = ColdStartEstimator(AnalogEstimator(8), domain="count")
    steps = next(model.train([entry]).predict([entry], num_samples=400)).samples[:, :, -1].mean(0)
    assert steps[:4].mean() / steps[4:].mean() == pytest.approx(1 + 12 / 15, rel=0.1)


def test_the_first_steps_of_a_new_article_are_those_of_launches_that_are_like_it():
    generator = np.random.default_rng(0)
    expected = np.full((21, 120), 50.0)
    for number, begin in enumerate(range(20, 80, 5)):
        expected[number, :begin] = np.nan
        expected[number, begin : begin + 4] = 150 if number % 2 else 50
    units = np.where(np.isnan(expected), np.nan, generator.poisson(np.nan_to_num(expected))).astype(float)
    units[-2:] = np.nan
    kinds = np.array([*(np.arange(19) % 2), 1, 0])[:, None]
    entry = {"start": TRAIN["start"], "target": units, "feat_static_cat": kinds}
    predictor = ColdStartEstimator(AnalogEstimator(8), domain="count").train([entry])
    predictor.likeness = Likeness(course=0.25)
    steps = next(predictor.predict([entry], num_samples=300)).samples[:, :, -2:].mean(0)
    hyped, calm = steps[:4].mean(0) / steps[4:].mean(0)
    assert hyped > 1.7
    assert calm == pytest.approx(1, abs=0.15)


def test_a_backtest_goes_over_a_launch():
    target = SHOP.test[0]["target"].copy()
    target[NEW, :-4] = np.nan
    windows = [{**SHOP.test[0], "target": target, "feat_static_real": VECTORS}]
    data = replace(SHOP, train=[TRAIN], test=windows)
    scores = backtest({"cold-start": build_model("cold-start", SHOP.metadata)}, data)
    assert np.isfinite(scores[scores["metric"] == "crps"]["value"].astype(float)).any()


class TestRefusals:
    def test_another_model_names_the_article_and_who_can(self):
        with pytest.raises(ValueError, match=f"only missing values in '{NAMES[0]}', series 2 of.*'cold-start'"):
            build_model("analog", SHOP.metadata).train([TRAIN])

    def test_too_few_articles_to_judge_by(self):
        few = {**TRAIN, "target": np.where(np.arange(28)[:, None] < 2, TRAIN["target"], np.nan)}
        with pytest.raises(ValueError, match=r"at least 3 articles with a past, to judge 'dress_3'.*got 2"):
            build_model("cold-start", SHOP.metadata).train([few])

    def test_values_below_0(self):
        below = {"start": TRAIN["start"], "target": np.concatenate([np.full((1, 60), np.nan), np.full((4, 60), -1.0)])}
        with pytest.raises(ValueError, match=r"at least 0, to judge '0' by.*got -1 in '1'"):
            ColdStartEstimator(RandomWalkPredictor(4)).train([below])

    def test_an_entry_without_an_article_that_has_a_past(self, predictor):
        lost = {**TRAIN, "target": TRAIN["target"].copy()}
        lost["target"][0] = np.nan
        said = f"entry 1: expected values of '{SHOP.metadata.item_ids[0]}', which the training data have a past of"
        with pytest.raises(ValueError, match=f"training_data: {said}"):
            build_model("cold-start", SHOP.metadata).train([TRAIN, lost])
        with pytest.raises(ValueError, match=f"dataset: {said.replace('1', '0', 1)}"):
            paths(predictor, {**PAST, "target": np.where(np.arange(28)[:, None] == 0, np.nan, PAST["target"])})

    def test_an_entry_without_the_descriptors_of_the_training(self, predictor):
        with pytest.raises(ValueError, match=r"feat_static_real \[28, 5\] as in training, got none in entry 0"):
            paths(predictor, {key: value for key, value in PAST.items() if key != "feat_static_real"})

    @pytest.mark.parametrize(
        ("settings", "said"),
        [({"domain": "whole"}, "domain"), ({"fewest": 0}, "fewest"), ({"context_length": 0}, "cont")],
    )
    def test_settings_out_of_range(self, settings, said):
        with pytest.raises(ValueError, match=said):
            ColdStartEstimator(RandomWalkPredictor(4), **settings)


def test_likeness_is_infinite_where_nothing_is_told():
    bare = {
        key: value for key, value in TRAIN.items() if key not in ("feat_static_real", "feat_dynamic_real", "covariates")
    }
    assert ColdStartEstimator(AnalogEstimator(8), domain="count").train([bare]).likeness == Likeness()
