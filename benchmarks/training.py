"""Training steps a second, the share of a step outside compute, and memory, for each benchmark's shape.

The share compares a step of the whole training (Lightning, window gathering, clipping, logging) with forward, backward
and optimiser step of the same network on a window that is already there, in the same process.

Run: python -m benchmarks.training [--cases exchange,traffic-timegrad] [--device cuda]
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import torch
from hemline.forecasting import MAF, GRUMAFEstimator, GRURealNVPEstimator, TimeGradEstimator, TrainConfig
from hemline.forecasting.windows.spec import infer_spec
from hemline.forecasting.windows.tensor import SeriesTensor

from .measuring import arguments, exponent, in_own_process, peak_gib, synchronize, write
from .plotting import lines
from .shapes import SHAPES, Shape

CASES = ["exchange-nvp", *SHAPES]
OTHERS: dict[str, Any] = {"nvp": GRURealNVPEstimator, "timegrad": TimeGradEstimator}
"""What a case may name behind its shape; without a name it is GRU-MAF."""


def bare_step(estimator: Any, data: list[dict], shape: Shape, device: str, steps: int, repeats: int) -> float:
    """Seconds of forward, backward and optimiser step alone, on a window that is already there."""
    spec = infer_spec(data, freq=shape.freq, prediction_length=shape.horizon)
    series = SeriesTensor(data, spec, change=None).to(torch.device(device))
    forecaster = estimator.composition(spec).network(series.statistics).to(device).train()
    optimizer = torch.optim.Adam(forecaster.parameters())
    window = series.gather(series.training_starts()[: shape.batch])
    seconds = []
    for _ in range(repeats + 1):
        synchronize(device)
        began = time.perf_counter()
        for _ in range(steps):
            forecaster.loss(window).backward()
            optimizer.step()
            optimizer.zero_grad()
        synchronize(device)
        seconds.append((time.perf_counter() - began) / steps)
    return statistics.median(seconds[1:])


def measure(case: str, device: str, repeats: int) -> dict[str, Any]:
    """One case: seconds a step, bare and whole."""
    name, _, other = case.partition("-")
    shape = SHAPES[name]
    data = shape.entries()
    steps = 20 if shape.series < 100 else 6
    train = TrainConfig(
        max_epochs=repeats + 1,
        batches_per_epoch=steps,
        batch_size=shape.batch,
        trainer={"accelerator": "gpu" if device.startswith("cuda") else "cpu"},
    )
    if other:
        estimator: Any = OTHERS[other](shape.freq, shape.horizon, train=train)
    else:
        head = MAF(blocks=4 if shape.series < 100 else 3)
        estimator = GRUMAFEstimator(shape.freq, shape.horizon, head=head, train=train)
    alone = bare_step(estimator, data, shape, device, steps, repeats)
    log = estimator.train(data).training_log
    whole = statistics.median(row["seconds"] / steps for row in log[1:])
    return {
        "case": case,
        "D": shape.series,
        "batch": shape.batch,
        "compute ms/step": 1e3 * alone,
        "whole ms/step": 1e3 * whole,
        "outside compute": max(0.0, 1 - alone / whole),
        "steps/s": 1 / whole,
        "windows/s": shape.batch / whole,
        "peak GiB": peak_gib(device),
    }


if __name__ == "__main__":
    options = arguments(__doc__ or "", CASES)
    torch.set_num_threads(options.threads)
    if options.case:
        print(json.dumps(measure(options.case, options.device, options.repeats)))
    else:
        rows = [in_own_process("benchmarks.training", case, options) for case in options.cases.split(",")]
        write("training", rows, options)
        good = [row for row in rows if "error" not in row and "-" not in row["case"]]
        if len(good) > 1:
            sizes, costs = [row["D"] for row in good], [row["whole ms/step"] / row["batch"] for row in good]
            print(f"cost of a window ~ D^{exponent(sizes, costs):.2f}")
            lines(options.out / "training.png", sizes, {"ms a window": costs}, "series D", "ms", "Training a window")
