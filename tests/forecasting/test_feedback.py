"""Counts stay counts, sales stay above zero, imposed values are fed back."""

import numpy as np
import pandas as pd
import pytest
import torch
from hemline.forecasting import ForecastEstimator, Recurrent, Scaling, TrainConfig
from hemline.forecasting.units.feedback import Feedback
from hemline.forecasting.units.scaling import restore

SHORT = TrainConfig(max_epochs=1, batches_per_epoch=2, batch_size=4)
SCALINGS = [Scaling(of, domain=domain) for of in ("level", "change") for domain in ("real", "nonnegative", "count")]


def counts(mean=3.0, dim=2, length=150, seed=0):
    target = np.random.default_rng(seed).poisson(mean, size=(dim, length)).astype(np.float32)
    return [{"start": pd.Period("2024-01-01", "D"), "target": target}]


@pytest.mark.parametrize("scaling", SCALINGS, ids=lambda scaling: f"{scaling.of}-{scaling.domain}")
def test_an_imposed_value_stands_on_every_path_and_is_fed_back(scaling):
    data = counts(mean=40.0)
    predictor = ForecastEstimator("D", 5, scaling=scaling, train=SHORT).train(data)
    imposed = np.full((2, 5), np.nan)
    imposed[0, 1] = 400.0
    free = next(predictor.predict(data, num_samples=20)).samples
    bound = next(predictor.predict([{**data[0], "imposed": imposed}], num_samples=20)).samples
    assert (bound[:, 1, 0] == 400.0).all()
    np.testing.assert_array_equal(bound[:, 0], free[:, 0])
    assert (bound[:, 2:] != free[:, 2:]).any(), "later steps have read the imposed value"
    if scaling.of == "change":
        assert bound[:, 2, 0].mean() > 300, "a change starts from the imposed level"


@pytest.mark.parametrize("of", ["level", "change"])
def test_paths_of_counts_are_whole_numbers_from_zero_on(of):
    data = counts()
    predictor = ForecastEstimator("D", 5, scaling=Scaling(of, domain="count"), train=SHORT).train(data)
    samples = next(predictor.predict(data, num_samples=200)).samples
    np.testing.assert_array_equal(samples, samples.round())
    assert samples.min() == 0


def test_paths_of_sales_do_not_fall_below_zero():
    data = counts(mean=0.5)
    low = [
        next(ForecastEstimator("D", 5, scaling=Scaling(domain=domain), train=SHORT).train(data).predict(data)).samples
        for domain in ("real", "nonnegative")
    ]
    assert low[0].min() < 0 == low[1].min()


def test_counts_are_drawn_without_the_bias_of_the_noise_they_were_trained_on():
    data = counts(mean=6.0, length=600)
    train = TrainConfig(max_epochs=6, batches_per_epoch=40, batch_size=64, learning_rate=5e-3)
    predictor = ForecastEstimator("D", 5, scaling=Scaling(domain="count"), encoder=Recurrent(size=8), train=train)
    target = data[0]["target"]
    ends = [{**data[0], "target": target[:, :end]} for end in range(100, 600, 5)]
    forecasts = predictor.train(data).predict(ends, num_samples=100)
    assert np.mean([forecast.samples.mean() for forecast in forecasts]) == pytest.approx(target.mean(), abs=0.25)


def test_levels_are_followed_along_seasonal_changes():
    last = torch.tensor([[[5.0], [7.0]]])
    feedback = Feedback(
        "nonnegative", last=last, imposed=torch.tensor([[[torch.nan], [2.0], [torch.nan], [torch.nan]]])
    )
    drawn = torch.tensor([[-9.0], [1.0], [3.0], [1.5]])
    settled = torch.stack([feedback(step, drawn[step : step + 1]) for step in range(4)], dim=1)
    levels = restore(settled.view(1, 1, 4, 1), last)
    assert feedback.finish(levels).flatten().tolist() == [0.0, 2.0, 3.0, 3.5]


def test_imposed_values_of_another_shape_are_refused(walks):
    predictor = ForecastEstimator("D", 7, train=SHORT).train(walks)
    with pytest.raises(ValueError, match=r"expected imposed values \[4, 7\], got \(7, 4\) in entry 0"):
        next(predictor.predict([{**walks[0], "imposed": np.zeros((7, 4))}]))
