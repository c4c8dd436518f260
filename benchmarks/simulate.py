"""What a planner waits for: a thousand joint paths of the baseline and two scenarios.

The time is that of `simulate` alone, of models that were trained for a moment: it does not depend on what they learnt.

Run: HEMLINE_DATA=... python -m benchmarks.simulate
"""

from __future__ import annotations

import json
import statistics
import time
import warnings
from typing import Any

import torch
from hemline.datasets import ForecastData, get_dataset, simulated_sales
from hemline.forecasting import Scenario, build_model, simulate

from .measuring import arguments, in_own_process, peak_gib, write

PATHS = 1000
ASSORTMENTS = ("orange-juice", "300-articles")
CASES = tuple(f"{model}:{assortment}" for assortment in ASSORTMENTS for model in ("analog", "cross-fit", "sales-maf"))
SHORT = {"train": {"max_epochs": 1, "batches_per_epoch": 2}}


def measure(case: str, repeats: int) -> dict[str, Any]:
    """One model on one assortment: seconds of a simulation, the median of some, and the memory of the whole process."""
    warnings.simplefilter("ignore")
    model, assortment = case.split(":")
    data = _data(assortment)
    steps = data.metadata.prediction_length
    predictor = build_model(model, data.metadata, None if model == "analog" else SHORT).train(data.train)
    past = data.history(-1)
    first, second = data.metadata.item_ids[:2]
    scenarios = [
        Scenario("markdown", f"price[{first}] = -20% @ 2:4"),
        Scenario("both", [f"price[{first}] = -20% @ 2:4", f"price[{second}] = -10% @ 1:4"]),
    ]
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        simulate(predictor, past, scenarios, paths=PATHS)
        seconds.append(time.perf_counter() - began)
    return {
        "case": case,
        "articles": data.metadata.target_dim,
        "steps": steps,
        "seconds": statistics.median(seconds),
        "slowest": max(seconds),
        "peak GiB, training included": peak_gib("cpu"),
    }


def _data(assortment: str) -> ForecastData:
    if assortment == "orange-juice":
        return get_dataset("dominicks_oj")
    return simulated_sales(articles=300, weeks=160, prediction_length=12, windows=1)


def main() -> None:
    """Measure each case in a process of its own."""
    options = arguments("A thousand paths of the baseline and two scenarios.", CASES)
    if options.case:
        torch.set_num_threads(options.threads)
        print(json.dumps(measure(options.case, options.repeats)))
        return
    cases = options.cases.split(",")
    write("simulate", [in_own_process("benchmarks.simulate", case, options) for case in cases], options)


if __name__ == "__main__":
    main()
