"""Laws of the scores of generated and designed images: what they do not change with, and where they are best."""

from __future__ import annotations

import numpy as np
import pytest
from hemline.evaluation.scores.designs import (
    colour_errors,
    contrasts,
    mask_overlaps,
    mean_colours,
    pattern_similarities,
)
from hemline.evaluation.scores.generated import (
    frechet_distance,
    inception_score,
    kernel_distance,
    manifold_scores,
    nearest_distances,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_distances_of_laws_are_even_and_turn_with_the_features(rng):
    first, second = rng.normal(size=(120, 5)), rng.normal(size=(120, 5)) + 0.5
    turn, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    for distance in (frechet_distance, kernel_distance):
        assert distance(first, second) == pytest.approx(distance(second, first))
        assert distance(first @ turn, second @ turn) == pytest.approx(distance(first, second))
        assert distance(first, second) > distance(first, first[::-1])
    assert manifold_scores(first @ turn, second @ turn) == pytest.approx(manifold_scores(first, second))
    np.testing.assert_allclose(nearest_distances(first @ turn, second @ turn), nearest_distances(first, second))


def test_distances_scale_with_the_features(rng):
    first, second = rng.normal(size=(120, 5)), rng.normal(size=(90, 5)) + 0.5
    assert frechet_distance(3 * first, 3 * second) == pytest.approx(9 * frechet_distance(first, second))
    np.testing.assert_allclose(nearest_distances(3 * first, 3 * second), 3 * nearest_distances(first, second))
    assert manifold_scores(3 * first, 3 * second) == pytest.approx(manifold_scores(first, second))


def test_images_far_away_have_no_precision_and_no_coverage(rng):
    real = rng.normal(size=(100, 4))
    far = manifold_scores(real, rng.normal(size=(100, 4)) + 50)
    assert (far.precision, far.recall, far.density, far.coverage) == (0, 0, 0, 0)
    alike = manifold_scores(real, real)
    assert (alike.precision, alike.recall, alike.coverage) == (1, 1, 1)


def test_the_inception_score_lies_between_one_and_the_classes_and_knows_no_order(rng):
    answers = rng.dirichlet(np.ones(6), size=50)
    assert 1 <= inception_score(answers) <= 6
    assert inception_score(answers[::-1, ::-1]) == pytest.approx(inception_score(answers))


def test_scores_of_designs_change_as_the_images_do(rng):
    images, masks = rng.random((3, 3, 8, 8)), (rng.random((3, 8, 8)) > 0.3).astype(float)
    colours = mean_colours(images, masks)
    np.testing.assert_allclose(colour_errors(images, masks, colours), 0, atol=1e-12)
    np.testing.assert_allclose(mean_colours(2 * images + 1, masks), 2 * colours + 1)
    np.testing.assert_allclose(contrasts(2 * images + 1, masks), 2 * contrasts(images, masks))
    np.testing.assert_allclose(pattern_similarities(images, 2 * images + 1, masks), 1)
    assert (mask_overlaps(masks > 0, masks > 0) == 1).all()
    assert (mask_overlaps(masks > 0, masks == 0) == 0).all()
    # What lies outside the mask counts for nothing.
    beyond = images + 5 * (1 - masks[:, None])
    np.testing.assert_allclose(contrasts(beyond, masks), contrasts(images, masks))
    np.testing.assert_allclose(mean_colours(beyond, masks), colours)
