"""Several trainings of one model as one forecast."""

import numpy as np
import pandas as pd
import pytest
from hemline.forecasting import (
    DeepAREstimator,
    EnsembleEstimator,
    GRUMAFEstimator,
    RandomWalkPredictor,
    Scenario,
    SeasonalNaivePredictor,
    TrainConfig,
    simulate,
)
from hemline.forecasting.paths.shares import in_turns
from hemline.forecasting.wrappers.ensemble import EnsemblePredictor

QUICK = TrainConfig(max_epochs=2, batches_per_epoch=3, batch_size=8)


def test_each_member_draws_its_share_and_has_a_seed_of_its_own(walks):
    model = GRUMAFEstimator("D", 5, train=QUICK)
    found = EnsembleEstimator(model, members=3).for_run(2).train(walks)
    assert [member.trained_by.train_config.seed for member in found.members] == [6, 7, 8]
    samples = next(found.predict(walks, num_samples=8, seed=1)).samples
    assert samples.shape == (8, 5, 4)
    drawn = zip(found.members, (3, 3, 2), (3, 4, 5), strict=True)
    alone = [next(member.predict(walks, num_samples=count, seed=seed)).samples for member, count, seed in drawn]
    np.testing.assert_array_equal(samples[[0, 3, 6, 1, 4, 7, 2, 5]], np.concatenate(alone))
    assert [row["epoch"] for row in found.training_log] == list(range(6))


def test_a_run_keeps_a_checkpoint_for_each_member_and_goes_on_there(walks, tmp_path):
    model = EnsembleEstimator(GRUMAFEstimator("D", 5, train=QUICK), members=2).for_run(0, tmp_path)
    first = next(model.train(walks).predict(walks, num_samples=4)).samples
    assert sorted(path.name for path in tmp_path.iterdir()) == ["member-0", "member-1"]
    again = model.train(walks)
    np.testing.assert_array_equal(next(again.predict(walks, num_samples=4)).samples, first)
    assert "directory" not in str(model.configuration())


def test_a_scenario_reaches_every_member():
    rng = np.random.default_rng(0)
    start = pd.Period("2022-01-03", "W-MON")
    price = rng.uniform(5, 10, size=(2, 108)).astype(np.float32)
    entry = {
        "start": start,
        "target": rng.poisson(30, size=(2, 100)).astype(np.float32),
        "feat_dynamic_real": price,
        "item_ids": ("a", "b"),
        "covariates": ("price[a]", "price[b]"),
    }
    found = EnsembleEstimator(GRUMAFEstimator("W", 8, train=QUICK), members=2).train([entry])
    outcomes = simulate(found, entry, Scenario("out", "sales[a] = 0 @ 1:8"), paths=6)
    assert (outcomes["out"].units("a") == 0).all()
    assert outcomes.baseline.paths.shape == (6, 8, 2)
    np.testing.assert_array_equal(outcomes.baseline.paths, next(found.predict([entry], num_samples=6, seed=0)).samples)
    reconciled = EnsemblePredictor(found.members, [0.5, 0.5], total_weights=[0.0, 1.0])
    outcomes = simulate(reconciled, entry, Scenario("out", "sales[a] = 0 @ 1:4"), paths=6)
    assert (outcomes["out"].paths[:, :4, 0] == 0).all()
    assert (outcomes.baseline.paths[:, :4, 0] > 0).any()
    plain = next(reconciled.predict([entry], num_samples=6, seed=0)).samples
    np.testing.assert_array_equal(outcomes.baseline.paths, plain)
    with_walk = EnsemblePredictor([*found.members, RandomWalkPredictor(8)])
    with pytest.raises(ValueError, match=r"or a member of it, has seen no covariates.*price"):
        simulate(with_walk, entry, Scenario("cheap", "price[a] = -20% @ 1:4"), paths=6)


def test_an_ensemble_within_a_reconciled_one_is_there_with_all_its_members(walks):
    """The outer one has all of its paths for the sum, and takes the first of them."""
    members = [SeasonalNaivePredictor(5), SeasonalNaivePredictor(5, 7)]
    half, pair = [0.5, 0.5], [EnsemblePredictor(members), RandomWalkPredictor(5)]
    found = EnsemblePredictor(pair, half, total_weights=half)
    samples = next(found.predict(walks, num_samples=40)).samples
    shares = samples / samples.sum(-1, keepdims=True)
    for member in members:
        alone = next(member.predict(walks, num_samples=1)).samples
        same = np.isclose(shares, alone / alone.sum(-1, keepdims=True), rtol=1e-4).all((1, 2))
        assert same.sum() == 10


def test_any_first_paths_are_a_fair_share_of_the_members():
    order = in_turns([50, 30, 0, 20])
    assert sorted(order) == list(range(100))
    for count in range(1, 101):
        found = [(order[:count] < 50).sum(), ((order[:count] >= 50) & (order[:count] < 80)).sum()]
        assert found == pytest.approx([count / 2, 0.3 * count], abs=1)


def test_what_is_no_ensemble_is_refused(walks):
    with pytest.raises(ValueError, match="members: expected at least 2, got 1"):
        EnsembleEstimator(DeepAREstimator("D", 5), members=1)
    with pytest.raises(ValueError, match=r"model: expected Estimator, got <object object"):
        EnsembleEstimator(object())


def test_of_fewer_paths_than_members_the_lightest_have_none(walks):
    members = [SeasonalNaivePredictor(5), SeasonalNaivePredictor(5, 7), RandomWalkPredictor(5)]
    found = EnsemblePredictor(members, [0.3, 0.6, 0.1], total_weights=[0.2, 0.1, 0.7])
    heaviest = next(members[1].predict(walks, num_samples=1)).samples
    one = next(found.predict(walks, num_samples=1)).samples
    assert one.shape == heaviest.shape
    # Its shares are the heaviest member's, its sum is that of the heaviest one for sums.
    np.testing.assert_allclose(one / one.sum(-1, keepdims=True), heaviest / heaviest.sum(-1, keepdims=True), rtol=1e-5)
    assert next(found.predict(walks, num_samples=2)).samples.shape[0] == 2
    with pytest.raises(ValueError, match="num_samples: expected a whole number from 1, got 0"):
        next(found.predict(walks, num_samples=0))
