"""Sums of effects have the distribution of effects drawn one by one, and a changed future keeps those of the plan."""

import numpy as np
import pytest
from hemline.datasets import simulated_sales
from hemline.forecasting import Scenario, build_model, simulate
from hemline.forecasting.response.effect_draws import drawn_sums

PATHS, HORIZON = 40_000, 4


def inputs(case):
    """A plan ``[H, K]`` and a changed future of it."""
    rng = np.random.default_rng(1)
    planned = rng.normal(size=(HORIZON, 7))
    if case == "a plan that does not move":
        planned[:] = 0.0
    elif case == "constant prices":
        planned[:] = planned[0]
    changed = planned.copy()
    moved = {"one channel": [2], "every channel": range(7)}.get(case, [2, 5])
    changed[1:3, moved] += rng.normal(size=(2, len(moved)))
    return planned, changed


def both(planned, changed, deviation, seed=3):
    """Sums ``[D, S, 2 H]`` of the planned and of the changed future."""
    futures = [np.stack(list(drawn_sums(deviation, planned, each, PATHS, seed))) for each in (planned, changed)]
    return np.concatenate(futures, axis=2)


@pytest.mark.parametrize(
    "case", ["two channels", "one channel", "every channel", "constant prices", "a plan that does not move"]
)
def test_both_futures_have_the_joint_covariance_of_effects_drawn_one_by_one(case):
    planned, changed = inputs(case)
    deviation = np.random.default_rng(2).uniform(0.1, 2, (3, 7))
    deviation[2, :5] = 0.0
    for drawn, spread in zip(both(planned, changed, deviation), deviation, strict=True):
        design = np.concatenate([planned, changed]) * spread
        expected = design @ design.T
        size = np.sqrt(np.outer(np.diag(expected), np.diag(expected))) + 1e-12
        np.testing.assert_array_less(np.abs(drawn.T @ drawn / PATHS - expected) / size, 5 * np.sqrt(2 / PATHS))
        # Steps at which nothing changes keep their sums, to the last digit.
        np.testing.assert_array_equal(drawn[:, HORIZON + 3], drawn[:, 3])


def test_effects_that_the_plan_determines_are_those_of_the_plan():
    """As many steps as channels: the sums of the plan leave nothing open."""
    rng = np.random.default_rng(4)
    planned, changed = rng.normal(size=(2, 3, 3))
    first, second = np.split(both(planned, changed, np.ones((1, 3)))[0], 2, axis=1)
    np.testing.assert_allclose(second @ np.linalg.inv(changed.T), first @ np.linalg.inv(planned.T), atol=1e-6)


def test_two_changes_of_a_channel_have_the_same_effect():
    planned, changed = inputs("one channel")
    deeper = planned + 2 * (changed - planned)
    plan, once, twice = (next(drawn_sums(np.ones((1, 7)), planned, each, 50, 0)) for each in (planned, changed, deeper))
    np.testing.assert_allclose(twice - plan, 2 * (once - plan), rtol=1e-9, atol=1e-12)


def test_simulated_futures_differ_by_the_change_alone():
    data = simulated_sales(articles=6, weeks=120, seed=2, windows=1, style_size=3)
    history = data.history(0)
    predictor = build_model("analog", data.metadata).train(data.train)
    late = Scenario("late", "price[dress_1] = -30% @ 3:4")
    deeper = Scenario("deeper", ["price[dress_1] = -30% @ 3:4", "promo[coat_1] = 1 @ 8"])
    outcomes = simulate(predictor, history, [late, deeper], paths=200, seed=5)
    difference = outcomes["late"].difference().paths
    np.testing.assert_array_equal(difference[:, [0, 1, 4, 5, 6, 7]], 0)
    # Between independent futures the difference would vary as sales do.
    substitute = outcomes.baseline.column("dress_2")
    assert 0 < difference[:, 2, substitute].std() < 0.3 * outcomes.baseline.paths[:, 2, substitute].std()
    own = outcomes.baseline.column("dress_1")
    np.testing.assert_array_equal(outcomes["deeper"].paths[:, :7, own], outcomes["late"].paths[:, :7, own])
