"""An epoch of Fashion DNA by numbers of articles and customers: processor seconds, and the largest memory.

python -m benchmarks.recommend_scale

Synthetic articles with 32 numbers each, ten purchases an article. A step looks at 1,024 articles and the cells of 200
customers that are drawn for it: 2 · 10⁸ cells of 3 · 10¹⁰ for a million articles and thirty thousand customers. Each
case runs in a process of its own; ``base`` is the memory before the training, of purchases and features.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
from hemline.datasets.purchases.on_sale import OnSale
from hemline.datasets.purchases.purchases import Purchases
from hemline.recommendation import build_recommender
from hemline.recommendation.contract.features import ArticleFeatures

from .measuring import arguments, exponent, in_own_process, peak_gib, write

CASES = {
    "100k x 3k": (100_000, 3_000),
    "100k x 10k": (100_000, 10_000),
    "100k x 30k": (100_000, 30_000),
    "300k x 30k": (300_000, 30_000),
    "1M x 30k": (1_000_000, 30_000),
}
SETTINGS = {"width": 64, "size": 128, "block": 1024, "negatives": 200, "own": False, "epochs": 1, "watch": 0.01}
EACH = 10


def measured(case: str) -> dict[str, Any]:
    """One epoch."""
    articles, customers = CASES[case]
    rng = np.random.default_rng(0)
    begins = np.datetime64("2024-01-01", "s")
    looks = rng.normal(size=(articles, 32)).astype(np.float32)
    what = np.repeat(np.arange(articles, dtype=np.int32), EACH)
    # Customers stand on a circle, and buy what looks as they do: the loss has something to learn.
    angle = np.arctan2(looks[what, 0], looks[what, 1]) / (2 * np.pi) + rng.normal(0, 0.1, len(what))
    who = ((angle % 1) * customers).astype(np.int32) % customers
    time_of = begins + rng.integers(0, 350 * 86400, len(what)) * np.timedelta64(1, "s")
    order = np.argsort(time_of)
    items = tuple(map(str, range(articles)))
    bought = Purchases(tuple(map(str, range(customers))), items, who[order], what[order], time_of[order])
    shown = np.ones(articles, dtype=bool)
    features = ArticleFeatures(items, np.zeros((articles, 0), np.float32), (), looks, shown, "synthetic")
    del what, angle, who, time_of, order
    base = peak_gib("cpu")
    began, clock = time.process_time(), time.perf_counter()
    fitted = build_recommender("fashion-dna", SETTINGS).fit(
        bought.of_buyers(), features, on_sale=OnSale(items, np.full(articles, begins))
    )
    return {
        "case": case,
        "articles": articles,
        "customers": customers,
        "cells of a step": SETTINGS["block"] * SETTINGS["negatives"],
        "cells of an epoch": articles * SETTINGS["negatives"],
        "processor s": round(time.process_time() - began, 1),
        "clock s": round(time.perf_counter() - clock, 1),
        "base GiB": round(base, 2),
        "peak GiB": round(peak_gib("cpu"), 2),
        "loss": round(float(fitted.losses[0]["loss"]), 2),  # type: ignore[attr-defined]
    }


def main() -> None:
    options = arguments(__doc__.splitlines()[0], list(CASES))
    if options.case:
        print(json.dumps(measured(options.case)))
        return
    rows = [in_own_process("benchmarks.recommend_scale", case, options) for case in options.cases.split(",")]
    write("recommend_scale", rows, options)
    for name, same in (("articles", "customers"), ("customers", "articles")):
        fixed = max(row[same] for row in rows) if name == "articles" else min(row[same] for row in rows)
        some = [row for row in rows if row[same] == fixed]
        if len(some) > 1:
            power = exponent([row[name] for row in some], [row["processor s"] for row in some])
            print(f"processor seconds ~ {name}^{power:.2f}, {same} {fixed:,}")


if __name__ == "__main__":
    main()
