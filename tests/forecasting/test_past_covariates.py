"""Channels that are known of the past alone."""

import numpy as np
import pandas as pd
import pytest
import torch
from hemline.datasets.entries.entry import Entry
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting import ForecastEstimator, Gaussian, GRUMAFEstimator, Recurrent, TrainConfig
from hemline.forecasting.models.predictor import ForecastPredictor
from hemline.forecasting.windows.spec import infer_spec
from hemline.forecasting.windows.tensor import SeriesTensor

START = pd.Period("2024-01-01", "D")
QUICK = TrainConfig(max_epochs=1, batches_per_epoch=3, batch_size=8)


def entry(length: int = 120, seed: int = 0, **others) -> dict:
    """Two series; what the channel ``orders`` says today, the first series sells tomorrow."""
    orders = np.random.default_rng(seed).normal(size=length + 1).astype(np.float32)
    noise = np.random.default_rng(seed + 1).normal(size=(2, length)).astype(np.float32)
    target = np.stack([10 + 3 * orders[:-1], 10 + noise[1]]) + 0.1 * noise
    named = {"item_ids": ("a", "b"), "past_covariates": ("orders", "weather")}
    past = np.stack([orders[1:], noise[0]])
    return {"start": START, "target": target, "past_feat_dynamic_real": past, **named, **others}


def window(data: dict, start: int, **options):
    data = Entry.of(data)
    spec = infer_spec([data], freq="D", prediction_length=3, context_length=4, lags=(1,))
    series = SeriesTensor([data], spec, change=None, **options)
    return spec, series.gather(torch.tensor([series.first[0] + start]))


def test_a_step_reads_the_value_before_it_and_nothing_from_the_second_step_of_the_horizon_on():
    data = as_multivariate([entry()])[0]
    spec, found = window(data, start=50)
    channels = data["past_feat_dynamic_real"]
    # What stands before the data began is filler, and no part of the mean.
    expected = (channels[:, 45:50] - channels.mean(1, keepdims=True)) / channels.std(1, keepdims=True)
    inputs = found.features[0, :, spec.calendar :]
    assert inputs.shape == (7, 3)
    np.testing.assert_allclose(inputs[:5, :2], expected.T, atol=1e-5)
    assert (inputs[5:] == 0).all()
    assert inputs[:, 2].tolist() == [1, 1, 1, 1, 1, 0, 0]


def test_a_model_learns_what_a_leading_channel_says():
    def loss(data: dict) -> float:
        train = TrainConfig(max_epochs=8, batches_per_epoch=40, batch_size=32, learning_rate=1e-2)
        model = ForecastEstimator("D", 1, context_length=4, encoder=Recurrent(size=8), head=Gaussian(), train=train)
        return model.train([data]).training_log[-1]["train_loss"]

    data = entry(length=400)
    blind = {key: value for key, value in data.items() if not key.startswith("past")}
    assert loss(data) < loss(blind) - 0.5


def test_what_stands_in_a_past_channel_beyond_the_history_changes_nothing():
    predictor = GRUMAFEstimator("D", 5, train=QUICK).train([entry()])
    known = entry()
    known["target"] = known["target"][:, :100]
    before = next(predictor.predict([known], num_samples=10)).samples
    poisoned = known["past_feat_dynamic_real"].copy()
    poisoned[:, 100:] = np.nan
    after = next(predictor.predict([{**known, "past_feat_dynamic_real": poisoned}], num_samples=10)).samples
    np.testing.assert_array_equal(after, before)
    moved = known["past_feat_dynamic_real"].copy()
    moved[0, 99] += 5
    seen = next(predictor.predict([{**known, "past_feat_dynamic_real": moved}], num_samples=10)).samples
    assert np.abs(seen - before).max() > 1e-4


def test_a_gap_in_a_past_channel_is_no_gap_in_the_forecast():
    data = entry()
    data["past_feat_dynamic_real"][0, ::3] = np.nan
    predictor = GRUMAFEstimator("D", 5, train=QUICK).train([data])
    assert np.isfinite(next(predictor.predict([data], num_samples=5)).samples).all()
    assert np.isfinite(predictor.training_log[-1]["train_loss"])


def test_a_saved_predictor_reads_the_same_channels(tmp_path):
    predictor = GRUMAFEstimator("D", 5, train=QUICK).train([entry()])
    predictor.serialize(tmp_path)
    again = ForecastPredictor.deserialize(tmp_path)
    assert again.spec.past_covariate_names == ("orders", "weather")
    one, two = (next(p.predict([entry()], num_samples=5)).samples for p in (predictor, again))
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_channels_that_are_missing_or_change_places_are_named():
    predictor = GRUMAFEstimator("D", 5, train=QUICK).train([entry()])
    without = {key: value for key, value in entry().items() if not key.startswith("past")}
    with pytest.raises(ValueError, match=r"past_feat_dynamic_real \[2, 120\] \(orders, weather\), got 0 channels"):
        next(predictor.predict([without]))
    swapped = entry(past_covariates=("weather", "orders"))
    with pytest.raises(ValueError, match="expected the past covariate 'orders' as in training, got 'weather'"):
        next(predictor.predict([swapped]))
    short = entry()
    short["past_feat_dynamic_real"] = short["past_feat_dynamic_real"][:, :110]
    with pytest.raises(ValueError, match=r"expected past_feat_dynamic_real over at least 120 steps, got 110"):
        as_multivariate([short])
    infinite = entry()
    infinite["past_feat_dynamic_real"][1, 7] = np.inf
    with pytest.raises(ValueError, match=r"got inf in 'weather' at 2024-01-08"):
        as_multivariate([infinite])


def test_the_stock_masks_the_target_and_is_no_input():
    data = entry(past_covariates=("orders", "in_stock[b]"))
    data["past_feat_dynamic_real"][1] = np.arange(120) % 4 > 0
    read = as_multivariate([data])[0]
    assert read["past_covariates"] == ("orders",)
    assert read["past_feat_dynamic_real"].shape == (1, 120)
    assert np.isnan(read["target"][1]).sum() == 30
    np.testing.assert_array_equal(as_multivariate([read])[0]["target"], read["target"])


def test_single_series_bring_their_past_channels_along():
    rows = [{"start": START + lag, "target": np.arange(9.0), "past_feat_dynamic_real": np.ones(9)} for lag in (0, 2)]
    assert as_multivariate(rows)[0]["past_feat_dynamic_real"].shape == (2, 11)
    del rows[1]["past_feat_dynamic_real"]
    with pytest.raises(ValueError, match="past_feat_dynamic_real in every entry or in none, got none in entry 1"):
        as_multivariate(rows)
