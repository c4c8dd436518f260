"""What is true of a simulated shop: the demand before stock-outs, and when articles and stores were there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...runtime.display.showing import Shown
from .truth import SalesTruth


@dataclass(frozen=True, eq=False, repr=False)
class ShopTruth(Shown):
    """The demand from which a simulated shop's table was made, and its plan.

    Steps T are the weeks of the table, those to come at the end.

    Arguments:
        sales: the law of the demand of the whole chain with every store open: levels, elasticities, seasons, effects
            of promotions and holidays. Its ``demand`` ``[T, D]`` is the sum over the stores.
        stores: names of the S stores.
        shares: of an article's demand, the share of each store, ``[D, S]``; a row sums to 1.
        open: whether a store is open, bool ``[T, S]``.
        launch: the first week of each article, ``[D]``; one beyond the last observed week is yet to come.
        end: the week from which an article is no longer sold, ``[D]``; T for one that stays.
        first_promotion: the week of the first promotion or markdown of an article, ``[D]``; T where there is none.
        demand: units asked for, ``[T, D, S]``; NaN where the article is not sold or the store is not open.
        in_stock: whether the shelf was full, bool ``[T, D, S]``.
        returned: the share of the units sold that come back in the week after, ``[D]``.
        looks: places of the articles in a space of looks, ``[D, 4]``.
        taken: the change of the log demand of the row's article while the column's is on sale, ``[D, D]``; 0 between
            styles and on the diagonal. The levels of `sales` are those with nothing taken.
    """

    sales: SalesTruth
    stores: tuple[str, ...]
    shares: np.ndarray
    open: np.ndarray
    launch: np.ndarray
    end: np.ndarray
    first_promotion: np.ndarray
    demand: np.ndarray
    in_stock: np.ndarray
    returned: np.ndarray
    looks: np.ndarray
    taken: np.ndarray

    def _shown(self) -> dict[str, object]:
        """Articles, stores and weeks."""
        return {"articles": self.sales.articles, "stores": self.stores, "weeks": len(self.open)}

    @property
    def on_sale(self) -> np.ndarray:
        """Whether each article is sold, bool ``[T, D]``."""
        week = np.arange(len(self.open))[:, None]
        return (week >= self.launch) & (week < self.end)

    def launch_effect(self, article: str, of: str) -> float:
        """The relative change of one article's demand when another one is launched, at list price.

        Arguments:
            article: whose demand is asked for.
            of: what is launched.

        Returns:
            The relative change of the expected units; -0.1 is 10 per cent less.

        Raises:
            ValueError: an article is unknown.
        """
        names = self.sales.articles
        for argument, name in (("article", article), ("of", of)):
            if name not in names:
                raise ValueError(f"{argument}: expected one of {', '.join(names)}; got {name!r}")
        return float(np.expm1(self.taken[names.index(article), names.index(of)]))
