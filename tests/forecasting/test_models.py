"""The named models, DeepAR and the naive rows on small data; settings by name."""

import json

import numpy as np
import pandas as pd
import pytest
from gluonts.model.predictor import Predictor
from hemline.datasets import Metadata
from hemline.datasets.entries.univariate import as_univariate
from hemline.evaluation.adapters.quiet import quiet_gluonts
from hemline.forecasting import (
    MAF,
    MODELS,
    DeepAREstimator,
    GRUMAFEstimator,
    RandomWalkPredictor,
    Recurrent,
    SeasonalNaivePredictor,
    TrainConfig,
    build_model,
)
from hemline.forecasting.names import NAMES
from hemline.runtime.plain import Configured, from_plain
from hemline.runtime.seeds import seeded

METADATA = Metadata("walks", "D", 7, ("a", "b", "c", "d"), season=7)
SHORT = {"train": {"max_epochs": 1, "batches_per_epoch": 2, "batch_size": 8}}


def short(name):
    """Settings that train a model for a moment, and sample it in few steps."""
    if name == "analog":
        return {"origins": 4}
    if name == "cold-start":
        return {"model": {"origins": 4}}
    if name == "deepar-coupled":
        return {"model": SHORT, "windows": 4}
    if name == "pool":
        patches = {
            "model": {"estimator": {"num_batches_per_epoch": 2, "trainer_kwargs": {"max_epochs": 1}}},
            "windows": 4,
        }
        members = {**dict.fromkeys(("cross-fit", "deepar", "density"), SHORT), "patch-tst": patches}
        return {"models": members, "windows": 2, "num_samples": 10}
    if name.endswith("-ensemble"):
        return {"model": SHORT, "members": 2}
    return {**SHORT, "head": {"steps": 5}} if name == "timegrad" else SHORT


@pytest.mark.parametrize("name", MODELS)
def test_every_model_trains_predicts_and_is_read_back(name, walks, tmp_path):
    model = build_model(name, METADATA)
    if hasattr(model, "train"):
        model = model.override(short(name)).train(walks)
    forecast = next(model.predict(walks, num_samples=6))
    assert forecast.samples.shape == (6, 7, 4)
    assert np.isfinite(forecast.samples).all()
    model.serialize(tmp_path)
    again = next(Predictor.deserialize(tmp_path).predict(walks, num_samples=6))
    np.testing.assert_allclose(again.samples, forecast.samples, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_forecasts_one_series(name):
    target = np.random.default_rng(0).normal(size=(1, 100)).cumsum(1).astype(np.float32) + 30
    data = [{"start": pd.Period("2024-01-01", "D"), "target": target}]
    model = build_model(name, METADATA)
    if hasattr(model, "train"):
        model = model.override(short(name)).train(data)
    assert next(model.predict(data, num_samples=2)).samples.shape == (2, 7, 1)


@pytest.mark.parametrize("name", [name for name in MODELS if hasattr(build_model(name, METADATA), "train")])
def test_a_configuration_says_all_and_a_run_is_seeded(name, walks):
    model = build_model(name, METADATA).override(short(name))
    configuration = model.for_run(7).configuration()
    assert 7 in (configuration.get("seed"), configuration.get("model", configuration).get("train", {}).get("seed"))
    assert json.loads(json.dumps(configuration)) is not None
    first, second = (next(model.for_run(3).train(walks).predict(walks, num_samples=3)).samples for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_configuration_makes_the_same_estimator_again():
    model = GRUMAFEstimator("D", 7, lags=(1, 3), head=MAF(blocks=2), train=TrainConfig(max_epochs=3))
    again = from_plain(model.configuration(), NAMES, allowed=Configured)
    assert isinstance(again, GRUMAFEstimator)
    assert again.configuration() == model.configuration()


@pytest.mark.parametrize("name", ["vec-lstm-copula", "gp-scaling", "gp-copula"])
def test_the_joint_normals_learn_from_the_published_batches(name):
    """Of 16 windows (Salinas et al. 2019), unless another is asked for."""
    model = build_model(name, METADATA)
    assert model.train_config.batch_size == 16
    assert model.for_run(2).train_config.batch_size == 16
    assert model.override({"train": {"batch_size": 64}}).train_config.batch_size == 64


def test_an_override_changes_one_setting_of_a_part():
    model = GRUMAFEstimator("D", 7).override({"head": {"blocks": 2}, "encoder": {"size": 8}})
    assert model.head == MAF(blocks=2)
    assert model.encoder == Recurrent(size=8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": {}}, "GRUMAFEstimator: expected one of the settings freq, prediction_length.*, got 'heads'"),
        ({"head": {"block": 2}}, "GRUMAFEstimator.head: expected one of the settings blocks, hidden.*, got 'block'"),
        ({"train": {"epochs": 2}}, "GRUMAFEstimator.train: expected one of the settings .*, got 'epochs'"),
    ],
)
def test_an_unknown_setting_is_refused_with_those_known(changes, message):
    with pytest.raises(ValueError, match=message):
        GRUMAFEstimator("D", 7).override(changes)


def test_an_unknown_model_is_refused_with_those_known():
    with pytest.raises(ValueError, match=r"models: expected one of pool, cross-fit.*, got 'gru-mfa'"):
        build_model("gru-mfa", METADATA)
    with pytest.raises(ValueError, match=r"RandomWalkPredictor: expected one of the settings .*, got 'train'"):
        build_model("random-walk", METADATA, SHORT)


def test_deepar_groups_what_gluonts_draws(walks):
    """The paths are gluonts' own, series by series; across series they are independent."""
    predictor = DeepAREstimator(
        "D", 7, train=TrainConfig(max_epochs=1, batches_per_epoch=2, schedule="constant")
    ).train(walks)
    grouped = next(predictor.predict(walks, num_samples=50)).samples
    with seeded(7919), quiet_gluonts():
        single = [forecast.samples for forecast in predictor.predictor.predict(as_univariate(walks[0]), num_samples=50)]
    np.testing.assert_array_equal(grouped, np.stack(single, 2))
    assert predictor.training_log[0]["train_loss"] is not None


@pytest.mark.parametrize("option", [{"validation_span": 7}, {"checkpoints": "x"}, {"compile": True}])
def test_what_gluonts_deepar_does_not_have_is_refused(option):
    with pytest.raises(ValueError, match=f"train: expected no {next(iter(option))}"):
        DeepAREstimator("D", 7, train=TrainConfig(schedule="constant", **option))


class TestNaive:
    def entry(self, target):
        return [{"start": pd.Period("2024-01-01", "D"), "target": np.asarray(target, dtype=np.float32)}]

    def test_seasonal_naive_bridges_a_gap_by_the_season_before(self):
        forecast = next(SeasonalNaivePredictor(3, season_length=2).predict(self.entry([[1, 2, 3, np.nan]]), 1))
        np.testing.assert_array_equal(forecast.samples[0, :, 0], [3, 2, 3])

    def test_an_article_younger_than_a_season_goes_on_from_its_last_value(self):
        new, closed = [np.nan] * 6 + [5, 4], [1, 2, 3, np.nan] * 2
        for predictor in (SeasonalNaivePredictor(4, 4), RandomWalkPredictor(4, 4)):
            samples = next(predictor.predict(self.entry([new, closed]), 1)).samples[0]
            np.testing.assert_array_equal(samples.T, [[4, 4, 5, 4], [1, 2, 3, 0]])

    def test_joint_changes_come_from_one_past_step(self):
        steps = np.random.default_rng(0).normal(size=60)
        data = self.entry(np.stack([steps.cumsum(), -2 * steps.cumsum()]))
        samples = next(RandomWalkPredictor(5).predict(data, 40)).samples
        change = np.diff(samples, axis=1)
        np.testing.assert_allclose(change[..., 1], -2 * change[..., 0], atol=1e-4)
        apart = np.diff(next(RandomWalkPredictor(5, joint=False).predict(data, 40)).samples, axis=1)
        assert abs(np.corrcoef(apart[..., 0].ravel(), apart[..., 1].ravel())[0, 1]) < 0.4

    def test_a_walk_without_noise_repeats_the_change(self):
        samples = next(RandomWalkPredictor(4).predict(self.entry([[1, 3, 5, 7]]), 2)).samples
        np.testing.assert_array_equal(samples[0, :, 0], [9, 11, 13, 15])

    def test_a_seasonal_walk_adds_seasonal_changes(self):
        season = np.tile([0.0, 5.0, 9.0], 4) + np.repeat([0, 1, 2, 3], 3)
        samples = next(RandomWalkPredictor(6, season_length=3).predict(self.entry([season]), 2)).samples
        np.testing.assert_array_equal(samples[0, :, 0], [4, 9, 13, 5, 10, 14])

    @pytest.mark.parametrize("season", [1, 7])
    def test_a_new_article_does_not_stop_the_walk_of_the_others(self, walks, season):
        """They keep their steps and what they do together; it takes those that it has, or none."""
        old, new = RandomWalkPredictor(5, season), [row.copy() for row in walks[0]["target"]]
        new[3][:-2] = np.nan
        new[2][::9] = np.nan
        data = [{**walks[0], "target": np.stack(new)}]
        before, after = (next(old.predict(each, 400)).samples for each in (walks, data))
        np.testing.assert_array_equal(after[..., :2], before[..., :2])
        np.testing.assert_allclose(after[..., 2].std(0), before[..., 2].std(0), rtol=0.2)
        known = [0.0] if season > 1 else [new[3][-1] - new[3][-2]]
        np.testing.assert_allclose(np.unique(np.diff(after[..., 3], axis=1).round(3)), np.round(known, 3), atol=2e-3)

    def test_another_seed_draws_other_paths(self):
        data = self.entry(np.random.default_rng(0).normal(size=(2, 50)))
        one, two = (next(RandomWalkPredictor(3).for_run(seed).predict(data, 5)).samples for seed in (1, 2))
        assert (one != two).any()


def test_deepar_reads_static_features_and_categories():
    rng = np.random.default_rng(0)
    levels = np.array([5.0, 50.0, 5.0, 50.0])[:, None]
    entry = {
        "start": pd.Period("2024-01-01", "D"),
        "target": (levels * rng.gamma(20, 1 / 20, size=(4, 120))).astype(np.float32),
        "feat_static_real": levels,
        "feat_static_cat": [[0], [1], [0], [1]],
    }
    train = TrainConfig(max_epochs=1, batches_per_epoch=2, schedule="constant")
    predictor = DeepAREstimator("D", 3, train=train).train([entry])
    network = predictor.predictor.prediction_net.model
    assert [embedding.num_embeddings for embedding in network.embedder._embedders] == [4, 2]
    before = next(predictor.predict([entry], num_samples=5)).samples
    moved = next(predictor.predict([{**entry, "feat_static_real": levels[[1, 0, 2, 3]]}], num_samples=5)).samples
    assert np.abs(moved - before).max() > 1e-6
