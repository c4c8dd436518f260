"""Scenarios as data: their notation, TOML, words; conditions; what simulation refuses."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor
from hemline.datasets import simulated_sales
from hemline.forecasting import (
    Change,
    Coupled,
    DeepAREstimator,
    ForecastEstimator,
    Outcome,
    Scenario,
    TrainConfig,
    build_model,
    parse_change,
    read_scenarios,
    simulate,
)
from hemline.forecasting.wrappers.ensemble import EnsemblePredictor

DATA = simulated_sales(articles=3, weeks=100, seed=1, windows=1)
HISTORY = DATA.history(0)
SHORT = TrainConfig(max_epochs=1, batches_per_epoch=2, batch_size=4)


@pytest.fixture(scope="module")
def predictor():
    return ForecastEstimator("W-SUN", 8, lags=(1,), train=SHORT).train(DATA.train)


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("price[A] = -20% @ 2:4", Change("price", "A", -0.2, True, 2, 4)),
        ("price[coat 12]=+5.5%@2", Change("price", "coat 12", 0.055, True, 2, 2)),
        ("promo[B] = 1 @ 1", Change("promo", "B", 1.0, False, 1, 1)),
        ("sales[A@12] = 0 @ 3:", Change("sales", "A@12", 0.0, False, 3)),
        ("holiday = 1", Change("holiday", None, 1.0)),
        ("price[coat [red]] = 3 @ 2", Change("price", "coat [red]", 3.0, False, 2, 2)),
        ("unit price[A] = -5%", Change("unit price", "A", -0.05, True)),
        ("drop A", Change("sales", "A", 0.0)),
        ("price[A] = 9.99 @ :2", Change("price", "A", 9.99, False, 1, 2)),
        ("price[A]=-20%@3 :", Change("price", "A", -0.2, True, 3)),
        ("drop coat@12 @ : 2", Change("sales", "coat@12", 0.0, False, 1, 2)),
        ("drop coat@12 @ 2:", Change("sales", "coat@12", 0.0, False, 2)),
        ("drop coat@12 @ 2:3", Change("sales", "coat@12", 0.0, False, 2, 3)),
    ],
)
def test_the_notation_is_read_and_printed_back(text, change):
    assert parse_change(text) == change
    assert parse_change(str(change)) == change


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("price[A] -20%", "expected 'channel"),
        ("price[A] = 20%", r"expected \+20% or -20%, got 'price\[A\] = 20%'"),
        ("price[A] = cheap", "expected 'channel"),
        ("price[A] = 1 @ 4:2", "expected first:last with 1 <= first <= last, got 4:2"),
        ("price[A] = 1 @ 0", "with 1 <= first"),
        ("price[A] = 1 @ :0", "with 1 <= first <= last, got 1:0"),
        ("price[A] = 1 @ :", "expected 'channel"),
        ("sales = 0", "sales: expected an article"),
        ("sales[A] = -1", "at least 0 to impose"),
        ("sales[A] = -20%", "at least 0 to impose"),
        ("__import__('os')", "expected 'channel"),
        ("price[A] = 1e999", r"value: expected a finite number, got inf for 'price\[A\]'"),
    ],
)
def test_a_notation_that_makes_no_sense_is_shown_with_the_form(text, message):
    with pytest.raises(ValueError, match=message):
        parse_change(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("price[A] = +2.5% @ 3:", "price of A is 2.5 % higher from step 3 on"),
        ("sales[A] = 12 @ 2", "A sells 12 in step 2"),
        ("drop A", "A cannot be sold in all steps"),
        ("holiday = 1 @ 1:2", "holiday is 1 in steps 1 to 2"),
    ],
)
def test_a_change_in_words(text, words):
    assert parse_change(text).words() == words


def test_scenarios_survive_toml(tmp_path):
    scenarios = (Scenario('a "quoted" name', ["price[A] = -20% @ 2:4", "drop B"]), Scenario("empty"))
    file = tmp_path / "scenarios.toml"
    file.write_text("\n".join(scenario.to_toml() for scenario in scenarios))
    assert read_scenarios(file) == scenarios


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[[scenario]]\nname = "a"\nchangs = []',
            "scenario 1 of .*: expected the keys name, changes, got 'changs'",
        ),
        ('[[scenarios]]\nname = "a"', "scenario: .*: expected the keys scenario, got 'scenarios'"),
        ('[[scenario]]\nname = "a"', "scenario 1 of .*: expected the key 'changes', got name"),
        ('[[scenario]]\nname = "a"\nchanges = "drop A"', "expected name = "),
        ('[[scenario]]\nname = "a"\nchanges = ["drop"]', r"got 'drop' \(scenario 1 of"),
        (
            '[[scenario]]\nname = "baseline"\nchanges = []',
            "expected a name of its own for the scenario, got 'baseline'",
        ),
        ("[[scenario", "not TOML"),
        ("scenario = 1", r"expected tables \[\[scenario\]\]"),
    ],
)
def test_a_bad_file_is_refused_by_key(tmp_path, text, message):
    file = tmp_path / "s.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_scenarios(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("price[coat_9] = 1", "article: expected one of dress_1, dress_2, dress_3; got 'coat_9'"),
        ("colour[dress_1] = 1", r"the model knows price\[article\], promo\[article\], holiday and sales\[article\]"),
        ("price = 1", r"the model knows price\[article\]"),
        ("price[dress_1] = 1 @ 7:9", "steps: expected 1 to 8, the horizon of the model"),
        ("price[dress_1] = -100%", r"price\[dress_1\]: expected more than 0, as at every step so far"),
        ("price[dress_1] = 0", "expected more than 0"),
        ("promo[dress_1] = 20 @ 2", r"promo\[dress_1\]: expected 0 to 1, as at every step so far, got 'promo"),
        ("holiday = -1 @ 2", "holiday: expected 0 to 1"),
        (
            "promo[dress_1] = +50% @ 4",
            r"promo\[dress_1\]: expected a value to set, as the plan has 0 there, got 'promo",
        ),
    ],
)
def test_a_scenario_that_the_model_cannot_know_is_refused(predictor, change, message):
    with pytest.raises(ValueError, match=message):
        simulate(predictor, HISTORY, Scenario("s", change), paths=2)


def test_a_model_without_covariates_can_only_impose_sales(walks):
    predictor = ForecastEstimator("D", 7, train=SHORT).train(walks)
    with pytest.raises(ValueError, match="has seen no covariates, only sales can be imposed"):
        simulate(predictor, walks, Scenario("s", "price[1] = 2"))
    assert (simulate(predictor, walks, Scenario("s", "drop 1"), paths=3)["s"].paths[:, :, 1] == 0).all()


@pytest.mark.parametrize("name", ["analog", "var", "auto-ets", "last-value", "seasonal-walk"])
def test_a_price_is_refused_by_what_reads_none(name):
    """It would show no effect, which is not the same as that there is none."""
    model = build_model(name, replace(DATA.metadata, covariates=()))
    predictor = model.train(DATA.train) if hasattr(model, "train") else model
    coupled = Coupled(predictor, np.full((2, 8, 3), 0.5))
    for refused in (predictor, coupled, EnsemblePredictor([predictor, coupled])):
        with pytest.raises(ValueError, match="has seen no covariates, only sales can be imposed"):
            simulate(refused, HISTORY, Scenario("s", "price[dress_1] = -20% @ 1:4"), paths=2)


def test_a_missing_price_is_refused_by_channel_and_date(predictor):
    broken = {**HISTORY, "feat_dynamic_real": HISTORY["feat_dynamic_real"].copy()}
    broken["feat_dynamic_real"][1, 93] = np.nan
    with pytest.raises(ValueError, match=r"history: expected finite .*, got nan in 'price\[dress_2\]' at 2021-10-24"):
        simulate(predictor, broken, paths=2)


def test_sales_of_nan_are_no_change():
    with pytest.raises(ValueError, match=r"value: expected a finite number, got nan for 'sales\[dress_1\]'"):
        Change("sales", "dress_1", float("nan"))


def test_values_that_were_never_seen_are_said(predictor):
    prices = DATA.train[0]["feat_dynamic_real"][0]
    seen = Scenario("seen", f"price[dress_1] = {prices.min():.2f}")
    below = Scenario("below", ["price[dress_1] = 1 @ 2:4", "price[dress_2] = -1%"])
    with pytest.warns(UserWarning, match=r"price\[dress_1\] was between .* and would be 1: how sales answer"):
        unseen = simulate(predictor, HISTORY, [seen, below], paths=2).unseen
    assert unseen["seen"] == ()
    (said,) = unseen["below"]
    assert said.startswith("price[dress_1] was between ")
    assert said.endswith(" and would be 1: how sales answer to that was never seen")


class Boundless(Predictor):
    """A predictor of another library, whose paths are infinite in a changed future."""

    item_ids, covariate_names = DATA.metadata.item_ids, DATA.metadata.covariates

    def predict(self, dataset, num_samples=100, seed=None):
        for entry in dataset:
            samples = np.ones((num_samples, self.prediction_length, entry.dim))
            samples[:, 2, 0] = 1 if entry.planned is None else np.inf
            yield SampleForecast(samples, entry.forecast_start)


def test_sales_beyond_all_bounds_are_refused():
    with pytest.raises(
        ValueError, match=r"scenarios: expected finite sales, got inf units of 'dress_1' on 20\d\d-\d\d-\d\d in 's'"
    ):
        simulate(Boundless(prediction_length=8), HISTORY, Scenario("s", "price[dress_1] = 30 @ 3"), paths=2)


def test_totals_have_their_last_digit_in_single_precision():
    paths = np.random.default_rng(0).integers(100_000, 200_000, size=(3, 8, 500)).astype(np.float32)
    outcome = Outcome("o", paths, tuple(map(str, range(500))), pd.Period("2024-01-07", "W-SUN"))
    np.testing.assert_array_equal(outcome.units(), paths.astype(np.int64).sum((1, 2)))
    assert outcome.units().sum() == sum(outcome.units(item).sum() for item in outcome.item_ids)


def test_two_scenarios_of_one_name_are_refused(predictor):
    with pytest.raises(ValueError, match="expected a name of its own for each, got s, s"):
        simulate(predictor, HISTORY, [Scenario("s"), Scenario("s")])


def test_revenue_is_units_times_the_price_of_the_scenario(predictor):
    outcomes = simulate(predictor, HISTORY, Scenario("half", "price[dress_1] = -50%"), paths=4)
    prices = HISTORY["feat_dynamic_real"][:3, -8:].T.astype(float)
    base, half = outcomes.baseline, outcomes["half"]
    np.testing.assert_allclose(base.revenue(), (base.paths * prices).sum((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(half.revenue("dress_1"), (half.paths[:, :, 0] * prices[:, 0] / 2).sum(1), rtol=1e-6)
    np.testing.assert_allclose(half.difference().revenue(), half.revenue() - base.revenue(), rtol=1e-6)


def test_a_predictor_read_back_knows_its_names(predictor, tmp_path):
    predictor.serialize(tmp_path)
    again = type(predictor).deserialize(tmp_path)
    assert again.item_ids == DATA.metadata.item_ids
    assert again.covariate_names == DATA.metadata.covariates


def test_single_series_see_their_own_price_alone_and_impose_nothing():
    train = TrainConfig(max_epochs=1, batches_per_epoch=2, schedule="constant")
    predictor = DeepAREstimator("W-SUN", 8, train=train).train(DATA.train)
    with pytest.warns(UserWarning, match=r"price\[dress_1\] was between .* never seen"):
        outcomes = simulate(predictor, HISTORY, Scenario("s", "price[dress_1] = -90%"), paths=300)
    change = outcomes["s"].difference().paths
    assert change[:, :, 0].any()
    assert not change[:, :, 1:].any()
    with pytest.raises(ValueError, match=r"imposed: expected a joint model .*, got one of single series"):
        simulate(predictor, HISTORY, Scenario("s", "drop dress_1"), paths=2)


class TestConditions:
    @pytest.fixture
    def outcome(self):
        paths = np.array([[[10.0, 1.0], [20.0, 2.0]], [[5.0, 0.0], [5.0, 40.0]]])
        return Outcome("o", paths, ("A", "coat 2"), pd.Period("2024-01-07", "W-SUN"), money=paths * 2)

    def test_an_article_may_have_brackets_in_its_name_as_in_a_change(self, outcome):
        named = replace(outcome, item_ids=("A", "coat [2]"))
        assert named.probability("units[A] + 2 * units[coat [2]] @ 1 < 30") == 0.5

    @pytest.mark.parametrize(
        ("condition", "share"),
        [
            ("units[A] + units[coat 2] < 40", 0.5),
            ("units[A] == 30 or units[A] == 10", 1.0),
            ("units[A] > 20 and units[coat 2] > 20", 0.0),
            ("units[A] @ 1 >= 10", 0.5),
            ("units[A]@1:2 - 2 * (units[coat 2] + 1) > 0", 0.5),
            ("units[coat 2] @ 2: > 30", 0.5),
            ("units @ :1 + units[A] @ 2: > 30", 0.5),
            ("revenue > 70", 0.5),
            ("-units[A] / 2 <= -5", 1.0),
            ("units[A] != 10", 0.5),
        ],
    )
    def test_a_condition_is_counted_on_paths(self, outcome, condition, share):
        assert outcome.probability(condition) == share

    def test_an_article_may_have_brackets_of_its_own(self, outcome):
        renamed = replace(outcome, item_ids=("coat [red], long", "hat"))
        assert renamed.probability("units[ coat [red], long ] @ 1 + units[hat] > 10") == 1

    @pytest.mark.parametrize(
        ("condition", "message"),
        [
            ("units[B] < 1", "article: expected one of A, coat 2; got 'B'"),
            ("units[A] <", "expected a number, .* at 'the end'"),
            ("units[A]", "expected one of < <= > >= == != at 'the end'"),
            ("unit[A] < 1", r"expected a number, .* at 'unit\[A\] < 1'"),
            ("units[A] < 1 2", "expected the end, 'and' or 'or' at '2'"),
            ("__import__('os').system('x') < 1", "condition: expected"),
            ("units[A] @ 3 < 1", "expected steps 1 to 2, got 3:3"),
            ("units[A] @ 3: < 1", "expected steps 1 to 2, got 3:"),
            ("units[A] @ :3 < 1", "expected steps 1 to 2, got 1:3"),
            ("units[A] @ : < 1", "or an operator at '@ : < 1'"),
            ("(units[A] < 1", r"expected '\)'"),
            ("units[A] ; 1", "at '; 1'"),
        ],
    )
    def test_a_condition_that_cannot_be_read_is_shown_where(self, outcome, condition, message):
        with pytest.raises(ValueError, match=message):
            outcome.probability(condition)
