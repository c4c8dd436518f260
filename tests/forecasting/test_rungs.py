"""Members of a pool that cannot earn weight are dropped at a pause of the training; the others go on from there."""

import logging

import numpy as np
import pandas as pd
import pytest
from gluonts.torch import PatchTSTEstimator
from hemline.datasets.entries.entry import Entry
from hemline.evaluation.adapters.estimator import GroupedEstimator
from hemline.evaluation.adapters.foreign import in_rungs
from hemline.evaluation.adapters.gluonts.epoch_log import EpochLog
from hemline.evaluation.adapters.model import ForecastModel
from hemline.forecasting import (
    CoupledEstimator,
    CrossFitEstimator,
    DeepAREstimator,
    GRUMAFEstimator,
    LogLinear,
    PooledEstimator,
    RandomWalkPredictor,
    RespondingEstimator,
    SeasonalNaivePredictor,
    TrainConfig,
    load_predictor,
)
from hemline.forecasting.wrappers.mixture_weights import Mixtures
from hemline.runtime.training.epochs import EpochTraining
from hemline.runtime.training.pausing import Pause

START = pd.Period("2024-01-01", "D")
NOISE = np.random.default_rng(0)
WEEK = 20 + 10 * np.sin(2 * np.pi * np.arange(150) / 7)
ENTRY = Entry(START, (WEEK + NOISE.normal(size=(3, 150))).astype(np.float32), item_ids=("a", "b", "c"))
SHORT = {"max_epochs": 5, "batches_per_epoch": 3, "batch_size": 8}


def networks():
    """Small ones of every way to train by epochs."""
    config = {"train": TrainConfig(**SHORT), "lags": (1, 7)}
    grouped = PatchTSTEstimator(
        7,
        patch_len=7,
        context_length=14,
        num_batches_per_epoch=3,
        trainer_kwargs={"max_epochs": 5, "accelerator": "cpu"},
    )
    direct = CrossFitEstimator("D", 7, folds=2, windows=10, lags=(1, 7)).override({"train": {**SHORT, "patience": 2}})
    return {
        "maf": GRUMAFEstimator("D", 7, **config),
        "direct": direct,
        "deepar": DeepAREstimator("D", 7, lags=(1, 7), size=4).override(
            {"train": {**SHORT, "batches_per_epoch": 10, "learning_rate": 0.01}}
        ),
        "patches": CoupledEstimator(GroupedEstimator(grouped, stop_after=3), windows=10),
    }


def paths(fitted, entry=ENTRY):
    return next(iter(fitted.predict([entry], num_samples=20, seed=1))).samples


def untimed(log):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in log]


@pytest.mark.parametrize("name", networks())
def test_a_training_with_a_pause_is_the_one_without_to_the_last_digit(name):
    model, drawn = networks()[name].for_run(3), []
    whole = model.train([ENTRY])
    for fitted, _ in model.train_in_rungs([ENTRY], 0.4):
        # A forecast at the pause leaves no trace; nor does what else draws from the process's generators.
        drawn.append(paths(fitted))
        np.random.rand(3)
    assert len(drawn) == 2
    assert (drawn[0] != drawn[1]).any()
    np.testing.assert_array_equal(drawn[1], paths(whole))
    assert untimed(fitted.training_log) == untimed(whole.training_log)
    assert fitted.trained_by.settings() == whole.trained_by.settings()


def test_what_has_no_epochs_or_no_more_of_them_has_no_pause():
    few = GRUMAFEstimator("D", 7, lags=(1, 7), train=TrainConfig(**{**SHORT, "max_epochs": 1}))
    for model in few, CoupledEstimator(RandomWalkPredictor(7), windows=10):
        assert [whole for _, whole in model.train_in_rungs([ENTRY], 0.4)] == [True]


def test_a_model_beneath_a_response_has_its_pause():
    price = np.where(np.arange(157) % 9 < 2, 0.7, 1.0) + 0.01 * NOISE.normal(size=157)
    entry = ENTRY.with_(channels=type(ENTRY.channels)(price[None].astype(np.float32), ("price[a]",)))
    inner = GRUMAFEstimator("D", 7, lags=(1, 7), train=TrainConfig(**{**SHORT, "max_epochs": 3}))
    model = RespondingEstimator(inner, response=LogLinear()).for_run(2)
    *_, (fitted, _) = parts = list(model.train_in_rungs([entry], 0.4))
    assert [each for _, each in parts] == [False, True]
    np.testing.assert_array_equal(paths(fitted, entry), paths(model.train([entry]), entry))


def test_a_subclass_with_a_training_of_its_own_is_trained_by_that():
    class Own(GRUMAFEstimator):
        def train(self, training_data, validation_data=None, ckpt_path=None):
            return RandomWalkPredictor(7)

    ((found, whole),) = in_rungs(Own("D", 7), [ENTRY], 0.4)
    assert isinstance(found, RandomWalkPredictor)
    assert whole


def test_what_is_not_paused_does_not_go_on():
    with pytest.raises(ValueError, match="go_on: expected a training that is paused"):
        Pause(2).go_on()


class Noisy(RandomWalkPredictor):
    """A walk with so much noise of its own: each series is worse for it, and so is their sum."""

    def __init__(self, prediction_length, noise=0.0):
        super().__init__(prediction_length)
        self.noise = noise

    def settings(self):
        return {"prediction_length": self.prediction_length, "noise": self.noise}

    def for_run(self, seed, directory=None):
        return self

    def paths(self, target, count, generator=None):
        drawn = super().paths(target, count, generator)
        return drawn + self.noise * np.random.default_rng(0).normal(size=drawn.shape)


class InEpochs(ForecastModel):
    """Counts its epochs, twenty of them; it has so much noise before the pause and at the end."""

    prediction_length = 7

    def __init__(self, before, after=None):
        super().__init__()
        self.before, self.after, self.epochs = before, before if after is None else after, 0

    def settings(self):
        return {"before": self.before, "after": self.after}

    def for_run(self, seed, directory=None):
        return self

    def train(self, training_data, validation_data=None):
        self.epochs += 20
        return Noisy(7, self.after)

    def update(self, fitted, training_data, directory=None):
        self.epochs += 1
        return fitted

    def train_in_rungs(self, training_data, share):
        self.epochs += round(20 * share)
        yield Noisy(7, self.before), False
        self.epochs += 20 - round(20 * share)
        yield Noisy(7, self.after), True


def walks(seed, length=150):
    target = np.random.default_rng(seed).normal(size=(3, length)).cumsum(1) + 40
    return [Entry(START, target.astype(np.float32), item_ids=("a", "b", "c"))]


def pool(*models, **settings):
    named = {f"model-{number}": model for number, model in enumerate(models)}
    return PooledEstimator({**named, "walk": Noisy(7)}, drop_after=0.25, **settings)


def test_a_worthless_model_is_dropped_and_its_epochs_are_saved(caplog, tmp_path):
    bad, good = InEpochs(50.0), InEpochs(0.0)
    with caplog.at_level(logging.INFO):
        fitted = pool(bad, good).train(walks(0))
    assert (bad.epochs, good.epochs) == (5, 21), "a quarter; all, and one more over the whole span"
    assert list(fitted.dropped) == ["model-0"]
    assert "model-0 is dropped: no weight in any mixture after 25 % of its epochs" in caplog.text
    assert set(fitted.weighing) == {"model-1", "walk"}
    # It is told by what is stored, and an update leaves it out.
    fitted.serialize(tmp_path)
    read = load_predictor(tmp_path, trust=[f"{__name__}:Noisy", f"{__name__}:InEpochs"])
    assert read.dropped == fitted.dropped
    assert "dropped=model-0" in repr(read)
    longer = walks(0, 160)
    updated = fitted.update(longer)
    assert bad.epochs == 5
    assert good.epochs == 23
    assert updated.dropped == fitted.dropped
    assert set(updated.weighing) == {"model-1", "walk"}


@pytest.mark.parametrize("noise", [1, 20])
def test_a_single_window_does_not_drop_a_model(noise):
    """In one of ten it is so far off that no share would pay for it; in the others it is as good, or worthless too."""
    rng = np.random.default_rng(0)
    truth, fair, odd = (rng.normal(size=(10, *count, 4, 2)) for count in ((), (50,), (50,)))
    odd *= noise
    odd[5] *= 300
    mixtures, drawn = Mixtures("real", 0.05, 0.03, (), ()), {"fair": fair, "odd": odd}
    assert mixtures.weights(drawn, truth, []).kept == ["fair"]
    assert mixtures.earning(drawn, truth, []) == ({"fair", "odd"} if noise == 1 else {"fair"})


@pytest.mark.parametrize("seed", range(12))
def test_a_good_model_is_never_dropped(seed):
    """Beside one as good, and one that has nothing to learn."""
    fitted = pool(InEpochs(0.0), InEpochs(0.5)).train(walks(seed))
    assert not fitted.dropped


def test_a_model_of_the_sum_alone_is_not_dropped_for_its_series():
    bad, plain = InEpochs(50.0), InEpochs(0.0)
    fitted = pool(bad, plain, only_totals=["model-1"]).train(walks(1))
    assert list(fitted.dropped) == ["model-0"]
    assert plain.epochs > 5


def test_without_the_setting_all_are_trained_to_the_end():
    bad = InEpochs(50.0)
    models = {"bad": bad, "walk": Noisy(7)}
    estimator = PooledEstimator(models)
    fitted = estimator.train(walks(0))
    assert bad.epochs >= 20
    assert not fitted.dropped
    assert estimator.override({"drop_after": 0.5}).drop_after == 0.5
    for wrong in 0, 1.5:
        with pytest.raises(ValueError, match="drop_after: expected"):
            PooledEstimator(models, drop_after=wrong)


def test_a_model_that_fails_behind_the_pause_takes_no_part(caplog):
    class Failing(InEpochs):
        def train_in_rungs(self, training_data, share):
            yield Noisy(7), False
            raise ValueError("loss is inf")

    fitted = pool(Failing(0.0), InEpochs(0.0)).train(walks(0))
    assert "model-0 takes no part in the pool: loss is inf" in caplog.text
    assert "model-0" not in fitted.weighing


def small_pool(folder, drop_after, shrinkage=1e4):
    """Two networks and a walk; shrinkage has all of them weigh the same, so that none is dropped."""
    models = {name: networks()[name] for name in ("maf", "direct")}
    settings = {"windows": 2, "smallest": 0.0, "shrinkage": shrinkage, "drop_after": drop_after}
    return PooledEstimator({**models, "walk": RandomWalkPredictor(7)}, **settings).for_run(3, folder)


@pytest.fixture(scope="module")
def unbroken():
    return small_pool(None, 0.4).train([ENTRY])


def test_where_nothing_is_dropped_a_pool_is_as_without_the_pause(unbroken):
    fitted = small_pool(None, 1.0).train([ENTRY])
    assert (fitted.weights, fitted.total_weights) == (unbroken.weights, unbroken.total_weights)
    np.testing.assert_array_equal(paths(fitted), paths(unbroken))


@pytest.mark.parametrize("epoch", [1, 2, 4, 6, 9, 11])
def test_a_pool_that_was_killed_in_any_rung_goes_on_to_the_same(unbroken, epoch, tmp_path, monkeypatch):
    """Epochs of both to the pause are the first four, those behind it the next six, then come the updates."""
    counted, end = [], EpochTraining.on_train_epoch_end

    def counting(self):
        counted.append(self.current_epoch)
        if len(counted) == epoch:
            raise KeyboardInterrupt
        end(self)

    monkeypatch.setattr(EpochTraining, "on_train_epoch_end", counting)
    with pytest.raises(KeyboardInterrupt):
        small_pool(tmp_path, 0.4).train([ENTRY])
    again = small_pool(tmp_path, 0.4).train([ENTRY])
    all_of_them = len([row for name in ("maf", "direct") for row in unbroken.weighing[name].training_log])
    whole = len(unbroken.training_log)
    assert len(counted) == all_of_them + whole + 1, "no epoch is taken twice but the one that was killed"
    assert (again.weights, again.total_weights) == (unbroken.weights, unbroken.total_weights)
    np.testing.assert_array_equal(paths(again), paths(unbroken))


def test_a_network_of_gluonts_that_was_killed_behind_the_pause_begins_anew_and_comes_to_the_same(tmp_path, monkeypatch):
    def run(folder):
        models = {"deepar": networks()["deepar"], "walk": RandomWalkPredictor(7)}
        settings = {"windows": 2, "smallest": 0.0, "shrinkage": 1e4, "drop_after": 0.4}
        return PooledEstimator(models, **settings).for_run(3, folder).train([ENTRY])

    counted, end = [], EpochLog.on_train_epoch_end

    def counting(self, trainer, network):
        counted.append(trainer.current_epoch)
        if len(counted) == 4:
            raise KeyboardInterrupt
        end(self, trainer, network)

    with monkeypatch.context() as patched:
        patched.setattr(EpochLog, "on_train_epoch_end", counting)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path)
    again, whole = run(tmp_path), run(None)
    assert counted == [0, 1, 2, 3]
    assert again.weights == whole.weights
    np.testing.assert_array_equal(paths(again), paths(whole))


def test_what_was_dropped_stays_dropped_when_a_killed_pool_goes_on(tmp_path, monkeypatch):
    def run():
        models = {"maf": networks()["maf"], "walk": RandomWalkPredictor(7), "naive": SeasonalNaivePredictor(7, 7)}
        return PooledEstimator(models, windows=3, drop_after=0.2).for_run(3, tmp_path).train([ENTRY])

    first = run()
    monkeypatch.setattr(EpochTraining, "on_train_epoch_end", None)  # nothing can be trained any more
    again = run()
    assert list(first.dropped) == ["maf"]
    assert again.dropped == first.dropped
    np.testing.assert_array_equal(paths(again), paths(first))
