"""A whole `predict` call, 100 paths of one window, for each benchmark's shape, and how its cost grows with D, S and H.

Run: python -m benchmarks.predict [--cases traffic,wiki] [--device cuda]
"""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import replace
from typing import Any

import torch
from hemline.forecasting import MAF, GRUMAFEstimator, TrainConfig

from .measuring import arguments, exponent, idle_share, in_own_process, peak_gib, synchronize, write
from .plotting import lines
from .shapes import SHAPES

GROWTH = ["traffic:200:24", "traffic:400:24", "traffic:100:48"]


def measure(case: str, device: str, repeats: int) -> dict[str, Any]:
    """One case, `shape` or `shape:paths:horizon`: seconds of a call, the first and the median of the others."""
    name, _, growth = case.partition(":")
    shape = SHAPES[name]
    paths, horizon = (int(part) for part in growth.split(":")) if growth else (100, shape.horizon)
    shape = replace(shape, horizon=horizon)
    data = shape.entries()
    train = TrainConfig(max_epochs=1, batches_per_epoch=1, batch_size=2, trainer={"accelerator": "cpu"})
    estimator = GRUMAFEstimator(shape.freq, horizon, head=MAF(blocks=3), train=train)
    predictor = estimator.train(data).to(device)
    seconds = []
    for _ in range(repeats + 1):
        synchronize(device)
        began = time.perf_counter()
        next(predictor.predict(data, num_samples=paths))
        synchronize(device)
        seconds.append(time.perf_counter() - began)
    median = statistics.median(seconds[1:])
    waits = {}
    if device.startswith("cuda"):
        waits["GPU waits"] = idle_share(lambda: next(predictor.predict(data, num_samples=paths)))
    return {
        "case": case,
        "D": shape.series,
        "S": paths,
        "H": horizon,
        "first call s": seconds[0],
        "median s": median,
        "paths/s": paths / median,
        **waits,
        "peak GiB": peak_gib(device),
    }


if __name__ == "__main__":
    options = arguments(__doc__ or "", [*SHAPES, *GROWTH])
    torch.set_num_threads(options.threads)
    if options.case:
        print(json.dumps(measure(options.case, options.device, options.repeats)))
    else:
        rows = [in_own_process("benchmarks.predict", case, options) for case in options.cases.split(",")]
        write("predict", rows, options)
        cost = {row["case"]: row["median s"] for row in rows if "error" not in row}
        wide = [name for name in SHAPES if name in cost and SHAPES[name].series >= 137]
        if len(wide) > 1:
            # A step is the same work whatever the horizon: costs are compared a step.
            sizes = [SHAPES[name].series for name in wide]
            costs = [cost[name] / SHAPES[name].horizon for name in wide]
            print(f"cost of a step ~ D^{exponent(sizes, costs):.2f} from D={min(sizes)} to {max(sizes)}")
            lines(options.out / "predict.png", sizes, {"s a step": costs}, "series D", "seconds", "100 paths, one step")
        if all(case in cost for case in ("traffic", *GROWTH)):
            over_paths = exponent([100, 200, 400], [cost["traffic"], cost[GROWTH[0]], cost[GROWTH[1]]])
            over_horizon = exponent([24, 48], [cost["traffic"], cost[GROWTH[2]]])
            print(f"cost ~ S^{over_paths:.2f}, ~ H^{over_horizon:.2f} at D=963")
