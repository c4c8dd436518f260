"""The memory that each named model needs for 963 series: a short training, and a hundred paths.

Memory depends on the shape of a batch, not on how many there are, so that two of them say it. Not measured are AutoETS
and AutoARIMA, whose series are fitted one after the other, and `var-responding`, which is `var` where there are no
prices.

Run: python -m benchmarks.memory [--cases gru-maf,analog]
"""

from __future__ import annotations

import json
import time
import warnings
from typing import Any

import torch
from hemline.datasets import Metadata
from hemline.forecasting import MODELS, build_model

from .measuring import arguments, in_own_process, peak_gib, write
from .shapes import SHAPES
from .simulate import SHORT

SHAPE = SHAPES["traffic"]
CASES = [name for name in MODELS if not name.startswith("auto-") and name not in ("var-responding", "pool")] + ["pool"]
PATHS = 100


def shortened(name: str) -> dict[str, Any]:
    """Settings that leave a model's batches as they are and its training short."""
    if name == "pool":
        trainer = {"num_batches_per_epoch": 2, "trainer_kwargs": {"max_epochs": 1}}
        patches = {"model": {"estimator": trainer}, "windows": 4}
        return {"models": {**dict.fromkeys(("cross-fit", "deepar", "density"), SHORT), "patch-tst": patches}}
    if name == "deepar-coupled":
        return {"model": SHORT, "windows": 4}
    return {"model": SHORT} if name.endswith("-ensemble") else SHORT


def measure(name: str) -> dict[str, Any]:
    """One model: peak memory of the process, before and after, and the seconds of both parts."""
    warnings.simplefilter("ignore")
    series = tuple(str(number) for number in range(SHAPE.series))
    model = build_model(name, Metadata("traffic", SHAPE.freq, SHAPE.horizon, series, season=24))
    data = SHAPE.entries()
    idle, began = peak_gib("cpu"), time.perf_counter()
    if hasattr(model, "train"):
        model = (model if name == "analog" else model.override(shortened(name))).train(data)
    trained = time.perf_counter()
    samples = next(iter(model.predict(data, num_samples=PATHS))).samples
    return {
        "case": name,
        "D": samples.shape[2],
        "paths": len(samples),
        "short training s": trained - began,
        "predict s": time.perf_counter() - trained,
        "idle GiB": idle,
        "peak GiB": peak_gib("cpu"),
    }


def main() -> None:
    """Measure each case in a process of its own."""
    options = arguments(f"Memory of the models at D = {SHAPE.series}.", CASES)
    if options.case:
        torch.set_num_threads(options.threads)
        print(json.dumps(measure(options.case)))
        return
    cases = options.cases.split(",")
    write("memory", [in_own_process("benchmarks.memory", case, options) for case in cases], options)


if __name__ == "__main__":
    main()
