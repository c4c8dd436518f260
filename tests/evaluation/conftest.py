"""Small data and small models to backtest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gluonts.core.component import validated
from gluonts.model.estimator import Estimator
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import RepresentablePredictor
from hemline.datasets.entries.data import ForecastData, Metadata

HORIZON, DIM, WINDOWS = 4, 3, 3


class Walk(RepresentablePredictor):
    """The last value and noise of the size of past changes; draws from numpy's global generator."""

    @validated()
    def __init__(self, prediction_length: int, spread: float = 1.0) -> None:
        super().__init__(prediction_length=prediction_length)
        self.spread = spread

    def predict(self, dataset, num_samples: int = 100, **_: Any) -> Iterator[SampleForecast]:  # type: ignore[override]
        for entry in dataset:
            target = np.nan_to_num(entry["target"])
            scale = self.spread * np.abs(np.diff(target)).mean(1)
            steps = np.random.normal(size=(num_samples, self.prediction_length, len(target))) * scale
            yield SampleForecast(
                target[:, -1] + steps.cumsum(1), start_date=entry["start"] + target.shape[1], item_id="walk"
            )


class Fitted(Estimator):
    """Trains by drawing a spread from numpy's global generator; remembers what it was trained on."""

    def __init__(self, prediction_length: int) -> None:
        super().__init__()
        self.prediction_length = prediction_length
        self.seen: list[list[dict]] = []

    def configuration(self) -> dict[str, Any]:
        return {"prediction_length": self.prediction_length}

    def train(self, training_data, validation_data=None) -> Walk:  # type: ignore[override]
        self.seen.append(list(training_data))
        walk = Walk(self.prediction_length, spread=float(np.random.uniform(0.5, 2)))
        walk.training_log = [
            {"epoch": e, "train_loss": 1.0 / (e + 1), "validation_loss": None, "seconds": 0.1} for e in range(3)
        ]
        return walk


class Broken(RepresentablePredictor):
    """Cannot forecast."""

    def predict(self, dataset, num_samples: int = 100, **_: Any) -> Iterator[SampleForecast]:  # type: ignore[override]
        raise RuntimeError("no weights\nat all")


def make_data(
    name: str = "walks", dim: int = DIM, archive: str | None = None, missing: bool = False, windows: int = WINDOWS
) -> ForecastData:
    rng = np.random.default_rng(5)
    length = 40 + windows * HORIZON
    target = (50 * np.arange(1, dim + 1)[:, None] + rng.normal(size=(dim, length)).cumsum(1)).astype(np.float32)
    if missing:
        target[0, -2] = target[1, 10] = np.nan
    start = pd.Period("2024-01-01", "D")
    known, past = rng.normal(size=(2, length)), rng.normal(size=(1, length))

    def until(end: int) -> dict[str, Any]:
        return {
            "start": start,
            "item_id": name,
            "target": target[:, :end],
            "feat_dynamic_real": known[:, :end],
            "past_feat_dynamic_real": past[:, :end],
        }

    metadata = Metadata(
        name, "D", HORIZON, item_ids=tuple("abcdefghij"[:dim]), season=7, archive=archive, domain="count"
    )
    ends = [length - (windows - 1 - w) * HORIZON for w in range(windows)]
    return ForecastData(metadata, train=[until(length - windows * HORIZON)], test=[until(end) for end in ends])


@pytest.fixture
def data() -> ForecastData:
    return make_data()


@pytest.fixture
def single() -> ForecastData:
    return make_data("alone", dim=1)


@pytest.fixture
def gaps() -> ForecastData:
    return make_data("gaps", missing=True)


@pytest.fixture
def archive() -> ForecastData:
    """Made-up numbers that call themselves a benchmark, to see published scores beside them."""
    return make_data("exchange", archive="exchange_rate_nips", windows=5)


@pytest.fixture
def walk() -> type[Walk]:
    return Walk


@pytest.fixture
def fitted() -> type[Fitted]:
    return Fitted


@pytest.fixture
def broken() -> Broken:
    return Broken(prediction_length=HORIZON)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished backtest of two datasets, one an exact archive, with a model that failed."""
    from hemline.evaluation import RunFailedWarning, backtest

    out = tmp_path_factory.mktemp("backtest") / "out"
    models = {"walk": Walk(HORIZON), "wide": Walk(HORIZON, 5.0), "fitted": Fitted(HORIZON)}
    backtest(models, make_data(), seeds=(0, 1), num_samples=20, out=out, quiet=True)
    other = make_data("exchange", archive="exchange_rate_nips", windows=5)
    with pytest.warns(
        RunFailedWarning, match=r"1 of 2 runs failed: broken on exchange, seed 0: RuntimeError: no weights$"
    ):
        backtest({"walk": Walk(HORIZON), "broken": Broken(HORIZON)}, other, num_samples=20, out=out, quiet=True)
    return out
