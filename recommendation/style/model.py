"""Style over time, learnt: scores of all articles at any time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ...datasets.purchases.on_sale import WEEK, OnSale
from ...datasets.purchases.purchases import Purchases
from ...runtime.digest import sha256_of
from ...runtime.plain import PlainObject, to_plain
from ...runtime.run_folder import RunFolder
from ...runtime.seeds import seeded
from ..contract.article_network import ArticleNetwork, inputs_of
from ..contract.features import ArticleFeatures
from ..contract.recommender import WEIGHTS, FittedRecommender
from .network import StyleNetwork
from .sequences import Sequences
from .settings import StyleSettings


@dataclass(frozen=True, eq=False, repr=False)
class FittedStyle(FittedRecommender):
    """Style over time that has learnt.

    Arguments:
        config: the settings.
        purchases: those that it learnt from.
        articles: features of all articles.
        network: the network.
        losses: the training log.
    """

    scores_new_articles = True

    config: StyleSettings
    purchases: Purchases
    articles: ArticleFeatures
    network: StyleNetwork
    losses: tuple[PlainObject, ...] = ()

    def scores(self, history: Purchases, learnt: np.ndarray, at: np.datetime64) -> np.ndarray:
        """Log odds of each article in a basket at that time, but for a constant of each customer."""
        with torch.no_grad():
            styles = torch.from_numpy(self.styles(history, at))
            found: np.ndarray = (styles @ torch.from_numpy(self.neighbours()).T + self._bias()).numpy()
        return found

    def styles(self, history: Purchases, at: np.datetime64) -> np.ndarray:
        """The styles of customers at a time, float32 ``[customers, d]``.

        Arguments:
            history: what they have bought until then.
            at: the time.
        """
        sequences = Sequences(history, self.config.longest, self.purchases.time[0])
        everybody = np.arange(len(sequences))
        with torch.no_grad():
            baskets = sequences.batch(everybody)
            memories = self.network.memories(baskets, torch.from_numpy(self.neighbours()))
            last = memories[torch.arange(len(everybody)), baskets.length]
            found: np.ndarray = self.network.styles(last, sequences.queries_at(everybody, at)).numpy()
        return found

    def neighbours(self) -> np.ndarray:
        """The vectors of the articles, float32 ``[n, d]``."""
        with torch.no_grad():
            sold = torch.from_numpy(self._sold()).float()
            found: np.ndarray = (
                self.network.content(*inputs_of(self.articles)) + self.network.own * sold[:, None]
            ).numpy()
        return found

    def write(self, folder: RunFolder) -> None:
        """Write the network's weights."""
        folder.write_tensors(WEIGHTS, self.network.state_dict())

    def _sold(self) -> np.ndarray:
        return np.bincount(self.purchases.article, minlength=len(self.item_ids)) > 0

    def _bias(self) -> torch.Tensor:
        return self.network.bias.detach() * torch.from_numpy(self._sold()).float()


def empty_network(config: StyleSettings, articles: ArticleFeatures) -> StyleNetwork:
    """The network of some settings, with random weights."""
    content = ArticleNetwork(
        len(articles.tag_names),
        articles.vectors.shape[1],
        size=config.size,
        out=config.width,
        dropout=config.dropout,
    )
    return StyleNetwork(
        content,
        width=config.width,
        hidden=config.hidden,
        articles=len(articles),
        memory=config.memory,
        dropout=config.dropout,
    )


def learn_style(
    config: StyleSettings, purchases: Purchases, articles: ArticleFeatures, on_sale: OnSale, checkpoints: str | None
) -> FittedStyle:
    """Train on the baskets of all customers.

    Arguments:
        config: the settings.
        purchases: none of them returned.
        articles: features of all articles.
        on_sale: when each was in the shop.
        checkpoints: where the state of the training is kept; ``None`` for nowhere.
    """
    from .training import Training, fit

    sequences = Sequences(purchases, config.longest, purchases.time[0])
    weeks = int((purchases.time[-1] - purchases.time[0]) / WEEK) + 1
    # An article that comes in the middle of a week is one of those that could be bought in it.
    begins = purchases.time[0] + np.arange(weeks) * WEEK
    there = (on_sale.begin < (begins + WEEK)[:, None]) & (on_sale.leaves > begins[:, None])
    sold = np.bincount(purchases.article, minlength=len(articles)) > 0
    inputs = inputs_of(articles)
    order = np.random.default_rng(config.seed).permutation(len(sequences))
    watched = np.sort(order[: max(int(config.watch * len(order)), 1)])
    train = np.setdiff1d(np.arange(len(sequences)), watched)
    if not len(train):
        raise ValueError(f"purchases: expected at least two customers, got {len(sequences)}")
    with seeded(config.seed):
        network = empty_network(config, articles)
        network.content.standardise(inputs[1][torch.from_numpy(sold)])
        training = Training(
            network, config, inputs, sequences, torch.from_numpy(there), torch.from_numpy(sold), train, watched
        )
        identity = sha256_of(
            repr(to_plain(config)),
            purchases.customer,
            purchases.article,
            purchases.time.astype(np.int64),
            there,
            articles.numbers(),
        )
        log = fit(training, None if checkpoints is None else RunFolder(checkpoints), identity)
    return FittedStyle(config, purchases, articles, network, tuple(log))
