"""The published metric on the exact Exchange archive."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gluonts.evaluation import MultivariateEvaluator
from gluonts.model.forecast import SampleForecast
from hemline.datasets import get_dataset
from hemline.evaluation import crps_sum
from hemline.evaluation.runs.windows import windows_of
from hemline.evaluation.scores.univariate import LEVELS


@pytest.mark.filterwarnings("ignore:The provided callable:FutureWarning")
def test_last_value_and_random_walk_score_as_known_and_as_gluonts_says(
    real_series: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEMLINE_DATA", str(real_series))
    data = get_dataset("exchange_rate_nips")
    horizon = data.metadata.prediction_length
    windows = windows_of(data.test, horizon)
    observed = np.stack([window.observed for window in windows])

    last = np.stack([np.tile(window.past["target"][:, -1], (1, horizon, 1)) for window in windows])
    assert crps_sum(last, observed) == pytest.approx(0.0062, abs=5e-5)

    rng = np.random.default_rng(0)
    walks = []
    for window in windows:
        target = window.past["target"].astype(np.float64)
        change = rng.permuted(np.tile(np.diff(target), (100, 1, 1)), axis=2)[:, :, :horizon]
        walks.append((target[:, -1:] + change.cumsum(2)).swapaxes(1, 2))
    ours = crps_sum(np.stack(walks), observed)
    assert 0.0040 < ours < 0.0056

    index = [pd.period_range(window.start, periods=horizon, freq="B") for window in windows]
    frames = [
        pd.DataFrame(np.vstack([window.past["target"].T[-50:], window.observed]).astype(np.float64)).set_axis(
            pd.period_range(dates[0] - 50, periods=50 + horizon, freq="B")
        )
        for window, dates in zip(windows, index, strict=True)
    ]
    forecasts = [SampleForecast(paths, start_date=dates[0]) for paths, dates in zip(walks, index, strict=True)]
    evaluator = MultivariateEvaluator(quantiles=LEVELS, target_agg_funcs={"sum": np.sum})
    theirs, _ = evaluator(iter(frames), iter(forecasts))
    assert ours == pytest.approx(theirs["m_sum_mean_wQuantileLoss"], abs=1e-9)
