"""What is known of effects of a kind before the data of one: normal for most, a spike and a slab between articles."""

import numpy as np
import pytest
from hemline.forecasting.response.prior import EffectPrior


def learnt(said, deviation, rounds=200, **sizes):
    """The prior of an assortment and its posterior, where the data say this of each effect."""
    items = [f"item_{number}" for number in range(len(said))]
    prior = EffectPrior([f"price[{item}]" for item in items], items, **{"prior": 0.5, "own_prior": 3.0, **sizes})
    mean, variance = None, None
    for _ in range(rounds):
        precision = 1 / prior.variance + 1 / deviation**2
        variance = 1 / precision
        mean = variance * (prior.mean / prior.variance + said / deviation**2)
        prior.learn(mean, variance)
    return prior, mean, np.sqrt(variance)


@pytest.fixture(scope="module")
def assortment():
    """30 articles, 10 % of the pairs substitutes: effects as planted, and as data of deviation 0.2 say."""
    generator = np.random.default_rng(0)
    pairs = np.triu(generator.random((30, 30)) < 0.1, 1)
    planted = np.where(pairs | pairs.T, generator.normal(0.8, 0.2, (30, 30)), 0.0)
    np.fill_diagonal(planted, generator.normal(-2.5, 0.3, 30))
    return planted, planted + 0.2 * generator.standard_normal((30, 30))


def test_pairs_without_an_effect_are_drawn_to_0_and_the_others_stand(assortment):
    planted, said = assortment
    _, mean, deviation = learnt(said, np.full_like(said, 0.2))
    none, clear = planted == 0, (planted > 0) & (said > 0.9)
    assert np.abs(mean[none]).mean() < 0.3 * np.abs(said[none]).mean()
    assert np.square(mean - planted)[clear].mean() < np.square(said - planted)[clear].mean()
    assert np.square(mean - planted).mean() < 0.5 * np.square(said - planted).mean()
    assert (np.abs(mean - planted) < 1.645 * deviation).mean() > 0.9


def test_the_posterior_is_that_of_the_mixture_by_quadrature():
    # The effects of a pair on each other, with 378 others that fix the mixture: the normal prior in its place gives
    # the same mean and variance.
    generator = np.random.default_rng(1)
    planted = np.where(generator.random((20, 20)) < 0.2, 0.9, 0.0)
    deviation = np.full_like(planted, 0.25)
    prior, mean, spread = learnt(planted + 0.25 * generator.standard_normal(planted.shape), deviation)
    mixture = next(each for _, each in prior._kinds if each.mutual is not None)
    sure = 1 / spread**2 - 1 / prior.variance
    said = (mean / spread**2 - prior.mean / prior.variance) / sure
    grid = np.linspace(-4, 4, 40001)

    def densities(place):
        """Prior times likelihood on the grid, for each component."""
        prior = np.exp(-((grid - mixture.mean[:, None]) ** 2) / 2 / mixture.variance[:, None])
        likelihood = np.exp(-sure[place] / 2 * (grid - said[place]) ** 2)
        return prior / np.sqrt(mixture.variance)[:, None] * likelihood

    for first, second in ((0, 18), (3, 4), (7, 2)):
        density = mixture.share @ (densities((first, second)) * densities((second, first)).sum(1, keepdims=True))
        density /= density.sum()
        expected = (grid * density).sum()
        assert mean[first, second] == pytest.approx(expected, abs=1e-3)
        assert spread[first, second] == pytest.approx(np.sqrt((grid**2 * density).sum() - expected**2), abs=1e-3)


def test_the_effect_in_the_other_direction_tells_a_pair_from_the_others():
    generator = np.random.default_rng(3)
    said = 0.15 * generator.standard_normal((12, 12))
    for first in (4, 6, 8):
        said[first, first + 1] = said[first + 1, first] = 1.0
    # Articles 0 and 1 speak for each other; what 3 does to 2 has no answer.
    said[0, 1] = said[1, 0] = said[2, 3] = 0.4
    said[3, 2] = 0.0
    _, mean, _ = learnt(said, np.full_like(said, 0.15))
    assert mean[0, 1] > 2 * mean[2, 3]


def test_own_effects_are_drawn_to_each_other_the_unsure_most(assortment):
    _, said = assortment
    deviation = np.full_like(said, 0.2)
    deviation[0] = 5.0
    prior, mean, _ = learnt(said, deviation)
    usual = np.diag(said)[1:].mean()
    assert mean[0, 0] == pytest.approx(usual, abs=0.3)
    assert mean[1, 1] == pytest.approx(said[1, 1], abs=0.1)
    assert np.sqrt(prior.variance[0, 0]) < 1.0


def test_one_article_keeps_the_prior():
    prior, mean, _ = learnt(np.array([[-2.0]]), np.array([[0.1]]))
    assert mean[0, 0] == pytest.approx(-2.0, abs=0.01)
    assert np.sqrt(prior.variance[0, 0]) > 2.0


def test_shared_channels_are_a_kind_of_their_own():
    prior = EffectPrior(["holiday", "promo[a]"], ["a", "b"], prior=0.5, own_prior=3.0)
    for _ in range(100):
        prior.learn(np.array([[0.4, 1.0], [0.4, 0.0]]), np.full((2, 2), 1e-4))
    np.testing.assert_allclose(prior.mean[:, 0], 0.35, atol=0.05)
    assert prior.mean[1, 1] == pytest.approx(0.0, abs=0.05)


def test_a_channel_has_no_effect_in_another_store():
    items = [f"{article}@{store}" for store in ("north", "south") for article in ("coat", "hat")]
    prior = EffectPrior([f"price[{item}]" for item in items] + ["holiday"], items, prior=0.5, own_prior=3.0)
    said = np.full((4, 5), 0.8)
    for _ in range(50):
        precision = 1 / prior.variance + 1 / 0.05**2
        mean = (prior.mean / prior.variance + said / 0.05**2) / precision
        prior.learn(mean, 1 / precision)
    apart = np.array([[0, 0, 1, 1, 0], [0, 0, 1, 1, 0], [1, 1, 0, 0, 0], [1, 1, 0, 0, 0]], dtype=bool)
    assert np.abs(mean[apart]).max() < 1e-6
    assert mean[~apart].min() > 0.7
    # One article that is not called so, and the names say nothing of stores.
    plain = EffectPrior([f"price[{item}]" for item in (*items, "sock")], [*items, "sock"], prior=0.5, own_prior=3.0)
    assert plain.variance.min() > 1e-3


def test_what_all_others_do_together_does_not_grow_with_the_assortment():
    def expected(count):
        items = [f"item_{number}" for number in range(count)]
        prior = EffectPrior([f"price[{item}]" for item in items], items, prior=0.5, own_prior=3.0)
        return prior._kinds[1][1]

    def together(count):
        mixture = expected(count)
        return (count - 1) * mixture.share @ mixture.variance

    assert expected(20).share.tolist() == [0.5, 0.5]
    assert together(900) < 1.1 * together(22)


def test_many_effects_of_which_each_is_hardly_known_are_known_to_be_small():
    """None of 60 x 59 has an effect, and the data say each with a deviation of 1: twice what was expected."""
    generator = np.random.default_rng(3)
    said = generator.standard_normal((60, 60))
    np.fill_diagonal(said, generator.normal(-2.5, 0.1, 60))
    deviation = np.ones_like(said)
    np.fill_diagonal(deviation, 0.1)
    prior, mean, _ = learnt(said, deviation, rounds=50)
    others = ~np.eye(60, dtype=bool)
    assert prior.variance[0, 1:].sum() < 1.5
    assert np.abs(mean[others].reshape(60, 59).sum(1)).max() < 0.5


@pytest.mark.parametrize("common", [-0.3, 0.3])
def test_all_others_together_neither_add_to_an_own_effect_nor_outweigh_it(common):
    """A shock that all articles share in the weeks of markdowns looks like an effect of everyone on everyone."""
    said = np.full((40, 40), common) + 0.05 * np.random.default_rng(4).standard_normal((40, 40))
    np.fill_diagonal(said, -2.0)
    prior, _, _ = learnt(said, np.full_like(said, 0.5), rounds=50)
    own, together = np.diag(prior.mean), np.sum(prior._to_prices.share * prior._to_prices.mean) * 39
    assert 0 <= together <= -own.mean() + 1e-6
