"""A model of partitions that notes what it is asked, in a module that workers can import."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
from hemline.evaluation import ForecastModel
from hemline.forecasting import RandomWalkPredictor

NOTES = "HEMLINE_TEST_NOTES"
"""Names a folder in which trainings are noted; a file ``dies`` or ``breaks`` there says for which series."""


class NotedEstimator(ForecastModel):
    """Learns nothing, and draws a random walk."""

    def __init__(self, prediction_length: int, *, seed: int = 0) -> None:
        super().__init__()
        self.prediction_length, self.seed = prediction_length, seed

    def settings(self) -> dict[str, object]:
        return {"prediction_length": self.prediction_length, "seed": self.seed}

    def train(self, training_data, validation_data=None):
        notes, (entry, *_) = Path(os.environ[NOTES]), training_data
        first = entry.item_ids[0]
        whole = np.isnan(entry.target).all(1).sum() == 0
        with (notes / "trained").open("a") as file:
            file.write(f"{first} {entry.dim} {entry.length} {os.getpid()} {whole}\n")
        for kind in ("dies", "breaks"):
            asked = (notes / kind).read_text().split() if (notes / kind).exists() else []
            if first in asked:
                left = list(asked)
                left.remove(first)
                (notes / kind).write_text(" ".join(left))
                if kind == "dies":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise ValueError("model: expected a better day")
        return self.made(RandomWalkPredictor(self.prediction_length))
