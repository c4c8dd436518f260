"""Predicting: shapes, seeds, memory chunks and inputs that do not fit."""

from dataclasses import FrozenInstanceError
from types import SimpleNamespace

import hemline.forecasting.models.predictor as predictor_module
import numpy as np
import pandas as pd
import pytest
import torch
from gluonts.model.predictor import Predictor
from hemline.evaluation.adapters.predictor_folder import holds_predictor
from hemline.forecasting import (
    ForecastEstimator,
    ForecastPredictor,
    NegativeBinomial,
    Scaling,
    TrainConfig,
    load_predictor,
)
from hemline.forecasting.windows.spec import infer_spec
from hemline.runtime.devices import drawing_device
from torch._subclasses.fake_tensor import FakeTensorMode

TRAIN = TrainConfig(max_epochs=1, batches_per_epoch=2, batch_size=4)


@pytest.fixture
def predictor(walks):
    return ForecastEstimator("D", 7, scaling=Scaling("change"), train=TRAIN).train(walks)


def test_a_forecast_starts_where_the_entry_ends(predictor, walks):
    forecast = next(predictor.predict(walks, num_samples=5))
    assert forecast.samples.shape == (5, 7, 4)
    assert forecast.start_date == pd.Period("2024-01-01", "D") + 200
    assert forecast.item_id == "walks"


def test_forecasts_come_in_the_order_of_the_entries(predictor, walks):
    cut = [{**walks[0], "target": walks[0]["target"][:, :length]} for length in (200, 150, 180)]
    forecasts = list(predictor.predict(cut, num_samples=3))
    assert [forecast.start_date for forecast in forecasts] == [walks[0]["start"] + n for n in (200, 150, 180)]
    for forecast, entry in zip(forecasts, cut, strict=True):
        assert np.abs(forecast.samples[:, 0] - entry["target"][:, -1]).max() < 20


def test_a_change_over_a_gap_is_read_although_the_gap_began_before_the_window(predictor, walks):
    spec = predictor.spec
    first = 200 - spec.history - spec.context_length
    target = walks[0]["target"].copy()
    target[:, first - 8 : first + 1] = np.nan
    other = target.copy()
    other[:, first - 9] += 5
    paths = [next(predictor.predict([{**walks[0], "target": each}], num_samples=3)).samples for each in (target, other)]
    assert (paths[0] != paths[1]).any()


def test_the_same_seed_gives_the_same_paths_to_the_last_digit(predictor, walks):
    first, again, other = (next(predictor.predict(walks, num_samples=9, seed=seed)).samples for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_paths_are_drawn_in_chunks_that_keep_to_the_memory_bound(predictor, walks, monkeypatch):
    sizes = []
    sampler = predictor.forecaster.sampler

    def watched(generator):
        sample = sampler(generator)

        def spy(window, paths, feedback=None):
            sizes.append(len(window.values) * paths)
            return sample(window, paths, feedback)

        return spy

    monkeypatch.setattr(predictor.forecaster, "sampler", watched)
    predictor.max_bytes = 200_000
    samples = next(predictor.predict(walks, num_samples=50)).samples
    assert samples.shape == (50, 7, 4)
    assert len(sizes) > 1
    assert max(sizes) <= predictor._rows_at_once(predictor.forecaster)
    assert len(np.unique(samples[:, 0, 0])) == 50, "every chunk draws paths of its own"


def test_a_gpu_holds_longer_chunks(predictor):
    with FakeTensorMode():
        there = torch.empty(4, device="cuda")
    on_a_gpu = SimpleNamespace(usual_scale=there, width=predictor.forecaster.width)
    predictor.max_bytes = 2**24
    usual = predictor._rows_at_once(predictor.forecaster)
    assert 8 * usual <= predictor._rows_at_once(on_a_gpu) < 8 * (usual + 1)


@pytest.mark.parametrize("gpu", [False, True], ids=["no GPU", "a GPU"])
def test_a_gpu_is_for_many_paths(monkeypatch, gpu):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    few, many = drawing_device("auto", 255), drawing_device("auto", 256)
    assert (few, many) == ("cpu", "cuda" if gpu else "cpu")
    assert drawing_device("cpu", 10**6) == "cpu"
    if gpu:
        assert drawing_device("cuda", 1) == "cuda"
    else:
        with pytest.raises(ValueError, match="device: expected a machine with a GPU for 'cuda', got none"):
            drawing_device("cuda", 1)


def test_many_paths_are_drawn_by_a_copy(predictor, walks, monkeypatch):
    asked, moved = [], []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    def rule(device, rows):
        asked.append((device, rows))
        return drawing_device(device, rows)

    def to(network, device):
        moved.append((network, device))
        return network

    fixed = [next(predictor.predict(walks, num_samples=paths, seed=1)).samples for paths in (9, 300)]
    monkeypatch.setattr(predictor_module, "drawing_device", rule)
    monkeypatch.setattr(type(predictor.forecaster), "to", to)
    predictor.to("auto")
    assert [device for _, device in moved] == ["cpu"]
    chosen = [next(predictor.predict(walks, num_samples=paths, seed=1)).samples for paths in (9, 300)]
    assert asked == [("auto", 9), ("auto", 300)]
    assert [device for _, device in moved] == ["cpu", "cuda"]
    assert moved[1][0] is not predictor.forecaster
    for drawn, expected in zip(chosen, fixed, strict=True):
        np.testing.assert_array_equal(drawn, expected)
    list(predictor.predict([*walks, *walks], num_samples=128))
    assert asked[-1] == ("auto", 256)
    predictor.to("cpu")
    next(predictor.predict(walks, num_samples=300))
    assert len(asked) == 3


def test_a_stored_predictor_chooses_its_device(predictor, walks, tmp_path):
    predictor.serialize(tmp_path)
    fixed, chosen = (load_predictor(tmp_path, device=device) for device in ("cpu", "auto"))
    drawn = [next(each.predict(walks, num_samples=5)).samples for each in (fixed, chosen)]
    np.testing.assert_array_equal(*drawn)
    assert [each._chooses_device for each in (fixed, chosen)] == [False, True]


def test_gluonts_reads_back_what_was_serialized(predictor, walks, tmp_path):
    predictor.serialize(tmp_path)
    again = Predictor.deserialize(tmp_path, device="cpu")
    assert isinstance(again, ForecastPredictor)
    assert not [file for file in tmp_path.iterdir() if file.suffix in {".pt", ".pkl", ".ckpt"}]
    np.testing.assert_allclose(
        next(again.predict(walks, num_samples=4)).samples, next(predictor.predict(walks, num_samples=4)).samples
    )


def test_what_numpy_counted_and_what_watched_the_training_can_be_stored(walks, tmp_path):
    """Nobody wants to learn after a training that its predictor cannot be kept."""
    from lightning.pytorch.callbacks import Timer

    options = {"callbacks": [Timer()], "accelerator": "cpu"}
    train = TrainConfig(max_epochs=np.int64(1), batches_per_epoch=2, batch_size=4, trainer=options)
    lags = tuple(np.array([1, 7]))
    estimator = ForecastEstimator("D", np.int64(7), context_length=np.int64(9), lags=lags, train=train)
    estimator.train(walks).serialize(tmp_path)
    again = Predictor.deserialize(tmp_path)
    assert again.trained_by.train_config.trainer == {"accelerator": "cpu"}
    assert (again.spec.prediction_length, again.spec.context_length, again.spec.lags) == (7, 9, (1, 7))


def test_a_predictor_stays_as_it_was_trained_when_its_model_is_changed(walks, tmp_path):
    model = ForecastEstimator("D", 7, train=TRAIN)
    predictor = model.train(walks)
    before = next(predictor.predict(walks, num_samples=4)).samples
    model.scaling, model.head = Scaling("change", domain="count"), NegativeBinomial()
    model.train_config = TrainConfig(seed=9)
    np.testing.assert_array_equal(next(predictor.predict(walks, num_samples=4)).samples, before)
    predictor.serialize(tmp_path)
    again = ForecastPredictor.deserialize(tmp_path)
    assert again.composition == predictor.composition
    np.testing.assert_array_equal(next(again.predict(walks, num_samples=4)).samples, before)
    with pytest.raises(FrozenInstanceError):
        predictor.composition.scaling = model.scaling


def test_the_spec_is_inferred_once(walks, monkeypatch, tmp_path):
    inferred = []

    def counted(*args, **kwargs):
        inferred.append(args)
        return infer_spec(*args, **kwargs)

    monkeypatch.setattr("hemline.forecasting.models.window_estimator.infer_spec", counted)
    ForecastEstimator("D", 7, train=TRAIN).train(walks, validation_data=walks).serialize(tmp_path)
    next(Predictor.deserialize(tmp_path).predict(walks, num_samples=2))
    assert len(inferred) == 1


def test_a_predictor_that_could_not_be_written_leaves_no_folder_that_looks_whole(predictor, tmp_path, monkeypatch):
    predictor.training_log = [{"epoch": object()}]
    with pytest.raises(TypeError):
        predictor.serialize(tmp_path / "unsaid")
    assert not (tmp_path / "unsaid").exists()
    predictor.training_log = []
    monkeypatch.setattr("hemline.evaluation.adapters.fitted.Path.replace", lambda *paths: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        predictor.serialize(tmp_path / "broken")
    assert not holds_predictor(tmp_path / "broken")


def test_a_training_in_double_precision_can_forecast(walks):
    train = TrainConfig(max_epochs=1, batches_per_epoch=2, batch_size=4, trainer={"precision": "64-true"})
    predictor = ForecastEstimator("D", 7, train=train).train(walks)
    assert np.isfinite(next(predictor.predict(walks, num_samples=3)).samples).all()


def test_a_change_after_the_end_of_an_entry_cannot_change_its_forecast(predictor, walks):
    past = [{**walks[0], "target": walks[0]["target"][:, :150]}]
    before = next(predictor.predict(past, num_samples=4)).samples
    walks[0]["target"][:, 150:] = 1e6
    np.testing.assert_array_equal(next(predictor.predict(past, num_samples=4)).samples, before)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_history_shorter_than_the_context_is_padded(predictor, walks, length):
    short = [{**walks[0], "target": walks[0]["target"][:, :length]}]
    assert np.isfinite(next(predictor.predict(short, num_samples=3)).samples).all()


def test_a_context_of_zeros_or_of_nothing_gives_finite_paths(walks):
    predictor = ForecastEstimator("D", 7, train=TRAIN).train(walks)
    for value in (0.0, np.nan):
        target = walks[0]["target"].copy()
        target[:, -30:] = value
        samples = next(predictor.predict([{**walks[0], "target": target}], num_samples=3)).samples
        assert np.isfinite(samples).all()


def test_univariate_entries_are_grouped(walks):
    rows = [
        {"start": walks[0]["start"], "target": series, "item_id": f"article {number}"}
        for number, series in enumerate(walks[0]["target"])
    ]
    predictor = ForecastEstimator("D", 7, train=TRAIN).train(rows)
    assert next(predictor.predict(rows, num_samples=2)).samples.shape == (2, 7, 4)
    single = ForecastEstimator("D", 7, train=TRAIN).train(rows[:1])
    assert next(single.predict(rows[:1], num_samples=2)).samples.shape == (2, 7, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": np.zeros((3, 50), dtype=np.float32)}, "expected 4 series as in training, got 3 in entry 0"),
        ({"start": pd.Period("2024-01", "M")}, "expected frequency 'D' as in training, got 'M'"),
        ({"target": np.full((4, 50), np.inf)}, "got an infinite value in series 0"),
        ({"target": np.full((4, 50), np.nan)}, "got only missing values in series 0"),
    ],
)
def test_an_entry_that_does_not_fit_is_refused(predictor, walks, change, message):
    with pytest.raises(ValueError, match=message):
        next(predictor.predict([{**walks[0], **change}]))


def test_no_paths_are_refused(predictor, walks):
    with pytest.raises(ValueError, match="num_samples: expected a whole number from 1, got 0"):
        next(predictor.predict(walks, num_samples=0))


class TestCovariates:
    @pytest.fixture
    def priced(self):
        """Sales that fall by 8 a unit of price; nothing else moves them."""
        generator = np.random.default_rng(0)
        price = generator.uniform(1, 3, size=(2, 200)).astype(np.float32)
        target = (40 - 8 * price + generator.normal(scale=0.3, size=(2, 200))).astype(np.float32)
        return [{"start": pd.Period("2024-01-01", "D"), "target": target, "feat_dynamic_real": price}]

    def test_a_known_future_price_moves_the_forecast(self, priced):
        train = TrainConfig(max_epochs=15, batches_per_epoch=20, batch_size=32, learning_rate=5e-3)
        predictor = ForecastEstimator("D", 7, train=train).train(priced)
        history = {**priced[0], "target": priced[0]["target"][:, :-7]}
        means = []
        for price in (1.2, 2.8):
            future = priced[0]["feat_dynamic_real"].copy()
            future[:, -7:] = price
            means.append(next(predictor.predict([{**history, "feat_dynamic_real": future}])).samples.mean())
        assert means[0] - means[1] == pytest.approx(8 * 1.6, rel=0.3)

    def test_prices_that_end_with_the_history_are_refused(self, priced):
        predictor = ForecastEstimator("D", 7, train=TRAIN).train(priced)
        with pytest.raises(
            ValueError, match=r"expected feat_dynamic_real over history and horizon, .* got them to .*without a target"
        ):
            next(predictor.predict(priced))

    def test_a_missing_price_is_refused_by_row_and_date(self, priced):
        priced[0]["feat_dynamic_real"][1, 31] = np.nan
        with pytest.raises(ValueError, match="got nan in row 1 at 2024-02-01"):
            ForecastEstimator("D", 7, train=TRAIN).train(priced)


def test_changes_over_a_season_lead_on_from_the_last_value_of_an_article_younger_than_one(walks):
    target = walks[0]["target"].copy()
    target[3, :-3] = np.nan
    data = [{**walks[0], "target": target}]
    predictor = ForecastEstimator("D", 7, scaling=Scaling("change", lag=7), train=TRAIN).train(data)
    middle = np.median(next(predictor.predict(data, num_samples=50)).samples[..., 3], axis=0)
    assert np.abs(middle - target[3, -1]).max() < 10


def test_a_network_that_was_not_told_of_gaps_reads_none_as_a_value_of_0(walks):
    predictor = ForecastEstimator("D", 7, scaling=Scaling("level"), train=TRAIN).train(walks)
    target = walks[0]["target"].copy()
    target[:, -4] = target[:, -5]
    held = next(predictor.predict([{**walks[0], "target": target}], num_samples=3)).samples
    target[:, -4] = np.nan
    found = next(predictor.predict([{**walks[0], "target": target}], num_samples=3)).samples
    # The scale is that of the values seen, which is all that differs; a 0 would move some of the paths by two units.
    np.testing.assert_allclose(found, held, rtol=0, atol=1)
