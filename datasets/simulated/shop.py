"""A simulated shop: the messy table that a fashion retailer exports, and the truth behind it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from ...runtime.arguments.kinds import Count, Number, Seed, Steps, checked
from ...runtime.display.showing import Shown
from ...runtime.whole_files import whole_file
from .drawn_photos import COLOURS, SHAPES, drawn_photo
from .draws import (
    elasticities,
    holiday_weeks,
    looks_of,
    markdowns,
    seasons,
    shared_shocks,
    stocked,
    style_names,
    taken_by_presence,
)
from .shop_truth import ShopTruth
from .truth import SalesTruth

_STORES = ("Online", "Köln", "Hamburg")
_SIZES = (0.6, 0.25, 0.15)
_BY_COLOUR = {"red": 2.0, "green": 0.6, "blue": 1.0}
_BY_SHAPE = {"round": 1.3, "square": 0.8}


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedShop(Shown):
    """A simulated shop's table, its articles, and the truth; see `simulated_shop`.

    Arguments:
        table: a row for each article, store and week on sale: ``Woche`` (a Monday), ``Filiale``, ``Artikel``,
            ``Absatz`` (units sold, whole), ``Retouren`` (units that came back), ``Preis`` (money a unit), ``Aktion``
            and ``Bestand`` (whether it is promoted, and in stock, 1 or 0), ``Feiertag`` (1 in a week with a holiday).
            ``Absatz``, ``Retouren`` and ``Bestand`` are empty in the weeks to come.
        articles: a row an article: ``Artikel``, ``Warengruppe``, ``Farbe``, ``Form``.
        truth: what the table was made of.
        prediction_length: the horizon H, in weeks.
        seed: of the numbers.
    """

    table: pd.DataFrame
    articles: pd.DataFrame
    truth: ShopTruth
    prediction_length: int
    seed: int

    def _shown(self) -> dict[str, object]:
        """Articles, stores, rows, horizon and seed."""
        return {
            "articles": len(self.articles),
            "stores": self.truth.stores,
            "rows": len(self.table),
            "horizon": self.prediction_length,
            "seed": self.seed,
        }

    def write(
        self,
        folder: str | os.PathLike[str],
        *,
        windows: Number = 3,
        unseen: Literal["keep", "drop"] = "drop",
        photos: bool = True,
    ) -> Path:
        """Write the table with its description, and the articles with their photos.

        Arguments:
            folder: where to; it is made if need be.
            windows: the number of test windows in the description.
            unseen: what the description says of articles launched after the training span, see `from_sales`.
            photos: whether to write ``artikel.jsonl``, ``artikel.toml`` and the folder ``fotos`` too.

        Returns:
            The path of ``shop.toml``, which `get_dataset` and ``--dataset`` take; ``umsatz.csv`` lies beside it, with
            semicolons between cells, commas in numbers and J and N for flags.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        words = {flag: self.table[flag].map({1: "J", 0: "N"}) for flag in ("Aktion", "Bestand", "Feiertag")}
        with whole_file(folder / "umsatz.csv") as aside:
            self.table.assign(**words).to_csv(aside, sep=";", decimal=",", index=False)
        described = (
            'table = "umsatz.csv"\nsep = ";"\ndecimal = ","\ntrue_words = ["J"]\nfalse_words = ["N"]\n'
            'article = "Artikel"\nstore = "Filiale"\ndate = "Woche"\nunits = "Absatz"\n'
            'price = "Preis"\npromotion = "Aktion"\nin_stock = "Bestand"\nshared_covariates = ["Feiertag"]\n'
            f'prediction_length = {self.prediction_length}\nwindows = {windows}\nunseen = "{unseen}"\n'
        )
        with whole_file(folder / "shop.toml") as aside:
            aside.write_text(described)
        if photos:
            self._write_photos(folder)
        return folder / "shop.toml"

    def _write_photos(self, folder: Path) -> None:
        (folder / "fotos").mkdir(exist_ok=True)
        rng, lines = np.random.default_rng([self.seed, 1]), []
        for row in self.articles.to_dict("records"):
            name = f"{row['Artikel']}.png"
            with whole_file(folder / "fotos" / name) as aside:
                drawn_photo(row["Farbe"], row["Form"], rng).save(aside, "png")
            lines.append(json.dumps({**row, "fotos": [name]}, ensure_ascii=False))
        described = (
            'table = "artikel.jsonl"\nphotos = "fotos"\nitem_id = "Artikel"\nimages = "fotos"\n'
            'labels = ["Warengruppe", "Farbe", "Form"]\n'
        )
        # The description comes last: with it, all that it names is there.
        for file, content in (("artikel.jsonl", "\n".join(lines) + "\n"), ("artikel.toml", described)):
            with whole_file(folder / file) as aside:
                aside.write_text(content)


@checked
def simulated_shop(
    articles: Count = 60,
    stores: Count = 3,
    weeks: Count = 112,
    seed: Seed = 0,
    prediction_length: Steps = 8,
    style_size: Count = 4,
    launches: float = 0.25,
    delistings: float = 0.15,
    stockouts: float = 0.03,
    taken: float = 0.0,
) -> SimulatedShop:
    """Simulate the table of a fashion shop as it is exported: stores, launches, delistings, stock-outs, returns.

    The demand of the chain is that of `simulated_sales`, with known levels, elasticities and substitution between
    the articles of a style. What is added:

    * **Stores** share the demand of an article, the first about 60 per cent. The last of several opens after a
      quarter of the weeks. Prices are the same in all; counts are drawn for each store by itself.
    * **Launches**: some articles begin later, spread evenly from an eighth of the weeks to the middle of the weeks
      to come, so that a few have no past. **Delistings**: others have no rows from some week of the second half on.
    * **Stock-outs** come in single stores, as spells of one or two weeks, one in eight of them followed by four
      more. Sales are then at most 70 per cent of the demand, and ``Bestand`` is 0; nobody goes to another store.
    * **First promotions**: a tenth of the articles have neither promotion nor markdown before the last two horizons.
    * **Returns** come back in the week after the sale, 5 to 20 per cent of an article's units.
    * **Looks**: a red article sells more than a blue or green one, a round one more than a square one. Photos show it.
    * **Launches take** from what looks like them, with `taken` above 0: while an article is on sale, others of its
      style lose up to that share of their demand, the more the nearer they lie in a space of looks (`ShopTruth`).

    The same arguments give the same numbers.

    Arguments:
        articles: the number of articles D.
        stores: the number of stores S.
        weeks: the weeks observed; `prediction_length` weeks to come follow, with prices and promotions.
        seed: seed of the numbers.
        prediction_length: the horizon H, in weeks.
        style_size: articles in a style; the last style may have fewer.
        launches: share of the articles that begin late, 0 to 0.5.
        delistings: share of the articles that end early, 0 to 0.5.
        stockouts: share of stocked-out weeks of an article in a store, at least 0 and below 0.5.
        taken: the share of its demand that an article loses to one of its style that looks just like it, while that one
            is on sale; at least 0 and below 0.5.

    Returns:
        The shop.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> shop = simulated_shop(articles=4, weeks=60)
        >>> list(shop.table.columns)
        ['Woche', 'Filiale', 'Artikel', 'Absatz', 'Retouren', 'Preis', 'Aktion', 'Bestand', 'Feiertag']
        >>> shop.truth.demand.shape, shop.truth.stores
        ((68, 4, 3), ('Online', 'Köln', 'Hamburg'))
    """
    if weeks < 16:
        raise ValueError(f"weeks: expected at least 16, got {weeks}")
    shares = {"launches": launches, "delistings": delistings, "stockouts": stockouts, "taken": taken}
    for name, part in shares.items():
        if not 0 <= part <= 0.5 or (name in ("stockouts", "taken") and part == 0.5):
            raise ValueError(f"{name}: expected a share from 0 to 0.5, got {part}")

    rng, steps = np.random.default_rng(seed), weeks + prediction_length
    style = np.arange(articles) // style_size
    names, styles = style_names(style)
    colour, shape = rng.choice(list(COLOURS), articles), rng.choice(SHAPES, articles)
    looks = np.array([_BY_COLOUR[c] * _BY_SHAPE[s] for c, s in zip(colour, shape, strict=True)])
    list_price = np.round(rng.uniform(15, 90, articles)) - 0.01
    prices, promo = markdowns(rng, list_price, steps)
    first_promotion = _first_promotions(rng, list_price, prices, promo, steps - 2 * prediction_length)
    launch, end = _lives(rng, articles, weeks, prediction_length, launches, delistings)
    week = np.arange(steps)[:, None]
    away = (week < launch) | (week >= end)
    # One that nobody can buy takes nothing from the others, whatever it is to cost.
    prices, promo = np.where(away, list_price, prices), np.where(away, 0.0, promo)
    sales = SalesTruth(
        articles=names,
        styles=styles,
        elasticity=elasticities(rng, style),
        level=60 * looks * rng.lognormal(0, 0.25, articles),
        growth=rng.uniform(-0.1, 0.1, articles),
        season=seasons(rng, style),
        promotion=rng.uniform(0.15, 0.45, articles),
        holiday=rng.uniform(0.1, 0.5, articles),
        holidays=holiday_weeks(rng, steps),
        list_price=list_price,
        dispersion=rng.uniform(0.01, 0.04, articles),
        shocks=shared_shocks(rng, style, steps),
        demand=np.empty((steps, articles)),
    )
    store_names = tuple(_STORES[s] if s < len(_STORES) else f"Filiale {s + 1}" for s in range(stores))
    size = np.array([_SIZES[s] if s < len(_SIZES) else 0.1 for s in range(stores)])
    share = rng.dirichlet(40 * size / size.sum(), articles)
    is_open = np.ones((steps, stores), dtype=bool)
    is_open[: weeks // 4, stores - 1] = stores == 1
    expected = (sales.expected_units(prices, promo, np.arange(steps)) * np.exp(sales.shocks))[:, :, None] * share
    looks = looks_of(np.random.default_rng([seed, 2]), style)
    lost = taken_by_presence(looks, style, taken)
    expected *= np.exp(~away @ lost.T)[:, :, None]
    alpha = sales.dispersion[:, None]
    demand = rng.poisson(rng.gamma(1 / alpha, alpha * expected)).astype(float)
    in_stock = _shelves(rng, stockouts, steps, articles, stores)
    sold = np.where(in_stock, demand, np.floor(demand * rng.uniform(0, 0.7, demand.shape)))
    returned = rng.uniform(0.05, 0.2, articles)
    truth = ShopTruth(
        sales, store_names, share, is_open, launch, end, first_promotion, demand, in_stock, returned, looks, lost
    )
    there = truth.on_sale[:, :, None] & is_open[:, None, :]
    demand = np.where(there, demand, np.nan)
    back = np.zeros_like(sold)
    back[1:] = rng.binomial(np.where(there, sold, 0)[:-1].astype(int), returned[:, None])
    truth = replace(truth, demand=demand, sales=replace(sales, demand=np.nansum(demand, axis=-1)))
    cells = {"Absatz": sold, "Retouren": back, "Bestand": in_stock}
    return SimulatedShop(
        table=_rows(truth, there, {key: _until(values, weeks) for key, values in cells.items()}, prices, promo),
        articles=pd.DataFrame({"Artikel": names, "Warengruppe": styles, "Farbe": colour, "Form": shape}),
        truth=truth,
        prediction_length=prediction_length,
        seed=seed,
    )


def _first_promotions(
    rng: np.random.Generator, list_price: np.ndarray, prices: np.ndarray, promo: np.ndarray, begins: int
) -> np.ndarray:
    """Take early promotions and markdowns from a tenth of the articles, in place; the first one of each article."""
    steps, articles = prices.shape
    begins = max(begins, 0)
    chosen = rng.choice(articles, articles // 10, replace=False)
    starts = rng.integers(begins, steps, len(chosen))
    for article, start in zip(chosen, starts, strict=True):
        prices[:start, article] = list_price[article]
        promo[:start, article] = 0
        promo[start, article] = 1
    changed = (promo > 0) | (prices < 0.9 * list_price)
    return np.where(changed.any(axis=0), changed.argmax(axis=0), steps)


def _lives(
    rng: np.random.Generator, articles: int, weeks: int, horizon: int, launches: float, delistings: float
) -> tuple[np.ndarray, np.ndarray]:
    """The first week of each article, and the one from which it is no longer sold ``[D]``."""
    late, ending = round(launches * articles), round(delistings * articles)
    order = rng.permutation(articles)
    launch, end = np.zeros(articles, dtype=int), np.full(articles, weeks + horizon)
    launch[order[:late]] = np.linspace(weeks / 8, weeks + horizon / 2, late).astype(int)
    end[order[late : late + ending]] = np.linspace(weeks / 2, weeks, ending + 1)[:-1].astype(int)
    return launch, end


def _shelves(rng: np.random.Generator, share: float, steps: int, articles: int, stores: int) -> np.ndarray:
    """Whether a shelf is full, bool ``[T, D, S]``: short spells, and some that last four weeks more."""
    # A spell lasts 1.5 weeks, and six where it goes on: 2.06 on average, of which 0.75 as many are needed.
    full = stocked(rng, 0.75 * share, steps, articles * stores)
    begins = ~full & np.vstack([np.ones((1, full.shape[1]), dtype=bool), full[:-1]])
    for step, shelf in np.argwhere(begins & (rng.random(full.shape) < 0.125)):
        full[step : step + 6, shelf] = False
    return full.reshape(steps, articles, stores)


def _until(values: np.ndarray, weeks: int) -> np.ndarray:
    """The values with those of the weeks to come unknown."""
    return np.where(np.arange(len(values))[:, None, None] < weeks, values, np.nan)


def _rows(
    truth: ShopTruth, there: np.ndarray, cells: dict[str, np.ndarray], prices: np.ndarray, promo: np.ndarray
) -> pd.DataFrame:
    """The table, article by article, store by store."""
    article, store, week = (axis.ravel() for axis in np.nonzero(there.transpose(1, 2, 0)))
    columns = {name: pd.Series(values[week, article, store]).astype("Int64") for name, values in cells.items()}
    return pd.DataFrame(
        {
            "Woche": pd.date_range("2023-01-02", periods=len(there), freq="W-MON")[week],
            "Filiale": np.array(truth.stores, dtype=object)[store],
            "Artikel": np.array(truth.sales.articles, dtype=object)[article],
            "Absatz": columns["Absatz"],
            "Retouren": columns["Retouren"],
            "Preis": prices[week, article],
            "Aktion": promo[week, article].astype(int),
            "Bestand": columns["Bestand"],
            "Feiertag": truth.sales.holidays[week].astype(int),
        }
    )
