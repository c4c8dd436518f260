"""The way from values to normal scores and back, by the empirical distribution of the past."""

import numpy as np
import pandas as pd
import pytest
import torch
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting import Copula, ForecastEstimator, LowRankGaussian, Scaling, TrainConfig
from hemline.forecasting.windows.tensor import SeriesTensor

USUAL = torch.tensor([2.0, 2.0])


def past(rows=3, steps=40, seed=0):
    return torch.randn(rows, steps, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 3 + 1


def measured(values, observed=None, **settings):
    return Copula(**settings).marginals(values, observed, USUAL.to(values.dtype))


@pytest.mark.parametrize("tails", ["normal", "clipped"])
def test_values_seen_become_uniform_ranks(tails):
    values = past()
    ranks = torch.special.ndtr(measured(values, tails=tails).to_normal(values)).sort(1).values
    grid = (torch.arange(40, dtype=torch.float64) + 0.5) / 40
    if tails == "clipped":
        least = 0.25 / (40**0.25 * np.sqrt(np.pi * np.log(40)))
        grid = grid.clamp(least, 1 - least)
    torch.testing.assert_close(ranks, grid[None, :, None].expand_as(ranks))


def test_values_come_back_inside_and_beyond_the_range():
    values = past()
    marginals = measured(values)
    low, high = values.amin(), values.amax()
    unseen = torch.linspace(float(low) - 2, float(high) + 2, 60, dtype=torch.float64)[None, :, None].expand(3, -1, 2)
    for each in (values, unseen):
        torch.testing.assert_close(marginals.to_values(marginals.to_normal(each)), each)


def test_scores_come_back_where_no_value_was_seen_twice():
    z = torch.linspace(-5, 5, 80, dtype=torch.float64)[None, :, None].expand(3, -1, 2)
    marginals = measured(past())
    torch.testing.assert_close(marginals.to_normal(marginals.to_values(z)), z)


def test_order_is_kept():
    line = torch.linspace(-30, 30, 500, dtype=torch.float64)[None, :, None].expand(3, -1, 2)
    for tails in ("normal", "clipped"):
        assert (measured(past(), tails=tails).to_normal(line).diff(dim=1) >= 0).all()
        assert (measured(past(), tails=tails).to_values(line / 5).diff(dim=1) >= 0).all()


def test_ties_get_the_middle_of_their_ranks_and_come_back_exactly():
    values = torch.tensor([0.0, 0.0, 0.0, 2.0, 5.0, 5.0]).view(1, 6, 1)
    marginals = Copula().marginals(values, None, torch.ones(1))
    z = marginals.to_normal(values)
    torch.testing.assert_close(torch.special.ndtr(z).flatten() * 6, torch.tensor([1.5, 1.5, 1.5, 3.5, 5.0, 5.0]))
    torch.testing.assert_close(marginals.to_values(z), values)
    share = torch.special.ndtri(torch.tensor([0.1, 0.3])).view(1, 2, 1)
    np.testing.assert_allclose(marginals.to_values(share).flatten(), [0, 0], atol=1e-6)


def test_clipped_tails_never_leave_the_range_of_the_past():
    values = past()
    marginals = measured(values, tails="clipped")
    drawn = marginals.to_values(4 * torch.randn(3, 500, 2, dtype=torch.float64))
    torch.testing.assert_close(drawn.amax(1), values.amax(1))
    torch.testing.assert_close(drawn.amin(1), values.amin(1))
    assert marginals.to_normal(values + 100).unique().numel() == 1


def test_normal_tails_go_on_with_the_spread_of_the_past():
    steps = torch.special.ndtri((torch.arange(100, dtype=torch.float64) + 0.5) / 100)
    marginals = Copula().marginals((7 * steps).view(1, 100, 1), None, torch.ones(1))
    z = torch.tensor([-4.0, -3.0, 3.0, 4.0], dtype=torch.float64).view(1, 4, 1)
    torch.testing.assert_close(marginals.to_values(z), 7 * z)


def test_missing_values_do_not_count():
    values, observed = past(steps=60), torch.ones(3, 60, 2, dtype=torch.float64)
    observed[:, ::3] = 0
    kept = values[observed > 0].view(3, 40, 2)
    z = torch.randn(3, 9, 2, dtype=torch.float64)
    holes = torch.where(observed > 0, values, torch.zeros_like(values))
    torch.testing.assert_close(measured(holes, observed).to_values(z), measured(kept).to_values(z))


def test_only_the_window_counts():
    values = past(steps=50)
    changed = values.clone()
    changed[:, :30] = 999
    z = torch.randn(3, 9, 2, dtype=torch.float64)
    torch.testing.assert_close(measured(values, window=20).to_values(z), measured(changed, window=20).to_values(z))


@pytest.mark.parametrize("value", [0.0, 4.0])
def test_a_series_that_stood_still_or_was_not_seen_has_finite_scores(value):
    values = torch.full((1, 20, 2), value)
    for observed in (None, torch.zeros(1, 20, 2)):
        marginals = Copula().marginals(values if observed is None else values * 0, observed, USUAL)
        z = marginals.to_normal(torch.tensor([value - 1, value, value + 1]).view(1, 3, 1).expand(1, 3, 2))
        assert z.isfinite().all()
        assert marginals.to_values(z).isfinite().all()
        assert (z.diff(dim=1) > 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 1}, "window: expected a whole number from 2 to 100000, got 1"),
        ({"tails": "heavy"}, "tails: expected 'normal' or 'clipped', got 'heavy'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Copula(**settings)


TRAIN = TrainConfig(max_epochs=8, batches_per_epoch=30, batch_size=32, learning_rate=5e-3)


def skewed(length=600):
    """Two series of e^normal, independent in time, whose normal scores are correlated by 0.9."""
    generator = np.random.default_rng(0)
    z = generator.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], size=length).T
    return [{"start": pd.Period("2024-01-01", "D"), "target": np.exp(z).astype(np.float32)}]


def test_a_gaussian_copula_finds_skewed_marginals_and_their_dependence():
    data = skewed()
    estimator = ForecastEstimator("D", 5, lags=(1,), scaling=Copula(), head=LowRankGaussian(rank=2), train=TRAIN)
    samples = next(estimator.train(data).predict(data, num_samples=2000)).samples.reshape(-1, 2)
    correlation = np.corrcoef(np.log(np.maximum(samples, 1e-3)).T)[0, 1]
    assert correlation == pytest.approx(0.9, abs=0.07)
    recent = data[0]["target"][:, -100:]
    found, expected = (
        np.quantile(np.log(np.maximum(each, 1e-3)), [0.25, 0.5, 0.75], axis=0) for each in (samples, recent.T)
    )
    np.testing.assert_allclose(found, expected, atol=0.25)


@pytest.mark.parametrize("of", ["level", "change"])
@pytest.mark.parametrize("domain", ["real", "nonnegative", "count"])
def test_ranks_of_levels_and_changes_keep_to_the_domain(of, domain):
    generator = np.random.default_rng(0)
    target = generator.poisson(4, size=(3, 150)).astype(np.float32)
    target[0, 60:70] = np.nan
    data = [{"start": pd.Period("2024-01-01", "D"), "target": target}]
    scaling = Copula(Scaling(of, domain=domain), window=30)
    train = TrainConfig(max_epochs=1, batches_per_epoch=3, batch_size=8)
    predictor = ForecastEstimator("D", 5, scaling=scaling, head=LowRankGaussian(2), train=train).train(data)
    samples = next(predictor.predict(data, num_samples=200)).samples
    assert np.isfinite(samples).all()
    if domain != "real":
        assert samples.min() >= 0
    if domain == "count":
        np.testing.assert_array_equal(samples, samples.round())


@pytest.mark.parametrize("of", ["level", "change"])
@pytest.mark.parametrize("domain", ["real", "count"])
@pytest.mark.parametrize("units", [Copula, lambda scaling: scaling], ids=["ranks", "values"])
def test_an_imposed_truth_is_read_as_the_losses_read_it(of, domain, units, monkeypatch):
    """What is fed back goes through the same units as what was learnt from: counts through their spread ones."""
    target = np.random.default_rng(0).poisson([[0.4], [3.0], [20.0]], size=(3, 150)).astype(np.float32)
    entry = {"start": pd.Period("2024-01-01", "D"), "target": target}
    train = TrainConfig(max_epochs=1, batches_per_epoch=1, batch_size=2)
    estimator = ForecastEstimator(
        "D", 5, scaling=units(Scaling(of, domain=domain)), head=LowRankGaussian(2), train=train
    )
    predictor = estimator.train([entry])
    forecaster, read = predictor.forecaster, []
    encode = forecaster.encoder.forward
    monkeypatch.setattr(
        forecaster.encoder, "forward", lambda inputs, *state: read.append(inputs.clone()) or encode(inputs, *state)
    )
    known = {**entry, "target": target[:, :-5], "imposed": target[:, -5:]}
    paths = next(predictor.predict([known], num_samples=1)).samples
    np.testing.assert_array_equal(paths[0].T, target[:, -5:])
    unrolled = torch.cat(read, dim=1)
    read.clear()
    series = SeriesTensor(
        as_multivariate([entry]), predictor.spec, change=forecaster.scaling.change, statistics=forecaster.statistics
    )
    with torch.no_grad():
        forecaster.step_losses(series.gather(series.validation_starts(5)))
    torch.testing.assert_close(unrolled, read[0], atol=2e-4, rtol=1e-4)


def test_a_forecast_of_ranks_reads_the_past_alone():
    data = skewed(200)
    train = TrainConfig(max_epochs=1, batches_per_epoch=2, batch_size=4)
    predictor = ForecastEstimator("D", 5, scaling=Copula(window=20), train=train).train(data)
    past_only = [{**data[0], "target": data[0]["target"][:, :150]}]
    before = next(predictor.predict(past_only, num_samples=4)).samples
    data[0]["target"][:, 150:] = 1e6
    np.testing.assert_array_equal(next(predictor.predict(past_only, num_samples=4)).samples, before)
