"""A pool of models: its weights, its shares, what happens to a model that cannot be trained."""

import logging
from copy import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from gluonts.model.estimator import Estimator
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor
from hemline.datasets import Metadata, simulated_sales
from hemline.datasets.entries.domain import raised
from hemline.datasets.entries.entry import Entry
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting import (
    CrossFitEstimator,
    NonFiniteLoss,
    PooledEstimator,
    RandomWalkPredictor,
    RespondingEstimator,
    Scenario,
    SeasonalNaivePredictor,
    build_model,
    load_predictor,
    simulate,
)
from hemline.forecasting.models.statistical.count_model import CountModelPredictor
from hemline.forecasting.paths.totals import mixed_totals
from hemline.forecasting.wrappers.ensemble import EnsemblePredictor
from hemline.forecasting.wrappers.rare_demand import rare_weights

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("domain", "least"), [("real", -1.0), ("nonnegative", 0.0), ("count", 0.0)])
def test_paths_keep_to_the_domain_whatever_a_member_draws(domain, least, tmp_path):
    class Low(RandomWalkPredictor):
        def paths(self, target, count, generator=None):
            return np.linspace(-1, 5.4, count)[:, None, None] * np.ones((count, self.prediction_length, len(target)))

    members = {"low": Low(7), "walk": RandomWalkPredictor(7)}
    found = PooledEstimator(members, windows=1, domain=domain).train(walks())
    predictor = EnsemblePredictor([members["low"]], domain=found.domain)
    low = next(predictor.predict(walks(), num_samples=40)).samples
    assert low.min() == least
    assert np.array_equal(low, np.rint(low)) == (domain == "count")
    EnsemblePredictor([RandomWalkPredictor(7)], domain=domain).serialize(tmp_path)
    assert Predictor.deserialize(tmp_path).domain == domain


class Diverging(Estimator):
    """A model whose training loss becomes infinite."""

    prediction_length = 7

    def train(self, training_data, validation_data=None):
        raise NonFiniteLoss("loss is inf")


class Endless(RandomWalkPredictor):
    """A model whose paths leave every bound."""

    def for_run(self, seed, directory=None):
        return self

    def paths(self, target, count, generator=None):
        return super().paths(target, count, generator) * np.inf


class Refusing(Estimator):
    """A model that needs more data than there are."""

    prediction_length = 7

    def train(self, training_data, validation_data=None):
        raise ValueError("training_data: expected more")


def walks(length=120):
    target = RNG.normal(size=(3, length)).cumsum(1).astype(np.float32) + 40
    return [{"start": pd.Period("2024-01-01", "D"), "target": target, "item_ids": ("a", "b", "c")}]


def test_a_model_that_cannot_be_trained_is_left_out_with_a_word(caplog, tmp_path):
    models = {
        "walk": RandomWalkPredictor(7),
        "naive": SeasonalNaivePredictor(7),
        "hungry": Refusing(),
        "wild": Diverging(),
        "endless": Endless(7),
    }
    with caplog.at_level(logging.WARNING):
        predictor = PooledEstimator(models).train(walks())
    assert "hungry takes no part in the pool: training_data: expected more" in caplog.text
    assert "wild takes no part in the pool: loss is inf" in caplog.text
    assert "endless takes no part in the pool: forecast: expected finite numbers, got inf for 'a' on " in caplog.text
    assert isinstance(predictor, EnsemblePredictor)
    assert set(predictor.member_names) <= {"walk", "naive"}
    assert predictor.member_names[int(np.argmax(predictor.weights))] == "walk"
    predictor.serialize(tmp_path)
    again = Predictor.deserialize(tmp_path)
    assert (again.member_names, again.weights) == (predictor.member_names, predictor.weights)
    entry = walks()[0]
    first, second = (next(each.predict([entry], num_samples=20)).samples for each in (predictor, again))
    np.testing.assert_array_equal(first, second)


def test_a_pool_with_a_member_that_cannot_impose_sales_says_so():
    pool = EnsemblePredictor([RandomWalkPredictor(7), SeasonalNaivePredictor(7)])
    with pytest.raises(ValueError, match=r"sales\[b\]: expected a model that can impose sales, .* on 20"):
        simulate(pool, walks()[0], Scenario("out", "sales[b] = 0 @ 2:3"), paths=10)


SALES = simulated_sales(articles=4, weeks=104, windows=1, seed=5)
ENTRY = SALES.history(0)
CHEAP = Scenario("cheap", "price[dress_1] = -30% @ 2:8")


@pytest.fixture(scope="module")
def pool():
    walk = RandomWalkPredictor(8)
    models = {"answers": RespondingEstimator(walk, domain="count"), "plain": walk}
    return PooledEstimator(models, domain="count", only_totals=["plain"], shrinkage=1e6).train(SALES.train)


class TestPrices:
    """A pool of sales: one model answers to prices, one does not and takes part in the sum alone."""

    def test_a_model_for_totals_alone_draws_no_path(self, pool):
        assert pool.weights == [1.0, 0.0]
        assert pool.total_weights == pytest.approx([0.5, 0.5], abs=1e-4)
        assert pool.covariate_names == SALES.metadata.covariates

    def test_the_baseline_has_the_totals_of_all_models(self, pool):
        drawn = next(pool.predict([ENTRY], num_samples=200, seed=0)).samples.sum(-1)
        members = [
            raised(next(member.predict([ENTRY.of_domain("real")], num_samples=200, seed=seed)).samples).sum(-1)
            for seed, member in enumerate(pool.members)
        ]
        totals = mixed_totals(members, pool.total_weights, 200)
        # Whole numbers: four values are rounded, and none has less than 0.
        np.testing.assert_allclose(np.sort(drawn, axis=0), totals, atol=4 * 0.5)
        np.testing.assert_array_equal(simulate(pool, ENTRY, paths=200).baseline.paths.sum(-1), drawn)

    def test_what_a_price_does_is_what_the_answering_model_says_it_does(self, pool):
        """On each path; not less because of the totals of a model that reads no prices."""
        found = simulate(pool, ENTRY, CHEAP, paths=200)
        told = simulate(pool.members[0], ENTRY, CHEAP, paths=200)
        # Where the price changes: the totals weigh the step before otherwise.
        changed = slice(1, None)
        for article in SALES.metadata.item_ids:
            expected = np.median(told["cheap"].effect(article, changed))
            assert np.median(found["cheap"].effect(article, changed)) == pytest.approx(expected, abs=0.03)
        assert np.median(told["cheap"].effect("dress_1")) > 0.5
        before = found["cheap"].paths[:, 0], found.baseline.paths[:, 0]
        np.testing.assert_array_equal(*before)

    def test_where_no_other_model_can_be_trained_one_for_totals_draws_the_paths(self):
        models = {"refuses": Refusing(), "plain": SeasonalNaivePredictor(7)}
        found = PooledEstimator(models, only_totals=["plain"]).train(walks())
        assert (found.member_names, found.weights) == (("plain",), [1.0])

    def test_an_article_that_no_price_moves_is_rounded_as_in_the_plan(self, pool):
        """Counts are rounded so that their sums stay, which ties each to those before it."""
        first, last = pool.members[0].response, len(SALES.metadata.item_ids) - 1
        apart = np.zeros_like(first.mean)
        apart[0] = first.mean[0]
        nothing = {"mean": apart, "deviation": np.zeros_like(apart), "root": np.zeros_like(first.root)}
        pool = EnsemblePredictor(
            [copy(pool.members[0]), pool.members[1]], pool.weights, pool.member_names, pool.domain, pool.total_weights
        )
        pool.members[0].response = replace(first, **nothing)
        found = simulate(pool, ENTRY, CHEAP, paths=100)
        before, after = found.baseline.paths, found["cheap"].paths
        assert (before[..., 0] != after[..., 0]).any()
        np.testing.assert_array_equal(before[..., 1 : last + 1], after[..., 1 : last + 1])

    def test_a_scenario_without_changes_is_the_baseline(self, pool):
        found = simulate(pool, ENTRY, Scenario("same"), paths=30)
        np.testing.assert_array_equal(found["same"].paths, found.baseline.paths)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"models": {"one": RandomWalkPredictor(7)}}, "models: expected at least 2, got 1"),
        ({"windows": 0}, "windows: expected a whole number from 1 or none, got 0"),
        ({"smallest": 0.5}, "smallest: expected from 0 to below 1 / 2, got 0.5"),
        ({"shrinkage": -0.1}, "shrinkage: expected at least 0, got -0.1"),
        ({"only_totals": ["c"]}, r"only_totals: expected some of a, b, not all, got \['c'\]"),
        ({"only_totals": ["a", "b"]}, r"only_totals: expected some of a, b, not all, got \['a', 'b'\]"),
    ],
)
def test_what_is_out_of_its_range_is_refused(settings, message):
    models = {"a": RandomWalkPredictor(7), "b": SeasonalNaivePredictor(7)}
    with pytest.raises(ValueError, match=message):
        PooledEstimator(**{"models": models, **settings})


def test_too_short_a_history_and_models_that_all_refuse_are_refused():
    models = {"a": RandomWalkPredictor(7), "b": SeasonalNaivePredictor(7)}
    with pytest.raises(ValueError, match="expected at least 21 steps, so that a horizon of 7 can be held out, got 20"):
        PooledEstimator(models).train(walks(20))
    with pytest.raises(ValueError, match="models: none can be trained"):
        PooledEstimator({"a": Refusing(), "b": Refusing()}).train(walks())


def test_an_article_launched_in_the_held_out_windows_is_forecast_all_the_same():
    """Its past says nothing there, so that the weights are those of the others."""
    entry = walks()[0]
    late = entry["target"].copy()
    late[1, :-6] = np.nan
    models = {"walk": RandomWalkPredictor(7), "single": RandomWalkPredictor(7, joint=False)}
    predictor = PooledEstimator(models).train([{**entry, "target": late}])
    samples = next(predictor.predict([{**entry, "target": late}], num_samples=20)).samples
    assert samples.shape == (20, 7, len(late))
    assert np.isfinite(samples).all()
    others = np.arange(len(late)) != 1
    fewer = PooledEstimator(models).train([Entry.of(entry).of_series(others)])
    assert (predictor.weights, predictor.total_weights) == (fewer.weights, fewer.total_weights)


def test_the_weighing_never_sees_what_is_held_out():
    """The end of the span may change the weights, but not the forecasts that are weighed."""
    seen = []

    class Spy(RandomWalkPredictor):
        def for_run(self, seed, directory=None):
            return self

        def predict(self, dataset, num_samples=100, **kwargs):
            entries = list(dataset)
            seen.extend(entry["target"].shape[1] for entry in entries)
            return super().predict(entries, num_samples)

    PooledEstimator({"spy": Spy(7), "naive": SeasonalNaivePredictor(7)}, windows=3).train(walks(120))
    assert seen == [99, 106, 113]


@pytest.mark.parametrize(("length", "count"), [(120, 5), (70, 3), (700, 10), (4000, 20)])
def test_a_tenth_of_the_span_is_held_out_from_5_windows_to_20_but_no_more_than_a_third(length, count):
    found, truth = PooledEstimator({"a": RandomWalkPredictor(7), "b": SeasonalNaivePredictor(7)}).held_out(
        as_multivariate(walks(length))
    )
    assert len(truth) == len(found["a"]) == count


def test_the_weighed_models_have_not_learnt_from_what_is_held_out():
    learnt = []

    class Noting(Estimator):
        prediction_length = 7

        def train(self, training_data, validation_data=None):
            learnt.append(training_data[0]["target"].shape[1])
            return RandomWalkPredictor(7)

    PooledEstimator({"noting": Noting(), "naive": SeasonalNaivePredictor(7)}, windows=3).train(walks(120))
    assert learnt == [99, 120]


def test_an_entry_is_made_fit_for_models_once_however_deep_the_pool(monkeypatch):
    from hemline.datasets.entries import multivariate

    seen, check = [], multivariate._check_features
    monkeypatch.setattr(multivariate, "_check_features", lambda entry, *rest: (seen.append(entry), check(entry, *rest)))
    inner = PooledEstimator({"walk": RandomWalkPredictor(7), "naive": SeasonalNaivePredictor(7)})
    predictor = PooledEstimator({"pool": inner, "last": RandomWalkPredictor(7, joint=False)}).train(walks())
    assert len(seen) == 1
    next(predictor.predict(walks(), num_samples=4))
    assert len(seen) == 2


@pytest.mark.parametrize("rate", [0.1, 5.0])
def test_models_of_rare_demand_take_part_where_it_is_rare(rate):
    sold = np.random.default_rng(0).poisson(rate, (6, 200)).astype(np.float32)
    entry = {"start": pd.Period("2024-01-01", "D"), "target": sold}
    models = {"walk": RandomWalkPredictor(7), "counts": CountModelPredictor(7)}
    pool = PooledEstimator(models, domain="count", only_rare=["counts"], shrinkage=1e6).train([entry])
    assert pool.member_names == (("walk", "counts") if rate < 1 else ("walk",))
    updated = pool.update([{**entry, "target": np.concatenate([sold, sold[:, :30]], axis=1)}])
    assert updated.member_names == pool.member_names


def test_the_named_pool_has_models_of_rare_demand_for_counts_alone():
    of_counts, of_amounts = (
        build_model("pool", Metadata("shop", "D", 7, ("a", "b"), domain, 7)).only_rare
        for domain in ("count", "positive")
    )
    assert (of_counts, of_amounts) == (("counts", "croston", "tsb"), ())
    priced = build_model("pool", Metadata("shop", "D", 7, ("a", "b"), "count", 7, ("price[a]", "price[b]")))
    assert priced.only_rare == ("counts",)
    assert priced.reads_channels


def test_what_is_weighed_has_the_lags_of_what_is_trained_on_the_whole_span():
    """A year of weeks is a quarter of 212 weeks, and no more of those before the held-out ones."""
    week = np.arange(212)
    target = 20 + 10 * np.sin(2 * np.pi * week / 52) + np.random.default_rng(0).normal(size=(2, 212))
    entry = {"start": pd.Period("2020-01-06", "W-MON"), "target": target, "item_id": "two"}
    short = {"max_epochs": 1, "batches_per_epoch": 1, "batch_size": 4}
    direct = CrossFitEstimator("W-MON", 4, folds=2, windows=10).override({"train": short})
    models = {"direct": direct, "walk": RandomWalkPredictor(4)}
    pool = PooledEstimator(models, smallest=0.0, shrinkage=100.0).train([entry])
    whole = pool.members[pool.member_names.index("direct")]
    assert max(whole.spec.lags) >= 52
    assert pool.weighing["direct"].spec.lags == whole.spec.lags
    # Where the part is too short for a window with them, it has its own.
    parts = [[Entry.of(entry).until(end)] for end in (190, 80)]
    assert [max(direct.on_part([Entry.of(entry)], part)._spec(part).lags) >= 52 for part in parts] == [True, False]


class Thrice(RandomWalkPredictor):
    """Tells three times of what is sold: nothing that a score of all series together would notice of slow ones."""

    def for_run(self, seed, directory=None):
        return self

    def predict(self, dataset, num_samples=100, seed=None):
        for entry in as_multivariate(dataset, "dataset"):
            rate = 3 * np.nanmean(entry.target, axis=1)
            rate[0] /= 3
            drawn = np.random.default_rng(seed).poisson(rate, (num_samples, self.prediction_length, entry.dim))
            yield SampleForecast(drawn.astype(np.float32), entry.forecast_start)


def test_series_that_sell_rarely_are_drawn_from_those_that_forecast_them_well(tmp_path):
    rates = np.array([400.0, *[0.02] * 40])
    sold = np.random.default_rng(0).poisson(rates[:, None], (41, 200)).astype(np.float32)
    entry = {"start": pd.Period("2024-01-01", "D"), "target": sold}
    models = {"thrice": Thrice(14), "counts": CountModelPredictor(14)}
    pool = PooledEstimator(models, domain="count", only_rare=["counts"], shrinkage=1e6).train([entry])
    drawn = next(pool.predict([entry], num_samples=200)).samples
    assert drawn[..., 1:].mean() == pytest.approx(sold[1:].mean(), rel=0.2)
    assert drawn[..., 0].mean() == pytest.approx(400, rel=0.05)
    pool.rare_weights = None
    assert next(pool.predict([entry], num_samples=200)).samples[..., 1:].mean() > 1.5 * sold[1:].mean()


def test_models_that_do_not_know_counts_draw_no_series_that_sell_rarely():
    sold = np.random.default_rng(0).poisson(0.1, (20, 200)).astype(np.float32)
    entry = {"start": pd.Period("2024-01-01", "D"), "target": sold}

    class Amounts(CountModelPredictor):
        def for_run(self, seed, directory=None):
            return self

        def predict(self, *args, **kwargs):
            for forecast in super().predict(*args, **kwargs):
                yield SampleForecast(forecast.samples * np.float32(1.001), forecast.start_date)

    models = {"amounts": Amounts(7), "thrice": Thrice(7)}
    pool = PooledEstimator(models, domain="count", only_rare=["thrice"], shrinkage=1e6).train([entry])
    assert dict(zip(pool.member_names, pool.rare_weights, strict=True)) == {"amounts": 0.0, "thrice": 1.0}


def test_an_article_that_never_sold_does_not_decide_which_models_draw_rare_series():
    # One sells 10 in the horizon, one never did: "right" expects a trace of the second, "half" half of the first.
    truth = np.tile([2.5, 0.0], (3, 4, 1))
    right, half = (np.tile(rates, (3, 8, 4, 1)) for rates in ([2.5, 0.02], [1.25, 0.0]))
    weights = rare_weights({"right": right, "half": half}, truth, np.array([True, True]), 0.05)
    assert weights["right"] > 0.5


def test_a_pool_with_weights_for_rare_series_is_read_as_it_was(tmp_path):
    sold = np.random.default_rng(0).poisson(0.1, (6, 200)).astype(np.float32)
    entry = {"start": pd.Period("2024-01-01", "D"), "target": sold}
    models = {"walk": RandomWalkPredictor(7), "counts": CountModelPredictor(7)}
    pool = PooledEstimator(models, domain="count", only_rare=["counts"]).train([entry])
    assert pool.rare_weights is not None
    pool.serialize(tmp_path)
    first, read = (
        next(each.predict([entry], num_samples=20, seed=1)).samples for each in (pool, load_predictor(tmp_path))
    )
    np.testing.assert_array_equal(first, read)
