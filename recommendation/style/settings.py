"""Settings of style over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from ...runtime.arguments.kinds import Count, Dropout, NotNegative, Positive, Seed, Share, Within
from ..contract.recommender import Recommender


@dataclass(frozen=True)
class StyleSettings(Recommender):
    """How style over time is learnt.

    Arguments:
        memory: ``"lstm"``, or ``"mean"`` of all baskets, which knows no order and no time: a static style.
        width: numbers d of an article's vector and of a style.
        size: width of the dense layers.
        hidden: numbers of the memory.
        dropout: in the dense layers and of the memory.
        own_spread: standard deviation of a number of an article's own part before any purchase.
        alone: share of the articles of a step that go without it.
        longest: baskets of a customer that are read, the last ones.
        negatives: articles that a step samples.
        batch: customers of a step.
        epochs: passes over the customers.
        lr: the largest learning rate.
        weight_decay: AdamW's decay of dense layers and memory.
        watch: share of the customers that are watched and not learnt from; the epoch that is best for them is kept.
        seed: of all draws.
    """

    reads_articles = True

    memory: Literal["lstm", "mean"] = "lstm"
    width: Count = 64
    size: Count = 128
    hidden: Count = 128
    dropout: Dropout = 0.2
    own_spread: Positive = 0.3
    alone: Share = 0.3
    longest: Count = 60
    negatives: Count = 512
    batch: Count = 32
    epochs: Count = 20
    lr: Annotated[float, Within(0, 1, above=True)] = 5e-3
    weight_decay: NotNegative = 0.02
    watch: Share = 0.1
    seed: Seed = 0
