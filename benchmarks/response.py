"""One step of the fit of a price response, by the number of days: the level as a state, and by matrices of the days.

Run: python -m benchmarks.response [--cases 250,500,1000,2000,4000] [--repeats 5]
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import torch
from hemline.forecasting.response.series_fit import SeriesFit

from .measuring import arguments, exponent, in_own_process, peak_gib, write
from .plotting import lines

CHANNELS = 24
LARGEST = 2000
"""Days up to which the matrices are measured: they take eight times as long for twice as many."""


def measure(case: str, repeats: int) -> dict[str, Any]:
    """Milliseconds of a processor for a step of one series, medians, and how far the two ways are apart."""
    days, rng = int(case), np.random.default_rng(0)
    inputs = (rng.random((CHANNELS, days)) < 0.2) - 0.2
    sales = rng.poisson(np.exp(1 + inputs[0] + rng.normal(0, 0.03, days).cumsum())).astype(float)
    mean, variance = np.zeros(CHANNELS), np.full(CHANNELS, 0.25)
    by_state, by_days = (SeriesFit(sales, inputs[:2].T, True) for _ in range(2))
    clocks: dict[str, list[float]] = {"state": [], "matrices": []}
    apart = 0.0
    for _ in range(repeats):
        began = time.process_time()
        found, _ = by_state.step_by_state(mean, variance, inputs)
        clocks["state"].append(time.process_time() - began)
        if days <= LARGEST:
            began = time.process_time()
            weights, _, _ = by_days.step(mean @ inputs, (inputs.T * variance) @ inputs, variance[:2])
            clocks["matrices"].append(time.process_time() - began)
            apart = max(apart, float(np.abs(found - variance * (inputs @ weights)).max()))
    row = {name: 1000 * float(np.median(each)) for name, each in clocks.items() if each}
    return {"days": days, **{f"{name} ms": each for name, each in row.items()}, "apart": apart, "GiB": peak_gib("cpu")}


if __name__ == "__main__":
    options = arguments(__doc__ or "", ["250", "500", "1000", "2000", "4000"])
    torch.set_num_threads(options.threads)
    if options.case:
        print(json.dumps(measure(options.case, options.repeats)))
    else:
        rows = [in_own_process("benchmarks.response", case, options) for case in options.cases.split(",")]
        write("response", rows, options)
        days = [row["days"] for row in rows]
        curves = {name: [row.get(f"{name} ms", float("nan")) for row in rows] for name in ("state", "matrices")}
        for name, values in curves.items():
            known = np.isfinite(values)
            print(f"{name}: time grows as T^{exponent(np.array(days)[known], np.array(values)[known]):.2f}")
        title = f"A step of the fit, {CHANNELS} channels"
        lines(options.out / "response.png", days, curves, "days T", "ms a series", title)
