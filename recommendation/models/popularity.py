"""What sells best, the same for everybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ...datasets.purchases.on_sale import WEEK, OnSale
from ...datasets.purchases.purchases import Purchases
from ...runtime.arguments.kinds import Count
from ...runtime.run_folder import RunFolder
from ..contract.features import ArticleFeatures
from ..contract.recommender import WEIGHTS, FittedRecommender, Recommender


@dataclass(frozen=True)
class Popularity(Recommender):
    """Numbers of purchases: every customer is recommended what sells best.

    Arguments:
        weeks: of how many weeks before the end of the data; ``None`` for all time.
    """

    weeks: Count | None = None

    def learn(
        self, purchases: Purchases, articles: ArticleFeatures | None, on_sale: OnSale, checkpoints: str | None
    ) -> FittedPopularity:
        """Count."""
        counted = purchases if self.weeks is None else purchases.between(purchases.time[-1] - self.weeks * WEEK)
        known = np.bincount(purchases.article, minlength=len(purchases.item_ids)) > 0
        count = np.bincount(counted.article, minlength=len(purchases.item_ids)).astype(np.float32)
        return FittedPopularity(self, purchases, np.where(known, count, np.nan).astype(np.float32))

    def read(self, folder: RunFolder, purchases: Purchases, articles: ArticleFeatures | None) -> FittedPopularity:
        """Read the numbers."""
        return FittedPopularity(self, purchases, folder.read_tensors(WEIGHTS)["count"].numpy())


@dataclass(frozen=True, eq=False, repr=False)
class FittedPopularity(FittedRecommender):
    """Numbers of purchases.

    Arguments:
        config: the settings.
        purchases: those that were counted.
        count: float32 ``[n]``; NaN for an article that was never bought.
    """

    config: Popularity
    purchases: Purchases
    count: np.ndarray
    articles: ArticleFeatures | None = None

    def scores(self, history: Purchases, learnt: np.ndarray, at: np.datetime64) -> np.ndarray:
        """The numbers, for each customer the same."""
        return np.tile(self.count, (len(learnt), 1))

    def neighbours(self) -> np.ndarray:
        """Nothing is known of what is alike."""
        return np.full((len(self.item_ids), 1), np.nan)

    def write(self, folder: RunFolder) -> None:
        """Write the numbers."""
        folder.write_tensors(WEIGHTS, {"count": torch.from_numpy(self.count)})
