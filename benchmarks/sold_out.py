"""Fifty articles that are sold out in the store that sells nine tenths of them: what is forecast of the chain.

Run: python -m benchmarks.sold_out [--models analog,deepar] [--out runs/sold_out.jsonl]
It goes on where it was killed. The truth is 100 units a week; the other store sells 10.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from hemline.datasets import ForecastData, from_sales
from hemline.forecasting import MODELS, build_model

SHORT = {"train": {"max_epochs": 10, "batches_per_epoch": 30}}
"""A short training of a network: 300 steps."""

SETTINGS: dict[str, dict[str, Any]] = {
    "analog": {"origins": 10},
    "cold-start": {"model": {"origins": 10}},
    "auto-arima": {"history": 60},
    "auto-ets": {"history": 60},
    "cross-fit": {"folds": 3, **SHORT},
    "deepar-coupled": {"model": SHORT, "windows": 10},
    "sales-maf-ensemble": {"model": SHORT, "members": 2},
    "pool": {
        "models": {"cross-fit": SHORT, "deepar": SHORT, "density": SHORT, "patch-tst": {"model": {}}},
        "windows": 2,
    },
    **{name: {} for name in ("var", "var-responding", "croston", "tsb", "counts")},
}

COPIES = ("last-value", "seasonal-naive", "random-walk", "random-walk-independent", "seasonal-walk")
"""Models that copy one value of each article, which is as far from the level as that value was."""


def sold_out(articles: int = 50, weeks: int = 130, empty: int = 4, seed: int = 0) -> ForecastData:
    """Articles that sell 90 units online and 10 in the shop; online is empty in the last weeks.

    Arguments:
        articles: how many.
        weeks: in all.
        empty: weeks at the end in which online sells nothing, because it has none.
        seed: of the Poisson units.
    """
    draw, dates = np.random.default_rng(seed), pd.date_range("2023-01-02", periods=weeks, freq="W-MON")
    rows = []
    for number in range(articles):
        for store, mean in (("shop", 10), ("online", 90)):
            sold, shelf = draw.poisson(mean, weeks).astype(float), np.ones(weeks)
            if store == "online":
                sold[-empty:], shelf[-empty:] = 0, 0
            rows.append(pd.DataFrame({"sku": f"a{number}", "shop": store, "week": dates, "sold": sold, "shelf": shelf}))
    return from_sales(
        pd.concat(rows, ignore_index=True), article="sku", store="shop", date="week", units="sold", in_stock="shelf",
        prediction_length=empty, windows=0,
    )  # fmt: skip


def measured(name: str, data: ForecastData) -> dict[str, Any]:
    """The forecasts of one model: their mean over the articles, and how far that of one article is off."""
    model: Any = build_model(name, data.metadata)
    trains = hasattr(model, "train")
    model = model.override(SETTINGS.get(name, SHORT if trains else {}))
    begun = time.process_time()
    fitted = model.train(data.train) if trains else model
    drawn = np.asarray(next(iter(fitted.predict([data.latest], num_samples=50))).samples)
    means = drawn.mean((0, 1))
    return {
        "model": name,
        "mean of 50": float(means.mean()),
        "lowest": float(means.min()),
        "highest": float(means.max()),
        "estimates": "no, copies a value" if name in COPIES else "yes",
        "seconds": time.process_time() - begun,
    }


def main() -> None:
    """Train each model that is not in the file yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--out", type=Path, default=Path("runs/sold_out.jsonl"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in options.out.read_text().splitlines()] if options.out.exists() else []
    data = sold_out()
    for name in options.models.split(","):
        if name in {row["model"] for row in rows}:
            continue
        rows.append(measured(name, data))
        with options.out.open("a") as file:
            file.write(json.dumps(rows[-1]) + "\n")
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.1f"))


if __name__ == "__main__":
    main()
