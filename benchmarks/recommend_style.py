"""Style over time on simulated purchases of real articles, with tastes that drift and with tastes that stay.

HEMLINE_DATA=... python -m benchmarks.recommend_style --vectors FOLDER --seeds 3

Two weeks after the training are forecast. Under drift the correlation of a taste with itself falls to 1/e in twelve
weeks. ``style-static`` is the same network with the mean of all baskets in the place of the LSTM: what it lacks is
order and time. Rows that learn nothing of tastes: popularity; and the oracle that made the purchases. A seed's rows are
kept in ``--out`` and not run again.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from hemline.datasets.simulated.customers import Behaviour
from hemline.evaluation.scores.ranking import bootstrap_mean
from hemline.recommendation import build_recommender
from hemline.recommendation.judging.judge import Judged

from .recommend_world import World, mean, options, shown

TEST = 2
DRIFTS = {"drift": 12.0, "no drift": None}
ALS = {"factors": 48, "alpha": 20.0, "regularization": 1.0}
ROWS: dict[str, dict[str, object]] = {
    "popularity": {},
    "popularity-recent": {},
    "als": ALS,
    "style-static": {},
    "style": {},
}
SCORES = ("recall", "ndcg", "mrr", "auc")


def numbers(judged: Judged) -> dict[str, object]:
    """Means over customers, and the recall of each for comparisons."""
    told: dict[str, object] = {name: mean(judged.by_customer["sold", name]) for name in SCORES}
    return {**told, "customers": list(judged.customers), "recalls": judged.by_customer["sold", "recall"].tolist()}


def run(given: argparse.Namespace, seed: int, drift: str) -> dict[str, dict[str, object]]:
    """The rows of a seed, kept one by one."""
    place = given.out / f"recommend_style-{given.customers}-{drift.replace(' ', '-')}-{seed}.json"
    found: dict[str, dict[str, object]] = json.loads(place.read_text()) if place.exists() else {}
    left = [name for name in ("oracle", *ROWS) if name not in found]
    if not left:
        return found
    world = World.of(given, seed, Behaviour(baskets=36, drift=DRIFTS[drift]), TEST)
    given.out.mkdir(parents=True, exist_ok=True)
    for name in left:
        how = ROWS.get(name, {}) | ({} if name in ("oracle", "popularity", "popularity-recent") else {"seed": seed})
        model = build_recommender("popularity" if name == "oracle" else name, how)
        fitted = model.fit(
            world.past,
            world.features,
            until=world.begins,
            on_sale=world.made.on_sale,
            checkpoints=str(given.out / "states"),
        )
        found[name] = numbers(world.oracle(fitted) if name == "oracle" else world.judge(fitted))
        place.write_text(json.dumps(found))
        print(drift, seed, name, {score: round(float(found[name][score]), 4) for score in SCORES}, flush=True)  # type: ignore[arg-type]
    return found


def main() -> None:
    given = options(__doc__.splitlines()[0], customers=500, weeks=66).parse_args()
    seeds = range(given.first, given.first + given.seeds)
    for drift in DRIFTS:
        found = [run(given, seed, drift) for seed in seeds]
        print(f"\n{drift}\n\n| row | recall@10 | NDCG@10 | MRR | AUC |\n|---|---:|---:|---:|---:|")
        for name in ("oracle", *ROWS):
            cells = [shown([float(each[name][score]) for each in found]) for score in SCORES]  # type: ignore[arg-type]
            print(f"| {name} | " + " | ".join(cells) + " |")
        for other in ("style-static", "als", "popularity-recent"):
            gains = [
                np.array(each["style"]["recalls"], dtype=float) - np.array(each[other]["recalls"], dtype=float)
                for each in found
            ]
            told = bootstrap_mean(np.concatenate(gains))
            by_seed = ", ".join(f"{np.nanmean(gain):+.4f}" for gain in gains)
            print(f"style − {other}: {told[0]:+.4f} [{told[1]:+.4f}, {told[2]:+.4f}] over customers; by seed {by_seed}")


if __name__ == "__main__":
    main()
