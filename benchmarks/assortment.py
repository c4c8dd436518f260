"""What a retailer of many articles waits for: the training of `analog`, a forecast, scenarios.

Run: python -m benchmarks.assortment [--cases 100,300,1000] [--threads 2]
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
from hemline.datasets import simulated_sales
from hemline.forecasting import Scenario, build_model, simulate

from .measuring import arguments, in_own_process, peak_gib, write


def clocked(work: Callable[[], Any]) -> tuple[Any, float]:
    """What some work gives, and its seconds."""
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def measure(case: str) -> dict[str, Any]:
    """Seconds of each stage for one number of articles, three years of weeks, and the memory of the whole process."""
    warnings.simplefilter("ignore")
    data = simulated_sales(articles=int(case), weeks=160, prediction_length=12, windows=1)
    predictor, training = clocked(lambda: build_model("analog", data.metadata).train(data.train))
    past = data.history(-1)
    _, forecast = clocked(lambda: next(predictor.predict([past], num_samples=100)))
    first, second = data.metadata.item_ids[:2]
    scenarios = [
        Scenario("markdown", f"price[{first}] = -20% @ 2:4"),
        Scenario("both", [f"price[{first}] = -20% @ 2:4", f"price[{second}] = -10% @ 1:4"]),
    ]
    _, simulation = clocked(lambda: simulate(predictor, past, scenarios, paths=1000))
    return {
        "articles": int(case),
        "training s": training,
        "100 paths s": forecast,
        "1000 paths, plan and two scenarios s": simulation,
        "peak GiB": peak_gib("cpu"),
    }


if __name__ == "__main__":
    options = arguments(__doc__ or "", ["100", "300", "1000"])
    torch.set_num_threads(options.threads)
    if options.case:
        print(json.dumps(measure(options.case)))
    else:
        cases = options.cases.split(",")
        write("assortment", [in_own_process("benchmarks.assortment", case, options) for case in cases], options)
