"""Settings of Fashion DNA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...datasets.purchases.on_sale import OnSale
from ...datasets.purchases.purchases import Purchases
from ...runtime.arguments.kinds import Count, Dropout, NotNegative, Positive, Seed, Share
from ...runtime.run_folder import RunFolder
from ..contract.features import ArticleFeatures
from ..contract.recommender import WEIGHTS, Recommender

if TYPE_CHECKING:
    from .model import FittedFashionDNA


@dataclass(frozen=True)
class FashionDNA(Recommender):
    """Vectors of articles from labels and photos, with customers as weight vectors, learnt from the purchase matrix.

    The probability that customer k buys article i is ``σ(f_i · w_k + b_k + log(weeks on sale))``. f is what a network
    reads off labels and photo vectors and, for an article that has been sold, a part of its own.

    Arguments:
        width: numbers d of an article's vector.
        size: width of the dense layers.
        dropout: in the dense layers.
        own: whether sold articles have a part of their own; without it f is what features say alone, as published.
        own_spread: standard deviation of a number of that part before any purchase.
        alone: share of the articles of a step that go without it.
        taste_spread: standard deviation, before any purchase, of what tastes do to the log odds of an article.
        block: articles of a step.
        negatives: customers whose cells are looked at in a step; ``None`` for all.
        epochs: passes over the articles.
        lr: the largest learning rate of the dense layers; that of all else is three times as large.
        weight_decay: AdamW's decay of the dense layers.
        watch: share of the sold articles that are watched as if they were new.
        keep_best: whether the epoch is kept that is best for watched articles, rather than the last.
        weeks: the time that a score is about: the probability of a purchase within so many weeks on sale.
        seed: of all draws.

    Source: C. Bracher, S. Heinz, R. Vollgraf, "Fashion DNA", arXiv 1609.02489 (2016). Ours are the offset of
    the weeks on sale, the part of its own, the sampled cells, and the priors.
    """

    reads_articles = True

    width: Count = 256
    size: Count = 256
    dropout: Dropout = 0.3
    own: bool = True
    own_spread: Positive = 0.5
    alone: Share = 0.3
    taste_spread: Positive = 2.0
    block: Count = 512
    negatives: Count | None = None
    epochs: Count = 30
    lr: Positive = 3e-3
    weight_decay: NotNegative = 0.05
    watch: Share = 0.1
    keep_best: bool = False
    weeks: Positive = 8.0
    seed: Seed = 0

    def learn(
        self, purchases: Purchases, articles: ArticleFeatures | None, on_sale: OnSale, checkpoints: str | None
    ) -> FittedFashionDNA:
        """Train on the purchase matrix."""
        from .model import learn_dna

        assert articles is not None
        return learn_dna(self, purchases, articles, on_sale, checkpoints)

    def read(self, folder: RunFolder, purchases: Purchases, articles: ArticleFeatures | None) -> FittedFashionDNA:
        """Read vectors, weights and calibration."""
        from .model import FittedFashionDNA

        assert articles is not None
        found = {name: each.numpy() for name, each in folder.read_tensors(WEIGHTS).items()}
        return FittedFashionDNA(
            self,
            purchases,
            articles,
            vectors=found["vectors"],
            weights=found["weights"],
            sold=found["sold"],
            log_weeks=found["log_weeks"],
            lines=found["lines"],
        )
