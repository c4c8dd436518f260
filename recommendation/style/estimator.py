"""Style over time by its settings."""

from __future__ import annotations

from dataclasses import dataclass

from ...datasets.purchases.on_sale import OnSale
from ...datasets.purchases.purchases import Purchases
from ...runtime.run_folder import RunFolder
from ..contract.features import ArticleFeatures
from ..contract.recommender import WEIGHTS
from .model import FittedStyle, empty_network, learn_style
from .settings import StyleSettings


@dataclass(frozen=True)
class StyleOverTime(StyleSettings):
    """A customer's style at any time, by an LSTM over what was bought, and its products with vectors of articles.

    A basket is the mean of its articles' vectors, with how long ago the one before was, how many articles it has, and
    the time of the year. The style at a time is read off the memory and how long ago the last basket was then. What is
    bought is told from what else was on sale in that week.

    Source: S. Heinz, C. Bracher, R. Vollgraf, "An LSTM-Based Dynamic Customer Model for Fashion Recommendation",
    arXiv 1708.07347 (2017). Ours are sets, times as inputs, the articles' own parts, and the correction of the
    sampled softmax.
    """

    def learn(
        self, purchases: Purchases, articles: ArticleFeatures | None, on_sale: OnSale, checkpoints: str | None
    ) -> FittedStyle:
        """Train on the baskets of all customers."""
        assert articles is not None
        return learn_style(self, purchases, articles, on_sale, checkpoints)

    def read(self, folder: RunFolder, purchases: Purchases, articles: ArticleFeatures | None) -> FittedStyle:
        """Read the network."""
        assert articles is not None
        network = empty_network(self, articles)
        network.load_state_dict(folder.read_tensors(WEIGHTS))
        return FittedStyle(self, purchases, articles, network.eval())
