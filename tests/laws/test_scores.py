"""Laws of the scores: propriety, scaling, permutation, missing values. Those with weights: test_weighted_scores.py."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hemline.evaluation.runs.metrics import METRICS, Outcome
from hemline.evaluation.scores import multivariate as vector_scores
from hemline.evaluation.scores import univariate as scores
from hemline.evaluation.scores.calibration import (
    calibration_histogram,
    pit,
    pit_deviation,
    pit_histogram,
    randomised_pit,
)
from hemline.evaluation.scores.intervals import (
    COVERAGES,
    central_interval,
    covered,
    interval_score,
    plotting_quantiles,
    scaled_interval_score,
    seasonal_error,
    width,
)

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
    widths = [width(ordered, case[1], coverage) for coverage in COVERAGES]
    assert (widths[0] < widths[1]).all()
    assert (widths[1] < widths[2]).all()


def test_a_width_is_that_of_the_interval_where_its_coverage_counts(case) -> None:
    ordered, observed = scores.sorted_paths(case[0]), case[1].copy()
    observed[0, 1] = np.nan
    found, (lower, upper) = width(ordered, observed, 0.8), central_interval(ordered, 0.8)
    assert np.isnan(found).tolist() == np.isnan(covered(ordered, observed, 0.8)).tolist()
    present = ~np.isnan(observed)
    assert found[present] == pytest.approx((upper - lower)[present])


def test_the_median_has_the_least_absolute_error_and_the_mean_the_least_squared_one() -> None:
    rng = np.random.default_rng(0)
    ordered, outcomes = np.sort(rng.gamma(1.0, size=(201, 1, 1)), axis=0), rng.gamma(1.0, size=(20000, 1))
    ordered = np.broadcast_to(ordered, (201, 20000, 1))
    for shift in (-0.3, 0.3):
        assert scores.median_error(ordered, outcomes).mean() < scores.median_error(ordered + shift, outcomes).mean()
        wrong = scores.squared_error(np.array(1.0 + shift), outcomes).mean()
        assert scores.squared_error(np.array(1.0), outcomes).mean() < wrong


def test_errors_by_hand() -> None:
    ordered, observed = np.array([1.0, 2.0, 9.0])[:, None, None], np.array([[5.0]])
    assert scores.median_error(ordered, observed) == 3.0
    assert scores.squared_error(ordered.mean(0), observed) == 1.0
    assert seasonal_error(np.array([[1.0, 5.0, 2.0, 7.0, np.nan, 6.0]]), 2) == pytest.approx((1 + 2 + 1) / 3)
    assert scores.quantile_loss(np.array([3.0, 3.0]), np.array([5.0, 1.0]), 0.9) == pytest.approx([3.6, 0.4])


def test_the_quantile_loss_is_lowest_for_the_quantile() -> None:
    outcomes = np.random.default_rng(0).uniform(size=20000)
    for level in (0.1, 0.5, 0.9):
        losses = [scores.quantile_loss(np.array(level + off), outcomes, level).mean() for off in (-0.05, 0, 0.05)]
        assert losses[1] == min(losses)


def test_what_is_made_for_sorted_paths_gives_what_the_others_do(case) -> None:
    samples, observed = scores.checked(case[0].astype(np.float32), case[1].astype(np.float32))
    ordered = scores.sorted_paths(samples)
    np.testing.assert_array_equal(scores.crps_of_sorted(ordered, observed), scores.crps(samples, observed))
    np.testing.assert_array_equal(scores.pick_quantiles(ordered, [0.2]), scores.sample_quantiles(samples[::-1], [0.2]))


def test_the_quantile_loss_over_all_levels_is_the_crps(case) -> None:
    samples, observed, _ = case
    levels = (np.arange(1000) + 0.5) / 1000
    loss = scores.mean_quantile_loss(scores.sorted_paths(samples), observed, levels)
    assert loss == pytest.approx(scores.crps(samples, observed), rel=0.03)


def test_quantiles_at_plotting_positions_are_those_of_weibull(case) -> None:
    levels = [0.05, 0.31, 0.5, 0.9]
    found = plotting_quantiles(scores.sorted_paths(case[0]), levels)
    assert found == pytest.approx(np.quantile(case[0], levels, axis=0, method="weibull"))


def test_crps_sum_is_pooled_from_its_parts_window_by_window(case) -> None:
    samples, observed = np.stack([case[0], case[0] * 1.3]), np.stack([case[1], case[1] + 0.5])
    observed[1, 0] = observed[0, 2, 1] = np.nan
    parts = np.array([scores.crps_sum_parts(*each) for each in zip(samples, observed, strict=True)])
    loss, size = np.nansum(parts, axis=(0, 2))
    assert scores.crps_sum(samples, observed) == pytest.approx(loss / size)
    assert np.isnan(parts).tolist() == [[[False] * 3] * 2, [[True, False, False]] * 2]


def test_the_sum_of_series_is_linear_and_leaves_out_what_is_missing(case) -> None:
    samples, observed, _ = case
    paths, sums = scores.sum_over_series(samples, observed)
    moved, moved_sums = scores.sum_over_series(2 * samples + 1, 2 * observed + 1)
    assert moved == pytest.approx(2 * paths + DIM)
    assert moved_sums == pytest.approx(2 * sums + DIM)
    gone = observed.copy()
    gone[1, 2] = np.nan
    paths, sums = scores.sum_over_series(samples, gone)
    assert paths[:, 1, 0] == pytest.approx(samples[:, 1, [0, 1, 3]].sum(1))
    assert sums[1, 0] == pytest.approx(observed[1, [0, 1, 3]].sum())


def test_denominators_are_scores_of_forecasts_that_know_nothing(case) -> None:
    observed = np.stack([case[1], case[1] - 2])
    observed[0, 1, 2] = observed[1, 2] = np.nan
    nothing = np.zeros((2, 3, HORIZON, DIM))
    assert vector_scores.norm(observed) == pytest.approx(vector_scores.energy_score(nothing, observed), nan_ok=True)
    trajectory = vector_scores.trajectory_energy_score(nothing, observed)
    assert vector_scores.trajectory_norm(observed) == pytest.approx(trajectory)
    assert np.isnan(vector_scores.trajectory_norm(np.full((2, 3), np.nan)))
    level = vector_scores.variogram_score(nothing + 7, observed)
    assert vector_scores.variogram_size(observed)[~np.isnan(level)] == pytest.approx(level[~np.isnan(level)])


def test_the_scaled_interval_score_has_no_unit_and_is_lowest_for_the_true_law() -> None:
    rng = np.random.default_rng(0)
    ordered, outcomes = scores.sorted_paths(rng.normal(size=(400, 2000, 2))), rng.normal(size=(2000, 2))
    error = seasonal_error(rng.normal(size=(2, 50)), 7)
    right = scaled_interval_score(ordered, outcomes, error)
    assert scaled_interval_score(9 * ordered, 9 * outcomes, 9 * error) == pytest.approx(right)
    for wrong in WRONG.values():
        assert right.mean() < scaled_interval_score(wrong(ordered), outcomes, error).mean()


def test_the_seasonal_error_follows_the_unit_not_the_level_and_forgives_a_season(case) -> None:
    past = case[2]
    assert seasonal_error(past + 5, 7) == pytest.approx(seasonal_error(past, 7))
    assert seasonal_error(3 * past, 7) == pytest.approx(3 * seasonal_error(past, 7))
    assert seasonal_error(np.tile(past[:, :7], 4), 7) == pytest.approx(np.zeros(DIM))


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


def test_a_randomised_pit_lies_in_the_span_and_is_uniform_for_the_true_law() -> None:
    rng = np.random.default_rng(0)
    paths, outcomes = rng.poisson(1.5, size=(9, 20000, 1)), rng.poisson(1.5, size=(20000, 1)).astype(float)
    lower, upper = pit(paths, outcomes)
    assert randomised_pit(paths, outcomes, np.zeros_like(lower)) == pytest.approx(lower)
    assert randomised_pit(paths, outcomes, np.ones_like(lower)) == pytest.approx(upper)
    places = randomised_pit(paths, outcomes, rng.uniform(size=lower.shape))
    assert np.quantile(places, [0.1, 0.25, 0.5, 0.9]) == pytest.approx([0.1, 0.25, 0.5, 0.9], abs=0.02)
    assert np.isnan(randomised_pit(paths, np.full_like(outcomes, np.nan), np.zeros_like(lower))).all()


def test_the_order_of_paths_says_nothing_of_calibration(case) -> None:
    samples, observed, _ = case
    assert np.array(pit(samples[::-1], observed)) == pytest.approx(np.array(pit(samples, observed)))


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
        (lambda: calibration_histogram(np.zeros((5, 2, 3)), np.zeros((2, 4))), r"samples: expected .*\[2, 4\]"),
        (lambda: interval_score(np.zeros(1), np.ones(1), np.ones(1), 0.0), r"alpha: .*got 0\.0"),
        (lambda: scores.quantile_loss(np.zeros(1), np.ones(1), -0.1), r"levels: .*got -0\.1"),
        (lambda: seasonal_error(np.zeros((1, 9)), 0), "season: .*got 0"),
    ],
)
def test_what_cannot_be_scored_is_refused(call: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_every_score_has_a_law() -> None:
    """A new function of the room is named here or in a file of its kind beside it, or this is red."""
    files = sorted(Path(__file__).parent.glob("test_*scores.py"))
    laws = "".join(file.read_text() for file in files)
    named = {node.id for node in ast.walk(ast.parse(laws)) if isinstance(node, ast.Name)}
    named |= {node.attr for node in ast.walk(ast.parse(laws)) if isinstance(node, ast.Attribute)}
    room = Path(scores.__file__).parent
    defined = {node.name for file in room.glob("*.py") for node in ast.parse(file.read_text()).body if is_public(node)}
    assert defined - named == set()


def is_public(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
