"""Simulated customers buy as their planted tastes say."""

import numpy as np
import pytest
from hemline.datasets import simulated_purchases
from hemline.datasets.pictures.catalogue import Article, Catalogue
from hemline.datasets.pictures.vectors import ArticleVectors
from hemline.datasets.simulated.customers import Behaviour
from hemline.evaluation.scores.ranking import auc

N = 120
SHOP = Catalogue(
    tuple(Article(f"a{i}", labels={"kind": (f"k{i % 6}",), "colour": (f"c{i % 5}",)}) for i in range(N)),
    ("kind", "colour"),
)
LOOKS = ArticleVectors(
    SHOP.item_ids, np.random.default_rng(1).normal(size=(N, 16)).astype("f"), np.ones(N, bool), "planted"
)


def made(customers=200, weeks=40, seed=0, **behaviour):
    return simulated_purchases(
        SHOP, LOOKS, customers=customers, weeks=weeks, seed=seed, behaviour=Behaviour(**behaviour)
    )


def test_the_same_arguments_give_the_same_numbers_and_another_seed_others():
    first, again, other = made(), made(), made(seed=1)
    assert np.array_equal(first.purchases.article, again.purchases.article)
    assert not np.array_equal(first.purchases.article, other.purchases.article)


def test_nothing_is_bought_twice_or_outside_its_time_on_sale():
    shop = made()
    bought = shop.purchases
    assert bought.matrix(counts=True).max() == 1
    assert shop.on_sale.at(bought.time)[np.arange(len(bought)), bought.article].all()
    assert (np.diff(bought.time) >= np.timedelta64(0)).all()


def test_as_many_baskets_and_articles_as_said():
    shop = made(customers=600, baskets=12.0, basket=2.0)
    expected = shop.truth.rate.sum() * 40
    baskets = shop.purchases.baskets()
    # Poisson: a spread of the square root; baskets of one second are one.
    assert abs(len(baskets) - expected) < 4 * np.sqrt(expected)
    assert len(shop.purchases) / len(baskets) == pytest.approx(2.0, abs=0.05)
    assert shop.truth.rate.mean() == pytest.approx(12 / 52, rel=0.15)


def test_the_truth_tells_who_buys_what_and_another_truth_does_not():
    shop = made(season=0.0, launched=0.0, stays=(80, 100))
    truth = shop.truth.expected(0, 40, np.arange(200))
    told = np.nanmean(auc(truth, shop.purchases.matrix().toarray() > 0))
    shuffled = np.nanmean(auc(truth[::-1], shop.purchases.matrix().toarray() > 0))
    popular = np.nanmean(auc(np.tile(shop.truth.popularity, (200, 1)), shop.purchases.matrix().toarray() > 0))
    assert told > 0.85 > 0.75 > shuffled
    assert abs(shuffled - popular) < 0.1


def test_places_are_made_of_labels_pictures_and_what_nothing_shows():
    columns = np.eye(6)[np.arange(N) % 6], np.eye(5)[np.arange(N) % 5]
    labels = np.column_stack(columns)

    def explained(place):
        fitted = labels @ np.linalg.lstsq(labels, place, rcond=None)[0]
        return 1 - ((place - fitted) ** 2).sum() / (place**2).sum()

    assert explained(made(tags=1.0, pictures=0.0).truth.place) > 0.99
    assert explained(made(tags=0.5, pictures=0.3).truth.place) == pytest.approx(0.5 + 0.5 * 10 / N, abs=0.12)
    assert explained(made(tags=0.0, pictures=0.5).truth.place) < 0.25


def test_a_taste_that_drifts_forgets_itself_at_the_planted_rate():
    taste = made(customers=800, drift=10.0).truth.taste
    still = made(customers=800).truth.taste
    assert np.array_equal(still[0], still[-1])
    assert np.corrcoef(taste[0].ravel(), taste[10].ravel())[0, 1] == pytest.approx(np.exp(-1), abs=0.05)
    assert taste[30].std() == pytest.approx(taste[0].std(), rel=0.05)


def test_collections_come_every_few_weeks():
    shop = made(drop=8, launched=0.5)
    first = shop.truth.first_week
    assert set(first.tolist()) == {0, 8, 16, 24, 32}
    assert (first > 0).sum() == N // 2


def test_returns_are_marked():
    shop = made(returns=0.3)
    assert shop.purchases.returned.mean() == pytest.approx(0.3, abs=0.05)


def test_what_cannot_be_simulated_is_refused():
    with pytest.raises(ValueError, match="catalogue: expected more than 8 articles, got 3"):
        simulated_purchases(Catalogue(SHOP.articles[:3], SHOP.columns))
    with pytest.raises(ValueError, match=r"labels: expected some of the columns \['kind', 'colour'\], got \['fit'\]"):
        simulated_purchases(SHOP, labels=["fit"])
    with pytest.raises(ValueError, match=r"pictures: expected at most 0\.4 beside tags, got 0.5"):
        Behaviour(tags=0.6, pictures=0.5)
    with pytest.raises(ValueError, match="stays: expected the least and the largest number of weeks"):
        Behaviour(stays=(9, 3))
