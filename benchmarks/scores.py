"""The scores of five windows of 100 paths over 30 steps, against gluonts' MultivariateEvaluator in the same run.

Gluonts computes the marginal scores and CRPS-sum, in one pass of its evaluator for each series and one for the sum;
the ratio is over those. CRPS, energy and variogram score are ours alone. Peak memory is read before gluonts runs and
includes the paths themselves and the libraries.

Run: python -m benchmarks.scores [--cases 137,2000] [--repeats 3]
"""

from __future__ import annotations

import json
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from gluonts.env import env
from gluonts.evaluation import MultivariateEvaluator
from gluonts.model.forecast import SampleForecast
from hemline.evaluation import METRICS, Outcome
from hemline.evaluation.scores.univariate import LEVELS

from .measuring import arguments, exponent, in_own_process, peak_gib, write
from .plotting import lines

WINDOWS, PATHS, HORIZON, PAST, SEASON = 5, 100, 30, 120, 7
SERIES = (8, 137, 370, 963, 2000)
SHARED = ("crps_sum", "weighted_quantile_loss", "nd", "nrmse", "msis", "coverage_50", "coverage_80", "coverage_95")
LONG = 5.0  # seconds above which one run must do


def pooled(names: Sequence[str], windows: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Metrics over all windows, one window in memory at a time, as a backtest does it."""
    sums: dict[str, Any] = dict.fromkeys(names, 0.0)
    for samples, observed, past in windows:
        outcome = Outcome(samples, observed, past, SEASON)
        for name in names:
            sums[name] = sums[name] + METRICS[name].parts(outcome).reshape(3, -1).sum(1)
    return {name: float(METRICS[name].pool(sums[name])) for name in names}


def gluonts(windows: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> dict[str, float]:
    """What gluonts says of the same forecasts."""
    frames, forecasts = [], []
    for samples, observed, past in windows:
        index = pd.period_range("2024-01-01", periods=PAST + HORIZON, freq="D")
        frames.append(pd.DataFrame(np.concatenate([past.T, observed]), index=index))
        forecasts.append(SampleForecast(samples, start_date=index[PAST]))
    evaluator = MultivariateEvaluator(quantiles=LEVELS, seasonality=SEASON, target_agg_funcs={"sum": np.sum})
    with env._let(use_tqdm=False):
        metrics, _ = evaluator(iter(frames), iter(forecasts))
    return {"crps_sum": metrics["m_sum_mean_wQuantileLoss"], "nd": metrics["ND"], "msis": metrics["MSIS"]}


def median_seconds(call: Callable[[], object], repeats: int) -> float:
    """The median time of a call; one call where it takes long."""
    seconds: list[float] = []
    while len(seconds) < repeats and not (seconds and seconds[0] > LONG):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def measure(case: str, repeats: int) -> dict[str, Any]:
    """One number of series."""
    warnings.simplefilter("ignore")
    series = int(case)
    rng = np.random.default_rng(0)
    level = rng.uniform(5, 50, series)
    shapes = ((PATHS, HORIZON, series), (HORIZON, series), (PAST, series))
    windows = []
    for _ in range(WINDOWS):
        samples, observed, past = (
            (level + rng.standard_normal(shape, dtype=np.float32)).astype(np.float32) for shape in shapes
        )
        windows.append((samples, observed, past.T))
    ours = median_seconds(lambda: pooled(SHARED, windows), repeats)
    alone = {name: median_seconds(lambda name=name: pooled([name], windows), repeats) for name in METRICS}
    peak = peak_gib("cpu")
    said: dict[str, float] = {}
    theirs = median_seconds(lambda: said.update(gluonts(windows)), repeats)
    found = pooled(tuple(said), windows)
    return {
        "D": series,
        "shared scores s": ours,
        "gluonts s": theirs,
        "gluonts / ours": theirs / ours,
        "CRPS s": alone["crps"],
        "energy s": alone["energy_score"],
        "variogram s": alone["variogram_score"],
        "peak GiB": peak,
        "largest difference": max(abs(found[name] - said[name]) for name in said),
    }


if __name__ == "__main__":
    options = arguments(__doc__ or "", [str(series) for series in SERIES])
    torch.set_num_threads(options.threads)
    if options.case:
        print(json.dumps(measure(options.case, options.repeats)))
    else:
        rows = [in_own_process("benchmarks.scores", case, options) for case in options.cases.split(",")]
        write("scores", rows, options)
        done = [row for row in rows if "error" not in row]
        wide = [row for row in done if row["D"] >= 137]
        names = ("shared scores s", "gluonts s", "CRPS s", "energy s", "variogram s")
        if len(wide) > 1:
            for name in names:
                grown = exponent([row["D"] for row in wide], [row[name] for row in wide])
                print(f"{name.removesuffix(' s')}: cost ~ D^{grown:.2f} from D={wide[0]['D']} to {wide[-1]['D']}")
        if len(done) > 1:
            curves = {name.removesuffix(" s"): [row[name] for row in done] for name in names}
            title = f"scores of {WINDOWS} windows, {PATHS} paths, {HORIZON} steps"
            lines(options.out / "scores.png", [row["D"] for row in done], curves, "series D", "seconds", title)
