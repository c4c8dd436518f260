"""Where the time of a pool goes, by part and member, largest first; and what other models take on the same tables.

Five generated tables of shapes that people wait for: 30 articles of weeks, 300 with prices, 207 sensors of hours, 118
articles of days with promotions, 7 long series of hours. Seconds are those of the processor, on one thread.
With ``--out`` trained members are kept there, and a killed run goes on behind them (its seconds are then those of what
was left). ``--scale`` shortens the tables: it multiplies the number of articles, and the steps of the long series.

Run: python -m benchmarks.pool [--cases weekly,prices,sensors,promotions,hourly] [--models pool,cross-fit,analog]
     [--drop-after 0.25]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from hemline.datasets import ForecastData, from_frame, simulated_sales
from hemline.evaluation import backtest
from hemline.forecasting import build_model
from hemline.forecasting.response import fit as response_fit
from hemline.forecasting.wrappers import pool as pools

from .promotions import shop

Result = TypeVar("Result")

CASES = ("weekly", "prices", "sensors", "promotions", "hourly")
SCORES = ("energy_score", "crps_sum", "crps")


def hours(series: int, steps: int, seed: int, windows: int, positive: bool, horizon: int = 24) -> ForecastData:
    """Hourly series with a day, a week and three common shocks that are AR(1), as loads and counts of cars have.

    Arguments:
        series: how many.
        steps: of the training data.
        seed: of the numbers; the same one gives the same table.
        windows: test windows behind them.
        positive: whether a series is the exponential of the sum of these, as counts are, or the sum.
        horizon: steps of a window.
    """
    rng, total = np.random.default_rng(seed), steps + windows * horizon
    hour = np.arange(total)

    def shocks(kept: float, count: int, size: float) -> np.ndarray:
        noise, found = rng.normal(0, size, (count, total)), np.zeros((count, total))
        for step in range(1, total):
            found[:, step] = kept * found[:, step - 1] + noise[:, step]
        return found

    common, share = shocks(0.97, 3, 0.08), rng.normal(0.6, 0.4, (series, 3))
    phase = rng.uniform(-0.15, 0.15, (series, 1))
    day = rng.uniform(0.3, 0.7, (series, 1)) * np.cos(2 * np.pi * (hour / 24 - 0.6 + phase))
    day = day + 0.2 * np.cos(4 * np.pi * (hour / 24 + phase))
    week = -rng.uniform(0.1, 0.4, (series, 1)) * ((hour // 24) % 7 >= 5)
    logs = day + week + share @ common + shocks(0.7, series, 0.08)
    if positive:
        values = np.exp(rng.uniform(2, 5, (series, 1)) + logs)
    else:
        values = 10 * np.exp(rng.normal(0, 0.5, (series, 1))) * (logs + 0.3 * shocks(0.999, series, 0.02))
    frame = pd.DataFrame(
        {
            "hour": np.tile(pd.date_range("2016-07-01", periods=total, freq="h"), series),
            "series": np.repeat([f"s{number}" for number in range(series)], total),
            "value": values.ravel().astype(np.float32),
        }
    )
    return from_frame(
        frame,
        item="series",
        timestamp="hour",
        target="value",
        prediction_length=horizon,
        windows=windows,
        domain="positive" if positive else "real",
    )


def table(case: str, scale: float = 1.0, seed: int = 0, windows: int = 3) -> ForecastData:
    """One of the five tables, with test windows behind its training data."""

    def scaled(size: int) -> int:
        return max(4, round(size * scale))

    if case == "weekly":
        sold = simulated_sales(articles=scaled(30), weeks=269 + 8 * windows, seed=seed, windows=windows)
        return sold.without_covariates()
    if case == "prices":
        weeks = 148 + 12 * windows
        return simulated_sales(scaled(300), weeks, seed=seed, prediction_length=12, windows=windows)
    if case == "promotions":
        return shop(scaled(118), 1725 + 28 * windows, seed, windows=windows)
    if case == "sensors":
        return hours(scaled(207), 2016, seed, windows, positive=True)
    return hours(7, scaled(17420), seed, windows, positive=False)


class Clock:
    """Processor seconds of parts, each without those of the parts within it."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._within: list[float] = []

    def timed(self, part: str, work: Callable[..., Result], *given: Any) -> Result:
        """What some work returns, its seconds counted."""
        began = time.process_time()
        self._within.append(0.0)
        try:
            return work(*given)
        finally:
            took = time.process_time() - began
            self.seconds[part] += took - self._within.pop()
            if self._within:
                self._within[-1] += took


@contextmanager
def clocked() -> Iterator[Clock]:
    """Time the parts of each pool of a block: trainings by member, the fit of responses, what is left."""
    clock, fitted = Clock(), response_fit._fitted
    trained, in_rungs = pools.PooledEstimator._trained, pools.PooledEstimator._in_rungs

    def training(self: Any, name: str, *rest: Any) -> Any:
        return clock.timed(f"{name}, whole", trained, self, name, *rest)

    def weighing(self: Any, name: str, *rest: Any) -> Iterator[Any]:
        rungs, end = in_rungs(self, name, *rest), object()
        while (found := clock.timed(f"{name}, weighing", next, rungs, end)) is not end:
            yield found

    pools.PooledEstimator._trained = training  # type: ignore[method-assign]
    pools.PooledEstimator._in_rungs = weighing  # type: ignore[method-assign]
    response_fit._fitted = lambda *given: clock.timed("fit of a response", fitted, *given)
    try:
        yield clock
    finally:
        pools.PooledEstimator._trained, response_fit._fitted = trained, fitted  # type: ignore[method-assign]
        pools.PooledEstimator._in_rungs = in_rungs  # type: ignore[method-assign]


def measure(case: str, name: str, scale: float, seed: int, out: Path | None, drop_after: float) -> dict[str, Any]:
    """Seconds of the parts of one training and of a forecast of each test window, their scores, and the memory."""
    warnings.simplefilter("ignore")
    data = table(case, scale, seed)
    model = build_model(name, data.metadata, {"drop_after": drop_after} if name == "pool" else None)
    with clocked() as clock:
        found = clock.timed(
            "forecasts and weights" if name == "pool" else "training and forecasts",
            lambda: backtest({name: model}, data, seeds=[seed], quiet=True, out=out),
        )
    whole = found[found[["window", "item_id", "step"]].isna().all(axis=1)].set_index("metric")["value"]
    return {
        "case": case,
        "model": name,
        "series": data.train[0].dim,
        "steps": data.train[0].length,
        "seconds": dict(clock.seconds.most_common()),
        "scores": {metric: float(whole[metric]) for metric in SCORES},
        "peak GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def main() -> None:
    """Measure each model on each table, each in a process of its own; print the parts, largest first."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--models", default="pool")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--drop-after", type=float, default=1.0, help="setting of the pool; 1 drops no member early")
    parser.add_argument("--out", type=Path, help="folder that keeps finished runs and trained members")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.one:
        settings = options.scale, options.seed
        of = f"{options.cases}-{options.models}-{options.scale}-{options.seed}-{options.drop_after}"
        folder = options.out and options.out / of
        print(json.dumps(measure(options.cases, options.models, *settings, folder, options.drop_after)))
        return
    for case in options.cases.split(","):
        for name in options.models.split(","):
            command = [sys.executable, "-m", "benchmarks.pool", "--one", "--cases", case, "--models", name]
            command += ["--scale", str(options.scale), "--seed", str(options.seed)]
            command += ["--drop-after", str(options.drop_after)]
            command += [] if options.out is None else ["--out", str(options.out)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{case}, {name}: {done.stderr.strip().splitlines()[-1]}")
                continue
            row = json.loads(done.stdout.strip().splitlines()[-1])
            total = sum(row["seconds"].values())
            scores = ", ".join(f"{metric} {value:.4f}" for metric, value in row["scores"].items())
            shape, memory = f"{row['series']} x {row['steps']}", row["peak GiB"]
            print(f"\n{case}, {shape}, {name}: {total:.1f} s, {memory:.2f} GiB; {scores}")
            for part, seconds in row["seconds"].items():
                print(f"| {part} | {seconds:.1f} | {100 * seconds / total:.0f} % |", flush=True)


if __name__ == "__main__":
    main()
