"""A pool of models: its weights, its shares, what happens to a model that cannot be trained."""

import logging
from copy import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor
from gluonts.torch import PatchTSTEstimator
from hemline.datasets import simulated_sales
from hemline.evaluation.vector_scores import energy_score
from hemline.forecasting import (
    GroupedEstimator,
    GRUMAFEstimator,
    NonFiniteLoss,
    PooledEstimator,
    RandomWalkPredictor,
    RespondingEstimator,
    Scenario,
    SeasonalNaivePredictor,
    TrainConfig,
    simulate,
)
from hemline.forecasting.configuration import Configured
from hemline.forecasting.ensemble import EnsemblePredictor, shares_of, within
from hemline.forecasting.grouping import of_series
from hemline.forecasting.kept import trained_member
from hemline.forecasting.mixture import pool_weights
from hemline.forecasting.reconciliation import mixed_totals

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=(6, 4, 3))


def drawn(bias, spread=1.0, paths=40):
    return TRUTH[:, None] + RNG.normal(size=(6, 1, 4, 3)) * spread + bias + RNG.normal(size=(6, paths, 4, 3)) * spread


def test_the_weights_are_those_of_the_best_energy_score_there_is():
    models = [drawn(-1.5), drawn(1.0), drawn(0.3, spread=3.0)]
    one_series = [paths[..., :1] for paths in models]
    found = pool_weights(one_series, TRUTH[..., :1])

    def score(weights):
        """Of the mixture itself, by the definition; pairs of a path with itself are left out."""
        total = 0.0
        for window, step in np.ndindex(6, 4):
            paths = [each[window, :, step, 0] for each in one_series]
            far = [np.abs(each - TRUTH[window, step, 0]).mean() for each in paths]
            apart = np.array([[np.abs(a[:, None] - b[None]).sum() for b in paths] for a in paths])
            pairs = np.full((3, 3), 40 * 40) - 40 * np.eye(3)
            total += weights @ far - weights @ (apart / pairs) @ weights / 2
        return total

    others = np.random.default_rng(1).dirichlet(np.ones(3), size=300)
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    assert all(score(found) <= score(other) + 1e-9 for other in others)


def test_two_models_that_err_in_opposite_ways_are_better_together():
    low, high = drawn(-1.0), drawn(1.0)
    weights = pool_weights([low, high], TRUTH)
    mixed = np.concatenate([low[:, :20], high[:, :20]], axis=1)
    assert 0.3 < weights[0] < 0.7
    alone = min(np.mean([energy_score(p, y) for p, y in zip(each, TRUTH, strict=True)]) for each in (low, high))
    assert np.mean([energy_score(p, y) for p, y in zip(mixed, TRUTH, strict=True)]) < alone


def test_a_useless_model_is_dropped_and_missing_values_do_not_count():
    gaps = TRUTH.copy()
    gaps[:, :2, 1] = np.nan
    spoilt = drawn(0.0)
    spoilt[:, :, :2, 1] = 1e6
    weights = pool_weights([spoilt, drawn(50.0)], gaps, smallest=0.05)
    np.testing.assert_array_equal(weights, [1, 0])


@pytest.mark.parametrize("far", [1e4, 1e6, 1e8, 1e10, 1e15, 1e25])
@pytest.mark.parametrize("shrinkage", [0.0, 0.03])
def test_a_model_that_explodes_leaves_the_weights_of_the_others_as_they_are(far, shrinkage):
    models = [drawn(0.3), drawn(-0.3), drawn(0.0, spread=far)]
    found = pool_weights(models, TRUTH, 0.05, shrinkage)
    np.testing.assert_allclose(found, [*pool_weights(models[:2], TRUTH, 0.05, shrinkage), 0], atol=1e-6)


@pytest.mark.parametrize("shrinkage", [0.0, 0.03])
def test_a_model_that_is_right_at_every_step_has_all_the_weight(shrinkage):
    """Articles that nobody buys any more: who says 0 has a score of 0, and so has one path in a hundred that sells."""
    nothing, sold = np.zeros((5, 3, 1)), np.random.default_rng(0).gamma(1.0, size=(5, 100, 3, 1))
    never, rarely = np.zeros((5, 100, 3, 1)), np.zeros((5, 100, 3, 1))
    rarely[:, 0] = 1
    for right in (never, rarely):
        np.testing.assert_allclose(pool_weights([sold, right], nothing, 0.05, shrinkage), [0, 1], atol=1e-6)
    np.testing.assert_allclose(pool_weights([never, never], nothing, 0.05, shrinkage), 0.5)


def test_shrinkage_leads_from_the_best_weights_to_equal_ones():
    models = [drawn(-1.0), drawn(0.5), drawn(3.0)]
    found = [pool_weights(models, TRUTH, shrinkage=strength) for strength in (0.0, 0.3, 3.0, 1e4)]
    np.testing.assert_array_equal(found[0], pool_weights(models, TRUTH))
    distances = [np.square(weights - 1 / 3).sum() for weights in found]
    assert distances == sorted(distances, reverse=True)
    np.testing.assert_allclose(found[-1], 1 / 3, atol=1e-3)


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


@pytest.mark.parametrize(("count", "weights"), [(7, [1 / 3] * 3), (100, [0.615, 0.385]), (3, [0.9, 0.05, 0.05])])
def test_shares_are_whole_and_all(count, weights):
    shares = shares_of(count, weights)
    assert sum(shares) == count
    assert min(shares) >= 1
    assert max(abs(share - count * weight) for share, weight in zip(shares, weights, strict=True)) < 2


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
    assert "endless takes no part in the pool: its paths are not all finite" in caplog.text
    assert isinstance(predictor, EnsemblePredictor)
    assert set(predictor.names) <= {"walk", "naive"}
    assert predictor.names[int(np.argmax(predictor.weights))] == "walk"
    predictor.serialize(tmp_path)
    again = Predictor.deserialize(tmp_path)
    assert (again.names, again.weights) == (predictor.names, predictor.weights)
    entry = walks()[0]
    first, second = (next(each.predict([entry], num_samples=20)).samples for each in (predictor, again))
    np.testing.assert_array_equal(first, second)


def test_a_pool_with_a_member_that_cannot_impose_sales_says_so():
    pool = EnsemblePredictor([RandomWalkPredictor(7), SeasonalNaivePredictor(7)])
    with pytest.raises(ValueError, match=r"sales\[b\]: expected a model that can impose sales, .* at step 2"):
        simulate(pool, walks()[0], Scenario("out", "sales[b] = 0 @ 2:3"), paths=10)


SALES = simulated_sales(articles=4, weeks=104, windows=1, seed=5)
ENTRY = {**SALES.test[0], "target": SALES.test[0]["target"][:, :-8]}
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
            within(next(member.predict([ENTRY], num_samples=200, seed=seed)).samples, "count").sum(-1)
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
        for article in SALES.metadata.item_ids:
            expected = np.median(told["cheap"].effect(article))
            assert np.median(found["cheap"].effect(article)) == pytest.approx(expected, abs=0.03)
        assert np.median(told["cheap"].effect("dress_1")) > 0.5
        before = found["cheap"].paths[:, 0], found.baseline.paths[:, 0]
        np.testing.assert_array_equal(*before)

    def test_where_no_other_model_can_be_trained_one_for_totals_draws_the_paths(self):
        models = {"refuses": Refusing(), "plain": SeasonalNaivePredictor(7)}
        found = PooledEstimator(models, only_totals=["plain"]).train(walks())
        assert (found.names, found.weights) == (("plain",), [1.0])

    def test_an_article_that_no_price_moves_is_rounded_as_in_the_plan(self, pool):
        """Counts are rounded so that their sums stay, which ties each to those before it."""
        first, last = pool.members[0].response, len(SALES.metadata.item_ids) - 1
        apart = np.zeros_like(first.mean)
        apart[0] = first.mean[0]
        nothing = {"mean": apart, "deviation": np.zeros_like(apart), "root": np.zeros_like(first.root)}
        pool = EnsemblePredictor(
            [copy(pool.members[0]), pool.members[1]], pool.weights, pool.names, pool.domain, pool.total_weights
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
        ({"windows": 0}, "windows, num_samples: expected at least 1 window"),
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
    fewer = PooledEstimator(models).train([of_series(entry, others)])
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
        walks(length)
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


def small_pool(folder):
    """A pool of two networks and a walk, small ones, that keeps what it trains in a folder."""
    small = {"max_epochs": 1, "batches_per_epoch": 2, "batch_size": 4}
    models = {
        "narrow": GRUMAFEstimator("D", 7, lags=(1, 7), train=TrainConfig(**small)),
        "patches": GroupedEstimator(
            PatchTSTEstimator(
                prediction_length=7,
                context_length=14,
                patch_len=7,
                num_batches_per_epoch=2,
                trainer_kwargs={"max_epochs": 1, "accelerator": "cpu"},
            )
        ),
        "walk": RandomWalkPredictor(7),
    }
    return PooledEstimator(models, windows=2, smallest=0, shrinkage=1e4).for_run(3, folder)


def test_a_killed_pool_goes_on_behind_the_models_that_it_has_trained(tmp_path, monkeypatch):
    data, fitted = walks(), []

    def counted(cls):
        train = cls.train

        def counting(self, *args):
            fitted.append(cls.__name__)
            if len(fitted) == 4:
                raise KeyboardInterrupt
            return train(self, *args)

        monkeypatch.setattr(cls, "train", counting)

    whole = small_pool(None).train(data)
    for cls in GRUMAFEstimator, GroupedEstimator:
        counted(cls)
    with pytest.raises(KeyboardInterrupt):
        small_pool(tmp_path).train(data)
    again = small_pool(tmp_path).train(data)
    assert fitted == ["GRUMAFEstimator", "GroupedEstimator"] * 2 + ["GroupedEstimator"]
    assert again.weights == whole.weights
    first, second = (next(each.predict(data, num_samples=30)).samples for each in (whole, again))
    np.testing.assert_array_equal(first, second)
    # Other data, and another seed, are other trainings.
    small_pool(tmp_path).train(walks())
    assert len(fitted) == 9


def test_a_model_that_cannot_tell_its_settings_is_trained_each_time(tmp_path):
    """Two of them could look alike, and one be read in the place of the other."""
    trained = []

    class Silent(Estimator):
        prediction_length = 7

        def __init__(self, season):
            self.season = season

        def __repr__(self):
            return "Silent()"

        def train(self, training_data, validation_data=None):
            trained.append(self.season)
            return SeasonalNaivePredictor(7, self.season)

    data = walks()
    for season in (1, 7):
        PooledEstimator({"silent": Silent(season), "walk": RandomWalkPredictor(7)}, shrinkage=1e4).for_run(
            0, tmp_path
        ).train(data)
    assert trained == [1, 1, 7, 7]


def test_a_model_that_cannot_be_kept_is_trained_all_the_same(tmp_path, caplog):
    class Unwritable(RandomWalkPredictor):
        def serialize(self, path):
            raise NotImplementedError("no")

    class Training(Configured, Estimator):
        prediction_length = 7

        def settings(self):
            return {}

        def train(self, training_data, validation_data=None):
            return Unwritable(7)

    models = {"odd": Training(), "naive": SeasonalNaivePredictor(7)}
    with caplog.at_level(logging.WARNING):
        found = PooledEstimator(models).for_run(0, tmp_path).train(walks())
    assert "weighing-odd is not kept, and would be trained again after a kill: no" in caplog.text
    assert "odd" in found.names


def test_entries_to_learn_from_are_told_from_entries_to_watch(tmp_path):
    data, learnt = walks(), []

    class Counted(Configured, Estimator):
        prediction_length = 7

        def settings(self):
            return {}

        def train(self, training_data, validation_data=None):
            learnt.append(len(training_data))
            return SeasonalNaivePredictor(7)

    trained_member(Counted(), 0, tmp_path, data * 2, None)
    trained_member(Counted(), 0, tmp_path, data, data)
    assert learnt == [2, 1]


def test_what_was_kept_and_cannot_be_read_is_trained_again(tmp_path, caplog):
    trained, data = [], walks()

    class Counted(Configured, Estimator):
        prediction_length = 7

        def settings(self):
            return {}

        def train(self, training_data, validation_data=None):
            trained.append(len(trained))
            return SeasonalNaivePredictor(7)

    def train():
        with caplog.at_level(logging.WARNING):
            return trained_member(Counted(), 0, tmp_path / "odd", data, None)

    train()
    train()
    assert trained == [0]
    assert not caplog.text
    file = next(tmp_path.rglob("predictor.json"))
    file.write_text(file.read_text().replace("prediction_length", "horizon"))  # as an older version would have it
    train()
    assert trained == [0, 1]
    assert "odd is trained again, what was kept of it cannot be read" in caplog.text
    train()
    assert trained == [0, 1]
