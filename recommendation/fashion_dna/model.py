"""Fashion DNA, learnt: probabilities of purchases, also of new articles and by new customers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from scipy.special import expit

from ...datasets.purchases.on_sale import OnSale
from ...datasets.purchases.purchases import Purchases
from ...evaluation.scores.probabilities import calibration_line
from ...runtime.digest import sha256_of
from ...runtime.plain import PlainObject, to_plain
from ...runtime.run_folder import RunFolder
from ...runtime.seeds import seeded
from ..contract.article_network import ArticleNetwork, inputs_of
from ..contract.convex_fit import NormalPrior, fit_logistic
from ..contract.features import ArticleFeatures
from ..contract.recommender import WEIGHTS, FittedRecommender
from .blocks import held_out
from .network import DNANetwork
from .settings import DNASettings

FEWEST_WEEKS = 0.5
"""An article that came to the shop later than that was on sale for so many weeks."""

FEWEST_EVENTS = 50
"""Purchases that a calibration needs."""

_DAY = 86_400
"""Seconds of a day."""

_CELLS = 2_000_000
"""Cells that probabilities are calibrated on, at most."""

_AT_ONCE = 20_000_000
"""Cells of new customers that are fitted at a time, at most."""


@dataclass(frozen=True, eq=False, repr=False)
class FittedFashionDNA(FittedRecommender):
    """Fashion DNA that has learnt.

    Arguments:
        config: the settings.
        purchases: those that it learnt from.
        articles: features of all articles.
        vectors: float32 ``[n, d]``, the vectors f.
        weights: float32 ``[C, d + 1]``, the weights of the customers with their intercepts last.
        sold: bool ``[n]``, whether an article was on sale and bought before.
        log_weeks: float32 ``[n]``, the logarithm of the weeks for which it was.
        on_sale: int64 ``[2, n]``, from when on it was in the shop, and before when, in seconds of the epoch.
        lines: float64 ``[2, 2]``, intercept and slope by which log odds are calibrated, of new and of sold articles.
        losses: the training log.
    """

    config: DNASettings
    purchases: Purchases
    articles: ArticleFeatures
    vectors: np.ndarray
    weights: np.ndarray
    sold: np.ndarray
    log_weeks: np.ndarray
    on_sale: np.ndarray
    lines: np.ndarray
    losses: tuple[PlainObject, ...] = ()
    scores_new_articles = True
    gives_probabilities = True

    def scores(self, history: Purchases, learnt: np.ndarray, at: np.datetime64) -> np.ndarray:
        """Calibrated probabilities of a purchase within `DNASettings.weeks`, float32 ``[customers, n]``."""
        weights = self.weights[learnt]
        if (new := learnt < 0).any():
            names = [name for name, is_new in zip(history.customers, new, strict=True) if is_new]
            weights[new] = self.new_customers(history.of_customers(names))
        odds = weights[:, :-1] @ self.vectors.T + weights[:, -1:]
        intercept, slope = self.lines[self.sold.astype(int)].T.astype(np.float32)
        chance: np.ndarray = expit(intercept + slope * odds + np.log(np.float32(self.config.weeks)))
        return chance

    def new_customers(self, history: Purchases) -> np.ndarray:
        """Weights of customers who were not in the training data, by a convex fit with the articles as they are.

        What a customer did not buy counts for as long as it was on sale between the first and the last purchase that
        is known: who came last month passed over nothing of last year. The prior is what trained customers come from
        (`NormalPrior.learnt`).

        Arguments:
            history: what each of them has bought, of the articles of the model.

        Returns:
            float32 ``[customers, d + 1]``.
        """
        rows = np.flatnonzero(self.sold)
        inputs = np.column_stack([self.vectors[rows], np.ones(len(rows))]).astype(float)
        prior = NormalPrior.learnt(self.weights, inputs, self.log_weeks[rows].astype(float))
        time, count = history.time.astype(np.int64), len(history.customers)
        first, last = np.full(count, time.max(initial=0)), np.zeros(count, dtype=np.int64)
        np.minimum.at(first, history.customer, time)
        np.maximum.at(last, history.customer, time)
        begin, leaves = self.on_sale[:, rows]
        bought = history.matrix()[:, rows]
        found = np.empty((count, inputs.shape[1]), dtype=np.float32)
        at_once = max(1, _AT_ONCE // max(len(rows), 1))
        for start in range(0, count, at_once):
            part = slice(start, start + at_once)
            seconds = np.minimum(leaves, last[part, None] + _DAY) - np.maximum(begin, first[part, None] - _DAY)
            weeks = np.maximum(seconds / (7 * _DAY), 0.0)
            # What was bought was there, whatever the data say of when it came.
            weeks = np.where((weeks > 0) | (bought[part].toarray() > 0), np.maximum(weeks, FEWEST_WEEKS), 0.0)
            with np.errstate(divide="ignore"):
                found[part] = fit_logistic(inputs, bought[part], np.log(weeks), prior)
        return found

    def neighbours(self) -> np.ndarray:
        """The vectors f, from their mean."""
        return self.vectors - self.vectors.mean(0)

    def write(self, folder: RunFolder) -> None:
        """Write vectors, weights and calibration."""
        tensors = {
            "vectors": self.vectors,
            "weights": self.weights,
            "sold": self.sold,
            "log_weeks": self.log_weeks,
            "on_sale": self.on_sale,
            "lines": self.lines,
        }
        folder.write_tensors(WEIGHTS, {name: torch.from_numpy(each) for name, each in tensors.items()})


def learn_dna(
    config: DNASettings, purchases: Purchases, articles: ArticleFeatures, on_sale: OnSale, checkpoints: str | None
) -> FittedFashionDNA:
    """Train on the purchase matrix, calibrate, and give watched articles a part of their own too.

    Arguments:
        config: the settings.
        purchases: none of them returned.
        articles: features of all articles.
        on_sale: when each was in the shop.
        checkpoints: where the state of the training is kept; ``None`` for nowhere.
    """
    from .training import fit

    bought = purchases.matrix().T.tocsr()
    bought.sort_indices()
    weeks = on_sale.weeks(purchases.time[0], purchases.time[-1] + np.timedelta64(1, "s"))
    sold = np.diff(bought.indptr) > 0
    weeks = np.where(sold, np.maximum(weeks, FEWEST_WEEKS), weeks)
    # What was on sale for some time and nobody bought says something too.
    offered = np.flatnonzero(sold | (weeks >= FEWEST_WEEKS))
    if bought.nnz == len(offered) * bought.shape[1]:
        # Nothing would be known of what customers leave, and every probability would go to 1.
        raise ValueError(
            f"purchases: expected customers who left some articles, got {bought.shape[1]} "
            f"with a purchase of each of {len(offered)}"
        )
    log_weeks = np.log(np.maximum(weeks, FEWEST_WEEKS)).astype(np.float32)
    rng = np.random.default_rng(config.seed)
    watched = np.sort(rng.permutation(offered)[: max(int(config.watch * len(offered)), 1)])
    train = np.setdiff1d(offered, watched)
    if not len(train):
        raise ValueError(f"purchases: expected at least two articles that were on sale, got {len(offered)}")
    inputs = inputs_of(articles)
    rate = bought.nnz / float(weeks[offered].sum() * bought.shape[1])
    with seeded(config.seed):
        content = ArticleNetwork(
            len(articles.tag_names),
            articles.vectors.shape[1],
            size=config.size,
            out=config.width,
            dropout=config.dropout,
        )
        content.standardise(inputs[1][torch.from_numpy(train)])
        network = DNANetwork(
            content,
            width=config.width,
            own=len(articles) if config.own else 0,
            customers=len(purchases.customers),
            rate=rate,
        )
        network.reset_apart(config.taste_spread / math.sqrt(config.width))
        log = fit(
            network,
            config,
            inputs,
            bought,
            torch.from_numpy(log_weeks),
            train=train,
            watched=watched,
            folder=None if checkpoints is None else RunFolder(checkpoints),
            identity=sha256_of(repr(to_plain(config)), bought.indices, bought.indptr, articles.numbers(), log_weeks),
        )
    with torch.no_grad():
        vectors = network.article_vectors(*inputs).numpy()
        weights = network.customer_weights().numpy()
    new_line = _line(vectors, weights, bought, log_weeks, watched, None) or (0.0, 1.0)
    if config.own:
        own = network.own.detach().numpy()
        own[watched] = _own_parts(vectors, weights, bought, log_weeks, watched, config.own_spread)
        vectors = vectors + own
    sold_line = _line_of_sold(config, purchases, on_sale, vectors, weights, bought, log_weeks, train)
    return FittedFashionDNA(
        config,
        purchases,
        articles,
        vectors,
        weights,
        sold,
        log_weeks,
        np.stack([on_sale.begin, on_sale.leaves]).astype(np.int64),
        np.array([new_line, sold_line]),
        tuple(log),
    )


def _own_parts(
    vectors: np.ndarray,
    weights: np.ndarray,
    bought: sparse.csr_matrix,
    log_weeks: np.ndarray,
    rows: np.ndarray,
    spread: float,
) -> np.ndarray:
    """Parts of their own ``[rows, d]`` of articles, by a convex fit with the customers as they are."""
    found = np.zeros((len(rows), vectors.shape[1]), dtype=np.float32)
    prior = NormalPrior(np.zeros(vectors.shape[1]), spread * np.eye(vectors.shape[1]))
    for place, row in enumerate(rows.tolist()):
        if bought.indptr[row] == bought.indptr[row + 1]:
            continue
        offset = weights[:, :-1] @ vectors[row] + weights[:, -1] + log_weeks[row]
        found[place] = fit_logistic(weights[:, :-1], bought[row], offset, prior, tolerance=1e-2)[0]
    return found


def _line_of_sold(
    config: DNASettings,
    purchases: Purchases,
    on_sale: OnSale,
    vectors: np.ndarray,
    weights: np.ndarray,
    bought: sparse.csr_matrix,
    log_weeks: np.ndarray,
    rows: np.ndarray,
) -> tuple[float, float]:
    """The calibration of sold articles, on cells that were kept out of the training.

    What is asked is who buys an article within some weeks who has not yet: those who like it best have it already. So
    the last weeks of the data are looked at, and the cells without a purchase before them; where that leaves too few
    purchases, all of the time.
    """
    end = purchases.time[-1] + np.timedelta64(1, "s")
    begin = end - np.timedelta64(round(config.weeks * 7 * 86400), "s")
    earlier, late = purchases.between(None, begin), purchases.between(begin)
    exposed = on_sale.weeks(begin, end)
    able = rows[(exposed[rows] >= FEWEST_WEEKS) & np.isin(rows, earlier.article)]
    log_exposed = np.log(np.maximum(exposed, FEWEST_WEEKS))
    before = earlier.matrix().T.tocsr()
    line = _line(vectors, weights, late.matrix().T.tocsr(), log_exposed, able, held_out, before)
    return line or _line(vectors, weights, bought, log_weeks, rows, held_out) or (0.0, 1.0)


def _line(
    vectors: np.ndarray,
    weights: np.ndarray,
    bought: sparse.csr_matrix,
    log_weeks: np.ndarray,
    rows: np.ndarray,
    chosen: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None,
    before: sparse.csr_matrix | None = None,
) -> tuple[float, float] | None:
    """Intercept and slope of log odds of cells that are `chosen`, or all, and not `before`; ``None`` of too few."""
    customers = np.arange(bought.shape[1])
    odds, happened, offset, cells = [], [], [], 0
    for row in np.random.default_rng(0).permutation(rows).tolist():
        some = customers
        if chosen is not None:
            some = customers[chosen(torch.tensor(row), torch.from_numpy(customers)).numpy()]
        if before is not None:
            some = np.setdiff1d(some, before.indices[before.indptr[row] : before.indptr[row + 1]])
        some_weights = weights[some]
        odds.append(some_weights[:, :-1] @ vectors[row] + some_weights[:, -1])
        happened.append(np.isin(some, bought.indices[bought.indptr[row] : bought.indptr[row + 1]]))
        offset.append(np.full(len(some), log_weeks[row]))
        cells += len(some)
        if cells > _CELLS:
            break
    told = np.concatenate(happened) if happened else np.zeros(0, dtype=bool)
    if told.sum() < FEWEST_EVENTS or told.all():
        return None
    return calibration_line(np.concatenate(odds), told, np.concatenate(offset))
