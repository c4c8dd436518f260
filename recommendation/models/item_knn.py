"""Articles that look like what a customer bought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ...datasets.purchases.on_sale import OnSale
from ...datasets.purchases.purchases import Purchases
from ...runtime.arguments.kinds import Count
from ...runtime.run_folder import RunFolder
from ..contract.features import ArticleFeatures
from ..contract.recommender import WEIGHTS, FittedRecommender, Recommender


@dataclass(frozen=True)
class ItemKNN(Recommender):
    """Mean cosine of an article and the k most similar ones among those that a customer bought.

    Labels and photo vectors are centred and scaled to the same total spread before; nothing is learnt but that.

    Arguments:
        k: how many of a customer's purchases count.
    """

    reads_articles = True

    k: Count = 5

    def learn(
        self, purchases: Purchases, articles: ArticleFeatures | None, on_sale: OnSale, checkpoints: str | None
    ) -> FittedItemKNN:
        """Make vectors of length 1."""
        assert articles is not None
        parts = []
        for part in (articles.tags, articles.vectors):
            apart = part - part.mean(0)
            spread = np.sqrt((apart**2).sum() / max(len(apart), 1))
            parts.append(apart / max(float(spread), 1e-9))
        vectors = np.concatenate(parts, axis=1)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return FittedItemKNN(self, purchases, articles, (vectors / np.maximum(length, 1e-9)).astype(np.float32))

    def read(self, folder: RunFolder, purchases: Purchases, articles: ArticleFeatures | None) -> FittedItemKNN:
        """Read the vectors."""
        assert articles is not None
        return FittedItemKNN(self, purchases, articles, folder.read_tensors(WEIGHTS)["vectors"].numpy())


@dataclass(frozen=True, eq=False, repr=False)
class FittedItemKNN(FittedRecommender):
    """Vectors of articles.

    Arguments:
        config: the settings.
        purchases: what customers bought.
        articles: features of the articles.
        vectors: float32 ``[n, d]``, of length 1.
    """

    scores_new_articles = True

    config: ItemKNN
    purchases: Purchases
    articles: ArticleFeatures
    vectors: np.ndarray

    def scores(self, history: Purchases, learnt: np.ndarray, at: np.datetime64) -> np.ndarray:
        """The mean of the k largest cosines, over all of them where a customer bought fewer."""
        found = np.empty((len(learnt), len(self.vectors)), dtype=np.float32)
        bought = history.matrix()
        for row in range(len(found)):
            own = bought.indices[bought.indptr[row] : bought.indptr[row + 1]]
            alike = self.vectors @ self.vectors[own].T
            k = min(self.config.k, len(own))
            found[row] = np.partition(alike, len(own) - k, axis=1)[:, len(own) - k :].mean(1)
        return found

    def neighbours(self) -> np.ndarray:
        """The vectors."""
        return self.vectors

    def write(self, folder: RunFolder) -> None:
        """Write the vectors."""
        folder.write_tensors(WEIGHTS, {"vectors": torch.from_numpy(self.vectors)})
