"""Laws of the scores with weights: those of equal weights, duplicates, weights of 0, permutation, units, propriety."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hemline.evaluation.scores.mixtures import (
    mixture_score,
    model_distances,
    path_distances,
    weighted_crps,
    weighted_energy,
)
from hemline.evaluation.scores.multivariate import energy_score
from hemline.evaluation.scores.univariate import crps

PATHS, HORIZON, DIM = 7, 4, 3


@pytest.fixture
def case() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Paths ``[K, H, D]``, an outcome with a gap, and weights of the paths."""
    rng = np.random.default_rng(5)
    truth = rng.normal(size=(HORIZON, DIM))
    truth[1, 2] = np.nan
    return rng.normal(size=(PATHS, HORIZON, DIM)), truth, rng.dirichlet(np.ones(PATHS))


def energy(paths: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    """Of paths with weights, summed over the steps."""
    return float(weighted_energy(*path_distances(paths, truth), weights))


def by_crps(paths: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    """The CRPS of paths with weights, summed over steps and series."""
    present = ~np.isnan(truth)
    values = paths[:, present].T
    return float(weighted_crps(values, np.broadcast_to(weights, values.shape), truth[present]).sum())


SCORES: dict[str, tuple[Callable, Callable]] = {
    "energy": (energy, lambda paths, truth: energy_score(paths, truth).sum()),
    "crps": (by_crps, lambda paths, truth: np.nansum(crps(paths, truth))),
}
EACH = pytest.mark.parametrize("weighted", [pair[0] for pair in SCORES.values()], ids=list(SCORES))


@pytest.mark.parametrize(("weighted", "plain"), SCORES.values(), ids=list(SCORES))
def test_equal_weights_are_none(case, weighted: Callable, plain: Callable) -> None:
    paths, truth, _ = case
    assert weighted(paths, truth, np.full(PATHS, 1 / PATHS)) == pytest.approx(plain(paths, truth), rel=1e-10)


@pytest.mark.parametrize(("weighted", "plain"), SCORES.values(), ids=list(SCORES))
def test_a_weight_is_how_often_a_path_is_there(case, weighted: Callable, plain: Callable) -> None:
    paths, truth, _ = case
    often = np.array([3, 1, 4, 0, 2, 1, 5])
    assert weighted(paths, truth, often / often.sum()) == pytest.approx(
        plain(np.repeat(paths, often, axis=0), truth), rel=1e-6
    )


@EACH
def test_a_path_twice_has_the_weights_of_both_and_one_without_weight_is_not_there(case, weighted: Callable) -> None:
    paths, truth, weights = case
    whole = weighted(paths, truth, weights)
    split = np.concatenate([weights[:-1], weights[-1] * np.array([1 / 3, 2 / 3])])
    assert weighted(np.concatenate([paths, paths[-1:]]), truth, split) == pytest.approx(whole, rel=1e-6)
    absent = np.concatenate([weights, [0.0]])
    assert weighted(np.concatenate([paths, paths[:1] + 9]), truth, absent) == pytest.approx(whole, rel=1e-10)


@EACH
def test_the_order_of_paths_and_the_level_say_nothing_and_the_unit_is_that_of_the_data(
    case, weighted: Callable
) -> None:
    paths, truth, weights = case
    whole, order = weighted(paths, truth, weights), np.random.default_rng(0).permutation(PATHS)
    assert weighted(paths[order], truth, weights[order]) == pytest.approx(whole)
    assert weighted(paths + 1e4, truth + 1e4, weights) == pytest.approx(whole, rel=1e-8)
    assert weighted(3 * paths, 3 * truth, weights) == pytest.approx(3 * whole)


def test_for_one_series_the_energy_score_is_the_crps(case) -> None:
    paths, truth, weights = case
    paths, truth = paths[..., :1], truth[:, :1]
    assert energy(paths, truth, weights) == pytest.approx(by_crps(paths, truth, weights))


@EACH
def test_the_true_chances_of_the_paths_score_better_than_others(weighted: Callable) -> None:
    rng = np.random.default_rng(2)
    paths, chances = rng.normal(size=(PATHS, 1, 2)), rng.dirichlet(np.ones(PATHS))
    scored = [
        sum(chance * weighted(paths, path, weights) for chance, path in zip(chances, paths, strict=True))
        for weights in (chances, *rng.dirichlet(np.ones(PATHS), size=50))
    ]
    assert scored[0] == min(scored)


def test_scores_with_weights_by_hand() -> None:
    """Of 0 with chance ¾ and 4 with ¼, at 1: mean distance 3/2, less half the 3/2 between two draws."""
    values, weights = np.array([0.0, 4.0]), np.array([0.75, 0.25])
    assert weighted_crps(values[None], weights[None], np.array([1.0])) == pytest.approx([0.75])
    assert energy(values[:, None, None], np.array([[1.0]]), weights) == pytest.approx(0.75)
    drawn = [np.full((1, 2, 1, 1), value) for value in values]
    assert mixture_score(drawn, np.ones((1, 1, 1)), [0.75, 0.25]) == pytest.approx(0.75)


def test_the_gradient_of_the_energy_score_is_what_any_library_finds(case) -> None:
    distance, between = path_distances(*case[:2])
    weights = torch.tensor(case[2], requires_grad=True)
    weighted_energy(torch.from_numpy(distance), torch.from_numpy(between), weights).backward()
    assert weights.grad.numpy() == pytest.approx(distance - between @ case[2])


@pytest.fixture
def models() -> tuple[list[np.ndarray], np.ndarray]:
    """Paths ``[W, S, H, D]`` of three models, of different numbers, and what came of two windows."""
    rng = np.random.default_rng(6)
    truth = rng.normal(size=(2, HORIZON, DIM))
    truth[0, 1, 2] = truth[1, 3, 0] = np.nan
    return [rng.normal(bias, size=(2, count, HORIZON, DIM)) for bias, count in ((0, 9), (1, 5), (-1, 6))], truth


def test_a_mixture_does_not_depend_on_the_order_of_models_paths_or_windows(models) -> None:
    drawn, truth = models
    whole = mixture_score(drawn, truth, [0.5, 0.2, 0.3])
    assert mixture_score(drawn[::-1], truth, [0.3, 0.2, 0.5]) == pytest.approx(whole)
    assert mixture_score([each[::-1, ::-1] for each in drawn], truth[::-1], [0.5, 0.2, 0.3]) == pytest.approx(whole)
    assert mixture_score([5 * each for each in drawn], 5 * truth, [0.5, 0.2, 0.3]) == pytest.approx(5 * whole)


def test_windows_of_a_mixture_add_up(models) -> None:
    drawn, truth = models
    for whole, *parts in zip(
        model_distances(drawn, truth),
        *(model_distances([each[[window]] for each in drawn], truth[[window]]) for window in range(2)),
        strict=True,
    ):
        assert whole == pytest.approx(sum(parts))


def test_a_model_without_weight_is_not_there_and_a_series_that_is_missing_neither(models) -> None:
    drawn, truth = models
    two = mixture_score(drawn[:2], truth, [0.4, 0.6])
    assert mixture_score(drawn, truth, [0.4, 0.6, 0.0]) == pytest.approx(two)
    more = [np.concatenate([each, 9 + each[..., :1]], axis=-1) for each in drawn[:2]]
    gone = np.concatenate([truth, np.full((*truth.shape[:2], 1), np.nan)], axis=-1)
    assert mixture_score(more, gone, [0.4, 0.6]) == pytest.approx(two)


def test_the_score_of_a_model_does_not_depend_on_how_many_paths_it_draws() -> None:
    """Two paths in the mean over many outcomes score as fifty do; with pairs of a path and itself they would lose."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(3000, 1, 2))
    few, many = (mixture_score([rng.normal(size=(3000, count, 1, 2))], truth, [1.0]) for count in (2, 50))
    assert few == pytest.approx(many, rel=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: path_distances(np.zeros((2, 3, 1)), np.zeros((3, 2))), r"paths: .*got \[2, 3, 1\] beside \[3, 2\]"),
        (lambda: path_distances(np.zeros((2, 3)), np.zeros(3)), r"paths: expected \[K, H, D\] beside truth \[H, D\]"),
        (lambda: model_distances([], np.zeros((1, 1, 1))), "drawn: .*got none"),
        (lambda: model_distances([np.zeros((1, 1, 1, 1))], np.zeros((1, 1, 1))), r"drawn\[0\]: .*2 paths, got 1"),
        (lambda: model_distances([np.zeros((2, 3, 1, 1))], np.zeros((1, 1, 1))), r"drawn\[0\]: .*\[1, 1, 1\]"),
        (lambda: mixture_score([np.zeros((1, 2, 1, 1))], np.zeros((1, 1, 1)), [0.5, 0.5]), "weights: expected 1, .*2"),
        (lambda: weighted_crps(np.zeros((2, 3)), np.zeros((2, 3)), np.zeros(3)), r"values: .*and \[3\]"),
        (lambda: weighted_crps(np.zeros((2, 3)), np.zeros(3), np.zeros(2)), r"values: .*beside \[3\]"),
    ],
)
def test_what_cannot_be_weighted_is_refused(call: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
