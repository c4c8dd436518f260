"""TimeGrad in fewer denoising steps: a trained network forecasts held-out windows at each number of levels.

The windows are the last ones of the training span; the test windows are not read. Scores are paired by window with
those of all levels, which are drawn twice: the second time says what chance does. Seconds are those of the processor,
on one thread.

Run: HEMLINE_DATA=... python -m benchmarks.few_steps [--data exchange_rate_nips] [--seeds 0,1,2] [--steps 12,11]
     [--windows 8] [--num-samples 100] [--batches 100]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd
import torch
from hemline.datasets import get_dataset
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.evaluation.scores.mixtures import path_distances, weighted_energy
from hemline.forecasting import build_model
from hemline.forecasting.windows.held_out import HeldOut, held_out_windows

SPACING = 2.0


def scores(predictor: Any, span: HeldOut, num_samples: int, seed: int) -> tuple[np.ndarray, float, float]:
    """Energy score ``[W]`` and CRPS-sum of each window ``[W, 2]``, the paths' mean deviation, and seconds."""
    began = time.process_time()
    drawn = np.stack([f.samples for f in predictor.predict(span.pasts, num_samples=num_samples, seed=seed)])
    seconds = time.process_time() - began
    equal, found = np.full(num_samples, 1 / num_samples), []
    for paths, truth in zip(drawn, span.truth, strict=True):
        known = ~np.isnan(truth)
        sums = np.where(known, paths, 0.0).sum(-1, keepdims=True), np.where(known, truth, 0.0).sum(-1, keepdims=True)
        found.append([float(weighted_energy(*path_distances(*each), equal)) for each in ((paths, truth), sums)])
    return np.array(found), float(drawn.std(1).mean()), seconds


def main() -> None:
    """Print a row for each seed and number of levels."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", default="exchange_rate_nips")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--steps", default="12,11", help="levels that are visited, of 100")
    parser.add_argument("--windows", type=int, default=8)
    parser.add_argument("--num-samples", type=int, default=100)
    parser.add_argument("--batches", type=int, help="training steps an epoch; without it those of the settings")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data, rows = get_dataset(options.data), []
    entries = as_multivariate(data.train)
    span = held_out_windows(entries, data.metadata.prediction_length, options.windows)
    for seed in [int(each) for each in options.seeds.split(",")]:
        training = {} if options.batches is None else {"train": {"batches_per_epoch": options.batches}}
        began = time.process_time()
        predictor: Any = build_model("timegrad", data.metadata, training).for_run(seed).train(span.before)
        print(f"seed {seed}: trained in {time.process_time() - began:.0f} s", flush=True)
        head = predictor.forecaster.head
        whole, _, first = scores(predictor, span, options.num_samples, seed)
        for label, steps, spacing, draw in [
            ("all", None, 1.0, seed),
            ("all, again", None, 1.0, seed + 1000),
            *((str(each), int(each), SPACING, seed) for each in options.steps.split(",")),
        ]:
            head.sampling_steps, head.spacing = steps, spacing
            found, deviation, seconds = scores(predictor, span, options.num_samples, draw)
            change = 100 * (found - whole) / whole.mean(0)
            error = change.std(0, ddof=1) / np.sqrt(len(change))
            rows.append(
                {
                    "seed": seed,
                    "levels": label,
                    "s": seconds,
                    "times as fast": first / seconds,
                    "energy": found[:, 0].mean(),
                    "change": f"{change[:, 0].mean():+.1f} % ± {error[0]:.1f}",
                    "sum": found[:, 1].mean(),
                    "change of sum": f"{change[:, 1].mean():+.1f} % ± {error[1]:.1f}",
                    "deviation": deviation,
                }
            )
            print(rows[-1], flush=True)
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
