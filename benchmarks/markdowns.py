"""Markdown plans on simulated sales: against a search that knows the truth, the interval of the gain, time and memory.

Run: python -m benchmarks.markdowns [--part gap|interval|size] [--model NAME] [--seeds 5] [--first 0] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor
from hemline.datasets import ForecastData, simulated_sales
from hemline.datasets.simulated.truth import SalesTruth
from hemline.decisions import MarkdownPlan, plan_markdowns
from hemline.decisions.markdowns.baselines import NONE
from hemline.decisions.markdowns.demand import DemandPaths
from hemline.decisions.markdowns.futures import Futures
from hemline.decisions.markdowns.plan import PLAN
from hemline.decisions.markdowns.planning import searched_plan
from hemline.decisions.markdowns.terms import Terms, at_steps
from hemline.evaluation.adapters.foreign import for_run
from hemline.forecasting import build_model
from hemline.forecasting.wrappers.ensemble import EnsemblePredictor
from scipy.stats import poisson

LADDER = (1.0, 0.9, 0.8, 0.7, 0.6)
COMMON, STYLE = (0.7, 0.12), (0.5, 0.08)
"""Correlation and deviation of the simulator's shocks, of all articles and of a style."""


class Truth:
    """The law of the simulator after the training span, given the shocks of its last week.

    Arguments:
        data: simulated sales with one window.
        prices: of the ladders, ``[D, L]``, money.
    """

    def __init__(self, data: ForecastData, prices: np.ndarray) -> None:
        self.truth: SalesTruth = data.truth
        self.prices = prices
        self.first, self.weeks = data.train[0].length, data.metadata.prediction_length
        channels = data.history(0).channels
        names = {name: row for row, name in enumerate(channels.names)}
        rows = [names[f"promo[{item}]"] for item in data.metadata.item_ids]
        self.promo = channels.values[rows, self.first : self.first + self.weeks].T

    def expected(self, plan: np.ndarray) -> np.ndarray:
        """Expected demand ``[D, H]`` without shocks."""
        weeks = np.arange(self.first, self.first + self.weeks)
        return self.truth.expected_units(at_steps(self.prices, plan).T, self.promo, weeks).T

    def noise(self, paths: int, seed: int) -> np.ndarray:
        """What demand is multiplied by on each path before it is counted, ``[D, H, S]``."""
        rng, truth = np.random.default_rng([seed, 17]), self.truth
        styles = list(dict.fromkeys(truth.styles))
        of_style = np.array([styles.index(style) for style in truth.styles])
        offset = (COMMON[1] ** 2 + STYLE[1] ** 2) / 2
        last = np.array([truth.shocks[self.first - 1, of_style == each][0] for each in range(len(styles))]) + offset
        # The common part of the last shocks, given their sums with those of the styles.
        precision = len(styles) / STYLE[1] ** 2 + 1 / COMMON[1] ** 2
        common = last.sum() / STYLE[1] ** 2 / precision + rng.normal(size=(1, paths)) / precision**0.5
        own = last[:, None] - common
        found = np.empty((len(of_style), self.weeks, paths))
        for week in range(self.weeks):
            common, own = (
                r * state + d * (1 - r**2) ** 0.5 * rng.normal(size=state.shape)
                for (r, d), state in ((COMMON, common), (STYLE, own))
            )
            found[:, week] = np.exp((common + own)[of_style] - offset)
        alpha = truth.dispersion[:, None, None]
        return found * rng.gamma(1 / alpha, alpha, size=found.shape)

    def worth(self, plan: np.ndarray, terms: Terms, paths: int, seed: int) -> np.ndarray:
        """What a plan is worth on true paths ``[S]``, the same luck for every plan, money."""
        luck = np.random.default_rng([seed, 18]).random((*plan.shape, paths))
        demand = poisson.ppf(luck, self.expected(plan)[..., None] * self.noise(paths, seed))
        units = terms.sold(demand)
        return np.einsum("dh,dhs->s", at_steps(terms.worth, plan), units) - terms.idle.sum()

    def best(self, terms: Terms, paths: int, seed: int) -> np.ndarray:
        """The plan of the same search with the true parameters."""
        base = self.expected(np.zeros((len(terms.stock), self.weeks), dtype=int))[..., None] * self.noise(paths, seed)
        elasticity = self.truth.elasticity[..., None].astype(np.float32)
        return searched_plan(DemandPaths(base.astype(np.float32), elasticity), terms).best.plan


def trained(names: str, data: ForecastData, seed: int) -> Predictor:
    """A model by its name, or of several, with a plus between them, the mixture of equal parts."""
    models = [for_run(build_model(name, data.metadata), seed) for name in names.split("+")]
    members = [model.train(data.train) if isinstance(model, Estimator) else model for model in models]
    return members[0] if len(members) == 1 else EnsemblePredictor(members)


def planned(
    articles: int, weeks: int, seed: int, model: str, paths: int = 1000
) -> tuple[MarkdownPlan, Truth, dict[str, float], Futures]:
    """A plan for a season's end: 1.2 to 2.2 times what would sell at the list prices lies in stock."""
    data = simulated_sales(articles=articles, seed=seed, prediction_length=weeks, windows=1)
    items, truth = data.metadata.item_ids, data.truth
    began = time.perf_counter()
    predictor = trained(model, data, seed)
    seconds = time.perf_counter() - began
    known = Truth(data, truth.list_price[:, None])
    usual = known.expected(np.zeros((articles, weeks), dtype=int)).sum(1)
    stock = np.round(usual * np.random.default_rng([seed, 19]).uniform(1.2, 2.2, articles))
    began, busy = time.perf_counter(), time.process_time()
    plan = plan_markdowns(
        predictor,
        data.history(0),
        dict(zip(items, stock.tolist(), strict=True)),
        LADDER,
        price=dict(zip(items, truth.list_price.tolist(), strict=True)),
        paths=paths,
        seed=seed,
    )
    spent = {"trained_s": seconds, "planned_s": time.perf_counter() - began, "cpu_s": time.process_time() - busy}
    known.prices = plan.terms.prices
    return plan, known, spent, Futures(predictor, data.history(0), plan.terms)


def gap(seed: int, model: str, articles: int, weeks: int) -> dict[str, object]:
    """How much of the way from the best rule to a plan that knows more a plan goes, by the true law.

    ``closed`` is the way to the same search with all of the true parameters, levels and seasons of the weeks to come
    among
    them; ``closed_prices`` to the same search on the forecast of the model with the true elasticities.
    """
    plan, truth, spent, futures = planned(articles, weeks, seed, model)
    terms = plan.terms
    worth = {name: float(truth.worth(each.plan, terms, 1000, seed).mean()) for name, each in plan.judged.items()}
    known = float(truth.worth(truth.best(terms, 400, seed + 1), terms, 1000, seed).mean())
    told = DemandPaths(futures.demand(400, seed)[0].base, truth.truth.elasticity[..., None].astype(np.float32))
    prices = float(truth.worth(searched_plan(told, terms).best.plan, terms, 1000, seed).mean())
    rule = max(value for name, value in worth.items() if name != PLAN)
    closed = {"closed": (worth[PLAN] - rule) / (known - rule), "closed_prices": (worth[PLAN] - rule) / (prices - rule)}
    return {"seed": seed, **worth, "truth": known, "true elasticities": prices, **closed, **spent}


def interval(seed: int, model: str, articles: int, weeks: int) -> dict[str, object]:
    """The gain over no markdown: what was said of it, what it is expected to be, and what it was on one true path."""
    plan, truth, _, _ = planned(articles, weeks, seed, model, paths=300)
    none, best = (truth.worth(plan.judged[name].plan, plan.terms, 500, seed) for name in (NONE, PLAN))
    low, high = plan.interval(NONE)
    gain = best - none
    return {
        "seed": seed,
        "mean": float(plan.gain(NONE).mean()),
        "low": low,
        "high": high,
        "expected": float(gain.mean()),
        "holds_expected": bool(low <= gain.mean() <= high),
        "holds_one": bool(low <= gain[0] <= high),
        "share": float(((gain >= low) & (gain <= high)).mean()),
    }


def size(seed: int, model: str, articles: int, weeks: int) -> dict[str, object]:
    """Time and memory of a plan of many articles."""
    plan, _, spent, _ = planned(articles, weeks, seed, model)
    low, high = plan.interval(NONE)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "seed": seed,
        "articles": articles,
        **spent,
        "peak_gib": memory,
        "gain": float(plan.gain(NONE).mean()),
        "low": low,
        "high": high,
    }


PARTS = {"gap": (gap, 16), "interval": (interval, 4), "size": (size, 300)}
"""What is measured, and the articles of each."""


def main() -> None:
    """Print the rows of a part; each is kept, so that a run that was ended goes on behind it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=list(PARTS), default="gap")
    parser.add_argument("--model", default="cross-fit", help="or a mixture of equal parts, with a plus between them")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed, of the shop and of all that is drawn")
    parser.add_argument("--articles", type=int)
    parser.add_argument("--weeks", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("runs/markdowns"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    measure, usual = PARTS[options.part]
    articles, rows = options.articles or usual, []
    for seed in range(options.first, options.first + options.seeds):
        file = options.out / f"{options.part}-{options.model}-{articles}-{options.weeks}-{seed}.json"
        if not file.exists():
            file.write_text(json.dumps(measure(seed, options.model, articles, options.weeks), default=float))
        rows.append(json.loads(file.read_text()))
        print(pd.DataFrame(rows[-1:]).round(3).to_string(index=False), flush=True)
    table = pd.DataFrame(rows)
    print(table.round(3).to_string(index=False))
    print(table.drop(columns="seed").astype(float).agg(["mean", "sem"]).round(4).to_string())


if __name__ == "__main__":
    main()
