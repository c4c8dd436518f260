"""Sample paths below 0 of data that are not: rules that bring them to 0 or above, judged by mean, CRPS and coverage.

A walk, a vector autoregression or a network with normal errors draws values below 0, which sales, visits or power do
not have. Every rule here sets them to 0; they differ in what becomes of the paths above:

* ``clip`` leaves them, which raises the mean;
* ``project`` lowers them by one amount, so that the mean of a value stays where it is above 0: what Hemline does
  (`raised`);
* ``scale`` multiplies them, so that the mean stays likewise;
* ``floor`` is ``scale`` whose mean is at least a quarter of that of ``clip``.

Models are trained without the last windows of the training span and forecast them; the test windows stay unseen. Means
are beside those of the actual values, CRPS beside their mean size.

Run: python -m benchmarks.border [--sets solar_florida,dominicks_oj] [--models random-walk,var] [--windows 4]
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
from gluonts.model.estimator import Estimator
from hemline.datasets import get_dataset
from hemline.datasets.entries.domain import raised
from hemline.evaluation.scores.univariate import crps, sum_over_series
from hemline.evaluation.search.held_out import validation_data
from hemline.forecasting import build_model

SETS = "solar_florida,simulated_sales,dominicks_oj,wiki2_daily"
MODELS = "random-walk,seasonal-walk,var"
FLOOR = 0.25


def rules(paths: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Paths at least 0 by each rule.

    Arguments:
        paths: ``[S, ...]``.
    """
    above, mean = np.maximum(paths, 0), np.maximum(paths.mean(0), 0)
    clipped = above.mean(0)
    size = np.where(clipped > 0, clipped, 1)
    yield "clip", above
    yield "project", raised(paths)
    yield "scale", above * (mean / size)
    yield "floor", above * (np.maximum(mean, FLOOR * clipped) / size)


def judged(name: str, model: str, windows: int) -> list[dict[str, object]]:
    """A row a rule, of a model on a dataset."""
    data = get_dataset(name)
    held_out = validation_data(data, windows)
    made = build_model(model, data.metadata)
    fitted = made.train(held_out.train) if isinstance(made, Estimator) else made
    horizon = data.metadata.prediction_length
    drawn, truth = [], []
    for window, entry in enumerate(held_out.test):
        # Paths as the model draws them.
        past = held_out.history(window).of_domain("real")
        drawn.append(next(iter(fitted.predict([past], num_samples=100))).samples)
        truth.append(entry.target[:, -horizon:].T)
    paths, actual = np.stack(drawn).astype(float), np.stack(truth).astype(float)
    seen = ~np.isnan(actual)
    rows = []
    for rule, brought in rules(np.swapaxes(paths, 0, 1)):
        settled = np.swapaxes(brought, 0, 1)
        low, high = np.quantile(settled, [0.1, 0.9], axis=1)
        scores = np.stack([crps(*pair) for pair in zip(settled, actual, strict=True)])
        sums = [sum_over_series(*pair) for pair in zip(settled, actual, strict=True)]
        of_sums = np.stack([crps(*pair) for pair in sums])
        rows.append(
            {
                "dataset": name,
                "model": model,
                "below 0": (paths < 0).mean(),
                "rule": rule,
                "mean": settled.mean(1)[seen].mean() / actual[seen].mean(),
                "CRPS": np.nanmean(scores) / np.abs(actual[seen]).mean(),
                "CRPS of the sum": np.nanmean(of_sums) / np.nanmean([np.abs(told).mean() for _, told in sums]),
                "80 % coverage": ((actual >= low) & (actual <= high))[seen].mean(),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=SETS)
    parser.add_argument("--models", default=MODELS)
    parser.add_argument("--windows", type=int, default=4)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in given.sets.split(","):
        for model in given.models.split(","):
            print(pd.DataFrame(judged(name, model, given.windows)).round(3).to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
