"""How the cost of the recommended models grows: with series D, steps T, sample paths S and the horizon H.

Simulated sales of weeks, with a price channel an article or (`--prices no`) without. One of the four sizes grows, the
others stay at 40 articles, 200 weeks, 100 paths and a horizon of 8. Seconds are those of the processor, on one thread,
the least of `--repeats`; networks take one epoch of their own batches, since epochs are the same at any size. An
exponent p says that a size twice as large costs 2^p times as much.

Run: python -m benchmarks.growth [--models analog,cross-fit,...] [--prices yes|no] [--repeats 2] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import torch
from hemline.datasets import simulated_sales
from hemline.forecasting import build_model

from .measuring import exponent

SIZES = {"D": (20, 40, 80, 160), "T": (120, 240, 480, 960), "S": (100, 400, 1600), "H": (4, 8, 16, 32)}
USUAL = {"D": 40, "T": 200, "S": 100, "H": 8}
ONE_EPOCH: dict[str, dict[str, Any]] = {
    "cross-fit": {"train": {"max_epochs": 1}},
    "deepar": {"train": {"max_epochs": 1}},
    "gru-maf": {"train": {"max_epochs": 1}},
    "sales-maf": {"train": {"max_epochs": 1}},
}


def measured(model: str, sizes: dict[str, int], prices: bool, repeats: int) -> tuple[float, float]:
    """Processor seconds of a training, and of the paths of one horizon."""
    weeks = sizes["T"] + sizes["H"]
    data = simulated_sales(articles=sizes["D"], weeks=weeks, prediction_length=sizes["H"], windows=1)
    data = data if prices else data.without_covariates()
    trained, drawn = [], []
    for _ in range(repeats):
        estimator = build_model(model, data.metadata, ONE_EPOCH.get(model, {}))
        began = time.process_time()
        predictor = estimator.train(data.train)
        trained.append(time.process_time() - began)
        began = time.process_time()
        next(iter(predictor.predict([data.history(-1)], num_samples=sizes["S"])))
        drawn.append(time.process_time() - began)
    return min(trained), min(drawn)


def main() -> None:
    """Print seconds as they are measured, and a table of exponents."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", default="analog,cross-fit,counts,deepar,gru-maf,sales-maf")
    parser.add_argument("--sizes", default="D,T,S,H", help="which of them grow")
    parser.add_argument("--prices", choices=("yes", "no"), default="yes")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--out", type=Path, help="folder that keeps the seconds")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    table, kept = [], []
    for model in options.models.split(","):
        measured(model, {**USUAL, "D": 5, "T": 60}, options.prices == "yes", 1)  # what is loaded once
        row = [model]
        for axis in options.sizes.split(","):
            found = [
                measured(model, {**USUAL, axis: size}, options.prices == "yes", options.repeats) for size in SIZES[axis]
            ]
            kept.append({"model": model, "axis": axis, "sizes": SIZES[axis], "train, draw": found})
            print(kept[-1], flush=True)
            # The number of paths is nothing that a training knows.
            kinds = zip(*found, strict=True) if axis != "S" else [[draw for _, draw in found]]
            row.append(" / ".join(f"{exponent(SIZES[axis], seconds):.2f}" for seconds in kinds))
        table.append(row)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "growth.json").write_text(json.dumps(kept, indent=2))
    axes = options.sizes.split(",")
    print("| model | " + " | ".join(f"{axis}, drawn" if axis == "S" else f"{axis}, trained / drawn" for axis in axes))
    for row in table:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
