"""What a joint model says a markdown does, beside what the simulator planted: every pair of an assortment, some seeds.

Run: python -m benchmarks.price_effects [--model cross-fit] [--articles 20] [--seeds 3]
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
import pandas as pd
from hemline.datasets import ForecastData, simulated_sales
from hemline.forecasting import MODELS, Scenario, build_model, simulate

CHANGE = -0.2
LEVEL = 0.9


def effects(model: str, data: ForecastData, seed: int, paths: int = 400) -> pd.DataFrame:
    """A row a pair: the planted relative change of an article's units, and that of the model with its interval.

    Arguments:
        model: a name of `MODELS`.
        data: with its truth.
        seed: of the model and of the paths.
        paths: for each scenario.
    """
    truth = data.truth
    if truth is None:
        raise ValueError("data: expected simulated sales, whose truth is known")
    predictor = build_model(model, data.metadata).for_run(seed).train(data.train)
    history = data.history(0)
    cuts = [Scenario(of, f"price[{of}] = {CHANGE:.0%}") for of in truth.articles]
    outcomes = simulate(predictor, history, cuts, paths=paths, seed=seed)
    rows = []
    for of, style in zip(truth.articles, truth.styles, strict=True):
        for article, other in zip(truth.articles, truth.styles, strict=True):
            drawn = outcomes[of].effect(article)
            low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
            pair = "own price" if article == of else "substitute" if style == other else "unrelated"
            rows.append((pair, truth.price_effect(article, of=of, change=CHANGE), drawn.mean(), low, high))
    return pd.DataFrame(rows, columns=["pair", "planted", "effect", "low", "high"])


def table(found: pd.DataFrame) -> pd.DataFrame:
    """For each kind of pair: pairs, root mean square error, share of right signs, coverage of the intervals."""
    right = np.sign(found["effect"]) == np.sign(found["planted"])
    marked = found.assign(
        squared=(found["effect"] - found["planted"]) ** 2,
        sign=right.where(found["planted"].abs() > 1e-9),
        covered=found["planted"].between(found["low"], found["high"]),
    )
    grouped = marked.groupby("pair")
    return pd.DataFrame(
        {
            "pairs": grouped.size(),
            "rms error": grouped["squared"].mean() ** 0.5,
            "right sign": grouped["sign"].mean(),
            f"in {LEVEL:.0%} interval": grouped["covered"].mean(),
        }
    )


def main() -> None:
    """Train a model a seed on an assortment of its own, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=sorted(MODELS), default="cross-fit")
    parser.add_argument("--articles", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    found = [
        effects(options.model, simulated_sales(articles=options.articles, seed=seed), seed)
        for seed in range(options.seeds)
    ]
    print(table(pd.concat(found, ignore_index=True)).round(3).to_string())


if __name__ == "__main__":
    main()
