"""What the pool's second mixture is worth: its held-out windows, each forecast with weights of the others.

All within the training span; the test windows are not read. The scores are relative to the best single model for each.

Run: HEMLINE_DATA=... python -m benchmarks.reconciliation [DATASET ...] [--seed 0]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from hemline.datasets import ForecastData, get_dataset
from hemline.evaluation.scores import energy_score
from hemline.forecasting import PooledEstimator, build_model
from hemline.forecasting.ensemble import first_paths, shares_of
from hemline.forecasting.grouping import as_multivariate
from hemline.forecasting.mixture import pool_weights
from hemline.forecasting.pooled import reconciled, summed

DATASETS = ("dominicks_oj", "pems_sf_267d", "wiki2_daily", "electricity_ecl203", "taxi_manhattan")


def left_out(data: ForecastData, seed: int) -> pd.DataFrame:
    """Mean scores over the held-out windows: of each model, of one mixture, and of two that are reconciled.

    Arguments:
        data: the dataset, of which the training span is read.
        seed: of the models.

    Returns:
        A row a forecast: ``energy`` and ``sum``, the CRPS of the sum of all series.
    """
    pool = build_model("pool", data.metadata).for_run(seed)
    drawn, truth = pool.held_out(as_multivariate(data.train))
    rows = {name: np.mean([scores(*pair) for pair in zip(drawn[name], truth, strict=True)], axis=0) for name in drawn}
    every = range(len(truth))
    for name, forecast in (("one mixture", one_mixture), ("reconciled", two_mixtures)):
        found = [scores(forecast(pool, drawn, truth, window), truth[window]) for window in every]
        rows[name] = np.mean(found, axis=0)
    return pd.DataFrame(rows, index=["energy", "sum"]).T


def one_mixture(pool: PooledEstimator, drawn: dict[str, np.ndarray], truth: np.ndarray, window: int) -> np.ndarray:
    """Paths ``[S, H, D]`` of a window by the mixture with the best energy score on the others."""
    weights = pool_weights(*without(drawn, truth, window), pool.smallest, pool.shrinkage)
    return mixed(drawn, weights, window)


def two_mixtures(pool: PooledEstimator, drawn: dict[str, np.ndarray], truth: np.ndarray, window: int) -> np.ndarray:
    """Paths ``[S, H, D]`` of a window as `PooledEstimator` makes them of the others."""
    sums, outcome = summed(drawn, truth)
    totals = pool_weights(*without(sums, outcome, window), pool.smallest, pool.shrinkage)
    told = reconciled(drawn, totals.tolist(), pool.domain)
    weights = pool_weights(*without(told, truth, window), pool.smallest, pool.shrinkage)
    return mixed(told, weights, window)


def without(drawn: dict[str, np.ndarray], truth: np.ndarray, window: int) -> tuple[list[np.ndarray], np.ndarray]:
    """All windows but one."""
    return [np.delete(paths, window, axis=0) for paths in drawn.values()], np.delete(truth, window, axis=0)


def mixed(drawn: dict[str, np.ndarray], weights: np.ndarray, window: int) -> np.ndarray:
    """Each model's share of the paths of a window."""
    paths = [each[window] for each in drawn.values()]
    return first_paths(paths, shares_of(len(paths[0]), weights.tolist()))


def scores(paths: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Energy score, and CRPS of the sum over the series that are known, summed over the steps."""
    (total,), outcome = summed({"": paths[None]}, truth[None])[0].values(), np.nansum(truth, -1, keepdims=True)
    return np.array([np.nansum(energy_score(paths, truth)), np.sum(energy_score(total[0], outcome))])


def main() -> None:
    """Print a table a dataset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=DATASETS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name in arguments.datasets:
        found = left_out(get_dataset(name), arguments.seed)
        singles = found.drop(index=["one mixture", "reconciled"])
        print(f"\n{name}\n{(found / singles.min()).round(3).to_string()}", flush=True)


if __name__ == "__main__":
    main()
