"""Filler is never data: a late start, an early end or a hole moves no forecast, that of its series or of another."""

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame
from hemline.forecasting import MODELS, GRUMAFEstimator, TrainConfig

STEPS, HORIZON = 150, 7
KEPT, LATE, ENDED, HOLE = range(4)


def table(broken: bool):
    """Four series of one season: one is whole, and if asked one starts late, one has ended, one has a hole."""
    rng = np.random.default_rng(0)
    season = 1 + 0.2 * np.sin(2 * np.pi * np.arange(STEPS) / 7)
    values = np.array([50, 20, 30, 10]) * season[:, None] * np.exp(0.1 * rng.normal(size=(STEPS, 4)))
    # Both tables have a gap, so that networks have the same inputs and weights.
    values[5, LATE] = np.nan
    if broken:
        values[:100, LATE], values[-14:, ENDED], values[60:95, HOLE] = np.nan, np.nan, np.nan
    frame = pd.DataFrame(values, columns=["kept", "late", "ended", "hole"])
    # A channel that does nothing, because some models want one.
    frame["day"], frame["weather"] = pd.date_range("2024-01-01", periods=STEPS), rng.normal(size=STEPS)
    covariates = {"shared_covariates": ["weather"], "target": ["kept", "late", "ended", "hole"]}
    return from_frame(frame, timestamp="day", prediction_length=HORIZON, domain="positive", windows=1, **covariates)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n == "pool" else n for n in MODELS])
def test_a_late_start_an_early_end_and_a_hole_leave_all_forecasts_where_they_are(name, trained_shortly):
    if name.startswith("auto-"):
        pytest.importorskip("statsforecast", reason="needs the extra `classical`")
    sums = {}
    for broken in (False, True):
        data = table(broken)
        drawn = trained_shortly(name, data).predict([data.history(0)], num_samples=200, seed=1)
        sums[broken] = next(iter(drawn)).samples.sum(1)
    low, middle, high = np.quantile(sums[False], [0.05, 0.5, 0.95], axis=0)
    # Of a forecast without a spread, what other days of the season would have made of it.
    low, high = np.minimum(low, 0.7 * middle), np.maximum(high, 1.3 * middle)
    found = np.quantile(sums[True], [0.05, 0.5, 0.95], axis=0)
    assert (low <= found[1]).all()
    assert (found[1] <= high).all()
    assert ((found[2] - found[0]) <= 3 * (high - low)).all()
    # Whole itself, it has its own forecast: no further off than a quarter of its interval.
    assert abs(found[1] - middle)[KEPT] < 0.25 * (high - low)[KEPT]
    if (spread := (sums[False].std(0)[KEPT])) > 0:
        assert 0.6 < sums[True].std(0)[KEPT] / spread < 1.6


def test_a_series_that_has_only_begun_does_not_spoil_a_flow():
    """Most windows never saw it; what stands in its place there is not what it sells, nor sure to be that."""
    values = 20 + 4 * np.random.default_rng(0).normal(size=(4, 100))
    values[3, :92] = np.nan
    data = [{"start": pd.Period("2024-01-01", "W"), "target": values.astype(np.float32)}]
    train = TrainConfig(max_epochs=2, batches_per_epoch=75, batch_size=32, learning_rate=5e-3)
    forecast = next(GRUMAFEstimator("W", 4, train=train).train(data).predict(data, num_samples=200, seed=1))
    assert ((forecast.samples.mean((0, 1)) > 14) & (forecast.samples.mean((0, 1)) < 26)).all()
    assert ((forecast.samples.std((0, 1)) > 2) & (forecast.samples.std((0, 1)) < 8)).all()
