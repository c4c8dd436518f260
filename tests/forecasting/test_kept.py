"""What a pool has trained is kept, and told from what was trained otherwise."""

import logging

import numpy as np
import pytest
from gluonts.model.estimator import Estimator
from gluonts.torch import PatchTSTEstimator
from hemline.forecasting import (
    GroupedEstimator,
    GRUMAFEstimator,
    PooledEstimator,
    RandomWalkPredictor,
    SeasonalNaivePredictor,
    TrainConfig,
)
from hemline.forecasting.training.members import trained_member
from hemline.runtime.plain import Configured


def small_pool(folder):
    """A pool of two networks and a walk, small ones, that keeps what it trains in a folder."""
    small = {"max_epochs": 1, "batches_per_epoch": 2, "batch_size": 4}
    models = {
        "narrow": GRUMAFEstimator("D", 7, lags=(1, 7), train=TrainConfig(**small)),
        "patches": GroupedEstimator(
            PatchTSTEstimator(
                prediction_length=7,
                context_length=14,
                patch_len=7,
                num_batches_per_epoch=2,
                trainer_kwargs={"max_epochs": 1, "accelerator": "cpu"},
            )
        ),
        "walk": RandomWalkPredictor(7),
    }
    return PooledEstimator(models, windows=2, smallest=0, shrinkage=1e4).for_run(3, folder)


def test_a_killed_pool_goes_on_behind_the_models_that_it_has_trained(walks, tmp_path, monkeypatch):
    fitted = []

    def counted(cls, name):
        method = getattr(cls, name)

        def counting(self, *args):
            fitted.append(f"{name} {cls.__name__}")
            if len(fitted) == 4:
                raise KeyboardInterrupt
            return method(self, *args)

        monkeypatch.setattr(cls, name, counting)

    whole = small_pool(None).train(walks)
    for cls in GRUMAFEstimator, GroupedEstimator:
        counted(cls, "train")
        counted(cls, "update")
    with pytest.raises(KeyboardInterrupt):
        small_pool(tmp_path).train(walks)
    again = small_pool(tmp_path).train(walks)
    both = ("GRUMAFEstimator", "GroupedEstimator")
    # Weighed first, then taken on over the whole span: the last one died, and it alone is made again.
    assert fitted == [f"{name} {cls}" for name in ("train", "update") for cls in both] + ["update GroupedEstimator"]
    assert again.weights == whole.weights
    first, second = (next(each.predict(walks, num_samples=30)).samples for each in (whole, again))
    np.testing.assert_array_equal(first, second)
    # Other data, and another seed, are other trainings.
    small_pool(tmp_path).train([{**walks[0], "target": walks[0]["target"] + 1}])
    assert len(fitted) == 9


def test_a_model_that_cannot_tell_its_settings_is_trained_each_time(walks, tmp_path):
    """Two of them could look alike, and one be read in the place of the other."""
    trained = []

    class Silent(Estimator):
        prediction_length = 7

        def __init__(self, season):
            self.season = season

        def __repr__(self):
            return "Silent()"

        def train(self, training_data, validation_data=None):
            trained.append(self.season)
            return SeasonalNaivePredictor(7, self.season)

    for season in (1, 7):
        PooledEstimator({"silent": Silent(season), "walk": RandomWalkPredictor(7)}, shrinkage=1e4).for_run(
            0, tmp_path
        ).train(walks)
    assert trained == [1, 1, 7, 7]


def test_a_model_that_cannot_be_kept_is_trained_all_the_same(walks, tmp_path, caplog):
    class Unwritable(RandomWalkPredictor):
        def serialize(self, path):
            raise NotImplementedError("no")

    class Training(Configured, Estimator):
        prediction_length = 7

        def settings(self):
            return {}

        def train(self, training_data, validation_data=None):
            return Unwritable(7)

    models = {"odd": Training(), "naive": SeasonalNaivePredictor(7)}
    with caplog.at_level(logging.WARNING):
        found = PooledEstimator(models).for_run(0, tmp_path).train(walks)
    assert "weighing-odd is not kept, and would be trained again after a kill: no" in caplog.text
    assert "odd" in found.member_names


class Counted(Configured, Estimator):
    """A model that notes how many entries it learnt from, whenever it is trained."""

    prediction_length = 7

    def __init__(self, learnt):
        self.learnt = learnt

    def settings(self):
        return {}

    def train(self, training_data, validation_data=None):
        self.learnt.append(len(training_data))
        return SeasonalNaivePredictor(7)


def test_entries_to_learn_from_are_told_from_entries_to_watch(walks, tmp_path):
    learnt = []

    trained_member(Counted(learnt), 0, tmp_path, walks * 2, None)
    trained_member(Counted(learnt), 0, tmp_path, walks, walks)
    assert learnt == [2, 1]


def test_what_was_kept_and_cannot_be_read_is_trained_again(walks, tmp_path, caplog):
    trained = []

    def train():
        with caplog.at_level(logging.WARNING):
            return trained_member(Counted(trained), 0, tmp_path / "odd", walks, None)

    train()
    train()
    assert trained == [1]
    assert not caplog.text
    file = next(tmp_path.rglob("predictor.json"))
    file.write_text(file.read_text().replace("prediction_length", "horizon"))  # as an older version would have it
    train()
    assert trained == [1, 1]
    assert "odd is trained again, what was kept of it cannot be read" in caplog.text
    train()
    assert trained == [1, 1]


class OwnPredictor(RandomWalkPredictor):
    """A predictor of somebody else."""


class OwnEstimator(Configured, Estimator):
    """An estimator of somebody else, whose predictor stands in the same module."""

    prediction_length = 7
    trained = 0

    def settings(self):
        return {}

    def train(self, training_data, validation_data=None):
        type(self).trained += 1
        return OwnPredictor(7)


def test_a_member_of_the_user_s_own_is_kept_as_well(walks, tmp_path):
    kept = [trained_member(OwnEstimator(), 0, tmp_path, walks, None) for _ in range(2)]
    assert [type(each) for each in kept] == [OwnPredictor, OwnPredictor]
    assert OwnEstimator.trained == 1
