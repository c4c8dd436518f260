"""Fashion DNA on simulated purchases of real articles: new and sold articles, new customers, tastes, calibration.

HEMLINE_DATA=... python -m benchmarks.recommend_dna --vectors FOLDER --seeds 3

The last of 72 weeks are forecast: eight of them, which begin with a collection of new articles. Rows that learn nothing
of tastes: popularity, features of other articles (shuffled); and the oracle that made the purchases. A seed's rows are
kept in ``--out`` and not run again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hemline.datasets.simulated.customers import Behaviour
from hemline.evaluation.scores.ranking import auc
from hemline.recommendation import build_recommender
from hemline.recommendation.contract.features import ArticleFeatures
from hemline.recommendation.contract.recommender import FittedRecommender
from hemline.recommendation.judging.judge import Judged

from .recommend_world import World, mean, options, shown

TEST = 8
FIRST_PURCHASES = 5
NEW_CUSTOMERS = 0.1
DNA = {"width": 64, "epochs": 40, "lr": 2e-2}
ALS = [{"factors": factors, "alpha": 20.0, "regularization": 1.0} for factors in (16, 48)]
COLUMNS = {
    "new: AUC": ("new", "auc"),
    "new: AUC by article": ("new", "by article"),
    "new: slope": ("new", "slope"),
    "sold: AUC": ("sold", "auc"),
    "sold: recall@10": ("sold", "recall"),
    "sold: NDCG@10": ("sold", "ndcg"),
    "sold: slope": ("sold", "slope"),
    "coverage": ("sold", "coverage"),
}


def canonical_correlations(vectors: np.ndarray, place: np.ndarray, seed: int) -> np.ndarray:
    """The first five canonical correlations of vectors with the planted taste space, on articles that chose no axis.

    The pairs of directions are fitted on one half of the articles, after the vectors were reduced to 24 principal axes,
    and correlated on the other half.
    """
    order = np.random.default_rng(seed).permutation(len(place))
    fitted, held = order[: len(order) // 2], order[len(order) // 2 :]
    _, size, axes = np.linalg.svd(vectors[fitted] - vectors[fitted].mean(0), full_matrices=False)
    kept = min(24, int((size > 1e-6 * size[0]).sum()))
    reduced = (vectors - vectors[fitted].mean(0)) @ axes[:kept].T
    roots = []
    for part in (reduced, place):
        spread = np.cov(part[fitted].T)
        values, turned = np.linalg.eigh(spread)
        roots.append(turned / np.sqrt(np.maximum(values, 1e-9)))
    centred = [part - part[fitted].mean(0) for part in (reduced, place)]
    cross = (centred[0][fitted] @ roots[0]).T @ (centred[1][fitted] @ roots[1]) / len(fitted)
    left, _, right = np.linalg.svd(cross)
    pairs = [(centred[0][held] @ roots[0] @ left[:, j], centred[1][held] @ roots[1] @ right[j]) for j in range(5)]
    return np.array([abs(np.corrcoef(one, other)[0, 1]) for one, other in pairs])


def numbers(judged: Judged) -> dict[str, float]:
    """The columns of a row."""
    told = {}
    for column, (group, name) in COLUMNS.items():
        if name == "by article":
            told[column] = mean(judged.by_article[group])
        elif name in ("slope", "coverage"):
            told[column] = judged.numbers.get((group, name), float("nan"))
        else:
            told[column] = mean(judged.by_customer[group, name])
    return told


def rows(world: World, seed: int, state: Path) -> dict[str, Callable[[], dict[str, float]]]:
    """What computes each row of a seed; trainings that were killed go on from their state in a folder."""
    names = np.array(world.past.customers)
    new = set(np.random.default_rng(seed).choice(names, round(NEW_CUSTOMERS * len(names)), replace=False).tolist())
    # Articles that only new customers bought are new to the models; they are judged as such.
    learnt = world.past.of_customers([name for name in world.past.customers if name not in new])

    def simple(name: str, **how: object) -> Judged:
        return world.judge(build_recommender(name, how).fit(learnt, world.features))

    def als() -> dict[str, float]:
        """The better of two for the test itself: no setting of ALS is above it."""
        tried = [simple("als", seed=seed, **how) for how in ALS]
        return numbers(max(tried, key=lambda each: mean(each.by_customer["sold", "auc"])))

    def dna(features: ArticleFeatures, **how: object) -> dict[str, float]:
        model = build_recommender("fashion-dna", {**DNA, **how, "seed": seed})
        fitted = model.fit(learnt, features, until=world.begins, on_sale=world.made.on_sale, checkpoints=str(state))
        told = numbers(world.judge(fitted))
        for number, one in enumerate(canonical_correlations(fitted.neighbours(), world.made.truth.place, seed), 1):
            told[f"canonical {number}"] = float(one)
        whole = features is world.features and not how
        return {**told, **(new_customers(world, fitted, sorted(new)) if whole else {})}

    return {
        "oracle": lambda: numbers(world.oracle(build_recommender("popularity").fit(learnt, world.features))),
        "popularity": lambda: numbers(simple("popularity")),
        "popularity, 4 weeks": lambda: numbers(simple("popularity-recent")),
        "item-knn": lambda: numbers(simple("item-knn")),
        "als, best of 2": als,
        "bpr": lambda: numbers(simple("bpr", seed=seed)),
        "fashion-dna": lambda: dna(world.features),
        "fashion-dna, labels alone": lambda: dna(world.features.only(vectors=False)),
        "fashion-dna, shuffled": lambda: dna(world.features.shuffled(seed)),
        "fashion-dna, no own part": lambda: dna(world.features, own=False),
    }


def new_customers(world: World, fitted: FittedRecommender, new: list[str]) -> dict[str, float]:
    """AUC of customers that were not trained, by their first purchases and by all of them, beside that of the others.

    All had at least five purchases, and are judged on the articles that are on sale and that they had not bought.
    """
    past = world.past.of_customers(new)
    count = np.zeros(len(new), dtype=int)
    first = np.zeros(len(past), dtype=bool)
    for row, who in enumerate(past.customer.tolist()):
        first[row] = count[who] < FIRST_PURCHASES
        count[who] += 1
    enough = [name for name, number in zip(new, count.tolist(), strict=True) if number >= FIRST_PURCHASES]
    many = np.bincount(fitted.purchases.customer, minlength=len(fitted.customers)) >= FIRST_PURCHASES
    able = [name for name, some in zip(fitted.customers, many.tolist(), strict=True) if some]
    told = {}
    for title, history, names in (
        ("new customers, 5 purchases", past.rows(first), enough),
        ("new customers, all purchases", past, enough),
        ("trained customers", None, able),
    ):
        own = None if history is None else history.of_customers(names)
        scores = fitted.score(names, history=own)
        # What a customer bought later than the first purchases is no answer either.
        before = world.past.of_customers(names).matrix().toarray() > 0
        right = world.later.of_customers(names).matrix().toarray() > 0
        told[title] = mean(auc(scores, right, world.on_sale & ~before))
    return told


def run(given: argparse.Namespace, seed: int) -> dict[str, dict[str, float]]:
    """The rows of a seed, kept one by one."""
    place = given.out / f"recommend_dna-{given.customers}-{seed}.json"
    found: dict[str, dict[str, float]] = json.loads(place.read_text()) if place.exists() else {}
    world = World.of(given, seed, Behaviour(drop=TEST), TEST)
    given.out.mkdir(parents=True, exist_ok=True)
    for name, row in rows(world, seed, given.out / "states").items():
        if name not in found:
            found[name] = row()
            place.write_text(json.dumps(found, indent=1))
            print(seed, name, {column: round(value, 3) for column, value in found[name].items()}, flush=True)
    return found


def main() -> None:
    given = options(__doc__.splitlines()[0], customers=1000, weeks=72).parse_args()
    seeds = {seed: run(given, seed) for seed in range(given.first, given.first + given.seeds)}
    names = list(next(iter(seeds.values())))
    columns = [*COLUMNS, *(f"canonical {number}" for number in range(1, 6))]
    print("\n| row | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))
    for name in names:
        cells = [shown([told[name].get(column, np.nan) for told in seeds.values()]) for column in columns]
        print(f"| {name} | " + " | ".join(cells) + " |")
    dna = [told["fashion-dna"] for told in seeds.values()]
    for title in ("trained customers", "new customers, all purchases", "new customers, 5 purchases"):
        print(f"{title}: AUC {shown([told[title] for told in dna])}")
    ratio = [told["new customers, 5 purchases"] / told["trained customers"] for told in dna]
    print(f"new customers with {FIRST_PURCHASES} purchases by trained ones: {shown(ratio)}")


if __name__ == "__main__":
    main()
