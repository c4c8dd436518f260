"""DeepAR against gluonts called directly: the same data, sizes, seed and process.

Run: python -m benchmarks.deepar
"""

from __future__ import annotations

import json
import statistics
import time
import warnings
from typing import Any

import torch
from gluonts.torch.model.deepar import DeepAREstimator as Univariate
from hemline.datasets.entries.univariate import as_univariate
from hemline.forecasting import DeepAREstimator, ForecastEstimator, Recurrent, TrainConfig
from hemline.runtime.quiet import quiet_lightning

from .measuring import arguments, in_own_process, peak_gib, write
from .shapes import SHAPES

BATCHES, BATCH = 50, 64


def measure(case: str, device: str, repeats: int) -> dict[str, Any]:
    """One shape: windows a second in training and paths a second in prediction, ours and gluonts'."""
    warnings.simplefilter("ignore")
    shape = SHAPES[case]
    data = shape.entries()
    rows = as_univariate(data[0])
    train = TrainConfig(max_epochs=3, batches_per_epoch=BATCHES, batch_size=BATCH, schedule="constant")
    direct = Univariate(
        freq=shape.freq,
        prediction_length=shape.horizon,
        num_feat_static_cat=1,
        cardinality=[shape.series],
        batch_size=BATCH,
        num_batches_per_epoch=BATCHES,
        trainer_kwargs={"max_epochs": 3, "logger": False, "enable_progress_bar": False, "enable_model_summary": False},
    )
    with quiet_lightning():
        began = time.perf_counter()
        theirs = direct.train(rows)
        gluonts_train = time.perf_counter() - began
    began = time.perf_counter()
    ours = DeepAREstimator(shape.freq, shape.horizon, train=train).train(data)
    ours_train = time.perf_counter() - began
    # Our own network of the same sizes on the same windows, all series at once.
    joint = ForecastEstimator(shape.freq, shape.horizon, encoder=Recurrent("lstm"), train=train)
    began = time.perf_counter()
    joint.train(data)
    joint_train = time.perf_counter() - began

    def clock(call: Any) -> float:
        began = time.perf_counter()
        list(call())
        return time.perf_counter() - began

    # In turns, and the ratio pair by pair, so that a machine whose speed drifts does so for both.
    pairs = [
        (clock(lambda: theirs.predict(rows, num_samples=100)), clock(lambda: ours.predict(data, num_samples=100)))
        for _ in range(2 * repeats)
    ]
    windows = 3 * BATCHES * BATCH
    return {
        "case": case,
        "D": shape.series,
        "gluonts windows/s": windows / gluonts_train,
        "hemline DeepAR windows/s": windows / ours_train,
        "training ratio": gluonts_train / ours_train,
        "LSTM x Student-t series-windows/s": windows * shape.series / joint_train,
        "gluonts predict s": statistics.median(first for first, _ in pairs),
        "hemline predict s": statistics.median(second for _, second in pairs),
        "prediction ratio": statistics.median(first / second for first, second in pairs),
        "peak GiB": peak_gib(device),
    }


if __name__ == "__main__":
    options = arguments(__doc__ or "", ["exchange", "solar"])
    torch.set_num_threads(options.threads)
    if options.case:
        print(json.dumps(measure(options.case, options.device, options.repeats)))
    else:
        write(
            "deepar", [in_own_process("benchmarks.deepar", case, options) for case in options.cases.split(",")], options
        )
