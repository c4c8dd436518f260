"""A small shop with planted tastes, and what its articles look like to models."""

from __future__ import annotations

import functools

import numpy as np
from hemline.datasets import simulated_purchases
from hemline.datasets.pictures.catalogue import Article, Catalogue
from hemline.datasets.pictures.vectors import ArticleVectors
from hemline.datasets.simulated.customers import Behaviour, SimulatedPurchases
from hemline.recommendation.contract.features import ArticleFeatures, article_features

N, WEEKS, TEST = 160, 40, 32
SHOP = Catalogue(
    tuple(
        Article(f"a{i}", labels={"kind": (f"k{i % 6}",), "colour": (f"c{i % 5}",), "fit": (f"f{i % 7}",)})
        for i in range(N)
    ),
    ("kind", "colour", "fit"),
)
_RNG = np.random.default_rng(1)
LOOKS = ArticleVectors(SHOP.item_ids, _RNG.normal(size=(N, 8)).astype("f"), np.ones(N, bool), "planted")
SEEN = ArticleVectors(
    SHOP.item_ids,
    (LOOKS.vectors @ _RNG.normal(size=(8, 24)) + _RNG.normal(0, 0.3, size=(N, 24))).astype("f"),
    np.ones(N, bool),
    "read",
)


@functools.cache
def shop(customers: int = 300, seed: int = 0, drift: float | None = None) -> SimulatedPurchases:
    """Purchases of eight collections, the last of which comes with the test weeks."""
    how = Behaviour(
        baskets=12, launched=0.5, stays=(60, 90), season=0.0, drift=drift, tastes=3, tags=0.45, pictures=0.45
    )
    return simulated_purchases(SHOP, LOOKS, customers=customers, weeks=WEEKS, seed=seed, behaviour=how)


@functools.cache
def features() -> ArticleFeatures:
    """What models read."""
    return article_features(SHOP, SEEN)


@functools.cache
def before(customers: int = 300, seed: int = 0, drift: float | None = None):
    """The purchases before the test weeks, of customers who have one."""
    made = shop(customers, seed, drift)
    return made.purchases.between(None, made.week(TEST)).of_buyers()
