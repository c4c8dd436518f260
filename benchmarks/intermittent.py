"""Rare demand: forecasts of articles whose true law is known, at rates of 0.01 to 5 units a day.

Each panel has articles of all rates and of two kinds, Poisson, and clumped: occasions on which three units are sold
on average (geometric); and three that sell some fifty units a day at levels that wander, as a real table has: they are
what a score of all articles together is made of. With ``--prices`` one day in five is at 0.7 of the price, and sells
with an elasticity of -2. A model is trained on a panel, and forecasts the next two weeks. Shown for each rate and kind:

* ratio: forecast of the sum over the two weeks by the true mean of it, over all articles, with a 90 % bootstrap
  interval over articles; ``past`` is that of the articles' own past means, whose luck every model has;
* pit: the largest distance of the randomised PIT of the sum from uniform (Kolmogorov), beside the 5 % bound of chance;
* covered: share of the sums within the central 80 % interval, beside that of the true law's own interval;
* beyond: share of paths with a step of more than three times of what any article of the rate and kind ever sold.

Run: python -m benchmarks.intermittent [--models croston,tsb,...] [--panels 2] [--each 250] [--rates 0.01,1] [--prices]
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from hemline.datasets import ForecastData, Metadata
from hemline.datasets.entries.entry import Entry
from hemline.evaluation.scores.calibration import randomised_pit
from hemline.forecasting import build_model

RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 2.0, 5.0)
KINDS = ("poisson", "clumped")
DAYS, HORIZON, PATHS, SIZE, ELASTICITY, CUT, FAST = 365, 14, 300, 3.0, -2.0, 0.7, 3
MODELS = ("croston", "tsb", "counts", "analog", "cross-fit", "pool", "seasonal-walk", "deepar")
HEAD = "|---" * 7 + "|"
SETTINGS = {"pool": {"models": {"patch-tst": {"model": {"estimator": {"trainer_kwargs": {"max_epochs": 5}}}}}}}


@dataclass(frozen=True)
class Panel:
    """A dataset and its true law.

    Arguments:
        data: D articles, the last days to be forecast.
        rates: ``[D]`` units a day at the full price.
        kinds: ``[D]``.
        law: ``[S, H, D]`` draws of the days to forecast.
        mean: ``[D]`` true mean of the sum over the days to forecast.
    """

    data: ForecastData
    rates: np.ndarray
    kinds: np.ndarray
    law: np.ndarray
    mean: np.ndarray


def drawn(rates: np.ndarray, clumped: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Sales of these rates ``[..., D]``, clumped where ``[D]`` says so."""
    occasions = generator.poisson(np.where(clumped, rates / SIZE, rates))
    # The sum of n geometric sizes from 1 on is n and a negative binomial number of failures.
    more = generator.negative_binomial(np.maximum(occasions, 1), 1 / SIZE)
    return np.where(clumped & (occasions > 0), occasions + more, occasions).astype(float)


def panel(each: int, rates: Sequence[float], prices: bool, seed: int) -> Panel:
    """Articles of each rate and kind, in random order."""
    generator = np.random.default_rng(seed)
    level = np.tile(np.repeat(rates, each), len(KINDS))
    clumped = np.repeat([False, True], each * len(rates))
    order = generator.permutation(len(level))
    level, clumped = np.append(level[order], [50.0] * FAST), np.append(clumped[order], [False] * FAST)
    items = tuple(f"a{number:03d}" for number in range(len(level)))
    price = np.where(generator.random((DAYS + HORIZON, len(level))) < 0.2, CUT, 1.0)
    means = level * (price**ELASTICITY if prices else np.ones_like(price))
    means[:, -FAST:] *= np.exp(generator.normal(scale=0.05, size=(len(price), FAST)).cumsum(0))
    sold = drawn(means, clumped, generator).T
    sold[(sold[:, :DAYS] > 0).sum(1) == 0, 0] = 1.0  # an article that never sold is none of the past
    law = drawn(np.broadcast_to(means[DAYS:], (PATHS, HORIZON, len(level))), clumped, generator)
    names = tuple(f"price[{item}]" for item in items) if prices else ()
    row = {"start": pd.Period("2023-01-02", "D"), "target": sold.astype(np.float32), "item_ids": items}
    if prices:
        row |= {"feat_dynamic_real": 20 * price.T, "covariates": names}
    whole = Entry.of(row)
    metadata = Metadata("intermittent", "D", HORIZON, items, "count", 7, names)
    data = ForecastData(metadata, [whole.until(DAYS)], [whole])
    return Panel(data, level, np.where(clumped, *KINDS[::-1]), law, means[DAYS:].sum(0))


@dataclass(frozen=True)
class Sums:
    """What a model said of the sums over the days of many articles, and what came; each ``[N]``."""

    told: np.ndarray
    pit: np.ndarray
    covered: np.ndarray
    beyond: np.ndarray


def judged(samples: np.ndarray, panel: Panel, generator: np.random.Generator) -> Sums:
    """Paths ``[S, H, D]`` beside what came."""
    sums, came = samples.sum(1), panel.data.test[0].target[:, -HORIZON:].sum(1)
    low, high = np.quantile(sums, [0.1, 0.9], axis=0, method="inverted_cdf")
    pit = randomised_pit(sums[:, None], came[None], generator.random((1, len(came))))[0]
    most = np.empty(len(came))
    for rate, kind in keys(panel):
        chosen = (panel.rates == rate) & (panel.kinds == kind)
        most[chosen] = panel.data.train[0].target[chosen].max()
    most[-FAST:] = np.inf
    beyond = (samples > 3 * most).any(1).mean(0)
    return Sums(sums.mean(0, dtype=float), pit, (low <= came) & (came <= high), beyond)


def keys(panel: Panel) -> list[tuple[float, str]]:
    """The rates and kinds of a panel."""
    return [(rate, kind) for kind in KINDS for rate in np.unique(panel.rates[:-FAST])]


def shown(found: list[Sums], panels: list[Panel], truth: list[Sums], generator: np.random.Generator) -> list[str]:
    """A line a rate and kind."""
    rates, kinds = np.concatenate([each.rates for each in panels]), np.concatenate([each.kinds for each in panels])
    mean = np.concatenate([each.mean for each in panels])
    past = np.concatenate([each.data.train[0].target.mean(1) * HORIZON for each in panels])
    lines = []
    for rate, kind in keys(panels[0]):
        chosen = (rates == rate) & (kinds == kind)
        parts = [np.stack([each.told, each.pit, each.covered, each.beyond]) for each in found]
        told, pit, covered, beyond = np.concatenate(parts, axis=1)[:, chosen]
        true = np.concatenate([each.covered for each in truth])[chosen]
        again = generator.integers(chosen.sum(), size=(1000, chosen.sum()))
        ratios = told[again].mean(1) / mean[chosen][again].mean(1)
        low, high = np.quantile(ratios, [0.05, 0.95])
        order, even = np.sort(pit), np.arange(1, len(pit) + 1) / len(pit)
        distance = np.maximum(np.abs(order - even), np.abs(order - even + 1 / len(pit))).max()
        lines.append(
            f"| {kind} | {rate:g} | {told.mean() / mean[chosen].mean():.2f} [{low:.2f}, {high:.2f}] "
            f"| {past[chosen].mean() / mean[chosen].mean():.2f} | {distance:.3f} ({1.36 / np.sqrt(len(pit)):.3f}) "
            f"| {covered.mean():.2f} ({true.mean():.2f}) | {100 * beyond.mean():.3f} % |"
        )
    return lines


def main() -> None:
    """Print a table a model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS), help="names, as of hemline models list")
    parser.add_argument("--panels", type=int, default=2)
    parser.add_argument("--each", type=int, default=250, help="articles of a rate and kind in a panel")
    parser.add_argument("--rates", default=",".join(map(str, RATES)))
    parser.add_argument("--prices", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    rates = [float(rate) for rate in options.rates.split(",")]
    panels = [panel(options.each, rates, options.prices, seed) for seed in range(options.panels)]
    truth = [judged(each.law, each, np.random.default_rng(number)) for number, each in enumerate(panels)]
    print(f"{len(panels)} panels, {options.panels * options.each} articles a rate and kind, {DAYS} days", flush=True)
    for name in options.models.split(","):
        began, found = time.perf_counter(), []
        for number, each in enumerate(panels):
            metadata, history = each.data.metadata, each.data.history(0)
            model = build_model(name, metadata, None if options.prices else SETTINGS.get(name))
            model = model.train(each.data.train) if hasattr(model, "train") else model
            samples = np.asarray(next(iter(model.predict([history], num_samples=PATHS))).samples)
            found.append(judged(samples, each, np.random.default_rng(number)))
        seconds = time.perf_counter() - began
        print(f"\n{name} ({seconds:.0f} s)\n\n| kind | rate | ratio | past | pit | covered | beyond |\n{HEAD}")
        print("\n".join(shown(found, panels, truth, np.random.default_rng(0))), flush=True)


if __name__ == "__main__":
    main()
