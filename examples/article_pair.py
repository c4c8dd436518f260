"""Two articles of a shop under a markdown: what a joint model says, and what single models cannot say.

Run it with ``python examples/article_pair.py --out runs/article_pair``; ``--fast`` trains for seconds only.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from hemline.datasets import simulated_sales
from hemline.forecasting import DeepAREstimator, Scenario, TrainConfig, build_model, simulate
from hemline.forecasting.scenarios.cannibalisation import cannibalisation
from hemline.forecasting.scenarios.pair_page import write_pair_view

FIRST, SECOND, OTHER = "dress_1", "dress_3", "coat_1"


def main() -> None:
    """Train both models, simulate the markdown, print the effects beside the planted ones, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/article_pair"))
    parser.add_argument("--fast", action="store_true", help="train for seconds only")
    options = parser.parse_args()
    epochs, batches, paths = (1, 5, 200) if options.fast else (10, 50, 1000)

    data = simulated_sales(articles=8)
    horizon = data.metadata.prediction_length
    history = data.history(0)

    training = {"train": {"max_epochs": epochs, "batches_per_epoch": batches}}
    joint = build_model("sales-maf", data.metadata, training).train(data.train)
    config = TrainConfig(max_epochs=epochs, batches_per_epoch=batches, schedule="constant")
    single = DeepAREstimator(data.metadata.freq, horizon, train=config).train(data.train)

    cut = Scenario("markdown", [f"price[{FIRST}] = -20%"])
    print(cut.words())
    outcomes = simulate(joint, history, cut, paths=paths)
    alone = simulate(single, history, cut, paths=paths)

    print(f"{'units of':>10} {'planted':>9} {'joint model':>12} {'90 % interval':>18} {'DeepAR':>9}")
    for article in (FIRST, SECOND, OTHER):
        planted = data.truth.price_effect(article, of=FIRST, change=-0.2)
        effect = outcomes["markdown"].effect(article)
        low, high = np.quantile(effect, (0.05, 0.95))
        other = alone["markdown"].units(article).mean() / alone.baseline.units(article).mean() - 1
        print(
            f"{article:>10} {planted:>+9.1%} {effect.mean():>+12.1%} {f'{low:+.1%} … {high:+.1%}':>18} {other:>+9.1%}"
        )

    chance = outcomes["markdown"].probability(f"units[{FIRST}] + units[{SECOND}] > 1000")
    print(f"P(both together sell more than 1000) = {chance:.0%}")
    gain = outcomes["markdown"].difference().revenue()
    print(f"Revenue of the assortment: {gain.mean():+,.0f}, lower on {np.mean(gain < 0):.0%} of the paths")

    effects = cannibalisation(joint, history, data.metadata.item_ids, paths=min(paths, 500))
    for file in write_pair_view(outcomes, "markdown", (FIRST, SECOND), options.out, effects):
        print(file)


if __name__ == "__main__":
    main()
