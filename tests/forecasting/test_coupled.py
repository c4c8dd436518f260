"""Dependence lent to a model: its marginals stay as they are, and joint scores gain where there is dependence."""

import numpy as np
import pandas as pd
import pytest
from gluonts.model.predictor import Predictor
from hemline.evaluation.scores.multivariate import energy_score
from hemline.evaluation.scores.univariate import crps
from hemline.forecasting import Coupled, CoupledEstimator, RandomWalkPredictor, VARPredictor, couple
from hemline.forecasting.paths.dependence import gaussian_scores, past_scores, rank_of, reorder, shrinkage, standardised

START = pd.Period("2024-01-01", "D")
HORIZON = 4


def correlated_walks(seed, correlation=0.9, dim=4, length=400):
    generator = np.random.default_rng(seed)
    covariance = np.full((dim, dim), correlation) + (1 - correlation) * np.eye(dim)
    steps = generator.multivariate_normal(np.zeros(dim), covariance, size=length).T
    return {"start": START, "target": steps.cumsum(1).astype(np.float32)}


def split(entry, windows=20):
    """The training entry, and windows after it with their truths ``[H, D]``."""
    target = entry["target"]
    first = target.shape[1] - windows * HORIZON
    ends = range(first, target.shape[1], HORIZON)
    pasts = [{**entry, "target": target[:, :end]} for end in ends]
    return {**entry, "target": target[:, :first]}, pasts, [target[:, end : end + HORIZON].T for end in ends]


@pytest.mark.parametrize("dependence", ["gaussian", "empirical"])
@pytest.mark.parametrize("seed", range(4))
def test_marginal_scores_are_equal_and_the_energy_score_gains_on_correlated_data(dependence, seed):
    train, pasts, truths = split(correlated_walks(seed))
    alone = RandomWalkPredictor(HORIZON, joint=False, seed=seed)
    coupled = couple(alone, [train], dependence=dependence, seed=seed)
    scores = []
    for predictor in (alone.for_run(seed), coupled):
        drawn = [forecast.samples for forecast in predictor.predict(pasts, num_samples=100)]
        marginal = np.mean([crps(samples, truth) for samples, truth in zip(drawn, truths, strict=True)])
        joint = np.mean([energy_score(each, truth) for each, truth in zip(drawn, truths, strict=True)])
        scores.append((marginal, joint))
    assert scores[1][0] == pytest.approx(scores[0][0], rel=1e-6)
    assert scores[1][1] < scores[0][1]


@pytest.mark.parametrize("dependence", ["gaussian", "empirical"])
def test_the_energy_score_hardly_suffers_where_nothing_is_dependent(dependence):
    train, pasts, truths = split(correlated_walks(0, correlation=0.0))
    alone = RandomWalkPredictor(HORIZON, joint=False)
    coupled = couple(alone, [train], dependence=dependence)
    joint = [
        np.mean([energy_score(f.samples, y) for f, y in zip(each.predict(pasts, num_samples=100), truths, strict=True)])
        for each in (alone.for_run(0), coupled)
    ]
    assert joint[1] < 1.03 * joint[0]


@pytest.mark.parametrize("dependence", ["gaussian", "empirical"])
def test_every_value_drawn_stays_at_its_step_and_series(dependence):
    train, pasts, _ = split(correlated_walks(0))
    alone = RandomWalkPredictor(HORIZON, joint=False)
    before = next(alone.predict(pasts[:1], num_samples=30)).samples
    after = next(couple(alone, [train], dependence=dependence).predict(pasts[:1], num_samples=30)).samples
    np.testing.assert_array_equal(np.sort(before, axis=0), np.sort(after, axis=0))
    assert (before != after).any()


@pytest.mark.parametrize("draw", [gaussian_scores, past_scores])
def test_scores_have_the_dependence_of_the_ranks_over_series_and_steps(draw):
    generator = np.random.default_rng(0)
    common = generator.normal(size=(200, 1, 1))
    z = 0.95 * common * np.array([[1, -1]]) + 0.3 * generator.normal(size=(200, 3, 2))
    ranks = (z.argsort(0).argsort(0) + 0.5) / 200
    found = np.corrcoef(draw(ranks, 2000, generator).reshape(2000, -1).T)
    expected = np.corrcoef(z.reshape(200, -1).T)
    np.testing.assert_allclose(found, expected, atol=0.12)


def test_gaussian_scores_are_standard_normal():
    drawn = gaussian_scores(np.random.default_rng(0).uniform(size=(50, 3, 2)), 20_000, np.random.default_rng(1))
    np.testing.assert_allclose(drawn.mean(0), 0, atol=0.04)
    np.testing.assert_allclose(drawn.std(0), 1, atol=0.04)


def test_shrinkage_is_what_all_pairs_give():
    generator = np.random.default_rng(0)
    z = standardised(generator.uniform(size=(30, 2, 4)) * 0.5 + generator.uniform(size=(30, 1, 1)) * 0.5)
    products = z[:, :, None] * z[:, None]
    mean = products.mean(0)
    variance = 30 / 29**3 * ((products - mean) ** 2).sum(0)
    pairs = ~np.eye(8, dtype=bool)
    assert shrinkage(z) == pytest.approx(variance[pairs].sum() / (mean[pairs] ** 2).sum())


def test_shrinkage_falls_with_the_windows_and_is_large_for_noise():
    generator = np.random.default_rng(0)
    weights = []
    for count in (10, 1000):
        common = generator.normal(size=(count, 1))
        weights.append(shrinkage(standardised(1 / (1 + np.exp(-common - generator.normal(size=(count, 6))))[:, None])))
    assert weights[0] > 5 * weights[1]
    assert shrinkage(standardised(generator.uniform(size=(50, 4, 5)))) > 0.8


def test_ranks_of_the_truth_are_uniform_and_ties_are_broken_at_random():
    generator = np.random.default_rng(0)
    samples, truths = generator.poisson(2, size=(50, 400, 5)), generator.poisson(2, size=(400, 5)).astype(float)
    ranks = rank_of(truths, samples, generator).ravel()
    np.testing.assert_allclose(np.quantile(ranks, [0.1, 0.25, 0.5, 0.75, 0.9]), [0.1, 0.25, 0.5, 0.75, 0.9], atol=0.04)
    assert np.isnan(rank_of(np.full((400, 5), np.nan), samples, generator)).all()


def test_paths_take_the_order_of_the_scores():
    samples, scores = np.random.default_rng(0).normal(size=(2, 20, 3, 2))
    np.testing.assert_array_equal(reorder(samples, scores).argsort(0), scores.argsort(0))


def test_nothing_after_the_training_span_enters():
    """Coupling on the past, then on the past of a longer entry cut to it, gives the same ranks."""
    entry = correlated_walks(0)
    train, _, _ = split(entry)
    first = couple(RandomWalkPredictor(HORIZON, joint=False), [train]).ranks
    entry["target"][:, train["target"].shape[1] :] = 1e6
    second = couple(RandomWalkPredictor(HORIZON, joint=False), [split(entry)[0]]).ranks
    np.testing.assert_array_equal(first, second)


def test_a_coupled_predictor_is_read_back(tmp_path):
    train, pasts, _ = split(correlated_walks(0))
    coupled = couple(RandomWalkPredictor(HORIZON, joint=False), [train], dependence="empirical", windows=20)
    coupled.serialize(tmp_path)
    again = Predictor.deserialize(tmp_path)
    assert isinstance(again, Coupled)
    first, second = (next(each.predict(pasts, num_samples=9)).samples for each in (coupled, again))
    np.testing.assert_array_equal(first, second)


def test_an_estimator_of_coupled_predictors_is_seeded():
    train, pasts, _ = split(correlated_walks(0))
    estimator = CoupledEstimator(RandomWalkPredictor(HORIZON, joint=False), windows=20)
    drawn = [next(estimator.for_run(s).train([train]).predict(pasts, num_samples=9)).samples for s in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()


@pytest.mark.parametrize(
    "make",
    [
        lambda train: VARPredictor(HORIZON),
        lambda train: RandomWalkPredictor(HORIZON),
        lambda train: RandomWalkPredictor(HORIZON, joint=False),
        lambda train: couple(RandomWalkPredictor(HORIZON), [train]),
    ],
)
def test_the_seed_that_is_asked_for_decides_and_else_that_of_the_predictor(make):
    train, pasts, _ = split(correlated_walks(0))
    predictor = make(train)
    first, again, other, own, zero = (
        np.array([f.samples for f in predictor.predict(pasts[:2], num_samples=20, **asked)])
        for asked in ({"seed": 1}, {"seed": 1}, {"seed": 2}, {}, {"seed": 0})
    )
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(own, zero)
    assert (first != other).any()


def test_a_coupled_predictor_draws_its_ranks_from_the_seed_that_is_asked_for():
    """The paths beneath do not know of seeds; which values meet on a path does change."""
    train, pasts, _ = split(correlated_walks(0))

    class Fixed(RandomWalkPredictor):
        def predict(self, dataset, num_samples=100, seed=None):
            return super().predict(dataset, num_samples=num_samples)

    coupled = couple(Fixed(HORIZON, joint=False), [train])
    first, other = (next(coupled.predict(pasts, num_samples=20, seed=seed)).samples for seed in (1, 2))
    np.testing.assert_array_equal(np.sort(first, axis=0), np.sort(other, axis=0))
    assert (first != other).any()


@pytest.mark.parametrize("seen", [160, 60, 2])
def test_a_series_that_begins_late_leaves_the_others_their_windows(seen):
    train, pasts, _ = split(correlated_walks(0))
    whole = couple(RandomWalkPredictor(HORIZON, joint=False), [train], windows=60).ranks
    train["target"][1, :-seen] = np.nan
    coupled = couple(RandomWalkPredictor(HORIZON, joint=False), [train], windows=60)
    assert next(coupled.predict(pasts, num_samples=9)).samples.shape == (9, HORIZON, 4)
    others = [0, 2, 3]
    assert coupled.ranks.shape == whole.shape
    assert np.isfinite(coupled.ranks[..., others]).all()
    # 60 windows over three quarters of the span: those of which a horizon before them was seen.
    expected = np.clip((seen - 2 * HORIZON) / (0.75 * train["target"].shape[1] - HORIZON), 0, 1)
    assert np.isfinite(coupled.ranks[..., 1]).all(1).mean() == pytest.approx(expected, abs=0.03)
    found, before = (np.corrcoef(ranks[..., others].reshape(-1, 3).T) for ranks in (coupled.ranks, whole))
    np.testing.assert_allclose(found, before, atol=0.1)


@pytest.mark.parametrize("draw", [gaussian_scores, past_scores])
def test_a_rank_that_is_missing_tells_nothing_and_moves_no_correlation_of_others(draw):
    generator = np.random.default_rng(0)
    common = generator.normal(size=(200, 1, 1))
    z = 0.95 * common + 0.3 * generator.normal(size=(200, 2, 3))
    ranks = (z.argsort(0).argsort(0) + 0.5) / 200
    ranks[:100, :, 1], ranks[:, :, 2] = np.nan, np.nan
    drawn = draw(ranks, 4000, generator)
    found = np.corrcoef(drawn[:, 0].T)
    assert np.isfinite(drawn).all()
    assert np.corrcoef(drawn[..., 0].T)[0, 1] > 0.85  # of one series, whose windows are all known
    assert 0.35 < found[0, 1] < 0.85
    assert abs(found[2, :2]).max() < 0.06
    assert len(np.unique(drawn[:, 0, 2])) > 3000


def test_what_cannot_be_coupled_is_refused():
    with pytest.raises(ValueError, match="training_data: expected more than 8 steps to learn from, got 4"):
        couple(RandomWalkPredictor(HORIZON), [{"start": START, "target": np.zeros((2, 4))}])
    with pytest.raises(ValueError, match="dependence: expected one of gaussian, empirical, got 'vine'"):
        Coupled(RandomWalkPredictor(HORIZON), np.zeros((5, HORIZON, 2)), dependence="vine")
    with pytest.raises(ValueError, match=r"ranks: expected \[K, 4, D\] of at least 2 windows, got \[5, 3, 2\]"):
        Coupled(RandomWalkPredictor(HORIZON), np.zeros((5, 3, 2)))
