"""Scores of a recommender on what was bought after its training, and tables of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ...datasets.purchases.purchases import Purchases
from ...evaluation.scores.probabilities import calibration_line, reliability
from ...evaluation.scores.ranking import auc, bootstrap_mean, catalogue_coverage, ndcg_at, recall_at, reciprocal_rank
from ...evaluation.tables.score_table import Cell, ScoreTable
from ..contract.leakage import When, as_time
from ..contract.recommender import FittedRecommender

SOLD, NEW = "sold", "new"
"""Articles that were bought before the time that is asked about, and those that were not."""

_LABELS = {
    "recall": "recall@{k}",
    "ndcg": "NDCG@{k}",
    "mrr": "MRR",
    "auc": "AUC",
    "auc_by_article": "AUC by article",
    "coverage": "coverage",
    "slope": "calibration slope",
}


@dataclass(frozen=True, eq=False)
class Judged:
    """Scores of a recommender on what was bought later, for sold and for new articles.

    Arguments:
        customers: the C customers that were asked for.
        k: places that are looked at.
        by_customer: (articles, score) -> ``[C]``; NaN where a customer bought none of them.
        by_article: articles -> the AUC of each, over customers; NaN where it is not defined.
        numbers: (articles, what) -> coverage of the catalogue, and slope and intercept of probabilities.
        curves: articles -> the reliability curve of probabilities.
    """

    customers: tuple[str, ...]
    k: int
    by_customer: Mapping[tuple[str, str], np.ndarray]
    by_article: Mapping[str, np.ndarray]
    numbers: Mapping[tuple[str, str], float]
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)


def judge(
    fitted: FittedRecommender,
    later: Purchases,
    *,
    at: When = None,
    on_sale: np.ndarray | None = None,
    k: int = 10,
    scores: np.ndarray | None = None,
) -> Judged:
    """Judge a recommender by what its customers bought later and had not bought before.

    Arguments:
        fitted: the recommender.
        later: purchases after its training; those of other customers and articles are left out.
        at: the time that is asked about; ``None`` for the end of the training data.
        on_sale: bool ``[n]``, the articles that are ranked; ``None`` for all.
        k: places that are looked at.
        scores: ``[C, n]`` to be judged in the place of its own, of the customers in its order who bought something
            later: of an oracle, say.

    Returns:
        The scores.

    Raises:
        ValueError: a purchase was before the end of training, or no customer of the model bought anything later.
    """
    kept, end = later.kept(), fitted.purchases.time[-1]
    if len(kept) and kept.time[0] <= end:
        raise ValueError(
            f"purchases: expected purchases after {end}, the last of training, got one of "
            f"{kept.item_ids[kept.article[0]]!r} on {kept.time[0]}, which would be leakage"
        )
    names = asked_customers(fitted, kept)
    if not names:
        raise ValueError(f"purchases: expected purchases by customers of the recommender after {end}, got none")
    right = kept.of_items(fitted.item_ids).of_customers(names).matrix().toarray() > 0
    past = fitted.purchases.of_customers(names).matrix().toarray() > 0
    found = fitted.score(names, at=None if at is None else as_time("at", at)) if scores is None else scores
    shop = np.ones(len(fitted.item_ids), dtype=bool) if on_sale is None else on_sale
    sold = np.bincount(fitted.purchases.article, minlength=len(shop)) > 0
    by_customer, by_article, numbers, curves = {}, {}, {}, {}
    for group, able in ((SOLD, shop & sold), (NEW, shop & ~sold)):
        told, answers, among = found[:, able], right[:, able], ~past[:, able]
        if not (answers & among).any():
            continue
        by_customer[group, "recall"] = recall_at(told, answers, k, among)
        by_customer[group, "ndcg"] = ndcg_at(told, answers, k, among)
        by_customer[group, "mrr"] = reciprocal_rank(told, answers, among)
        by_customer[group, "auc"] = auc(told, answers, among)
        by_article[group] = auc(told.T, answers.T, among.T)
        numbers[group, "coverage"] = catalogue_coverage(told, k, among)
        if fitted.gives_probabilities and scores is None:
            chance, happened = told[among].astype(float), answers[among]
            chance = np.clip(chance, 1e-9, 1 - 1e-9)
            intercept, slope = calibration_line(np.log(chance / (1 - chance)), happened)
            numbers[group, "intercept"], numbers[group, "slope"] = intercept, slope
            curves[group] = reliability(chance, happened)
        if np.isnan(told).all():
            # A model that has no score for any of them did not rank them by chance: it did not rank them.
            for name in ("recall", "ndcg", "mrr", "auc"):
                by_customer[group, name] = np.full(len(names), np.nan)
            by_article[group] = np.full(int(able.sum()), np.nan)
    return Judged(tuple(names), k, by_customer, by_article, numbers, curves)


def asked_customers(fitted: FittedRecommender, later: Purchases) -> list[str]:
    """The customers of a recommender who bought one of its articles later, in its order."""
    known = set(fitted.item_ids)
    kept = later.kept()
    able = np.array([item in known for item in kept.item_ids], dtype=bool)
    bought = {kept.customers[number] for number in np.unique(kept.customer[able[kept.article]]).tolist()}
    return [name for name in fitted.customers if name in bought]


def judged_table(judged: Mapping[str, Judged], title: str = "What was bought later", seed: int = 0) -> ScoreTable:
    """A table of several recommenders, with bootstrap intervals over customers or articles.

    Arguments:
        judged: name -> its scores; all on the same purchases.
        title: of the table.
        seed: of the bootstrap.

    Returns:
        A row a recommender: for sold articles recall, NDCG, MRR, AUC by customer and by article and the coverage, for
        new ones the AUCs and the recall, and the calibration slope of both. The best number of a column is bold.
    """
    first = next(iter(judged.values()))
    columns = [(SOLD, name) for name in ("recall", "ndcg", "mrr", "auc", "auc_by_article", "coverage", "slope")]
    columns += [(NEW, name) for name in ("recall", "auc", "auc_by_article", "slope")]
    there = [
        column for column in columns if any(not np.isnan(_cell(each, column, seed).mean) for each in judged.values())
    ]
    rows = {name: [_cell(each, column, seed) for column in there] for name, each in judged.items()}
    for number, (_, name) in enumerate(there):
        if name in ("slope", "coverage"):
            continue
        means = {model: cells[number].mean for model, cells in rows.items()}
        best = max((value for value in means.values() if not np.isnan(value)), default=np.nan)
        for model, value in means.items():
            if value == best:
                rows[model][number] = Cell(**{**vars(rows[model][number]), "best": True})
    return ScoreTable(
        title=title,
        columns=tuple(f"{group}: {_LABELS[name].format(k=first.k)}" for group, name in there),
        subjects=tuple((group, name) for group, name in there),
        rows={model: tuple(cells) for model, cells in rows.items()},
        notes=(
            f"{len(first.customers)} customers; articles that they had not bought before; 95% bootstrap intervals "
            "over customers, by article over articles. A dash: the model cannot score these articles.",
        ),
    )


def _cell(judged: Judged, column: tuple[str, str], seed: int) -> Cell:
    group, name = column
    if name in ("coverage", "slope"):
        value = judged.numbers.get(column, float("nan"))
        return Cell(value, seeds=1, share=True)
    values = judged.by_article.get(group) if name == "auc_by_article" else judged.by_customer.get(column)
    if values is None:
        return Cell(seeds=1)
    mean, low, high = bootstrap_mean(values, seed=seed)
    interval = None if np.isnan(mean) else (low, high)
    return Cell(mean, seeds=1, share=True, interval=interval)
