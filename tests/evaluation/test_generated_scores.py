"""Scores of generated images: against torchmetrics, in closed form, and what they do not change with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hemline.evaluation.scores.generated import (
    frechet_distance,
    inception_score,
    kernel_distance,
    manifold_scores,
    nearest_distances,
)


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    return rng.normal(size=(300, 6)), rng.normal(size=(260, 6)) @ rng.normal(size=(6, 6)) * 0.5 + 0.3


class Given(torch.nn.Module):
    """Images that are features already, for metrics that want a network."""

    num_features = 6

    def forward(self, images):
        return images.flatten(1)[:, :6].double()


def test_the_frechet_distance_is_that_of_torchmetrics(features):
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=Given(), normalize=True, input_img_size=(3, 1, 2)).set_dtype(
        torch.float64
    )
    for each, real in zip(features, (True, False), strict=True):
        metric.update(torch.from_numpy(each).reshape(-1, 3, 1, 2), real=real)
    assert frechet_distance(*features) == pytest.approx(float(metric.compute()), rel=1e-6)


def test_the_frechet_distance_of_normal_laws_in_closed_form():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(1000, 4))
    turn, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    assert frechet_distance(points, points) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(points @ turn, points @ turn + 1) == pytest.approx(4)
    # Of k times as wide a law about the same mean: (k − 1)² times the trace of its covariance.
    centred = points - points.mean(axis=0)
    assert frechet_distance(centred, 3 * centred) == pytest.approx(4 * np.trace(np.cov(centred, rowvar=False)))


def test_the_kernel_distance_of_one_subset_is_that_of_torchmetrics(features):
    from torchmetrics.image.kid import poly_mmd

    first, second = (each[:200] for each in features)
    told = float(poly_mmd(torch.from_numpy(first), torch.from_numpy(second)))
    assert kernel_distance(first, second, subset=200) == pytest.approx(told, rel=1e-9)


def test_the_kernel_distance_has_no_bias():
    rng = np.random.default_rng(0)
    found = [kernel_distance(*rng.normal(size=(2, 60, 3)), subset=30, seed=seed) for seed in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
    assert min(found) < 0


def test_neighbourhoods_by_hand():
    # On a line: real at 0, 1, 2, 3 reach to their nearest, 1; generated at 0.5, 0.6 and 10.
    real = np.array([[0.0], [1.0], [2.0], [3.0]])
    generated = np.array([[0.5], [0.6], [10.0]])
    found = manifold_scores(real, generated, k=1)
    assert found.precision == pytest.approx(2 / 3)
    assert found.density == pytest.approx(4 / 3)
    assert found.coverage == pytest.approx(2 / 4)
    # Generated reach 0.1, 0.1 and 9.4: all real but 0 are within 9.4 of 10.
    assert found.recall == pytest.approx(3 / 4)


def test_equal_laws_have_density_one_and_the_coverage_of_chance():
    rng = np.random.default_rng(0)
    found = manifold_scores(rng.normal(size=(1500, 3)), rng.normal(size=(1500, 3)), k=5)
    assert found.density == pytest.approx(1, abs=0.05)
    assert found.coverage == pytest.approx(1 - 0.5**5, abs=0.02)


def test_scores_do_not_change_with_order_or_the_rows_worked_on_at_once(features, monkeypatch):
    first, second = features
    before = manifold_scores(first, second), nearest_distances(first, second)
    monkeypatch.setattr("hemline.evaluation.scores.generated._ROWS", 7)
    assert manifold_scores(first[::-1], second[::-1]) == pytest.approx(before[0])
    np.testing.assert_allclose(nearest_distances(first, second), before[1])


def test_copies_are_nearest_to_what_they_copy(features):
    first, _ = features
    assert nearest_distances(first[:5], first).max() < 1e-6
    assert nearest_distances(first[:5] + 0.1, first) == pytest.approx(0.1 * np.sqrt(6), rel=1e-6)


def test_a_sure_classifier_of_even_classes_scores_their_number():
    assert inception_score(np.eye(5)[np.arange(20) % 5]) == pytest.approx(5)
    assert inception_score(np.full((20, 5), 0.2)) == pytest.approx(1)
    assert inception_score(np.eye(5)[np.zeros(20, int)]) == pytest.approx(1)


@pytest.mark.parametrize("score", [frechet_distance, kernel_distance, manifold_scores, nearest_distances])
def test_features_of_other_widths_are_refused(score):
    with pytest.raises(
        ValueError, match=r"features: expected two or more rows of equal width, got \[9, 3\] and \[9, 4\]"
    ):
        score(np.zeros((9, 3)), np.zeros((9, 4)))


def test_more_neighbours_than_images_are_refused():
    with pytest.raises(ValueError, match="k: expected 1 to 4 neighbours, got 5"):
        manifold_scores(np.zeros((5, 2)), np.zeros((9, 2)), k=5)
