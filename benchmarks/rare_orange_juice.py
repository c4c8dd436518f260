"""Dominick's orange juice by store, thinned until a store sells less than a unit a week: sums over the lead time.

The cartons of 64 ounces that each of 83 stores sold of each of 11 brands are thinned: each is kept with the chance that
leaves a store a given number of units a week on average. What is then expected of the weeks to come is known,
the chance times the cartons that were sold, and a forecast is judged without the luck of single sales: the
sum over brands and the lead time of a store, as forecast, by the expected one. Weeks that a store did not report
are missing, and count on neither side.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from hemline.datasets import ForecastData
from hemline.datasets.benchmarks.orange_juice import dominicks_oj
from hemline.forecasting import build_model
from hemline.runtime.whole_files import whole_file

CARTON = 64.0
"""Ounces of a unit."""

WEEKLY = (0.3, 0.8, 5.0, 50.0)
"""Units a week of a store that sells as much as the mean of all."""

HORIZON, PATHS, BRANDS = 8, 300, 11


def thinned(rate: float, seed: int = 0, prices: bool = False) -> tuple[ForecastData, np.ndarray]:
    """The dataset, and the expected sales ``[H, D]`` of the weeks to come, NaN where a store did not report.

    Arguments:
        rate: units a week and store.
        seed: of the thinning.
        prices: whether prices, coupons and features are told.
    """
    whole = dominicks_oj(level="store", prediction_length=HORIZON, windows=1)
    entry = whole.test[-1]
    cartons = np.rint(entry.target / CARTON)
    chance = rate / (BRANDS * np.nanmean(cartons))
    generator = np.random.default_rng(seed)
    kept = np.where(np.isnan(cartons), np.nan, generator.binomial(np.nan_to_num(cartons).astype(int), chance))
    last = entry.with_(target=kept.astype(np.float32))
    data = ForecastData(replace(whole.metadata, domain="count"), [last.until(entry.length - HORIZON)], [last])
    return data if prices else data.without_covariates(), chance * cartons[:, -HORIZON:].T


def off_by(told: np.ndarray, expected: np.ndarray, stores: np.ndarray) -> np.ndarray:
    """By what factor the forecast sum of each store is off, 1 and above; ``[83]``.

    Arguments:
        told: ``[H, D]`` means of a forecast.
        expected: ``[H, D]``, NaN where a store did not report.
        stores: ``[D]`` numbers of the stores, from 0.
    """
    known = ~np.isnan(expected)
    sums = [np.bincount(stores, np.where(known, each, 0.0).sum(0)) for each in (told, expected)]
    ratio = np.maximum(sums[0], 1e-9) / np.maximum(sums[1], 1e-9)
    return np.maximum(ratio, 1 / ratio)


def orange_juice(names: Sequence[str], rates: Sequence[float], prices: bool, out: Path | None) -> None:
    """Print, for each model, by what factor sums over eight weeks are off, over the stores of the rate."""
    print(f"orange juice by store, prices, coupons and features {'told' if prices else 'not told'}")
    print("\n| model | units a week | all stores together | median store | worst store | beyond 2 | processor s |")
    print("|---" * 7 + "|")
    for name in names:
        for rate in rates:
            data, expected = thinned(rate, prices=prices)
            told, seconds = means(name, data, None if out is None else out / f"juice-{name}-{prices}-{rate}.npz")
            items = data.test[-1].item_ids
            stores = np.unique([item.split("@")[1] for item in items], return_inverse=True)[1]
            off = off_by(told, expected, stores)
            total = np.where(np.isnan(expected), 0.0, told).sum() / np.nansum(expected)
            print(
                f"| {name} | {rate:g} | {total:.2f} | {np.median(off):.2f} | {off.max():.2f} "
                f"| {(off > 2).sum()} of {len(off)} | {seconds:.0f} |",
                flush=True,
            )


def means(name: str, data: ForecastData, kept: Path | None) -> tuple[np.ndarray, float]:
    """Mean forecast ``[H, D]`` and the processor seconds that it took; from a file where it is kept."""
    if kept is not None and kept.exists():
        with np.load(kept) as stored:
            return stored["told"], float(stored["seconds"])
    if name == "past-days":
        past = data.train[0].target
        return np.broadcast_to(np.nanmean(past, axis=1), (HORIZON, len(past))), 0.0
    began = time.process_time()
    model = build_model(name, data.metadata)
    model = model.train(data.train) if hasattr(model, "train") else model
    forecast = next(iter(model.predict([data.history(0)], num_samples=PATHS)))
    told = np.asarray(forecast.samples).mean(0, dtype=float)
    seconds = time.process_time() - began
    if kept is not None:
        with whole_file(kept) as aside, aside.open("wb") as file:
            np.savez(file, told=told, seconds=seconds)
    return told, seconds
