"""Scores at every level of a hierarchy: the series' own sums, the totals' own forecasts, and both reconciled.

Run: python -m benchmarks.hierarchy [--sets wikipedia,orange_juice] [--model analog] [--of-totals var] [--seeds 3]
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from hemline.datasets import ForecastData, dominicks_oj, get_dataset
from hemline.datasets.hierarchies.hierarchy import Hierarchy
from hemline.evaluation.scores.multivariate import energy_score
from hemline.evaluation.scores.univariate import crps
from hemline.forecasting import build_model
from hemline.forecasting.paths.reconciliation import observed_totals
from hemline.forecasting.wrappers.reconciled import ReconciledEstimator

PATHS = 200


def wikipedia() -> tuple[ForecastData, Hierarchy]:
    """150 articles' page views a day, by language, access and agent."""
    data = get_dataset("wiki2_daily")
    parts = [name.split("_") for name in data.metadata.item_ids]
    named = {name: tuple("_".join(part[:depth]) for part in parts) for depth, name in LEVELS_OF_WIKIPEDIA.items()}
    return data, Hierarchy(data.metadata.item_ids, named, nested=tuple(named))


LEVELS_OF_WIKIPEDIA = {1: "language", 2: "access", 3: "agent"}


def orange_juice() -> tuple[ForecastData, Hierarchy]:
    """913 series, a brand in a store each, weekly."""
    data = dominicks_oj(level="store")
    by_store = Hierarchy.of_stores(data.metadata.item_ids)
    return data, by_store


SETS: dict[str, Callable[[], tuple[ForecastData, Hierarchy]]] = {
    "wikipedia": wikipedia,
    "orange_juice": orange_juice,
}


def rows(name: str, model: str, of_totals: str, seed: int) -> list[dict[str, object]]:
    """Scores by level and kind of forecast, over all test windows.

    Arguments:
        name: of the set.
        model: by its name, for the series.
        of_totals: likewise, for the totals.
        seed: of both.
    """
    data, hierarchy = SETS[name]()
    began = time.process_time()
    above_all = dataclasses.replace(data.metadata, item_ids=hierarchy.aggregates()[0], past_covariates=())
    totals = build_model(of_totals, above_all)
    estimator = ReconciledEstimator(build_model(model, data.metadata), hierarchy, of_totals=totals)
    predictor = estimator.for_run(seed).train(data.train)
    seconds = time.process_time() - began
    horizon = data.metadata.prediction_length
    pasts = [entry.history(horizon) for entry in data.test]
    truth = np.stack([entry.target[:, -horizon:].T for entry in data.test])

    def drawn(of: object, entries: list[object]) -> np.ndarray:
        return np.stack([each.samples for each in of.predict(entries, num_samples=PATHS, seed=seed)]).astype(float)  # type: ignore[attr-defined]

    from hemline.forecasting.wrappers.reconciled_predictor import above

    names, matrix = hierarchy.aggregates()
    own = drawn(predictor.series, list(pasts))
    direct = drawn(predictor.totals, list(above(pasts, names, matrix, horizon)))
    told = drawn(predictor, list(pasts))
    found: list[dict[str, object]] = []
    place = {title: number for number, title in enumerate(names)}
    for level in ("series", *hierarchy.levels):
        sums = np.eye(len(hierarchy.item_ids)) if level == "series" else hierarchy.matrix(level)
        forecasts = {"own sums": own @ sums.T, "reconciled": told @ sums.T}
        if level != "series":
            titles = [level if level == "total" else f"{level}={label}" for label in hierarchy.labels(level)]
            if all(title in place for title in titles):
                forecasts["totals' own"] = direct[..., [place[title] for title in titles]]
        came = observed_totals(truth, sums)
        size = np.nanmean(np.sqrt(np.nansum(came**2, axis=-1)))
        for kind, paths in forecasts.items():
            found.append(
                {
                    "set": name,
                    "model": model if of_totals == model else f"{model}, {of_totals}",
                    "seed": seed,
                    "level": level,
                    "forecast": kind,
                    "energy": float(np.nanmean(energy_score(paths, came)) / size),
                    "crps": float(np.nansum(crps(paths, came)) / np.nansum(np.abs(came))),
                    "seconds": seconds,
                }
            )
    return found


def main() -> None:
    """Print mean and standard error over seeds, by level."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--model", default="analog")
    parser.add_argument("--of-totals", help="the model of the totals; the same by default")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/hierarchy"))
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.out.mkdir(parents=True, exist_ok=True)
    frames = []
    for name in options.sets.split(","):
        for seed in range(options.seeds):
            of_totals = options.of_totals or options.model
            file = options.out / f"{name}-{options.model}-{of_totals}-{seed}.csv"
            if not file.exists():
                pd.DataFrame(rows(name, options.model, of_totals, seed)).to_csv(file, index=False)
            frames.append(pd.read_csv(file))
    found = pd.concat(frames)
    grouped = found.groupby(["set", "model", "level", "forecast"], sort=False)[["energy", "crps", "seconds"]]
    print(grouped.agg(["mean", "sem"]).round(5).to_string())


if __name__ == "__main__":
    main()
