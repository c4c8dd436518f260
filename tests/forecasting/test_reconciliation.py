"""Paths reconciled to totals: what changes, what stays, and what a pool gains by it."""

import numpy as np
import pandas as pd
import pytest
from gluonts.model.predictor import Predictor
from hemline.datasets.entries.domain import roundings
from hemline.evaluation.scores.multivariate import energy_score
from hemline.forecasting import PooledEstimator, RandomWalkPredictor
from hemline.forecasting.paths.strength import chosen_strength
from hemline.forecasting.paths.totals import corrected, corrections, mixed_totals, summed, to_totals
from hemline.forecasting.wrappers.ensemble import EnsemblePredictor

RNG = np.random.default_rng(0)
PATHS = RNG.gamma(2.0, size=(50, 4, 3))
TOTALS = RNG.gamma(3.0, size=(50, 4)) * 5


def test_the_sums_are_the_totals_in_the_order_of_the_paths_and_the_shares_stay():
    found = to_totals(PATHS, TOTALS)
    np.testing.assert_allclose(np.sort(found.sum(-1), axis=0), np.sort(TOTALS, axis=0))
    np.testing.assert_array_equal(found.sum(-1).argsort(0), PATHS.sum(-1).argsort(0))
    np.testing.assert_allclose(found / found.sum(-1, keepdims=True), PATHS / PATHS.sum(-1, keepdims=True))


def test_paths_that_have_these_totals_stay_as_they_are():
    np.testing.assert_allclose(to_totals(PATHS, PATHS.sum(-1)[RNG.permutation(50)]), PATHS)


def test_values_of_both_signs_move_towards_the_total_together():
    paths = PATHS * np.array([1, 1, -0.5])
    found = to_totals(paths, TOTALS)
    np.testing.assert_allclose(np.sort(found.sum(-1), axis=0), np.sort(TOTALS, axis=0))
    risen = np.sort(TOTALS, axis=0) > np.sort(paths.sum(-1), axis=0)
    ranks = paths.sum(-1).argsort(0).argsort(0)
    assert ((found > paths).all(-1) == np.take_along_axis(risen, ranks, axis=0)).all()


def test_fixed_values_stay_and_the_others_make_up_for_them():
    fixed = np.zeros((4, 3), dtype=bool)
    fixed[1:, 0] = True
    fixed[3] = True
    found = to_totals(PATHS, TOTALS, fixed=fixed)
    np.testing.assert_array_equal(found[:, fixed], PATHS[:, fixed])
    np.testing.assert_allclose(np.sort(found[:, :3].sum(-1), axis=0), np.sort(TOTALS[:, :3], axis=0))


def test_each_of_several_forecasts_has_the_whole_range_of_the_totals():
    """However far their own sums lie apart."""
    shifted = np.concatenate([PATHS[:30], PATHS[30:40] * 100, PATHS[40:] * 0.01])
    found = to_totals(shifted, TOTALS, (30, 10, 10)).sum(-1)
    np.testing.assert_allclose(np.sort(found, axis=0), np.sort(TOTALS, axis=0))
    for group in (found[:30], found[30:40], found[40:]):
        low, high = np.quantile(TOTALS, [0.15, 0.85], axis=0)
        assert (group.min(0) < low).all()
        assert (group.max(0) > high).all()


def test_a_path_of_zeros_has_nothing_to_scale():
    paths = PATHS.copy()
    paths[7, 2] = 0
    found = to_totals(paths, TOTALS)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[7, 2], 0)


def test_totals_of_a_mixture_are_the_quantiles_of_all_its_paths():
    sums = [RNG.normal(size=(40, 2)), RNG.normal(size=(25, 2)) * 3 + 5, RNG.normal(size=(10, 2)) - 99]
    np.testing.assert_allclose(mixed_totals(sums, [1.0, 0.0, 0.0], 40), np.sort(sums[0], axis=0))
    # A weight of 0.4 on 40 paths and of 0.6 on 25: each of the latter counts as 2.4 of the former.
    counted = np.concatenate([np.repeat(sums[0], 10, axis=0), np.repeat(sums[1], 24, axis=0)])
    found = mixed_totals(sums, [0.4, 0.6, 0.0], 2000)
    below = (counted[None] < found[:, None] + 1e-12).mean(1)
    levels = np.repeat((np.arange(2000)[:, None] + 0.5) / 2000, 2, axis=1)
    np.testing.assert_allclose(below, levels, atol=0.025)  # a path of the second forecast counts 0.024


def test_the_sum_leaves_out_what_is_missing():
    truth = PATHS[:2].copy()
    truth[0, 1, 2] = truth[1, 3] = np.nan
    sums, outcome = summed({"one": np.ones((2, 5, 4, 3))}, truth)
    expected = np.full((2, 4), 3.0)
    expected[0, 1], expected[1, 3] = 2, 0
    np.testing.assert_array_equal(sums["one"][:, 0, :, 0], expected)
    assert np.isnan(outcome[1, 3, 0])
    assert outcome[0, 1, 0] == pytest.approx(truth[0, 1, :2].sum())


class Known(RandomWalkPredictor):
    """Draws what it is told: around the truth, with errors of its own for each series and one for all."""

    def __init__(self, truth, own, common, seed=0):
        super().__init__(4)
        self.truth, self.own, self.common, self.number = truth, own, common, seed

    def for_run(self, seed, directory=None):
        return self

    def predict(self, dataset, num_samples=100, **kwargs):
        for entry, forecast in zip(dataset, super().predict(dataset, num_samples), strict=True):
            end = entry["target"].shape[1]
            of_window = np.random.default_rng([self.number, end])
            of_paths = np.random.default_rng([self.number, end, 1])
            truth = self.truth[:, end : end + 4].T
            wrong = of_window.normal(size=(4, 3)) * self.own
            offset = np.exp(wrong - wrong.mean(1, keepdims=True) + of_window.normal(size=(4, 1)) * self.common)
            noise = of_paths.normal(size=(num_samples, 4, 3)) * self.own
            noise = noise - noise.mean(2, keepdims=True) + of_paths.normal(size=(num_samples, 4, 1)) * self.common
            forecast.samples = truth * offset * np.exp(noise)
            yield forecast


def test_one_model_for_the_series_and_another_for_their_sum_are_better_than_any_mixture():
    truth = RNG.gamma(9.0, size=(3, 400)) * [[1], [2], [4]]
    models = {"shares": Known(truth, 0.02, 0.4), "sum": Known(truth, 0.4, 0.02, seed=1)}
    entry = {"start": pd.Period("2024-01-01", "D"), "target": truth[:, :200]}
    pool = PooledEstimator(models, windows=10, shrinkage=0.0).train([entry])
    assert pool.member_names == ("shares", "sum")
    assert pool.total_weights[1] > 0.9
    pasts = [{**entry, "target": truth[:, :end]} for end in range(200, 396, 4)]

    def scores(predictor):
        drawn = [np.asarray(forecast.samples, dtype=float) for forecast in predictor.predict(pasts, num_samples=100)]
        outcomes = [truth[:, end : end + 4].T for end in range(200, 396, 4)]
        return np.array(
            [
                np.mean([energy_score(x, y) for x, y in zip(drawn, outcomes, strict=True)]),
                np.mean(
                    [
                        energy_score(x.sum(-1, keepdims=True), y.sum(-1, keepdims=True))
                        for x, y in zip(drawn, outcomes, strict=True)
                    ]
                ),
            ]
        )

    reconciled = scores(pool)
    for weight in (0.0, 0.25, 0.5, 0.75, 1.0):
        mixture = scores(EnsemblePredictor(list(models.values()), [weight, 1 - weight]))
        assert reconciled[0] < 0.75 * mixture[0]
        assert reconciled[1] < 1.2 * mixture[1]


def walks():
    target = RNG.normal(size=(3, 120)).cumsum(1).astype(np.float32) + 40
    return {"start": pd.Period("2024-01-01", "D"), "target": target, "item_ids": ("a", "b", "c")}


def test_a_reconciled_ensemble_is_read_back_and_draws_the_same(tmp_path):
    members = [RandomWalkPredictor(4), RandomWalkPredictor(4, joint=False)]
    predictor = EnsemblePredictor(members, [1.0, 0.0], ["joint", "single"], "count", [0.0, 1.0])
    predictor.serialize(tmp_path)
    again = Predictor.deserialize(tmp_path)
    assert again.total_weights == [0.0, 1.0]
    entry = walks()
    first, second = (next(each.predict([entry], num_samples=30)).samples for each in (predictor, again))
    np.testing.assert_array_equal(first, second)
    assert np.array_equal(first, np.rint(first))
    single = next(members[1].predict([entry], num_samples=30)).samples
    # Whole numbers: three values are rounded on each side.
    assert np.abs(np.sort(first.sum(-1), axis=0) - np.sort(single.sum(-1), axis=0)).max() < 3


def test_whole_numbers_keep_the_sums_of_many_slow_series():
    paths = RNG.gamma(0.3, size=(50, 4, 100)) * (RNG.random((50, 4, 100)) < 0.7)
    whole = np.floor(paths + roundings(paths))
    assert np.abs(whole.cumsum(-1) - paths.cumsum(-1)).max() < 0.5 + 1e-9
    assert np.abs(whole - paths).max() < 1
    assert not whole[paths == 0].any()
    np.testing.assert_array_equal(np.floor(whole + roundings(whole)), whole)


def test_the_sum_of_slow_articles_follows_the_totals():
    """A sum that is a quarter below the articles' own forecasts: rounded one by one, none of them would fall."""
    steady, low = Counts(1.0), Counts(0.75)
    predictor = EnsemblePredictor([steady, low], [1.0, 0.0], ["steady", "low"], "count", [0.0, 1.0])
    entry = {"start": pd.Period("2024-01-01", "D"), "target": np.ones((40, 30), dtype=np.float32)}
    drawn = next(predictor.predict([entry], num_samples=200)).samples
    assert np.array_equal(drawn, np.rint(drawn))
    assert drawn.sum(-1).mean() == pytest.approx(30, abs=0.8)


class Counts(RandomWalkPredictor):
    """Poisson counts of one rate."""

    def __init__(self, rate):
        super().__init__(4)
        self.rate = rate

    def predict(self, dataset, num_samples=100, **kwargs):
        rng = np.random.default_rng(int(100 * self.rate))
        for entry, forecast in zip(dataset, super().predict(dataset, num_samples), strict=True):
            forecast.samples = rng.poisson(self.rate, (num_samples, 4, len(entry["target"]))).astype(float)
            yield forecast


def test_a_path_that_sells_nothing_has_no_correction_to_hand_on():
    paths = np.array([[[0.0, 0.0, 0.0]], [[1.0, 1.0, 2.0]]])
    share = corrections(paths, np.array([[6.0], [9.0]]))
    np.testing.assert_allclose(share, [[0.0], [1.25]])
    # In another future it sells as much as was drawn.
    np.testing.assert_array_equal(corrected(np.ones((2, 1, 3)), share)[0], np.ones((1, 3)))


def test_a_share_is_chosen_only_where_the_windows_surely_gain_by_it():
    scores = np.ones((5, 2, 4))
    scores[3] = 0.9
    assert chosen_strength(scores, "both levels") == 0.75
    scores[3] = [0.7, 1.15, 0.8, 1.2]  # better as a mean, and by less than its standard error
    assert scores[3].mean() < 1
    assert chosen_strength(scores, "both levels") == 0
    scores[3, :, :] = [0.7, 0.95, 0.8, 0.9]
    scores[:, :, 2] = np.nan  # nothing came in this window
    assert chosen_strength(scores, "both levels") == 0.75
    assert chosen_strength(np.full((5, 2, 1), np.nan), "both levels") == 0
    scores = np.ones((5, 2, 1))
    scores[1] = 0.5  # one window tells no error
    assert chosen_strength(scores, "both levels") == 0.25
