"""Laws of the scores of rare demand: by hand, scaling, missing values, and what is right on average."""

import numpy as np
import pytest
from hemline.evaluation.runs.metrics import METRICS, Outcome
from hemline.evaluation.scores.scaled import (
    crps_of_lead_time,
    lead_time_size,
    scaled_error,
    scaled_squared_error,
    squared_change,
)
from hemline.evaluation.scores.univariate import crps

RNG = np.random.default_rng(0)
PAST, SAMPLES, OBSERVED = RNG.poisson(0.5, (3, 40)), RNG.poisson(0.5, (50, 4, 3)), RNG.poisson(0.5, (4, 3)) + 0.0


def pooled(name, past, samples, observed):
    parts = METRICS[name].parts(Outcome(samples, observed, past, 1))
    return float(METRICS[name].pool(parts.reshape(3, -1).sum(1)))


def test_by_hand():
    past = np.array([[0, 0, 3, 1, np.nan, 2, 4]])
    assert squared_change(past) == pytest.approx([4])  # 3 to 1 and 2 to 4; what lies before the first sale is no series
    samples, observed = np.array([1.0, 2.0, 6.0]).reshape(3, 1, 1) * np.ones((3, 2, 1)), np.array([[1.0], [4.0]])
    assert pooled("rmsse", past, samples, observed) == pytest.approx(np.sqrt((2**2 + 1**2) / 2 / 4))
    assert pooled("mase", past, samples, observed) == pytest.approx((1 + 2) / 2 / np.mean([0, 3, 2, 2]))


@pytest.mark.parametrize("name", ["mase", "rmsse", "crps_lead_time"])
def test_they_do_not_depend_on_the_unit(name):
    one, other = (pooled(name, PAST * unit, SAMPLES * unit, OBSERVED * unit) for unit in (1.0, 12.0))
    assert one == pytest.approx(other)
    assert one > 0


def test_of_one_step_a_lead_time_is_that_step():
    np.testing.assert_allclose(crps_of_lead_time(SAMPLES[:, :1], OBSERVED[:1]), crps(SAMPLES[:, :1], OBSERVED[:1])[0])


def test_the_lead_time_score_sees_how_steps_go_together():
    steps = RNG.normal(size=(3000, 4, 1))
    together, came = np.repeat(steps[:, :1], 4, axis=1), np.repeat(RNG.normal(size=(200, 1, 1)), 4, axis=1)
    right = np.mean([crps_of_lead_time(together, truth) for truth in came])
    wrong = np.mean([crps_of_lead_time(steps, truth) for truth in came])
    assert right < 0.95 * wrong


def test_what_is_missing_is_left_out():
    observed = OBSERVED.copy()
    observed[2, 0], observed[:, 1] = np.nan, np.nan
    found = crps_of_lead_time(SAMPLES, observed)
    known = [0, 1, 3]
    np.testing.assert_allclose(found[0], crps_of_lead_time(SAMPLES[:, known, :1], OBSERVED[known, :1])[0])
    np.testing.assert_array_equal(np.isnan(found), [False, True, False])
    np.testing.assert_array_equal(np.isnan(lead_time_size(observed)), [False, True, False])
    assert np.isfinite(pooled("crps_lead_time", PAST, SAMPLES, observed))


def test_a_series_that_never_changed_has_no_scaled_score():
    error = scaled_error(np.sort(SAMPLES, axis=0), OBSERVED, np.array([1.0, 0.0, np.nan]))
    assert np.isnan(error[:, 1:]).all()
    squared = squared_change(np.array([[0, 0, 0], [2, 2, 2], [1, 0, 1]]))
    assert np.isnan(scaled_squared_error(SAMPLES.mean(0), OBSERVED, squared)[:, :2]).all()
    assert squared[2] == 1
