"""A chain of many articles with a price each, of which none answers to another's: what is forecast of a sale of all.

Run: python -m benchmarks.chain [--articles 300] [--weeks 48] [--seeds 2] [--prices few,common,steps]
One row a kind of prices and seed: the forecast of eight weeks over the true mean, the CRPS of the articles' sums over
what was sold, and the same of `analog` without the prices.

few: a tenth of the articles was ever marked down, and then the whole chain is; common: the chain has had such sales;
steps: prices change a few times a year, each by some per cent, and there is no sale.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from hemline.datasets import ForecastData, from_frame
from hemline.datasets.entries.channels import Channels
from hemline.forecasting import build_model

HORIZON = 8


def prices(kind: str, articles: int, weeks: int, draw: np.random.Generator) -> np.ndarray:
    """Logarithms of prices ``[D, T]`` over the list price; the last eight weeks are to be forecast."""
    logs = np.zeros((articles, weeks))
    if kind == "steps":
        for series in range(articles):
            for week in draw.integers(0, weeks, draw.poisson(weeks / 26)):
                logs[series, week:] += 0.08 * draw.normal()
        return logs
    if kind == "common":
        week = int(draw.integers(5, 9))
        while week < weeks - HORIZON:
            depth = draw.uniform(0.1, 0.4, articles) * (draw.random(articles) < 0.7)
            logs[:, week : week + 2] = np.log(1 - depth)[:, None]
            week += int(draw.integers(7, 11))
    else:
        for series in range(articles // 10):
            week = int(draw.integers(0, 10))
            while week < weeks - HORIZON:
                length = int(draw.integers(1, 4))
                logs[series, week : week + length] = np.log(1 - draw.uniform(0.15, 0.45))
                week += length + int(draw.integers(4, 14))
    logs[:, 2 - HORIZON : 4 - HORIZON] = np.log(1 - draw.uniform(0.2, 0.4, (articles, 1)))
    return logs


def chain(kind: str, articles: int, weeks: int, seed: int) -> tuple[ForecastData, np.ndarray]:
    """The table, and the true means ``[D]`` of the eight weeks after it."""
    draw = np.random.default_rng(seed)
    logs = prices(kind, articles, weeks + HORIZON, draw)

    def swings(spread: float, count: int) -> np.ndarray:
        found = np.zeros((count, weeks + HORIZON))
        for week in range(1, weeks + HORIZON):
            found[:, week] = 0.8 * found[:, week - 1] + spread * 0.6 * draw.normal(size=count)
        return found

    groups = np.arange(articles) // 10
    level = np.exp(draw.uniform(np.log(0.5), np.log(30), (articles, 1)))
    elasticity = draw.uniform(-3.5, -1.5, (articles, 1))
    mean = level * np.exp(elasticity * logs + swings(0.15, 1) + swings(0.1, groups.max() + 1)[groups])
    sold, dates = (
        draw.negative_binomial(10, 10 / (10 + mean)),
        pd.date_range("2023-01-02", periods=logs.shape[1], freq="W-MON"),
    )
    frame = pd.DataFrame(
        {
            "article": np.repeat([f"a{number}" for number in range(articles)], len(dates)),
            "week": np.tile(dates, articles),
            "sold": sold.ravel().astype(float),
            "price": 20 * np.exp(logs).ravel(),
        }
    )
    data = from_frame(
        frame, timestamp="week", item="article", target="sold", covariates=["price"], prediction_length=HORIZON,
        domain="count",
    )  # fmt: skip
    return data, mean[:, -HORIZON:].sum(1)


def judged(data: ForecastData, truth: np.ndarray) -> tuple[float, float]:
    """The forecast over the truth, all articles together, and the CRPS of the articles' sums over what was sold."""
    model: Any = build_model("analog", data.metadata)
    sums = next(model.train(data.train).predict([data.history(0)], num_samples=200)).samples.sum(1, dtype=float)
    came = data.test[0].target[:, -HORIZON:].sum(1)
    ordered, count = np.sort(sums, axis=0), len(sums)
    spread = (2 * np.arange(1, count + 1) - count - 1) / (count * (count - 1))
    crps = np.abs(sums - came).mean(0) - spread @ ordered
    return float(sums.mean(0).sum() / truth.sum()), float(crps.sum() / came.sum())


def without_prices(data: ForecastData) -> ForecastData:
    """The same sales alone."""
    return ForecastData(
        metadata=replace(data.metadata, covariates=()),
        train=[entry.with_(channels=Channels()) for entry in data.train],
        test=[entry.with_(channels=Channels()) for entry in data.test],
    )


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("articles", 300), ("weeks", 48), ("seeds", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--prices", default="few,common,steps")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| prices | seed | ratio | CRPS | ratio without prices | CRPS without prices |\n|---|---|---|---|---|---|")
    for kind in given.prices.split(","):
        for seed in range(given.seeds):
            data, truth = chain(kind, given.articles, given.weeks, seed)
            found = (*judged(data, truth), *judged(without_prices(data), truth))
            print(f"| {kind} | {seed} | " + " | ".join(f"{value:.3f}" for value in found) + " |", flush=True)


if __name__ == "__main__":
    main()
