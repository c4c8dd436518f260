"""Fashion DNA by its settings."""

from __future__ import annotations

from dataclasses import dataclass

from ...datasets.purchases.on_sale import OnSale
from ...datasets.purchases.purchases import Purchases
from ...runtime.run_folder import RunFolder
from ..contract.features import ArticleFeatures
from ..contract.recommender import WEIGHTS
from .model import FittedFashionDNA, learn_dna
from .settings import DNASettings


@dataclass(frozen=True)
class FashionDNA(DNASettings):
    """Vectors of articles from labels and photos, with customers as weight vectors, learnt from the purchase matrix.

    The probability that customer k buys article i is ``σ(f_i · w_k + b_k + log(weeks on sale))``. f is what a network
    reads off labels and photo vectors and, for an article that has been sold, a part of its own.

    Source: C. Bracher, S. Heinz, R. Vollgraf, "Fashion DNA", arXiv 1609.02489 (2016). Ours are the offset of
    the weeks on sale, the part of its own, the sampled cells, and the priors.
    """

    def learn(
        self, purchases: Purchases, articles: ArticleFeatures | None, on_sale: OnSale, checkpoints: str | None
    ) -> FittedFashionDNA:
        """Train on the purchase matrix."""
        assert articles is not None
        return learn_dna(self, purchases, articles, on_sale, checkpoints)

    def read(self, folder: RunFolder, purchases: Purchases, articles: ArticleFeatures | None) -> FittedFashionDNA:
        """Read vectors, weights and calibration."""
        assert articles is not None
        found = {name: each.numpy() for name, each in folder.read_tensors(WEIGHTS).items()}
        count, width = len(purchases.item_ids), found["vectors"].shape[-1]
        shapes = {
            "vectors": (count, width),
            "weights": (len(purchases.customers), width + 1),
            "sold": (count,),
            "log_weeks": (count,),
            "on_sale": (2, count),
            "lines": (2, 2),
        }
        for name, shape in shapes.items():
            if name not in found or found[name].shape != shape:
                got = f"{list(found[name].shape)}" if name in found else "none"
                raise ValueError(f"{WEIGHTS}: expected {name} {list(shape)}, got {got}")
        return FittedFashionDNA(
            self,
            purchases,
            articles,
            vectors=found["vectors"],
            weights=found["weights"],
            sold=found["sold"],
            log_weeks=found["log_weeks"],
            on_sale=found["on_sale"],
            lines=found["lines"],
        )
