"""Tables of very many series: a forecast takes no more memory than what it was held against before it was begun."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from crash_harness import forked
from hemline.datasets import ForecastData, from_frame
from hemline.evaluation.adapters.door import _BYTES
from hemline.forecasting import build_model
from hemline.forecasting.models.predictor import ForecastPredictor
from memory import forget_peak, needs_linux, peak

pytestmark = [needs_linux, pytest.mark.skipif(not hasattr(os, "fork"), reason="measures forks of one process")]
SERIES, PATHS, HORIZON = 300, 1000, 8
SHORT = {"train": {"max_epochs": 1, "batches_per_epoch": 1, "batch_size": 4}}
WITHOUT_NETWORK = ("last-value", "seasonal-naive", "random-walk", "seasonal-walk", "croston", "counts", "analog")
NETWORKS = ("gru-maf", "transformer-maf", "vec-lstm-copula", "deepar", "sales-maf")
LONG = ("gp-copula", "var", "cross-fit")
SPARE = 48 * 2**20
"""Bytes that are of no path: the window, the features, what libraries keep."""


@pytest.fixture(scope="module")
def data() -> ForecastData:
    frame = pd.DataFrame(np.random.default_rng(0).poisson(5.0, (110, SERIES))).add_prefix("s")
    frame.insert(0, "week", pd.date_range("2022-01-03", periods=len(frame), freq="W-MON"))
    return from_frame(frame, timestamp="week", prediction_length=HORIZON, windows=1)


def growth(name: str, data: ForecastData) -> tuple[int, int]:
    """Bytes by which the process grew at most while a model forecast, and those of its parts of a decode."""
    settings = SHORT if name in NETWORKS or name in ("gp-copula", "cross-fit") else {}
    model = build_model(name, data.metadata, settings)
    fitted = model.train(data.train) if hasattr(model, "train") else model
    before = forget_peak()
    (drawn,) = fitted.predict([data.history(0)], num_samples=PATHS)
    assert drawn.samples.shape == (PATHS, HORIZON, SERIES)
    return peak() - before, fitted.max_bytes if isinstance(fitted, ForecastPredictor) else 0


@pytest.mark.parametrize(
    "name", [*WITHOUT_NETWORK, *NETWORKS, *(pytest.param(one, marks=pytest.mark.slow) for one in LONG)]
)
def test_a_forecast_of_a_wide_table_takes_the_memory_that_it_was_held_against(data, name):
    code, said = forked(lambda: growth(name, data))
    assert code == 0, said
    took, parts = said
    # The paths of a network are drawn in parts, of which each has a bound of its own.
    most = _BYTES * PATHS * HORIZON * SERIES + SPARE + (parts if name == "gp-copula" else 0)
    assert took < most, f"{took >> 20} MB, expected at most {most >> 20}"
