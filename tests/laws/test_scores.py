"""Laws of the scores: propriety, scaling, permutation, missing values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hemline.evaluation.runs.metrics import METRICS, Outcome
from hemline.evaluation.scores import multivariate as vector_scores
from hemline.evaluation.scores import univariate as scores
from hemline.evaluation.scores.calibration import calibration_histogram, pit, pit_deviation, pit_histogram
from hemline.evaluation.scores.intervals import COVERAGES, central_interval, covered, interval_score
from hemline.evaluation.scores.mixtures import path_distances

PATHS, HORIZON, DIM = 60, 3, 4
JOINT = {
    "energy": vector_scores.energy_score,
    "variogram": vector_scores.variogram_score,
    "trajectory": vector_scores.trajectory_energy_score,
}
EACH: dict[str, Callable] = {"crps": scores.crps, **JOINT}


def correlated(rng: np.random.Generator, correlation: float, size: tuple[int, ...], dim: int = 2) -> np.ndarray:
    """Standard Gaussians with one correlation between all pairs."""
    common = rng.normal(size=(*size, 1))
    return np.sqrt(correlation) * common + np.sqrt(1 - correlation) * rng.normal(size=(*size, dim))


@pytest.fixture
def case() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return (
        rng.gamma(3.0, size=(PATHS, HORIZON, DIM)),
        rng.gamma(3.0, size=(HORIZON, DIM)),
        rng.gamma(3.0, size=(DIM, 50)),
    )


def value_of(name: str, samples: np.ndarray, observed: np.ndarray, past: np.ndarray) -> float:
    metric = METRICS[name]
    return float(metric.pool(metric.parts(Outcome(samples, observed, past, 7)).reshape(3, -1).sum(1)))


WRONG: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "shifted": lambda x: x + 0.7,
    "too wide": lambda x: 1.8 * x,
    "too narrow": lambda x: 0.4 * x,
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ["crps", "energy", "trajectory"])
def test_the_true_law_scores_better_than_a_wrong_one(name: str, wrong: str) -> None:
    rng = np.random.default_rng(0)
    paths, outcomes = correlated(rng, 0.5, (200, 400)), correlated(rng, 0.5, (400,))
    right = EACH[name](paths, outcomes).mean()
    assert right < EACH[name](WRONG[wrong](paths), outcomes).mean()


@pytest.mark.parametrize("wrong", WRONG)
def test_quantile_loss_of_the_sum_is_lowest_for_the_true_law(wrong: str) -> None:
    rng = np.random.default_rng(0)
    paths, outcomes = correlated(rng, 0.5, (200, 400)), correlated(rng, 0.5, (400,))
    assert scores.crps_sum(paths, outcomes) < scores.crps_sum(WRONG[wrong](paths), outcomes)


def test_interval_score_is_lowest_for_the_true_quantiles() -> None:
    outcomes = np.random.default_rng(0).normal(size=20000)
    ends = [interval_score(-end, end, outcomes, 0.05).mean() for end in np.array([1.5, 1.96, 2.5])]
    assert ends[1] == min(ends)


@pytest.mark.parametrize(("name", "margin"), [("energy", 0.0), ("variogram", 0.05)])
def test_joint_scores_see_a_lost_dependence_that_crps_cannot(name: str, margin: float) -> None:
    rng = np.random.default_rng(1)
    paths, outcomes = correlated(rng, 0.8, (200, 600)), correlated(rng, 0.8, (600,))
    shuffled = np.stack([paths[..., 0], np.roll(paths[..., 1], 1, axis=0)], -1)
    assert scores.crps(paths, outcomes) == pytest.approx(scores.crps(shuffled, outcomes))
    assert JOINT[name](paths, outcomes).mean() * (1 + margin) < JOINT[name](shuffled, outcomes).mean()


def test_trajectory_energy_sees_a_lost_dependence_over_steps() -> None:
    rng = np.random.default_rng(1)
    paths = correlated(rng, 0.9, (200, 300), dim=2).transpose(1, 0, 2)[..., None]
    outcomes = correlated(rng, 0.9, (300,), dim=2)[..., None]
    shuffled = paths.copy()
    shuffled[:, :, 1] = np.roll(paths[:, :, 1], 1, axis=1)
    assert vector_scores.energy_score(paths, outcomes) == pytest.approx(vector_scores.energy_score(shuffled, outcomes))
    right = vector_scores.trajectory_energy_score(paths, outcomes).mean()
    assert right < vector_scores.trajectory_energy_score(shuffled, outcomes).mean()


def test_crps_of_a_gaussian_approaches_its_closed_form() -> None:
    paths = np.random.default_rng(0).normal(size=(4000, 1, 1)) * np.ones((1, 1, 3))
    outcomes = np.array([[-1.0, 0.0, 2.0]])
    from properscoring import crps_gaussian

    assert scores.crps(paths, outcomes) == pytest.approx(crps_gaussian(outcomes, 0, 1), abs=0.02)


@pytest.mark.parametrize(("name", "power"), [("crps", 1), ("energy", 1), ("trajectory", 1), ("variogram", 1)])
def test_scores_scale_with_the_unit_of_the_data(case, name: str, power: int) -> None:
    samples, observed, _ = case
    scaled = EACH[name](3 * samples, 3 * observed)
    assert scaled == pytest.approx(3**power * EACH[name](samples, observed))


@pytest.mark.parametrize("name", METRICS)
def test_metrics_do_not_depend_on_the_unit_of_the_data(case, name: str) -> None:
    samples, observed, past = case
    assert value_of(name, 1000 * samples, 1000 * observed, 1000 * past) == pytest.approx(value_of(name, *case))


@pytest.mark.parametrize("name", METRICS)
def test_metrics_do_not_depend_on_the_order_of_paths_or_series(case, name: str) -> None:
    samples, observed, past = case
    rng = np.random.default_rng(0)
    paths, series = rng.permutation(PATHS), rng.permutation(DIM)
    shuffled = value_of(name, samples[paths][..., series], observed[:, series], past[series])
    assert shuffled == pytest.approx(value_of(name, *case))


@pytest.mark.parametrize("name", METRICS)
def test_a_series_that_is_missing_throughout_takes_no_part(case, name: str) -> None:
    samples, observed, past = case
    without = value_of(name, samples[..., :-1], observed[:, :-1], past[:-1])
    gone = observed.copy()
    gone[:, -1] = np.nan
    assert value_of(name, samples, gone, past) == pytest.approx(without)


@pytest.mark.parametrize("name", [name for name in METRICS if METRICS[name].axes != "window"])
def test_a_step_that_is_missing_throughout_takes_no_part(case, name: str) -> None:
    samples, observed, past = case
    gone = observed.copy()
    gone[1] = np.nan
    without = value_of(name, samples[:, [0, 2]], observed[[0, 2]], past)
    assert value_of(name, samples, gone, past) == pytest.approx(without)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_of_nothing_observed_is_nan_without_a_warning(case, name: str) -> None:
    samples, observed, past = case
    assert np.isnan(value_of(name, samples, np.full_like(observed, np.nan), past))


@pytest.mark.parametrize("name", METRICS)
def test_one_series_is_enough_except_for_the_variogram(case, name: str) -> None:
    samples, observed, past = case
    value = value_of(name, samples[..., :1], observed[:, :1], past[:1])
    assert np.isnan(value) == (name == "variogram_score")


def test_for_one_series_crps_sum_is_its_weighted_quantile_loss_and_energy_its_crps(case) -> None:
    samples, observed = case[0][..., :1], case[1][..., :1]
    assert scores.crps_sum(samples, observed) == scores.weighted_quantile_loss(samples, observed)
    assert vector_scores.energy_score(samples, observed) == pytest.approx(scores.crps(samples, observed)[..., 0])


def test_whole_numbers_are_scored_as_numbers() -> None:
    rng = np.random.default_rng(0)
    counts, outcomes = rng.poisson(5, size=(20, HORIZON, DIM)), rng.poisson(5, size=(HORIZON, DIM))
    for score in EACH.values():
        assert score(counts, outcomes) == pytest.approx(score(counts.astype(float), outcomes))


def test_windows_may_stand_in_leading_axes(case) -> None:
    samples, observed, _ = case
    stacked, answers = np.stack([samples, samples + 1]), np.stack([observed, observed + 2])
    for score in EACH.values():
        assert score(stacked, answers)[1] == pytest.approx(score(stacked[1], answers[1]))


@pytest.mark.parametrize("count", [9, 19, 100])
def test_an_observation_from_the_forecasts_own_law_is_covered_as_often_as_named(count: int) -> None:
    rng = np.random.default_rng(0)
    ordered = scores.sorted_paths(rng.normal(size=(count, 20000, 1)))
    outcomes = rng.normal(size=(20000, 1))
    for coverage in COVERAGES:
        reachable = min(coverage, (count - 1) / (count + 1))
        assert covered(ordered, outcomes, coverage).mean() == pytest.approx(reachable, abs=0.012)


def test_wider_coverage_means_a_wider_interval(case) -> None:
    ordered = scores.sorted_paths(case[0])
    widths = [np.subtract(*central_interval(ordered, coverage)[::-1]) for coverage in COVERAGES]
    assert (widths[0] < widths[1]).all()
    assert (widths[1] < widths[2]).all()


def test_pit_is_flat_for_the_true_law_even_for_counts() -> None:
    rng = np.random.default_rng(0)
    paths, outcomes = rng.poisson(1.5, size=(40, 20000, 1)), rng.poisson(1.5, size=(20000, 1))
    assert calibration_histogram(paths, outcomes) == pytest.approx(np.full(10, 0.1), abs=0.006)


@pytest.mark.parametrize(("scale", "edge_is_heavy"), [(0.4, True), (2.5, False)])
def test_pit_is_a_bowl_for_narrow_and_a_hump_for_wide_forecasts(scale: float, edge_is_heavy: bool) -> None:
    rng = np.random.default_rng(0)
    shares = calibration_histogram(scale * rng.normal(size=(40, 4000, 1)), rng.normal(size=(4000, 1)))
    assert (shares[0] > shares[4]) == edge_is_heavy
    assert shares.sum() == pytest.approx(1)


def test_pit_leaves_missing_observations_out() -> None:
    ordered = scores.sorted_paths(np.random.default_rng(0).normal(size=(9, 4, 1)))
    outcomes = np.array([[0.0], [np.nan], [1.0], [-1.0]])
    lower, upper = pit(ordered, outcomes)
    assert np.isnan(lower).tolist() == np.isnan(outcomes).tolist()
    present = ~np.isnan(lower)
    assert pit_deviation(lower, upper) == pit_deviation(lower[present], upper[present])


def test_the_deviation_of_a_flat_histogram_is_nothing_and_of_a_spike_nearly_two() -> None:
    edges = np.linspace(0, 1, 11)
    assert pit_deviation(edges[:-1], edges[1:]) == pytest.approx(0)
    assert pit_deviation(np.full(5, 0.0), np.full(5, 0.1)) == pytest.approx(1.8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scores.crps(np.zeros((5, 2, 3)), np.zeros((2, 4))), r"samples: expected \[\.\.\., S, H, D\]"),
        (lambda: vector_scores.energy_score(np.zeros((0, 2, 3)), np.zeros((2, 3))), r"got \[0, 2, 3\]"),
        (lambda: scores.sample_quantiles(np.zeros((5, 2, 3)), [1.5]), r"levels: .*got 1\.5"),
        (lambda: scores.sorted_paths(np.zeros((5, 2))), r"samples: expected .*got \[5, 2\]"),
        (lambda: vector_scores.variogram_score(np.zeros((5, 2, 3)), np.zeros((2, 3)), order=0), "order: .*got 0"),
        (lambda: central_interval(np.zeros((5, 2, 3)), 1.0), r"coverage: .*got 1\.0"),
        (lambda: pit_histogram(np.array([np.nan]), np.array([np.nan])), "lower: .*all are missing"),
        (lambda: pit_histogram(np.zeros(1), np.ones(1), bins=0), "bins: .*got 0"),
    ],
)
def test_what_cannot_be_scored_is_refused(call: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_the_parts_of_the_energy_score_give_that_of_weighted_paths():
    """With equal weights it is the energy score; a path twice has the weights of both."""
    rng = np.random.default_rng(5)
    paths, truth = rng.normal(size=(7, 4, 3)), rng.normal(size=(4, 3))
    truth[1, 2] = np.nan
    a, b = path_distances(paths, truth)
    equal = np.full(7, 1 / 7)
    np.testing.assert_allclose(
        a @ equal - equal @ b @ equal / 2, vector_scores.energy_score(paths, truth).sum(), rtol=1e-12
    )
    weights = rng.dirichlet(np.ones(7))
    twice = np.concatenate([weights[:-1], [weights[-1] / 3, 2 * weights[-1] / 3]])
    a2, b2 = path_distances(np.concatenate([paths, paths[-1:]]), truth)
    np.testing.assert_allclose(a @ weights - weights @ b @ weights / 2, a2 @ twice - twice @ b2 @ twice / 2, rtol=1e-12)
