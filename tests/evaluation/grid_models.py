"""Models and data for grids, in a module that worker processes can import; as a script it runs a grid."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pandas as pd
import torch
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor
from hemline.datasets.entries.data import ForecastData, Metadata

NOTES = "HEMLINE_TEST_NOTES"
"""Names a folder in which models note that they were asked, and what they did once."""


class Panic(BaseException):
    """What compiled code may raise that wants to be caught by nobody."""


class Noise(Predictor):
    """Draws from numpy's and torch's generators; what else it does goes by its name."""

    def __init__(self, horizon: int, name: str, spread: float = 1.0, seconds: float = 0.0) -> None:
        super().__init__(horizon)
        self.name, self.spread, self.seconds = name, spread, seconds

    def configuration(self) -> dict[str, Any]:
        return {"name": self.name, "spread": self.spread}

    def go_on(self) -> None:
        """Whatever happens."""
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            try:
                time.sleep(0.1)
            except:  # noqa: E722
                continue
        self.seconds = 0.0

    def predict(self, dataset, num_samples: int = 100) -> Iterator[SampleForecast]:  # type: ignore[override]
        notes = Path(os.environ[NOTES])
        with (notes / "asked").open("a") as asked:
            asked.write(f"{self.name} {os.getpid()}\n")
        if self.name == "broken":
            print("about to break")
            raise RuntimeError("no weights\nat all")
        if self.name == "dies" or (self.name == "dies-once" and not (notes / "died-once").exists()):
            (notes / f"died{self.name[4:]}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.name == "deaf":
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        if self.name == "panics":
            raise Panic("of compiled code")
        if self.name == "prints":
            print("a file called caf\udce9")
        if self.name == "stubborn":
            self.go_on()
        time.sleep(self.seconds)
        for entry in dataset:
            series, end = entry["target"].shape
            drawn = np.random.normal(size=(num_samples, self.prediction_length, series)) + float(torch.randn(()))
            yield SampleForecast(self.spread * drawn, start_date=entry["start"] + end)


def build(name: str, metadata: Metadata, settings: Mapping[str, Any]) -> Noise:
    if name == "unmade":
        raise ValueError("unmade: has no settings\nat all")
    return Noise(metadata.prediction_length, name, **settings)


def load(name: str) -> ForecastData:
    if name == "nowhere":
        raise FileNotFoundError("nowhere: no such dataset")
    name = PurePath(name).stem
    target = np.random.default_rng(len(name)).normal(size=(2, 24))
    entry = {"start": pd.Period("2024-01-01", "D"), "target": target}
    cut = [entry | {"target": target[:, :end]} for end in (18, 20, 22)]
    return ForecastData(Metadata(name, "D", 2, item_ids=("a", "b")), train=cut[:1], test=[*cut[1:], entry])


if __name__ == "__main__":
    import grid_models
    from hemline.evaluation import read_grid, run_grid

    run_grid(read_grid(sys.argv[1]), grid_models.build, grid_models.load, ray="--ray" in sys.argv)
