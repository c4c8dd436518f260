"""What every part of the golden record starts from: data, short settings, seeds; public names alone survive moves."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from hemline.datasets import ForecastData, Metadata, get_dataset
from hemline.evaluation import cut_window
from PIL import Image

STORED = Path(__file__).parent / "stored"
SALES_TABLE = STORED / "sales.toml"
"""A table of whole numbers, the same on every machine; `simulated_sales` goes through exponentials."""

TRAIN = {"train": {"max_epochs": 2, "batches_per_epoch": 3, "batch_size": 8}}
RESPONSE = {"response": {"iterations": 4}}
MEMBERS = {
    "cross-fit": {**TRAIN, **RESPONSE},
    "deepar": TRAIN,
    "density": {**TRAIN, **RESPONSE},
    "analog": {"model": {"origins": 4}, **RESPONSE},
    "var": RESPONSE,
    "analog-plain": {"origins": 4},
}
QUICK: dict[str, dict[str, Any]] = {
    "pool": {"models": MEMBERS, "windows": 2, "num_samples": 10, "smallest": 0.0, "shrinkage": 100.0},
    "cross-fit": {**TRAIN, **RESPONSE},
    "analog": {"model": {"origins": 4}},
    "cold-start": {"model": {"model": {"origins": 4}}, **RESPONSE},
    "sales-maf": {**TRAIN, **RESPONSE},
    "sales-maf-ensemble": {"model": {**TRAIN, **RESPONSE}, "members": 2},
    "timegrad": {**TRAIN, "head": {"steps": 5}},
    "deepar-coupled": {"model": TRAIN, "windows": 4},
    "var-responding": RESPONSE,
    "counts": {},
    "croston": {},
    "tsb": {},
}
"""Settings under which a model is trained in seconds; what is not named here takes `TRAIN`."""
UNTRAINED = ("var", "auto-ets", "auto-arima", "last-value", "seasonal-naive")
UNTRAINED += ("random-walk", "random-walk-independent", "seasonal-walk")

DESCRIBED = (
    Metadata("simulated_sales", "W-SUN", 8, ("a", "b"), "count", 52, ("price[a]", "price[b]", "promo[a]", "promo[b]")),
    Metadata("exchange_rate_nips", "B", 30, ("a", "b", "c"), season=5),
    Metadata("wiki2_daily", "D", 14, ("a", "b"), season=7, domain="positive"),
)
"""Datasets for which every model's whole settings are digested, two of them with settings that ship."""


def seed_everything() -> None:
    """Start from the same generators, so that no row depends on those before it."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


def short(name: str) -> dict[str, Any] | None:
    """The short settings of a named model; ``None`` for one without any."""
    return None if name in UNTRAINED else QUICK.get(name, TRAIN)


def sales() -> ForecastData:
    """Four articles over 104 weeks, read from the stored table."""
    return get_dataset(str(SALES_TABLE))


def window(data: ForecastData, number: int) -> tuple[Any, np.ndarray]:
    """The entry before a test window, and what happened ``[H, D]``."""
    cut = cut_window(data.test[number], data.metadata.prediction_length, number=number)
    return cut.past, cut.observed


def launch(entry: Any) -> dict[str, Any]:
    """An entry whose last article was never sold, every article described by two numbers."""
    target = np.array(entry["target"], dtype=np.float32)
    target[-1] = np.nan
    described = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [1.0, 1.0]], dtype=np.float32)
    return {**entry, "target": target, "feat_static_real": described}


def write_sales() -> None:
    """Write the stored table, once; its numbers come from the simulator and are whole, or have two digits."""
    from hemline.datasets import simulated_sales

    data = simulated_sales(articles=4, weeks=104, seed=3, windows=2)
    entry, metadata = data.test[-1], data.metadata
    dates = pd.date_range("2020-01-06", periods=entry["target"].shape[1], freq="W-MON").strftime("%Y-%m-%d")
    channels = dict(zip(metadata.covariates, entry["feat_dynamic_real"], strict=True))
    stocked = dict(zip(metadata.past_covariates, entry["past_feat_dynamic_real"], strict=True))
    rows = [
        f"{date},{item},{int(units)},{price:.2f},{int(promo)},{int(shelf)}"
        for item, target in zip(metadata.item_ids, entry["target"], strict=True)
        for date, units, price, promo, shelf in zip(
            dates,
            target,
            channels[f"price[{item}]"],
            channels[f"promo[{item}]"],
            stocked[f"in_stock[{item}]"],
            strict=True,
        )
    ]
    SALES_TABLE.with_suffix(".csv").write_text("\n".join(["week,article,units,price,promo,shelf", *rows]) + "\n")
    SALES_TABLE.write_text(
        'table = "sales.csv"\narticle = "article"\ndate = "week"\nunits = "units"\nprice = "price"\n'
        'promotion = "promo"\nin_stock = "shelf"\nprediction_length = 8\nwindows = 2\n'
    )


def write_pictures(folder: Path) -> Path:
    """Twenty-four photos of one colour and one shape each, drawn without rounding; the catalogue's description."""
    (folder / "photos").mkdir(parents=True)
    colours, rows = {"red": (200, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 200)}, []
    for number in range(24):
        colour, shape = list(colours)[number % 3], ("square", "bar")[number // 3 % 2]
        picture = np.full((16, 16, 3), 255, dtype=np.uint8)
        top, left = 1 + number % 5, 1 + number % 4
        picture[top : top + 8, left : left + (8 if shape == "square" else 3)] = colours[colour]
        Image.fromarray(picture).save(folder / "photos" / f"{number}.png")
        rows.append({"id": f"i{number}", "photos": [f"{number}.png"], "colour": colour, "shape": shape})
        rows[-1]["title"] = f"A {colour} {shape}"
    (folder / "shop.jsonl").write_text("\n".join(map(json.dumps, rows)))
    description = folder / "shop.toml"
    description.write_text(
        'table = "shop.jsonl"\nphotos = "photos"\nitem_id = "id"\nimages = "photos"\ntext = "title"\n'
        'labels = ["colour", "shape"]\n'
    )
    return description
