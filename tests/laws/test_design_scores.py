"""Scores of designs: against torchmetrics and scikit-learn, and where something leaks that was planted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hemline.evaluation.scores.designs import changes_outside, colour_leaks, explained_share, structural_similarities


def test_the_structural_similarity_is_that_of_torchmetrics():
    from torchmetrics.functional.image import structural_similarity_index_measure

    rng = np.random.default_rng(0)
    first = rng.random((2, 3, 24, 20))
    second = (0.7 * first + 0.3 * rng.random(first.shape)).clip(0, 1)
    masks = (rng.random((2, 24, 20)) > 0.5).astype(float)
    _, maps = structural_similarity_index_measure(
        *(torch.from_numpy(each) for each in (first, second)), data_range=1.0, return_full_image=True
    )
    alike = maps.mean(dim=1).numpy()
    wanted = [float(one[mask > 0].mean()) for one, mask in zip(alike, masks, strict=True)]
    np.testing.assert_allclose(structural_similarities(first, second, masks), wanted, atol=1e-9)
    np.testing.assert_allclose(structural_similarities(first, first, masks), 1)
    np.testing.assert_allclose(
        structural_similarities(first, second, masks), structural_similarities(second, first, masks)
    )


def test_a_texture_that_changes_the_colour_leaks_by_as_much():
    grey = np.full((2, 3, 4, 4), 0.5)
    other = grey.copy()
    other[1, 0] = 0.8
    np.testing.assert_allclose(colour_leaks(grey, other, np.ones((2, 4, 4))), [0, 0.3])


def test_what_changes_outside_a_mask_counts_and_nothing_within():
    rng = np.random.default_rng(0)
    before, after = rng.random((2, 3, 3, 8, 6))
    masks = rng.random((3, 8, 6)).round() * rng.random((3, 8, 6))
    masks[2] = 1
    found = changes_outside(before, after, masks)
    wanted = [np.abs(after[row] - before[row])[:, masks[row] == 0].mean() for row in range(2)]
    np.testing.assert_allclose(found, [*wanted, 0])
    inside = np.where(masks[:, None] > 0, after, before)
    np.testing.assert_array_equal(changes_outside(before, inside, masks), 0)


@pytest.mark.parametrize("wide", [4, 60])
def test_the_share_that_a_probe_explains_is_that_of_ridge_regression_without_each_row(wide):
    linear_model = pytest.importorskip("sklearn.linear_model")
    selection = pytest.importorskip("sklearn.model_selection")
    rng = np.random.default_rng(0)
    told = rng.normal(size=(40, wide))
    found = told[:, :2] @ rng.normal(size=(2, 3)) + rng.normal(size=(40, 3))
    largest = np.linalg.svd(told - told.mean(axis=0), compute_uv=False)[0] ** 2
    shares = []
    for ridge in largest * np.logspace(-6, 3, 28):
        answers = selection.cross_val_predict(
            linear_model.Ridge(alpha=ridge), told, found, cv=selection.LeaveOneOut(), method="predict"
        )
        means = (found.sum(axis=0) - found) / (len(found) - 1)
        shares.append(1 - np.square(found - answers).sum() / np.square(found - means).sum())
    # Without a row the means of what the probe reads move a little, which the closed form holds too.
    assert explained_share(told, found) == pytest.approx(max(shares), abs=1e-6)


def test_a_probe_finds_what_was_planted_and_nothing_where_nothing_is():
    rng = np.random.default_rng(1)
    told = rng.normal(size=(400, 20))
    planted = told[:, :1] * [[0.3, 0.0, -0.1]] + 0.02 * rng.normal(size=(400, 3))
    assert explained_share(told, planted) > 0.95
    assert explained_share(told, rng.normal(size=(400, 3))) < 0.05
    assert explained_share(told, np.full((400, 3), 0.2)) == 0
    with pytest.raises(ValueError, match=r"told, found: expected three or more rows of both, got \[2, 1\]"):
        explained_share(np.ones((2, 1)), np.ones((2, 3)))
