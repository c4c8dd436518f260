"""Simulated customers of real articles, and the rows that every benchmark of recommenders has.

The articles are the 4,439 product photos of ``myntra_224`` with their labels. Tastes are planted in the labels and in
vectors of EfficientNet-Lite1 at 160 pixels; models read the labels and 64 principal axes of EfficientNet-Lite0 at 224,
fitted on a thousand articles that are sold before the test. The vectors of both are computed once
(``--vectors FOLDER``), which takes some minutes of a core each.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from hemline.datasets import read_article_vectors, simulated_purchases
from hemline.datasets.pictures.source import Source, open_source
from hemline.datasets.pictures.vectors import ArticleVectors
from hemline.datasets.purchases.purchases import Purchases
from hemline.datasets.simulated.customers import Behaviour, SimulatedPurchases
from hemline.recommendation.contract.features import ArticleFeatures, article_features
from hemline.recommendation.contract.recommender import FittedRecommender
from hemline.recommendation.judging.judge import Judged, asked_customers, judge
from hemline.vision.embed.embedding import PrincipalAxes, embed_catalogue
from hemline.vision.embed.encoder import ArticleEncoder

CATALOGUE = Path(__file__).parents[1] / "docs" / "vision" / "myntra-tasks.toml"
READ, PLANTED = ("efficientnet-lite0", 224), ("efficientnet-lite1", 160)
AXES, FIT_ON = 64, 1000


def options(description: str, *, customers: int, weeks: int) -> argparse.ArgumentParser:
    """Options that the benchmarks share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--vectors", type=Path, default=Path("runs/myntra"), help="folder of the vectors of the photos")
    parser.add_argument("--customers", type=int, default=customers)
    parser.add_argument("--weeks", type=int, default=weeks)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    return parser


def vectors_of(source: Source, folder: Path, encoder: tuple[str, int]) -> ArticleVectors:
    """Vectors of all photos, computed where they do not lie in the folder."""
    name, size = encoder
    place = folder / f"{name}.parquet"
    if not place.exists():
        embed_catalogue(source, str(place), ArticleEncoder.of_backbone(name, size=size))
    return read_article_vectors(str(place))


@dataclass(frozen=True, eq=False)
class World:
    """Purchases before and after the last collection, and what models read.

    Arguments:
        made: the simulated purchases.
        source: the articles.
        test: weeks at the end that are forecast.
        seen: vectors of all articles as models read them, before the projection.
    """

    made: SimulatedPurchases
    source: Source
    test: int
    seen: ArticleVectors

    @classmethod
    def of(cls, given: argparse.Namespace, seed: int, behaviour: Behaviour, test: int) -> World:
        """The world of a seed."""
        source = open_source(str(CATALOGUE))
        planted, seen = (vectors_of(source, given.vectors, encoder) for encoder in (PLANTED, READ))
        made = simulated_purchases(
            source.catalogue, planted, customers=given.customers, weeks=given.weeks, behaviour=behaviour, seed=seed
        )
        return cls(made, source, test, seen)

    @property
    def begins(self) -> np.datetime64:
        """When the test weeks begin, and the last collection comes."""
        return self.made.week(self.made.weeks - self.test)

    @cached_property
    def past(self) -> Purchases:
        """What was bought before."""
        return self.made.purchases.between(None, self.begins).of_buyers()

    @cached_property
    def later(self) -> Purchases:
        """What was bought in the test weeks."""
        return self.made.purchases.between(self.begins)

    @cached_property
    def sold(self) -> np.ndarray:
        """Which articles were bought before."""
        return np.bincount(self.past.article, minlength=len(self.source.catalogue)) > 0

    @cached_property
    def on_sale(self) -> np.ndarray:
        """Which articles are on sale when the test weeks begin: those sold before, and the last collection.

        An article that was there before and that nobody bought is left out: it is neither new nor sold.
        """
        new = self.made.truth.first_week == self.made.weeks - self.test
        return self.made.on_sale.at(self.begins) & (self.sold | new)

    @cached_property
    def features(self) -> ArticleFeatures:
        """Labels and principal axes of the photos."""
        some = np.random.default_rng(0).permutation(np.flatnonzero(self.sold))[:FIT_ON]
        axes = PrincipalAxes.fit(self.seen.vectors[some], AXES)
        projected = axes.project(self.seen.vectors).astype(np.float32)
        return article_features(self.source.catalogue, replace(self.seen, vectors=projected))

    def truth(self, names: tuple[str, ...] | list[str]) -> np.ndarray:
        """The purchases that are expected in the test weeks of some customers."""
        place = {name: number for number, name in enumerate(self.made.purchases.customers)}
        weeks = self.made.weeks
        return self.made.truth.expected(weeks - self.test, weeks, np.array([place[name] for name in names]))

    def judge(self, fitted: FittedRecommender, scores: np.ndarray | None = None) -> Judged:
        """A recommender by the test weeks."""
        return judge(fitted, self.later, at=self.begins, on_sale=self.on_sale, scores=scores)

    def oracle(self, fitted: FittedRecommender) -> Judged:
        """The planted truth, judged in the place of a recommender."""
        return self.judge(fitted, self.truth(asked_customers(fitted, self.later)))


def mean(values: np.ndarray) -> float:
    """The mean of what is known; NaN of nothing."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def shown(values: list[float]) -> str:
    """Mean and standard error over seeds."""
    known = np.array([value for value in values if not np.isnan(value)])
    if not len(known):
        return "cannot"
    error = f" ± {known.std(ddof=1) / np.sqrt(len(known)):.3f}" if len(known) > 1 else ""
    return f"{known.mean():.3f}{error}"
