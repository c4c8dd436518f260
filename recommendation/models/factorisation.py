"""Collaborative filtering by matrix factorisation, of the library `implicit`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from scipy import sparse

from ...datasets.purchases.on_sale import OnSale
from ...datasets.purchases.purchases import Purchases
from ...runtime.arguments.kinds import Count, NotNegative, Positive, Seed
from ...runtime.run_folder import RunFolder
from ...runtime.seeds import seeded
from ..contract.features import ArticleFeatures
from ..contract.recommender import WEIGHTS, FittedRecommender, Recommender


@dataclass(frozen=True)
class Factorisation(Recommender):
    """Vectors of customers and articles whose products say what is bought; nothing is said of new articles.

    Arguments:
        loss: ``"als"``, weighted squares by alternating least squares, or ``"bpr"``, Bayesian personalised ranking.
        factors: numbers of a vector.
        regularization: penalty of the squares.
        alpha: how much more a purchase counts than none; ALS alone.
        lr: learning rate; BPR alone.
        iterations: passes over the data.
        seed: of all draws.

    Source: Y. Hu, Y. Koren, C. Volinsky (2008), doi:10.1109/ICDM.2008.22; S. Rendle et al., arXiv 1205.2618
    (2009); as in `implicit`, https://github.com/benfred/implicit.
    """

    loss: Literal["als", "bpr"] = "als"
    factors: Count = 64
    regularization: NotNegative = 0.05
    alpha: Positive = 10.0
    lr: Positive = 0.05
    iterations: Count = 20
    seed: Seed = 0

    def learn(
        self, purchases: Purchases, articles: ArticleFeatures | None, on_sale: OnSale, checkpoints: str | None
    ) -> FittedFactorisation:
        """Factorise the purchase matrix."""
        try:
            from implicit.cpu.als import AlternatingLeastSquares
            from implicit.cpu.bpr import BayesianPersonalizedRanking
            from threadpoolctl import threadpool_limits
        except ImportError as error:
            raise ValueError(
                f"model: expected the library implicit for {self.loss}, got none; pip install implicit"
            ) from error
        shared = {"factors": self.factors, "regularization": self.regularization, "iterations": self.iterations}
        shared |= {"num_threads": 1, "random_state": self.seed % 2**32}
        # Many small solutions: threads of BLAS only get in their way, and `implicit` warns of them.
        with seeded(self.seed), threadpool_limits(1, "blas"):
            if self.loss == "als":
                model = AlternatingLeastSquares(alpha=self.alpha, **shared)
            else:
                model = BayesianPersonalizedRanking(learning_rate=self.lr, **shared)
            model.fit(purchases.matrix(), show_progress=False)
        articles_of, customers = np.array(model.item_factors), np.array(model.user_factors)
        unsold = np.bincount(purchases.article, minlength=len(purchases.item_ids)) == 0
        # What is left of an article without a purchase is where its vector began.
        articles_of[unsold] = np.nan
        return FittedFactorisation(self, purchases, articles_of.astype(np.float32), customers.astype(np.float32))

    def read(self, folder: RunFolder, purchases: Purchases, articles: ArticleFeatures | None) -> FittedFactorisation:
        """Read the vectors."""
        tensors = folder.read_tensors(WEIGHTS)
        return FittedFactorisation(self, purchases, tensors["vectors"].numpy(), tensors["weights"].numpy())


@dataclass(frozen=True, eq=False, repr=False)
class FittedFactorisation(FittedRecommender):
    """Vectors of customers and articles.

    Arguments:
        config: the settings.
        purchases: those that were factorised.
        vectors: float32 ``[n, factors]``; NaN for an article without a purchase.
        weights: float32 ``[C, factors]``, of the customers.
    """

    config: Factorisation
    purchases: Purchases
    vectors: np.ndarray
    weights: np.ndarray
    articles: ArticleFeatures | None = None

    def scores(self, history: Purchases, learnt: np.ndarray, at: np.datetime64) -> np.ndarray:
        """Products of the vectors, float32 ``[customers, n]``."""
        weights = self.weights[learnt]
        if (new := learnt < 0).any():
            if self.config.loss == "bpr":
                name = history.customers[int(new.argmax())]
                raise ValueError(f"history: expected customers of the training data for bpr, got {name!r}")
            weights[new] = self._folded_in(history.matrix()[new])
        return weights @ self.vectors.T

    def neighbours(self) -> np.ndarray:
        """The vectors of the articles."""
        return self.vectors

    def write(self, folder: RunFolder) -> None:
        """Write the vectors."""
        tensors = {"vectors": torch.from_numpy(self.vectors), "weights": torch.from_numpy(self.weights)}
        folder.write_tensors(WEIGHTS, tensors)

    def _folded_in(self, bought: sparse.csr_matrix) -> np.ndarray:
        """Vectors of customers that are new, with the articles as they are: weighted least squares."""
        config, known = self.config, ~np.isnan(self.vectors[:, 0])
        vectors = np.where(known[:, None], self.vectors, 0.0)
        common = vectors.T @ vectors + config.regularization * np.eye(vectors.shape[1], dtype=np.float32)
        found = np.empty((bought.shape[0], vectors.shape[1]), dtype=np.float32)
        for row in range(len(found)):
            own = vectors[bought.indices[bought.indptr[row] : bought.indptr[row + 1]]]
            found[row] = np.linalg.solve(common + (config.alpha - 1) * own.T @ own, config.alpha * own.sum(0))
        return found
