"""The weights of a mixture, and how many paths each of its models draws."""

import numpy as np
import pytest
from hemline.evaluation.scores.multivariate import energy_score
from hemline.forecasting.paths.shares import shares_of
from hemline.forecasting.paths.weights import pool_weights

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=(6, 4, 3))


def drawn(bias, spread=1.0, paths=40):
    return TRUTH[:, None] + RNG.normal(size=(6, 1, 4, 3)) * spread + bias + RNG.normal(size=(6, paths, 4, 3)) * spread


def test_the_weights_are_those_of_the_best_energy_score_there_is():
    models = [drawn(-1.5), drawn(1.0), drawn(0.3, spread=3.0)]
    one_series = [paths[..., :1] for paths in models]
    found = pool_weights(one_series, TRUTH[..., :1])

    def score(weights):
        """Of the mixture itself, by the definition; pairs of a path with itself are left out."""
        total = 0.0
        for window, step in np.ndindex(6, 4):
            paths = [each[window, :, step, 0] for each in one_series]
            far = [np.abs(each - TRUTH[window, step, 0]).mean() for each in paths]
            apart = np.array([[np.abs(a[:, None] - b[None]).sum() for b in paths] for a in paths])
            pairs = np.full((3, 3), 40 * 40) - 40 * np.eye(3)
            total += weights @ far - weights @ (apart / pairs) @ weights / 2
        return total

    others = np.random.default_rng(1).dirichlet(np.ones(3), size=300)
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    assert all(score(found) <= score(other) + 1e-9 for other in others)


def test_two_models_that_err_in_opposite_ways_are_better_together():
    low, high = drawn(-1.0), drawn(1.0)
    weights = pool_weights([low, high], TRUTH)
    mixed = np.concatenate([low[:, :20], high[:, :20]], axis=1)
    assert 0.3 < weights[0] < 0.7
    alone = min(np.mean([energy_score(p, y) for p, y in zip(each, TRUTH, strict=True)]) for each in (low, high))
    assert np.mean([energy_score(p, y) for p, y in zip(mixed, TRUTH, strict=True)]) < alone


def test_a_useless_model_is_dropped_and_missing_values_do_not_count():
    gaps = TRUTH.copy()
    gaps[:, :2, 1] = np.nan
    spoilt = drawn(0.0)
    spoilt[:, :, :2, 1] = 1e6
    weights = pool_weights([spoilt, drawn(50.0)], gaps, smallest=0.05)
    np.testing.assert_array_equal(weights, [1, 0])


@pytest.mark.parametrize("far", [1e4, 1e6, 1e8, 1e10, 1e15, 1e25])
@pytest.mark.parametrize("shrinkage", [0.0, 0.03])
def test_a_model_that_explodes_leaves_the_weights_of_the_others_as_they_are(far, shrinkage):
    models = [drawn(0.3), drawn(-0.3), drawn(0.0, spread=far)]
    found = pool_weights(models, TRUTH, 0.05, shrinkage)
    np.testing.assert_allclose(found, [*pool_weights(models[:2], TRUTH, 0.05, shrinkage), 0], atol=1e-6)


@pytest.mark.parametrize("shrinkage", [0.0, 0.03])
def test_a_model_that_is_right_at_every_step_has_all_the_weight(shrinkage):
    """Articles that nobody buys any more: who says 0 has a score of 0, and so has one path in a hundred that sells."""
    nothing, sold = np.zeros((5, 3, 1)), np.random.default_rng(0).gamma(1.0, size=(5, 100, 3, 1))
    never, rarely = np.zeros((5, 100, 3, 1)), np.zeros((5, 100, 3, 1))
    rarely[:, 0] = 1
    for right in (never, rarely):
        np.testing.assert_allclose(pool_weights([sold, right], nothing, 0.05, shrinkage), [0, 1], atol=1e-6)
    np.testing.assert_allclose(pool_weights([never, never], nothing, 0.05, shrinkage), 0.5)


def test_shrinkage_leads_from_the_best_weights_to_equal_ones():
    models = [drawn(-1.0), drawn(0.5), drawn(3.0)]
    found = [pool_weights(models, TRUTH, shrinkage=strength) for strength in (0.0, 0.3, 3.0, 1e4)]
    np.testing.assert_array_equal(found[0], pool_weights(models, TRUTH))
    distances = [np.square(weights - 1 / 3).sum() for weights in found]
    assert distances == sorted(distances, reverse=True)
    np.testing.assert_allclose(found[-1], 1 / 3, atol=1e-3)


@pytest.mark.parametrize(("count", "weights"), [(7, [1 / 3] * 3), (100, [0.615, 0.385]), (3, [0.9, 0.05, 0.05])])
def test_shares_are_whole_and_all(count, weights):
    shares = shares_of(count, weights)
    assert sum(shares) == count
    assert min(shares) >= 1
    assert max(abs(share - count * weight) for share, weight in zip(shares, weights, strict=True)) < 2
