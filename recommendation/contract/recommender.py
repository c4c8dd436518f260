"""The contract of a recommender: ``fit``, then ``score``, ``recommend`` and ``similar_items``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...datasets.purchases.on_sale import OnSale
from ...datasets.purchases.purchases import Purchases, codes_of
from ...runtime.arguments.kinds import Checked, Count, checked
from ...runtime.digest import sha256_of
from ...runtime.display.showing import Shown
from ...runtime.plain import to_plain
from ...runtime.run_folder import RunFolder
from .features import ArticleFeatures
from .leakage import When, as_time, require_before

WEIGHTS = "model.safetensors"
"""The file of what a model learnt."""

AT_ONCE = 1024
"""Customers whose scores are computed at a time."""


@dataclass(frozen=True)
class Recommender(Checked):
    """A model that learns from purchases what customers will buy; a frozen dataclass of settings.

    How to implement one: a frozen dataclass below this class, whose `learn` returns a `FittedRecommender`; that one
    supplies `scores`, `neighbours` and `write`, which `read` is the other side of. The settings get a line in
    `hemline.recommendation.names`. Checks, filters, batches, order and the rest of the storage are the base classes'.

    Attributes:
        reads_articles: whether it needs features of the articles, and can therefore score new ones.
    """

    reads_articles = False

    def fit(
        self,
        purchases: Purchases,
        articles: ArticleFeatures | None = None,
        *,
        until: When = None,
        on_sale: OnSale | None = None,
        checkpoints: str | None = None,
    ) -> FittedRecommender:
        """Learn from purchases.

        Arguments:
            purchases: who bought what; what came back is left out.
            articles: features of the articles, those of new ones among them; every article that was bought has to be
                there. ``None`` for a model that reads none.
            until: the forecast origin. A later purchase is an error, since it would be one to forecast.
            on_sale: when each article is in the shop; ``None`` for what the purchases say of it.
            checkpoints: folder or address for the state of a training, which goes on there if it was killed.

        Returns:
            The fitted model. Its articles are those of `articles`, or else of the purchases.

        Raises:
            ValueError: there is no purchase, a purchase is later than `until`, a customer has none, an article is not
                among `articles`, or the model reads articles and none are given.
        """
        if not len(purchases):
            raise ValueError("purchases: expected at least one purchase, got none")
        require_before(purchases, until)
        kept = purchases.kept()
        if self.reads_articles and articles is None:
            raise ValueError(f"articles: expected features of the articles for {type(self).__name__}, got none")
        if articles is not None:
            bought = np.unique(kept.article)
            known = set(articles.item_ids)
            for number in bought.tolist():
                if kept.item_ids[number] not in known:
                    raise ValueError(
                        f"purchases: expected articles of the catalogue, got {kept.item_ids[number]!r}, "
                        f"bought on {str(kept.time[kept.article == number][0])[:10]}"
                    )
            kept = kept.of_items(articles.item_ids)
        idle = np.bincount(kept.customer, minlength=len(kept.customers)) == 0
        if idle.any():
            raise ValueError(
                f"purchases: expected a purchase of each customer that was kept, got none of "
                f"{kept.customers[int(idle.argmax())]!r} ({int(idle.sum())} such customers)"
            )
        shop = OnSale.seen_in(kept) if on_sale is None else on_sale.of_items(kept.item_ids)
        return self.learn(kept, articles, shop, checkpoints)

    @abstractmethod
    def learn(
        self, purchases: Purchases, articles: ArticleFeatures | None, on_sale: OnSale, checkpoints: str | None
    ) -> FittedRecommender:
        """The fitted model; the arguments are checked, and name the same articles in one order."""

    @abstractmethod
    def read(self, folder: RunFolder, purchases: Purchases, articles: ArticleFeatures | None) -> FittedRecommender:
        """The fitted model of these settings whose `FittedRecommender.write` wrote to the folder."""


class FittedRecommender(Shown):
    """A recommender that has learnt: it scores, recommends and compares articles of `item_ids`.

    Attributes:
        config: the settings.
        purchases: those that it learnt from; they say what a customer has bought already.
        articles: features of the articles; ``None`` where it reads none.
        scores_new_articles: whether an article that nobody bought has a score.
        gives_probabilities: whether its scores are probabilities of a purchase.
    """

    config: Recommender
    purchases: Purchases
    articles: ArticleFeatures | None
    scores_new_articles = False
    gives_probabilities = False

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The articles that can be asked for."""
        return self.purchases.item_ids

    @property
    def customers(self) -> tuple[str, ...]:
        """The customers that it learnt from."""
        return self.purchases.customers

    @property
    def encoder(self) -> str:
        """What the vectors of its articles are called: the model, and a digest of all that it learnt from."""
        read = () if self.articles is None else (self.articles.tags, self.articles.vectors, self.articles.shown)
        learnt = sha256_of(
            repr(to_plain(self.config)),
            repr(self.item_ids),
            self.purchases.customer,
            self.purchases.article,
            self.purchases.time.astype(np.int64),
            *read,
        )
        return f"{type(self.config).__name__}@{learnt[:12]}"

    def _shown(self) -> dict[str, object]:
        """Customers and articles."""
        return {"customers": len(self.customers), "articles": len(self.item_ids)}

    @abstractmethod
    def scores(self, history: Purchases, learnt: np.ndarray, at: np.datetime64) -> np.ndarray:
        """Scores of all articles.

        Arguments:
            history: what these customers have bought until now.
            learnt: int64, the place of each of them among `customers` if the model learnt from just this history,
                else -1.
            at: the time that is asked for.

        Returns:
            float32 ``[customers, n]``, NaN for what cannot be scored.
        """

    @abstractmethod
    def neighbours(self) -> np.ndarray:
        """Vectors of all articles, ``[n, d]``, whose angles say how alike two are; NaN where nothing is known."""

    @abstractmethod
    def write(self, folder: RunFolder) -> None:
        """Write what was learnt."""

    @checked
    def score(
        self, customers: Sequence[str] | None = None, *, at: When = None, history: Purchases | None = None
    ) -> np.ndarray:
        """Scores of all articles for some customers; more is better.

        Arguments:
            customers: their names; ``None`` for all. A new one has to be in `history`.
            at: the time that is asked for; ``None`` for the end of the data.
            history: what these customers have bought until then, in the place of what they had bought in the training
                data; ``None`` for just that.

        Returns:
            float32 ``[customers, n]``, in the order of `item_ids`; NaN for an article that the model cannot score.

        Raises:
            ValueError: a customer is not known, has bought nothing, or has a purchase after `at`.
        """
        when, past, learnt = self._asked(customers, at, history)
        parts = [np.empty((0, len(self.item_ids)), dtype=np.float32)]
        for begin in range(0, len(learnt), AT_ONCE):
            some = past.of_customers(past.customers[begin : begin + AT_ONCE])
            parts.append(self.scores(some, learnt[begin : begin + AT_ONCE], when))
        return np.concatenate(parts)

    @checked
    def recommend(
        self,
        customers: Sequence[str],
        n: Count = 10,
        *,
        at: When = None,
        in_stock: Sequence[str] | None = None,
        bought: bool = False,
        history: Purchases | None = None,
    ) -> pd.DataFrame:
        """The articles with the best scores for each customer.

        Arguments:
            customers: their names.
            n: how many articles each.
            at: the time that is asked for; ``None`` for the end of the data.
            in_stock: the articles that may be recommended; ``None`` for all.
            bought: whether to recommend what a customer has bought already.
            history: as in `score`.

        Returns:
            A row each: ``customer``, ``rank`` from 1, ``article``, ``score``; fewer than n where no more are left.

        Raises:
            ValueError: as `score`, or an article of `in_stock` is not known.
        """
        allowed = np.ones(len(self.item_ids), dtype=bool)
        if in_stock is not None:
            allowed[:] = False
            allowed[codes_of("in_stock", in_stock, self.item_ids)] = True
        _, past, _ = self._asked(customers, at, history)
        scores = np.where(allowed, self.score(customers, at=at, history=history), np.nan)
        if not bought:
            scores[past.matrix().nonzero()] = np.nan
        order = np.argsort(np.where(np.isnan(scores), np.inf, -scores), axis=1, kind="stable")[:, :n]
        rows = []
        for number, name in enumerate(customers):
            best = [place for place in order[number].tolist() if not np.isnan(scores[number, place])]
            rows += [(name, rank, self.item_ids[p], float(scores[number, p])) for rank, p in enumerate(best, start=1)]
        return pd.DataFrame(rows, columns=["customer", "rank", "article", "score"])

    @checked
    def similar_items(self, items: Sequence[str], n: Count = 10) -> pd.DataFrame:
        """The articles that are most alike some others, by the cosine of the angle between their vectors.

        Arguments:
            items: the names of articles.
            n: how many for each, without itself.

        Returns:
            A row each: ``item``, ``rank`` from 1, ``article``, ``score``.

        Raises:
            ValueError: an article is not known, or nothing is known of it.
        """
        codes = codes_of("items", items, self.item_ids)
        vectors = self.neighbours()
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = vectors / np.where(length > 0, length, np.nan)
        rows = []
        for name, code in zip(items, codes.tolist(), strict=True):
            if np.isnan(unit[code]).any():
                raise ValueError(f"items: expected articles that the model knows something of, got {name!r}")
            alike = unit @ unit[code]
            alike[code] = np.nan
            order = np.argsort(np.where(np.isnan(alike), np.inf, -alike), kind="stable")[:n]
            best = [place for place in order.tolist() if not np.isnan(alike[place])]
            rows += [(name, rank, self.item_ids[p], float(alike[p])) for rank, p in enumerate(best, start=1)]
        return pd.DataFrame(rows, columns=["item", "rank", "article", "score"])

    def _asked(
        self, customers: Sequence[str] | None, at: When, history: Purchases | None
    ) -> tuple[np.datetime64, Purchases, np.ndarray]:
        """The time, what the customers have bought until then, and their places where that is what was learnt."""
        if customers is None:
            customers = self.customers if history is None else history.customers
        latest = self.purchases.time[-1] + np.timedelta64(1, "s")
        if history is None:
            learnt = codes_of("customers", customers, self.customers)
            past = self.purchases.of_customers(customers)
        else:
            codes_of("customers", customers, history.customers)
            learnt = np.full(len(customers), -1, dtype=np.int64)
            past = history.kept().of_customers(customers)
            unknown = set(np.unique(past.article).tolist())
            known = set(self.item_ids)
            for number in unknown:
                if past.item_ids[number] not in known:
                    raise ValueError(f"history: expected articles that the model knows, got {past.item_ids[number]!r}")
            past = past.of_items(self.item_ids)
            idle = np.bincount(past.customer, minlength=len(past.customers)) == 0
            if idle.any():
                name = past.customers[int(idle.argmax())]
                raise ValueError(f"history: expected a purchase of each customer, got none of {name!r}")
            if len(past):
                latest = max(latest, past.time[-1] + np.timedelta64(1, "s"))
        when = latest if at is None else as_time("at", at)
        require_before(past, when, "at")
        return when, past, learnt
