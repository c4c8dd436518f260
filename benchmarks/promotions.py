"""A daily table with promotions, a third of its articles listed only while promoted: models with the flags and without.

With ``--out`` finished runs, and trained members of a pool, are kept there, and a killed benchmark goes on behind them.

Run: python -m benchmarks.promotions [--articles 118] [--days 1700] [--models analog,cross-fit] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from hemline.datasets import ForecastData, from_frame
from hemline.evaluation import backtest
from hemline.forecasting import MODELS, build_model

SCORES = ("crps_sum", "energy_score", "crps", "coverage_80")


def promotion_table(articles: int = 118, days: int = 1700, seed: int = 0, listed_only: float = 1 / 3) -> pd.DataFrame:
    """Daily sales of articles with a flag of their promotions, as many grocers keep them.

    What is drawn, and from what:

    * Promotions last one to three weeks from a Monday on, of a random sixth of the weeks. One article of three is
      listed while promoted and at no other time; its promotions are a random third of the weeks.
    * Demand: a level log-uniform in 0.3 … 6 units a day, a week with a weekend that is a third higher, a year with a
      peak of its own, a shock of all articles that is AR(1) over days, and a walk of each article's level of 1 % a day.
    * A promotion multiplies the demand of articles that sell at all times by 1.3 … 4.
    * Counts are negative binomial with dispersion 0.2; an article that is not listed sells none.

    Arguments:
        articles: how many.
        days: in all.
        seed: of the numbers; the same one gives the same table.
        listed_only: share of the articles that are listed only while promoted, the first ones.

    Returns:
        Columns ``day``, ``article``, ``units``, ``promo`` (0 or 1).
    """
    rng = np.random.default_rng(seed)
    only = np.arange(articles) < round(listed_only * articles)
    weeks = -(-days // 7)
    promoted = np.zeros((articles, weeks))
    for article, share in enumerate(np.where(only, 1 / 3, 1 / 6)):
        week = 0
        while week < weeks:
            length = int(rng.integers(1, 4))
            # Promotions and pauses in turns, so that the share is that of the weeks.
            if rng.random() < share / (2 - share):
                promoted[article, week : week + length] = 1
                week += length
            week += 1
    promo = promoted.repeat(7, axis=1)[:, :days]
    day = np.arange(days)
    level = rng.uniform(np.log(0.3), np.log(6), articles)[:, None] + rng.normal(0, 0.01, (articles, days)).cumsum(1)
    year = rng.uniform(0.1, 0.4, (articles, 1)) * np.cos(2 * np.pi * (day / 365.25 - rng.random((articles, 1))))
    weekend = np.log(4 / 3) * np.isin(day % 7, (4, 5))
    shock = np.zeros(days)
    for step, noise in enumerate(rng.normal(0, 0.15, days)):
        shock[step] = 0.8 * shock[step - 1] * (step > 0) + 0.6 * noise
    effect = np.where(only, 0.0, rng.uniform(np.log(1.3), np.log(4), articles))[:, None]
    demand = np.exp(level + year + weekend + shock + effect * promo) * np.where(only[:, None], promo, 1.0)
    units = rng.poisson(demand * rng.gamma(5.0, 0.2, demand.shape))
    dates = pd.date_range("2019-01-07", periods=days, freq="D")
    names = [f"{'promoted' if listed else 'regular'}_{number + 1}" for number, listed in enumerate(only)]
    return pd.DataFrame(
        {
            "day": np.tile(dates, articles),
            "article": np.repeat(names, days),
            "units": units.ravel(),
            "promo": promo.ravel(),
        }
    )


def shop(articles: int, days: int, seed: int = 0, horizon: int = 28, windows: int = 3) -> ForecastData:
    """The table as a dataset, with a test window at each of its ends."""
    return from_frame(
        promotion_table(articles, days, seed),
        item="article",
        timestamp="day",
        target="units",
        covariates=["promo"],
        domain="count",
        prediction_length=horizon,
        windows=windows,
    )


def main() -> None:
    """Print the scores of each model with the promotions and without, and how long it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", default="analog,cross-fit", help=f"some of {', '.join(MODELS)}")
    parser.add_argument("--articles", type=int, default=118)
    parser.add_argument("--days", type=int, default=1700)
    parser.add_argument("--out", type=Path, help="folder that keeps finished runs")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    data = shop(options.articles, options.days)
    rows = []
    for name in options.models.split(","):
        for told, each in (("promotions", data), ("none", data.without_covariates())):
            began = time.process_time()
            out = None if options.out is None else options.out / f"{name}-{told}-{options.articles}-{options.days}"
            found = backtest({name: build_model(name, each.metadata)}, each, seeds=[0], out=out, quiet=True)
            seconds = time.process_time() - began
            whole = found[found[["window", "item_id", "step"]].isna().all(axis=1)].set_index("metric")["value"]
            rows.append({"model": name, "told": told, **whole[list(SCORES)].to_dict(), "processor s": seconds})
            print(rows[-1], flush=True)
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.3f}".format))


if __name__ == "__main__":
    main()
