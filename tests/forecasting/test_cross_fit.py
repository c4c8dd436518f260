"""Cross-fitted direct networks: what each one sees, what a path is made of, covariates, counts and gaps."""

import numpy as np
import pandas as pd
import pytest
import torch
from hemline.datasets import simulated_sales
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting import CrossFitEstimator, Direct, LogLinear, Scenario, TrainConfig, simulate
from hemline.forecasting.networks.cross_fitted import without_gaps
from hemline.forecasting.networks.direct import Columns, DirectNetwork
from hemline.forecasting.networks.gaps import filled
from hemline.forecasting.training import folds as folds_training
from hemline.forecasting.units.scaling import Scaling
from hemline.forecasting.windows.gaps import bridged
from hemline.forecasting.windows.spec import SeriesSpec
from hemline.forecasting.windows.tensor import SeriesTensor, Window
from hemline.runtime.training.checkpoints import Checkpoints

RNG = np.random.default_rng(0)
SHORT = TrainConfig(max_epochs=1, batches_per_epoch=5, batch_size=8, learning_rate=1e-3)


def entry(length=150, dim=3, missing=False):
    week = 10 + 5 * np.sin(2 * np.pi * np.arange(length) / 7)
    common = RNG.normal(size=length)
    target = week + common + 0.3 * RNG.normal(size=(dim, length))
    if missing:
        target[RNG.random(target.shape) < 0.1] = np.nan
    return {"start": pd.Period("2024-01-01", "D"), "target": target.astype(np.float32)}


DATA = entry()


def test_each_network_learns_from_windows_that_share_no_step_with_its_block(monkeypatch):
    seen, real = [], folds_training.fit_folds

    def spy(members, config, learnt, apart, watched, **options):
        seen.append((apart, watched))
        return real(members, config, learnt, apart, watched, **options)

    monkeypatch.setattr(folds_training, "fit_folds", spy)
    CrossFitEstimator("D", 7, folds=3, train=SHORT).train([entry()])
    ((apart, blocks),) = seen
    for starts, watched in zip(apart, blocks, strict=True):
        assert (starts[:, None] - watched[None]).abs().min() >= 7
    firsts = [int(watched.min()) for watched in blocks]
    assert firsts == sorted(set(firsts))
    assert len(firsts) == 3


def test_before_training_the_forecast_is_a_mean_of_naive_ones():
    spec = SeriesSpec("D", 7, 28, 2, (1, 7), calendar=3, item_ids=("a", "b"), past=28)
    series = SeriesTensor(as_multivariate([entry(100, 2)]), spec, change=None)
    network = DirectNetwork(spec, Scaling(), series.statistics, Direct()).eval()
    network.measure(series)
    window = series.gather(torch.tensor([series.pad + 80]))
    location, scale = network(window, torch.arange(2))
    past = window.values[0, : spec.history + 28].T
    seasons = torch.stack([past[:, -7 * k : (-7 * k + 7) or None] for k in (1, 2, 3, 4)])
    moved = past[:, -7:].mean(1, keepdim=True) - past[:, -14:-7].mean(1, keepdim=True)
    last = past[:, -1:].expand(-1, 7)
    expected = (last + past[:, -28:].mean(1, keepdim=True) + seasons[0] + seasons.mean(0)) / 6
    middle = seasons.sort(0).values[1:3].mean(0)
    expected = expected + (middle + seasons[0] + moved) / 6
    torch.testing.assert_close(location[0], expected)
    assert (scale > 0).all()


def test_the_network_does_not_care_in_which_unit_sales_are_counted():
    found = []
    for unit in (1, 1000):
        data = {**DATA, "target": DATA["target"] * unit}
        predictor = CrossFitEstimator("D", 7, folds=2, windows=20, train=SHORT).train([data])
        found.append(next(predictor.predict([data], num_samples=10)).samples / unit)
    np.testing.assert_allclose(found[0], found[1], rtol=2e-3)


def test_paths_rise_and_fall_together_as_the_series_did():
    training = TrainConfig(max_epochs=2, batches_per_epoch=60, batch_size=16, learning_rate=2e-3)
    data = entry(400)
    predictor = CrossFitEstimator("D", 7, folds=3, train=training).train([data])
    paths = next(predictor.predict([data], num_samples=200)).samples
    correlation = np.corrcoef(paths[:, 0].T)
    assert correlation[np.triu_indices(3, 1)].min() > 0.7
    # The common part is new at every step: nothing of it should last.
    assert abs(np.corrcoef(paths[:, 1, 0], paths[:, 5, 0])[0, 1]) < 0.35


def test_every_past_window_is_followed_as_often_as_the_others_or_once_more():
    predictor = CrossFitEstimator("D", 7, folds=2, windows=10, train=SHORT).train([entry()])
    forecaster = predictor.forecaster
    forecaster.errors.copy_(torch.arange(10.0).view(10, 1, 1).expand_as(forecaster.errors))
    paths = next(predictor.predict([entry()], num_samples=25)).samples[:, 0, 0]
    _, counts = np.unique(paths.round(4), return_counts=True)
    assert sorted(counts) == [2] * 5 + [3] * 5


@pytest.mark.parametrize("season", [1, 2, 3, 7])
def test_gaps_of_a_window_are_filled_as_those_of_a_series(season):
    rng = np.random.default_rng(season)
    target = rng.normal(10, 1, size=(6, 40))
    target[0, :15] = np.nan
    target[1, 25:] = np.nan
    target[2, 10 : 10 + season] = np.nan
    target[3, 5::4] = np.nan
    target[4, :20], target[4, 28 : 28 + season] = np.nan, np.nan
    values = torch.from_numpy(np.nan_to_num(target).T[None])
    window = Window(values, torch.from_numpy((~np.isnan(target)).T[None].astype(float)), torch.zeros(1, 1, 0))
    found, seen = filled(window, 40, torch.arange(6), season)
    np.testing.assert_array_equal(seen[0], ~np.isnan(target))
    np.testing.assert_allclose(found[0], bridged(target, season).T)


def test_a_series_never_seen_is_0_and_a_whole_window_has_no_mask():
    window = Window(torch.ones(1, 5, 2), torch.tensor([[1.0, 0.0]]).expand(1, 5, 2), torch.zeros(1, 1, 0))
    found, seen = filled(window, 5, torch.arange(2), 2)
    assert found.tolist() == [[[1] * 5, [0] * 5]]
    assert seen[0, :, 0].tolist() == [True, False]
    assert filled(window, 5, torch.arange(1), 2)[1] is None


def test_errors_of_other_windows_stand_for_missing_ones_each_as_often():
    errors = torch.full((40, 2, 1), torch.nan)
    errors[30:, :, 0] = torch.arange(10.0)[:, None]
    found = without_gaps(errors)[..., 0]
    assert (found[:, 0] == found[:, 1]).all()
    assert torch.bincount(found[:, 0].long()).tolist() == [4] * 10
    assert without_gaps(errors * torch.nan).abs().max() == 0


def test_a_series_with_hardly_any_errors_is_given_those_of_another():
    errors = torch.randn(40, 2, 2, generator=torch.Generator().manual_seed(0))
    expected = errors[..., 0].clone()
    errors[:37, :, 1] = torch.nan
    expected[37:] = errors[37:, :, 1]
    torch.testing.assert_close(without_gaps(errors)[..., 1], expected)


def late(first: int, steps: int = 160) -> dict:
    """Three series of levels 50, 20 and 5 whose second one has no value before a step."""
    rng = np.random.default_rng(0)
    season = 1 + 0.4 * np.sin(2 * np.pi * np.arange(steps) / 7)
    target = np.array([[50], [20], [5]]) * season * np.exp(0.1 * rng.normal(size=(3, steps)))
    target[1, :first] = np.nan
    return {"start": pd.Period("2024-01-01", "D"), "target": target.astype(np.float32)}


@pytest.mark.parametrize("first", [110, 140, 152])
def test_a_series_that_starts_late_is_forecast_at_its_level(first):
    drawn = [
        next(CrossFitEstimator("D", 7, folds=2, train=SHORT, domain="nonnegative").train([data]).predict([data], 300))
        for data in (late(0), late(first))
    ]
    assert drawn[1].samples[..., 1].mean() == pytest.approx(20, rel=0.15)
    levels = [forecast.samples.mean((0, 1)) for forecast in drawn]
    np.testing.assert_allclose(levels[1][[0, 2]], levels[0][[0, 2]], rtol=0.05)


@pytest.mark.parametrize("missing", [False, True])
def test_missing_values_neither_break_the_training_nor_reach_a_forecast(missing):
    data = entry(missing=missing)
    predictor = CrossFitEstimator("D", 7, folds=2, windows=20, train=SHORT).train([data])
    assert torch.isfinite(predictor.forecaster.errors).all()
    assert np.isfinite(next(predictor.predict([data], num_samples=5)).samples).all()


def test_a_series_reads_its_own_channels_and_those_of_all():
    spec = SeriesSpec(
        "W-SUN",
        4,
        28,
        2,
        (1, 2, 4),
        calendar=1,
        covariates=3,
        item_ids=("a", "b"),
        covariate_names=("price[a]", "holiday", "price[b]"),
        past_covariates=1,
        past_covariate_names=("stock[b]",),
    )
    columns = Columns.of(spec)
    # The calendar, three channels, one of the past, and the flag that says how far it is known.
    assert columns.shared.tolist() == [0, 2, 5]
    assert columns.own.tolist() == [[1, -1], [3, 4]]


def test_a_network_computes_where_its_weights_lie_wherever_the_data_were_left():
    spec = SeriesSpec(
        "D", 7, 28, 2, (1, 7), calendar=3, covariates=2, item_ids=("a", "b"), covariate_names=("x[a]", "x[b]")
    )
    data = {**entry(100, 2), "feat_dynamic_real": np.ones((2, 107), dtype=np.float32)}
    series = SeriesTensor(as_multivariate([data]), spec, change=None)
    # Tensors without values, which like those of a GPU take no part in what is computed on the CPU.
    elsewhere = torch.device("meta")
    network = DirectNetwork(spec, Scaling(), series.statistics, Direct()).to(elsewhere)
    network.measure(series)
    window = series.gather(series.training_starts()[:4]).to(elsewhere)
    assert network.loss(window).device == elsewhere
    assert all(part.device == elsewhere for part in network(window, torch.arange(2, device=elsewhere)))


def test_networks_trained_in_double_precision_remember_and_draw():
    train = TrainConfig(max_epochs=1, batches_per_epoch=2, batch_size=4, trainer={"precision": "64-true"})
    predictor = CrossFitEstimator("D", 7, folds=2, windows=10, train=train).train([DATA])
    assert predictor.forecaster.errors.abs().max() > 0
    assert np.isfinite(next(predictor.predict([DATA], num_samples=3)).samples).all()


def test_prices_of_the_future_move_a_forecast_and_counts_stay_whole():
    data = simulated_sales(articles=3, weeks=120, windows=1)
    horizon = data.metadata.prediction_length
    estimator = CrossFitEstimator(
        data.metadata.freq, horizon, domain="count", folds=2, windows=40, response=LogLinear(), train=SHORT
    )
    predictor = estimator.train(data.train)
    history = data.history(0)
    name = data.metadata.item_ids[0]
    outcomes = simulate(predictor, history, Scenario("cheaper", f"price[{name}] = -20%"), paths=200)
    paths = outcomes.baseline.paths
    assert (paths >= 0).all()
    assert (paths == np.round(paths)).all()
    assert outcomes["cheaper"].units(name).mean() > 1.2 * outcomes.baseline.units(name).mean()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folds": 1}, "folds: expected at least 2, got 1"),
        ({"windows": 0}, "windows: expected a whole number from 1, got 0"),
        ({"train": TrainConfig(compile=True)}, "train: expected compile=False for networks without a head"),
        ({"context_length": 0}, "context_length: expected a whole number from 1 to 100000 or none, got 0"),
        ({"prediction_length": 0}, "prediction_length: expected a whole number from 1 to 100000, got 0"),
    ],
)
def test_what_is_out_of_its_range_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        CrossFitEstimator(**{"freq": "D", "prediction_length": 7, **settings})


@pytest.mark.parametrize("name", ["hidden", "embedding", "repeats", "series", "freedom"])
def test_a_network_of_no_size_is_refused(name):
    with pytest.raises(ValueError, match=f"{name}: expected"):
        Direct(**{name: 0})


@pytest.mark.parametrize("last", [False, True])
def test_a_killed_training_goes_on_to_the_same_networks(tmp_path, monkeypatch, last):
    """Also one that was killed behind the epoch in which the last network had stopped."""
    train = TrainConfig(max_epochs=12, batches_per_epoch=5, batch_size=8, learning_rate=1.0, patience=1)
    whole = CrossFitEstimator("D", 7, folds=2, windows=20, train=train).train([DATA])
    epochs = len(whole.training_log)
    assert 1 < epochs < 12
    estimator = CrossFitEstimator("D", 7, folds=2, windows=20, train=train).for_run(0, tmp_path)
    save = Checkpoints.on_train_epoch_end

    def killed(self, trainer, module):
        save(self, trainer, module)
        if trainer.current_epoch == (epochs - 1 if last else 0):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "on_train_epoch_end", killed)
        with pytest.raises(KeyboardInterrupt):
            estimator.train([DATA])
    assert list(tmp_path.glob("last-*.ckpt"))
    resumed = estimator.train([DATA])
    for name, value in whole.forecaster.state_dict().items():
        torch.testing.assert_close(resumed.forecaster.state_dict()[name], value, rtol=0, atol=0)
