"""What the pool's second mixture is worth: its held-out windows, each forecast with weights of the others.

All within the training span; the test windows are not read. The scores are relative to the best single model for each.

Run: HEMLINE_DATA=... python -m benchmarks.reconciliation [DATASET ...] [--seed 0]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from hemline.datasets import ForecastData, get_dataset
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.evaluation.scores.mixtures import mixture_score
from hemline.forecasting import PooledEstimator, build_model
from hemline.forecasting.paths.totals import reconciled, summed
from hemline.forecasting.paths.weights import pool_weights

DATASETS = (
    "dominicks_oj",
    "pems_sf_267d",
    "wiki2_daily",
    "electricity_ecl203",
    "taxi_manhattan",
    "solar_florida",
)


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
    rows = {name: scores({name: paths}, truth, np.ones(1)) for name, paths in drawn.items()}
    rows["one mixture"] = sum(one_mixture(pool, drawn, truth, window) for window in range(len(truth)))
    rows["reconciled"] = sum(two_mixtures(pool, drawn, truth, window) for window in range(len(truth)))
    return pd.DataFrame(rows, index=["energy", "sum"]).T


def one_mixture(pool: PooledEstimator, drawn: dict[str, np.ndarray], truth: np.ndarray, window: int) -> np.ndarray:
    """Scores of a window by the mixture with the best energy score on the others."""
    weights = pool_weights(*without(drawn, truth, window), pool.smallest, pool.shrinkage)
    return scores(*alone(drawn, truth, window), weights)


def two_mixtures(pool: PooledEstimator, drawn: dict[str, np.ndarray], truth: np.ndarray, window: int) -> np.ndarray:
    """Scores of a window as `PooledEstimator` forecasts it, with weights from the others."""
    totals = pool_weights(*without(*summed(drawn, truth), window), pool.smallest, pool.shrinkage)
    told = reconciled(drawn, totals.tolist(), pool.domain)
    weights = pool_weights(*without(told, truth, window), pool.smallest, pool.shrinkage)
    return scores(*alone(told, truth, window), weights)


def without(drawn: dict[str, np.ndarray], truth: np.ndarray, window: int) -> tuple[list[np.ndarray], np.ndarray]:
    """All windows but one."""
    return [np.delete(paths, window, axis=0) for paths in drawn.values()], np.delete(truth, window, axis=0)


def alone(drawn: dict[str, np.ndarray], truth: np.ndarray, window: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """One window."""
    return {name: paths[[window]] for name, paths in drawn.items()}, truth[[window]]


def scores(drawn: dict[str, np.ndarray], truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Energy score of a mixture, and CRPS of its sum over the series that are known, summed over windows and steps."""
    sums, outcome = summed(drawn, truth)
    pairs = (drawn, truth), (sums, outcome)
    return np.array([mixture_score(list(paths.values()), observed, weights) for paths, observed in pairs])


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
