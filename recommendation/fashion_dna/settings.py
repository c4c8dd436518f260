"""Settings of Fashion DNA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ...runtime.arguments.kinds import Count, Dropout, NotNegative, Positive, Seed, Share, Within
from ..contract.recommender import Recommender


@dataclass(frozen=True)
class DNASettings(Recommender):
    """How Fashion DNA learns.

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
    """

    reads_articles = True

    width: Count = 256
    size: Count = 256
    dropout: Dropout = 0.5
    own: bool = True
    own_spread: Positive = 0.3
    alone: Share = 0.5
    taste_spread: Positive = 2.0
    block: Count = 512
    negatives: Count | None = None
    epochs: Count = 40
    lr: Annotated[float, Within(0, 1, above=True)] = 1e-2
    weight_decay: NotNegative = 0.05
    watch: Share = 0.1
    keep_best: bool = False
    weeks: Annotated[float, Within(0, 5_000, above=True)] = 8.0
    seed: Seed = 0
