"""Who bought what a simulated shop sold: its units shared out among customers with tastes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ...runtime.arguments.kinds import Count, Seed, checked
from ...runtime.display.showing import Shown
from ..pictures.catalogue import Article, Catalogue
from ..pictures.vectors import ArticleVectors
from ..purchases.purchases import Purchases
from .customers import Behaviour, places, tastes
from .shop import SimulatedShop

_SIZES, _SHARES = ("S", "M", "L"), (0.3, 0.45, 0.25)


@dataclass(frozen=True, eq=False, repr=False)
class ShopCustomers(Shown):
    """Purchases that add up to what a simulated shop sold, and the tastes behind them; see `shop_customers`.

    Arguments:
        purchases: a row a unit: the channel is the store, the size that of the customer.
        catalogue: the articles with their labels.
        looks: their places in the space of looks.
        place: ``[n, k]``, the places of the articles in the taste space.
        taste: float32 ``[weeks, C, k]``.
        rate: ``[C]``, how much each customer buys, beside the others.
    """

    purchases: Purchases
    catalogue: Catalogue = field(repr=False)
    looks: ArticleVectors = field(repr=False)
    place: np.ndarray = field(repr=False)
    taste: np.ndarray = field(repr=False)
    rate: np.ndarray = field(repr=False)

    def _shown(self) -> dict[str, object]:
        """What the purchases say of themselves."""
        return self.purchases._shown()

    def chances(self, week: int) -> np.ndarray:
        """The probability that a unit of each article goes to each customer in a week, float64 ``[n, C]``."""
        odds = self.place @ self.taste[week].T.astype(float) + np.log(self.rate)
        share = np.exp(odds - odds.max(axis=1, keepdims=True))
        chances: np.ndarray = share / share.sum(axis=1, keepdims=True)
        return chances


@checked
def shop_customers(
    shop: SimulatedShop, customers: Count = 500, behaviour: Behaviour | None = None, seed: Seed = 0
) -> ShopCustomers:
    """Draw who bought each unit that a simulated shop sold, by tastes of its labels and looks.

    Given what was sold, each unit goes to a customer with odds ``rate · exp(taste · place)``: the tastes and places of
    `simulated_purchases`; articles, weeks, stores, stock-outs and returns are those of the shop. So a customer may
    buy an article twice, and every sum over customers is a cell of the shop's table.

    Arguments:
        shop: of `simulated_shop`.
        customers: how many.
        behaviour: of it tastes, the shares of labels and vectors, choosiness, baskets (how unequal customers are) and
            drift are read.
        seed: of all draws.

    Returns:
        The purchases and what they were made of. The units that came back are marked, as many as the shop took back.

    Raises:
        ValueError: the shop has fewer articles than the taste space has dimensions.

    Example:
        >>> from hemline.datasets import simulated_shop
        >>> shop = simulated_shop(articles=12, weeks=20)
        >>> found = shop_customers(shop, customers=40)
        >>> len(found.purchases) == int(shop.table["Absatz"].sum())
        True
    """
    behaviour = behaviour or Behaviour()
    names, weeks = shop.truth.sales.articles, len(shop.truth.open)
    if len(names) <= behaviour.tastes:
        raise ValueError(f"shop: expected more than {behaviour.tastes} articles, got {len(names)}")
    rng = np.random.default_rng(seed)
    columns = ("Warengruppe", "Farbe", "Form")
    rows = shop.articles.set_index("Artikel").loc[list(names)]
    catalogue = Catalogue(
        tuple(Article(name, labels={key: (str(rows.at[name, key]),) for key in columns}) for name in names), columns
    )
    looks = ArticleVectors(
        names, shop.truth.looks.astype(np.float32), np.ones(len(names), dtype=bool), "looks of the simulated shop"
    )
    place = places(catalogue, looks, columns, behaviour.tastes, behaviour, rng)
    made = ShopCustomers(
        purchases=_nothing(customers, names),
        catalogue=catalogue,
        looks=looks,
        place=place,
        taste=tastes(customers, weeks, behaviour, rng),
        rate=rng.gamma(2.0, behaviour.baskets / 52 / 2, customers),
    )
    size = rng.choice(_SIZES, customers, p=_SHARES)
    table = shop.table[shop.table["Absatz"].fillna(0) > 0]
    article = pd.Index(names).get_indexer(pd.Index(table["Artikel"]))
    first = shop.table["Woche"].min()
    week = ((table["Woche"] - first).dt.days // 7).to_numpy()
    came_back = _returned(shop.table)[table.index].to_numpy()
    found = []
    for number in np.unique(week):
        chances, here = made.chances(int(number)), np.flatnonzero(week == number)
        counts = rng.multinomial(table["Absatz"].to_numpy(dtype=int)[here], chances[article[here]])
        cell, who = np.nonzero(counts)
        units = counts[cell, who]
        cell, who = np.repeat(here[cell], units), np.repeat(who, units)
        # Of each cell as many as came back, whoever bought them.
        order = np.lexsort((rng.random(len(cell)), cell))
        rank = np.empty(len(cell), dtype=int)
        rank[order] = np.arange(len(cell)) - np.searchsorted(cell[order], cell[order])
        second = 86400 * (7 * number + rng.integers(0, 7, len(cell))) + rng.integers(8 * 3600, 22 * 3600, len(cell))
        found.append(np.column_stack([who, cell, second, rank < came_back[cell]]))
    bought = np.concatenate(found) if found else np.zeros((0, 4), dtype=int)
    bought = bought[np.lexsort((bought[:, 1], bought[:, 0], bought[:, 2]))]
    purchases = Purchases(
        made.purchases.customers,
        names,
        bought[:, 0],
        article[bought[:, 1]],
        np.datetime64(first, "s") + bought[:, 2] * np.timedelta64(1, "s"),
        price=table["Preis"].to_numpy(dtype=np.float32)[bought[:, 1]],
        channel=table["Filiale"].to_numpy(dtype=object)[bought[:, 1]],
        size=size[bought[:, 0]],
        returned=bought[:, 3].astype(bool),
    )
    return ShopCustomers(purchases, catalogue, looks, place, made.taste, made.rate)


def _nothing(customers: int, names: tuple[str, ...]) -> Purchases:
    """No purchases of some customers."""
    none = np.zeros(0, dtype=int)
    return Purchases(
        tuple(f"c{number}" for number in range(customers)), names, none, none, none.astype("datetime64[s]")
    )


def _returned(table: pd.DataFrame) -> pd.Series:
    """Of each row of a shop's table the units that came back in the week after."""
    keys = ["Filiale", "Artikel", "Woche"]
    back = table.assign(Woche=table["Woche"] - pd.Timedelta(weeks=1)).set_index(keys)["Retouren"]
    found = back.reindex(pd.MultiIndex.from_frame(table[keys])).fillna(0).astype(int)
    return pd.Series(found.to_numpy(), index=table.index)
