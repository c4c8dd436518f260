"""Laws of scores of rankings and of probabilities: against hand-made and brute-force values."""

from itertools import permutations

import numpy as np
import pytest
from hemline.evaluation.scores.probabilities import calibration_line, reliability
from hemline.evaluation.scores.ranking import (
    auc,
    bootstrap_mean,
    catalogue_coverage,
    ndcg_at,
    recall_at,
    reciprocal_rank,
)
from sklearn.metrics import ndcg_score, roc_auc_score

rng = np.random.default_rng(0)
SCORES = rng.normal(size=(30, 12))
RIGHT = rng.random((30, 12)) < 0.25
RIGHT[:, 0] |= ~RIGHT.any(1)


def at_four(score):
    return lambda scores, relevant, among=None: score(scores, relevant, 4, among)


def by_hand(order, right, k):
    """The four scores of one order of the items."""
    hits = np.array([right[item] for item in order])
    gain = sum(hit / np.log2(place + 2) for place, hit in enumerate(hits[:k]))
    ideal = sum(1 / np.log2(place + 2) for place in range(min(int(right.sum()), k)))
    pairs = [(a, b) for a in range(len(hits)) for b in range(len(hits)) if hits[a] and not hits[b]]
    return hits[:k].sum() / right.sum(), gain / ideal, 1 / (hits.argmax() + 1), np.mean([a < b for a, b in pairs])


@pytest.mark.parametrize("k", [1, 3, 12])
def test_without_ties_the_scores_are_those_of_the_order(k):
    told = np.array([by_hand(np.argsort(-s), r, k) for s, r in zip(SCORES, RIGHT, strict=True)]).T
    found = recall_at(SCORES, RIGHT, k), ndcg_at(SCORES, RIGHT, k), reciprocal_rank(SCORES, RIGHT), auc(SCORES, RIGHT)
    np.testing.assert_allclose(found, told, atol=1e-12)


def test_with_ties_the_scores_are_the_mean_over_all_orders():
    scores, right = np.array([2.0, 1.0, 1.0, 1.0, 1.0, 0.0]), np.array([False, True, False, True, False, True])
    orders = [o for o in permutations(range(6)) if list(scores[list(o)]) == sorted(scores, reverse=True)]
    told = np.mean([by_hand(order, right, 3) for order in orders], axis=0)
    one = scores[None], right[None]
    found = [f[0] for f in (recall_at(*one, 3), ndcg_at(*one, 3), reciprocal_rank(*one), auc(*one))]
    np.testing.assert_allclose(found, told, atol=1e-12)


def test_they_agree_with_scikit_learn():
    np.testing.assert_allclose(auc(SCORES, RIGHT), [roc_auc_score(r, s) for s, r in zip(SCORES, RIGHT, strict=True)])
    np.testing.assert_allclose(ndcg_at(SCORES, RIGHT, 5).mean(), ndcg_score(RIGHT, SCORES, k=5))


def test_a_monotone_change_and_a_permutation_of_items_change_nothing():
    order = rng.permutation(12)
    for score in (at_four(recall_at), at_four(ndcg_at), reciprocal_rank, auc):
        np.testing.assert_allclose(score(np.exp(SCORES), RIGHT), score(SCORES, RIGHT))
        np.testing.assert_allclose(score(SCORES[:, order], RIGHT[:, order]), score(SCORES, RIGHT))


def test_what_is_not_among_the_ranked_counts_neither_as_right_nor_as_wrong():
    among = np.arange(12) < 8
    for score in (at_four(recall_at), at_four(ndcg_at), auc, reciprocal_rank):
        np.testing.assert_allclose(score(SCORES, RIGHT, among), score(SCORES[:, :8], RIGHT[:, :8]))


def test_an_item_without_a_score_stands_behind_and_a_customer_without_right_items_has_none():
    scores = np.array([[np.nan, -5.0, np.nan]])
    assert recall_at(scores, np.array([[False, True, False]]), 1).tolist() == [1.0]
    assert auc(scores, np.array([[True, False, False]])).tolist() == [0.25]
    nothing = np.zeros((1, 3), dtype=bool)
    for score in (at_four(recall_at), at_four(ndcg_at), auc, reciprocal_rank):
        assert np.isnan(score(scores, nothing)).all()
    with pytest.raises(ValueError, match="relevant: expected the shape of scores"):
        auc(scores, nothing[:, :2])


def test_a_ranking_that_says_nothing_has_what_chance_has():
    nothing = np.zeros_like(SCORES)
    assert recall_at(nothing, RIGHT, 3) == pytest.approx(3 / 12)
    assert auc(nothing, RIGHT) == pytest.approx(0.5)


def test_coverage_counts_what_anybody_is_shown():
    assert catalogue_coverage(np.tile([3.0, 2.0, 1.0, 0.0], (5, 1)), 2) == 0.5
    assert catalogue_coverage(np.array([[1.0, np.nan], [1.0, np.nan]]), 2) == 0.5
    assert catalogue_coverage(np.eye(4), 1) == 1.0
    assert catalogue_coverage(np.eye(4), 1, np.array([True, True, False, False])) == 1.0


def test_the_bootstrap_interval_covers_the_mean_as_often_as_it_says():
    hits = 0
    for draw in range(200):
        _, low, high = bootstrap_mean(np.random.default_rng(draw).exponential(size=60), level=0.9, draws=300, seed=draw)
        hits += low <= 1 <= high
    assert 0.8 < hits / 200 < 0.96
    assert np.isnan(bootstrap_mean(np.array([np.nan]))).all()


def test_the_line_of_a_calibrated_forecast_is_the_diagonal_and_of_a_shifted_one_is_not():
    odds = rng.normal(-2, 1.5, 40000)
    happened = rng.random(40000) < 1 / (1 + np.exp(-odds))
    assert calibration_line(odds, happened) == pytest.approx((0, 1), abs=0.06)
    assert calibration_line(2 * odds + 1, happened) == pytest.approx((-0.5, 0.5), abs=0.06)
    assert calibration_line(odds - 0.7, happened, offset=0.7) == pytest.approx((0, 1), abs=0.06)
    with pytest.raises(ValueError, match="happened: expected some events that happened"):
        calibration_line(odds, np.zeros(40000))


def test_reliability_bins_hold_all_events():
    chance = rng.random(5000)
    happened = rng.random(5000) < chance
    curve = reliability(chance, happened)
    assert curve[:, 2].sum() == 5000
    assert (curve[:, 0] * curve[:, 2]).sum() == pytest.approx(chance.sum())
    assert (curve[:, 1] * curve[:, 2]).sum() == pytest.approx(happened.sum())
    assert np.abs(curve[:, 0] - curve[:, 1]).max() < 0.08
