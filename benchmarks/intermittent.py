"""Rare demand: forecasts of articles whose true law is known, at rates of 0.01 to 5 units a day.

Each panel has articles of all rates and of two kinds, Poisson, and clumped: occasions on which three units are sold
on average (geometric); and three that sell some fifty units a day at levels that wander, as a real table has: they are
what a score of all articles together is made of. Rates at which a year of an article says little of it have more
articles (`times`), so that the luck of their pasts is small. With ``--prices`` one day in five is at 0.7 of the price,
of all articles (``shared``) or of each on days of its own (``own``, for panels of some hundred articles), and sells
with an elasticity of -2. A model is trained on a panel, and forecasts the next two weeks. Shown for each rate and kind:

* ratio: forecast of the sum over the two weeks by the true mean of it, over all articles, with a 90 % bootstrap
  interval over articles; ``past`` is that of the articles' own past means, whose luck every model has;
* pit: the largest distance of the randomised PIT of the sum from uniform (Kolmogorov), beside the bound below which
  chance alone stays in 95 of 100, and the distance of the true law on the same sums;
* covered: share of the sums within the central 80 % interval, beside that of the true law's own interval;
* beyond: share of paths with a step of more than three times of what any article of the rate and kind ever sold.

``past-days``, each step a day of the article's past drawn by chance, is the constant answer. A panel of a model is
one piece of work, kept in ``--out`` and not done again. With ``--orange-juice`` the cases are Dominick's stores
(`rare_orange_juice`).

Run: python -m benchmarks.intermittent [--models croston,tsb,...] [--panels 4] [--each 125] [--rates 0.01,1]
     [--prices shared|own] [--seed 0] [--out FOLDER] [--orange-juice]
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from hemline.datasets import ForecastData, Metadata
from hemline.datasets.entries.entry import Entry
from hemline.evaluation.scores.calibration import randomised_pit
from hemline.forecasting import build_model
from hemline.runtime.whole_files import whole_file

from benchmarks.rare_orange_juice import WEEKLY, orange_juice

RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 2.0, 5.0)
KINDS = ("poisson", "clumped")
DAYS, HORIZON, PATHS, SIZE, ELASTICITY, CUT, FAST = 365, 14, 300, 3.0, -2.0, 0.7, 3
BINDING = ("croston", "tsb", "counts", "analog", "cross-fit", "pool")
SHOWN = ("past-days", "seasonal-walk", "last-value", "deepar")
"""Models beside those that have to be right."""
HEAD = "|---" * 7 + "|"


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


def times(rate: float) -> int:
    """How many articles a rate has for one of a fast one."""
    return min(max(round(0.05 / rate), 1), 4)


def panel(each: int, rates: Sequence[float], prices: str, seed: int) -> Panel:
    """Articles of each rate and kind, in random order."""
    generator = np.random.default_rng(seed)
    of_kind = np.repeat(rates, [each * times(rate) for rate in rates])
    level, clumped = np.tile(of_kind, len(KINDS)), np.repeat([False, True], len(of_kind))
    order = generator.permutation(len(level))
    level, clumped = np.append(level[order], [50.0] * FAST), np.append(clumped[order], [False] * FAST)
    items = tuple(f"a{number:03d}" for number in range(len(level)))
    cut = generator.random((DAYS + HORIZON, len(level) if prices == "own" else 1)) < 0.2
    price = np.where(cut, CUT, 1.0) * np.ones(len(level))
    means = level * (np.ones_like(price) if prices == "none" else price**ELASTICITY)
    means[:, -FAST:] *= np.exp(generator.normal(scale=0.05, size=(len(price), FAST)).cumsum(0))
    sold = drawn(means, clumped, generator).T
    law = drawn(np.broadcast_to(means[DAYS:], (PATHS, HORIZON, len(level))), clumped, generator)
    names = {"own": tuple(f"price[{item}]" for item in items), "shared": ("price",)}.get(prices, ())
    row = {"start": pd.Period("2023-01-02", "D"), "target": sold.astype(np.float32), "item_ids": items}
    if prices:
        row |= {"feat_dynamic_real": 20 * price.T[: len(names)], "covariates": names}
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


def past_days(panel: Panel, seed: int) -> np.ndarray:
    """Paths whose days are days of each article's past, drawn by chance."""
    past = panel.data.train[0].target
    chosen = np.random.default_rng(seed).integers(DAYS, size=(PATHS, HORIZON, len(past)))
    return np.asarray(past[np.arange(len(past)), chosen])


def shorter(name: str, metadata: Metadata) -> dict[str, object] | None:
    """Settings of shorter trainings for a pool, which trains its models twice a panel; ``None`` for any other model."""
    if name != "pool":
        return None
    models: dict[str, object] = {each: {"train": {"max_epochs": 5}} for each in ("cross-fit", "deepar", "density")}
    if not metadata.covariates:
        models["patch-tst"] = {"model": {"estimator": {"trainer_kwargs": {"max_epochs": 5}}}}
    return {"windows": 3, "models": models}


def forecast(name: str, panel: Panel, seed: int) -> np.ndarray:
    """Paths ``[S, H, D]`` of a model that has learnt from the past of the panel."""
    if name == "past-days":
        return past_days(panel, seed)
    metadata = panel.data.metadata
    model = build_model(name, metadata, shorter(name, metadata))
    model = model.train(panel.data.train) if hasattr(model, "train") else model
    return np.asarray(next(iter(model.predict([panel.data.history(0)], num_samples=PATHS))).samples)


def piece(name: str, panel: Panel, seed: int, kept: Path | None) -> tuple[Sums, float]:
    """What a model said of a panel, and the processor seconds that it took; from a file where it is kept."""
    if kept is not None and kept.exists():
        with np.load(kept) as stored:
            return Sums(*(stored[each] for each in Sums.__dataclass_fields__)), float(stored["seconds"])
    began = time.process_time()
    found = judged(forecast(name, panel, seed), panel, np.random.default_rng(seed))
    seconds = time.process_time() - began
    if kept is not None:
        with whole_file(kept) as aside, aside.open("wb") as file:
            np.savez(file, **vars(found), seconds=seconds)
    return found, seconds


def distance(pit: np.ndarray) -> float:
    """The largest distance of the distribution of numbers ``[N]`` from the uniform one."""
    order, even = np.sort(pit), np.arange(1, len(pit) + 1) / len(pit)
    return float(np.maximum(np.abs(order - even), np.abs(order - even + 1 / len(pit))).max())


def shown(found: list[Sums], panels: list[Panel], truth: list[Sums], generator: np.random.Generator) -> list[str]:
    """A line a rate and kind, and one of what is worst."""
    rates, kinds = np.concatenate([each.rates for each in panels]), np.concatenate([each.kinds for each in panels])
    mean = np.concatenate([each.mean for each in panels])
    past = np.concatenate([each.data.train[0].target.mean(1) * HORIZON for each in panels])
    of_all = np.concatenate([np.stack(astuple(each)) for each in found], axis=1)
    of_law = np.concatenate([np.stack(astuple(each)) for each in truth], axis=1)
    lines, off, uneven, apart, most = [], 0, 0, 0.0, 0.0
    for rate, kind in keys(panels[0]):
        chosen = (rates == rate) & (kinds == kind)
        told, pit, covered, beyond = of_all[:, chosen]
        _, pit_of_law, covered_by_law, _ = of_law[:, chosen]
        again = generator.integers(chosen.sum(), size=(1000, chosen.sum()))
        ratios = told[again].mean(1) / mean[chosen][again].mean(1)
        low, high = np.quantile(ratios, [0.05, 0.95])
        ratio, bound = told.mean() / mean[chosen].mean(), 1.36 / np.sqrt(len(pit))
        off += not 0.9 <= ratio <= 1.1
        uneven += distance(pit) > bound
        apart, most = max(apart, abs(covered.mean() - covered_by_law.mean())), max(most, beyond.mean())
        lines.append(
            f"| {kind} | {rate:g} | {ratio:.2f} [{low:.2f}, {high:.2f}] "
            f"| {past[chosen].mean() / mean[chosen].mean():.2f} "
            f"| {distance(pit):.3f} ({bound:.3f}; law {distance(pit_of_law):.3f}) "
            f"| {covered.mean():.2f} ({covered_by_law.mean():.2f}) | {100 * beyond.mean():.3f} % |"
        )
    return [
        *lines,
        f"\nmean ratio beyond 10 %: {off} of {len(lines)}; PIT beyond the bound: {uneven}; largest difference of what "
        f"is covered: {apart:.2f}; paths beyond: at most {100 * most:.3f} %",
    ]


def main() -> None:
    """Print a table a model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(BINDING + SHOWN), help="names, as of hemline models list")
    parser.add_argument("--panels", type=int, default=4)
    parser.add_argument("--each", type=int, default=125, help="articles of a rate and kind in a panel, of fast ones")
    parser.add_argument(
        "--rates", help="units a day, or with --orange-juice units a week and store; the usual ones if left out"
    )
    parser.add_argument("--prices", choices=("none", "shared", "own"), nargs="?", const="shared", default="none")
    parser.add_argument("--seed", type=int, default=0, help="of the first panel")
    parser.add_argument("--out", type=Path, help="folder of the panels that models have done")
    parser.add_argument("--orange-juice", action="store_true", help="Dominick's stores instead")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
    names = options.models.split(",")
    rates = [float(rate) for rate in options.rates.split(",")] if options.rates else None
    if options.orange_juice:
        orange_juice(names, rates or WEEKLY, options.prices != "none", options.out)
        return
    rates = rates or list(RATES)
    seeds = range(options.seed, options.seed + options.panels)
    panels = [panel(options.each, rates, options.prices, seed) for seed in seeds]
    truth = [judged(each.law, each, np.random.default_rng(seed)) for seed, each in zip(seeds, panels, strict=True)]
    numbers = (
        f"{options.panels * options.each} articles a rate and kind ({options.panels * options.each * 4} of the slowest)"
    )
    print(
        f"{len(panels)} panels from seed {options.seed} on, {numbers}, {DAYS} days, prices: {options.prices}",
        flush=True,
    )
    for name in names:
        found, seconds = [], 0.0
        for seed, each in zip(seeds, panels, strict=True):
            key = f"{name}-{options.prices}-{options.each}-{'_'.join(map(str, rates))}-{seed}.npz"
            sums, took = piece(name, each, seed, None if options.out is None else options.out / key)
            found.append(sums)
            seconds += took
        print(f"\n{name} ({seconds:.0f} s of processor time)\n")
        print(f"| kind | rate | ratio | past | pit | covered | beyond |\n{HEAD}")
        print("\n".join(shown(found, panels, truth, np.random.default_rng(0))), flush=True)


if __name__ == "__main__":
    main()
