"""Training resumes, is seeded, keeps its settings and says what went wrong."""

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting import (
    MAF,
    CrossFitEstimator,
    ForecastEstimator,
    ForecastPredictor,
    NonFiniteLoss,
    Recurrent,
    StudentT,
    TrainConfig,
)
from hemline.forecasting.training.folds import FoldsTraining
from hemline.forecasting.training.module import Training
from hemline.forecasting.windows.spec import infer_spec
from hemline.forecasting.windows.tensor import SeriesTensor
from hemline.runtime.locks import locked
from hemline.runtime.run_folder import RunFolder
from hemline.runtime.training.epochs import epoch_seed

SMALL = {"batches_per_epoch": 4, "batch_size": 8}


def weights(predictor):
    return predictor.forecaster.state_dict()


def assert_equal_weights(first, second):
    for name, value in weights(first).items():
        assert torch.equal(value, weights(second)[name]), name


def test_the_same_seed_gives_the_same_weights_and_another_one_others(walks):
    first, second, third = (
        ForecastEstimator("D", 7, train=TrainConfig(max_epochs=2, seed=seed, **SMALL)).train(walks)
        for seed in (0, 0, 1)
    )
    assert_equal_weights(first, second)
    assert any(not torch.equal(value, weights(third)[name]) for name, value in weights(first).items())


def test_training_leaves_the_users_random_state_alone(walks):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    ForecastEstimator("D", 7, train=TrainConfig(max_epochs=1, **SMALL)).train(walks)
    assert torch.equal(torch.rand(3), expected)


def test_a_training_killed_in_the_middle_resumes_to_equal_weights(walks, tmp_path):
    """kill -9 after some epochs; the second process goes on from the checkpoint."""
    script = textwrap.dedent("""
        import sys, time
        import numpy as np, pandas as pd
        from hemline.forecasting import ForecastEstimator, TrainConfig
        from hemline.runtime.training.checkpoints import Checkpoints

        target = np.load(sys.argv[1])
        data = [{"start": pd.Period("2024-01-01", "D"), "target": target}]
        slow, kept = float(sys.argv[3]), Checkpoints.on_train_epoch_end

        def on_train_epoch_end(self, trainer, module):
            kept(self, trainer, module)
            print("epoch", trainer.current_epoch, flush=True)
            time.sleep(slow)

        Checkpoints.on_train_epoch_end = on_train_epoch_end
        config = TrainConfig(
            max_epochs=5, batches_per_epoch=4, batch_size=8, validation_span=14, patience=9, checkpoints=sys.argv[2]
        )
        predictor = ForecastEstimator("D", 7, train=config).train(data)
        predictor.serialize(sys.argv[4])
    """)
    np.save(tmp_path / "target.npy", walks[0]["target"])

    def start(slow):
        arguments = [tmp_path / "target.npy", tmp_path / "kept", str(slow), tmp_path / "out"]
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    process = start(60)
    assert process.stdout.readline() == "epoch 0\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(list((tmp_path / "kept").glob("last-*.ckpt"))) == 1
    said = start(0).communicate(timeout=120)[0].splitlines()
    assert said == ["epoch 1", "epoch 2", "epoch 3", "epoch 4"]
    config = TrainConfig(max_epochs=5, batches_per_epoch=4, batch_size=8, validation_span=14, patience=9)
    unbroken = ForecastEstimator("D", 7, train=config).train(walks)
    resumed = ForecastPredictor.deserialize(tmp_path / "out")
    assert_equal_weights(resumed, unbroken)
    losses = [[row["train_loss"] for row in each.training_log] for each in (resumed, unbroken)]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 5


@pytest.mark.parametrize(("model", "training"), [(ForecastEstimator, Training), (CrossFitEstimator, FoldsTraining)])
def test_a_training_goes_on_from_any_address(walks, model, training, monkeypatch):
    config = TrainConfig(max_epochs=3, checkpoints=f"memory://{model.__name__}", **SMALL)
    unbroken = model("D", 7, train=replace(config, checkpoints=None)).train(walks)
    steps, step = iter(range(100)), training.training_step

    def killed(self, starts, index):
        if next(steps) == 6:
            raise RuntimeError("killed")
        return step(self, starts, index)

    with monkeypatch.context() as patch:
        patch.setattr(training, "training_step", killed)
        with pytest.raises(RuntimeError, match="killed"):
            model("D", 7, train=config).train(walks)
    assert kept_in(config.checkpoints)
    assert_equal_weights(model("D", 7, train=config).train(walks), unbroken)


def kept_in(address):
    """The names of the checkpoints in a folder at any address."""
    folder = RunFolder(address)
    names = [file.rpartition("/")[2] for file in folder.files.ls(folder.root, detail=False)]
    return sorted(name for name in names if name.endswith(".ckpt"))


def test_a_checkpoint_of_another_training_is_refused(walks, tmp_path):
    config = TrainConfig(max_epochs=1, checkpoints=str(tmp_path), **SMALL)
    ForecastEstimator("D", 7, train=config).train(walks)
    (kept,) = tmp_path.iterdir()
    other = TrainConfig(max_epochs=2, learning_rate=0.1, **SMALL)
    with pytest.raises(ValueError, match="checkpoints: expected a checkpoint of the same settings and data"):
        ForecastEstimator("D", 7, train=other).train(walks, ckpt_path=kept)


def test_two_trainings_keep_their_checkpoints_in_one_folder_and_each_goes_on_from_its_own(walks, tmp_path):
    """One that was broken off does not stand in the way of another with other settings."""
    rates = (0.01, 0.1)
    for epochs in (1, 2):
        logs = [
            ForecastEstimator(
                "D", 7, train=TrainConfig(max_epochs=epochs, learning_rate=rate, checkpoints=str(tmp_path), **SMALL)
            )
            .train(walks)
            .training_log
            for rate in rates
        ]
        if epochs == 1:
            first = logs
    assert len(kept_in(str(tmp_path))) == 2
    assert [log[0] for log in logs] == [log[0] for log in first]  # with the same seconds: it was not trained again


def test_a_checkpoint_under_the_name_of_version_0_1_is_taken_up(walks, tmp_path):
    def trained(epochs, **changes):
        config = TrainConfig(max_epochs=epochs, checkpoints=str(tmp_path), **SMALL)
        return ForecastEstimator("D", 7, train=replace(config, **changes)).train(walks).training_log

    (before,) = trained(1)
    (kept,) = tmp_path.iterdir()
    kept.rename(tmp_path / "last.ckpt")
    assert trained(2)[0] == before
    assert len(trained(1, learning_rate=0.1)) == 1  # that of another training is left alone


def test_the_same_training_twice_at_once_is_refused(walks, tmp_path):
    config = TrainConfig(max_epochs=1, checkpoints=str(tmp_path), **SMALL)
    ForecastEstimator("D", 7, train=config).train(walks)
    (kept,) = tmp_path.iterdir()
    with (
        locked(f"{kept}.lock", wait=False),
        pytest.raises(ValueError, match=r"checkpoints: expected a folder that no other run is writing to, got .*"),
    ):
        ForecastEstimator("D", 7, train=config).train(walks)
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]


def priced(walks, **changes):
    """The walks with a price, a gap and changes."""
    target = walks[0]["target"].copy()
    target[0, 3] = np.nan
    price = np.random.default_rng(1).uniform(1, 3, size=(1, 207)).astype(np.float32)
    return [{**walks[0], "target": target, "feat_dynamic_real": price, **changes}]


def with_a_gap_for_a_zero(walks, value):
    target = priced(walks)[0]["target"]
    target[1, 50] = value
    return priced(walks, target=target)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"encoder": Recurrent("gru", dropout=0.1)}, {"encoder": Recurrent("gru", dropout=0.5)}),
        ({"encoder": Recurrent("gru", size=8)}, {"encoder": Recurrent("gru", size=12)}),
        ({"head": StudentT()}, {"head": StudentT(minimum_scale=0.1)}),
        ({"data": lambda walks: priced(walks)}, {"data": lambda walks: priced(walks, start=walks[0]["start"] + 3)}),
        (
            {"data": lambda walks: priced(walks)},
            {"data": lambda walks: priced(walks, feat_dynamic_real=2 - priced(walks)[0]["feat_dynamic_real"] ** 2)},
        ),
        (
            {"data": lambda walks: with_a_gap_for_a_zero(walks, 0.0)},
            {"data": lambda walks: with_a_gap_for_a_zero(walks, np.nan)},
        ),
        ({"watch": lambda walks: walks}, {"watch": lambda walks: [{**walks[0], "target": 2 * walks[0]["target"]}]}),
    ],
    ids=["dropout", "size", "minimum_scale", "calendar", "covariates", "mask", "validation_data"],
)
def test_a_checkpoint_of_other_numbers_or_data_is_another_one(walks, tmp_path, first, second):
    """Its weights would be returned as if they were those of this training."""

    def train(data=lambda walks: walks, watch=lambda walks: None, **parts):
        config = TrainConfig(max_epochs=1, batches_per_epoch=1, batch_size=2, checkpoints=str(tmp_path))
        return ForecastEstimator("D", 7, train=config, **parts).train(data(walks), watch(walks))

    train(**first)
    train(**second)
    assert len(kept_in(str(tmp_path))) == 2


def test_a_training_that_patience_ended_stays_ended(walks, tmp_path):
    config = TrainConfig(
        max_epochs=40, learning_rate=0.05, validation_span=14, patience=1, checkpoints=str(tmp_path), **SMALL
    )
    first, again = (ForecastEstimator("D", 7, train=config).train(walks) for _ in range(2))
    assert len(first.training_log) < 40
    assert again.training_log == first.training_log
    assert_equal_weights(again, first)


def test_the_learning_rate_is_the_one_that_was_set(walks):
    """Adam's first step changes each weight by the learning rate, whatever the gradient."""
    rate = 0.0123
    config = TrainConfig(max_epochs=1, batches_per_epoch=1, batch_size=8, learning_rate=rate, schedule="constant")
    estimator = ForecastEstimator("D", 7, train=config)
    after = weights(estimator.train(walks))
    spec = infer_spec(as_multivariate(walks), freq="D", prediction_length=7)
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        statistics = SeriesTensor(as_multivariate(walks), spec, change=None).statistics
        before = estimator.composition(spec).network(statistics).state_dict()
    moved = (after["head.parameters_of.weight"] - before["head.parameters_of.weight"]).abs()
    assert float(moved.median()) == pytest.approx(rate, rel=1e-3)


def test_the_cosine_schedule_ends_at_zero(walks, monkeypatch):
    rates = []
    step = torch.optim.Adam.step

    def spy(self, *args, **kwargs):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", spy)
    ForecastEstimator("D", 7, train=TrainConfig(max_epochs=2, learning_rate=0.01, **SMALL)).train(walks)
    assert rates[0] == 0.01
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.001


def test_a_non_finite_loss_names_series_and_step_and_keeps_the_checkpoint_before(walks, tmp_path, monkeypatch):
    step = Training.training_step

    def explode(self, starts, index):
        if self.current_epoch == 1 and index == 2:
            with torch.no_grad():
                next(self.forecaster.parameters()).fill_(float("nan"))
        return step(self, starts, index)

    monkeypatch.setattr(Training, "training_step", explode)
    walks[0]["target"][2, 60] = 1e7
    config = TrainConfig(max_epochs=3, batches_per_epoch=4, batch_size=64, checkpoints=str(tmp_path))
    with pytest.raises(
        NonFiniteLoss, match=r"loss is nan at epoch 1, batch 2; .* series '2'.* starts on 2024-0\d-\d\d\. .* kept in"
    ):
        ForecastEstimator("D", 7, train=config).train(walks)
    (name,) = kept_in(str(tmp_path))
    kept = torch.load(tmp_path / name, weights_only=True)
    assert kept["epoch"] == 0
    assert all(value.isfinite().all() for value in kept["state_dict"].values())


def test_the_best_epoch_on_the_validation_span_is_kept_and_patience_stops(walks):
    config = TrainConfig(max_epochs=40, learning_rate=0.05, validation_span=14, patience=2, **SMALL)
    predictor = ForecastEstimator("D", 7, train=config).train(walks)
    losses = [row["validation_loss"] for row in predictor.training_log]
    assert len(losses) < 40
    assert min(losses) not in losses[-2:]
    series = SeriesTensor(as_multivariate(walks), predictor.spec, change=None)
    with torch.no_grad():
        loss = predictor.forecaster.loss(series.gather(series.validation_starts(14)), context=False)
    assert float(loss) == pytest.approx(min(losses), abs=1e-5)


def test_data_to_watch_with_other_series_or_channels_are_refused(walks):
    estimator = ForecastEstimator("D", 7, train=TrainConfig(max_epochs=1, **SMALL))
    fewer = [{**walks[0], "target": walks[0]["target"][:2]}]
    with pytest.raises(ValueError, match="validation_data: expected 4 rows of target as in training, got 2 in entry 0"):
        estimator.train(walks, fewer)
    with pytest.raises(ValueError, match=r"validation_data: expected 0 rows of feat_dynamic_real .* got 1 in entry 0"):
        estimator.train(walks, priced(walks))


def test_the_validation_span_is_never_trained_on(walks):
    """Another end of the series changes no weight."""
    config = TrainConfig(max_epochs=2, validation_span=14, **SMALL)
    first = ForecastEstimator("D", 7, train=config).train(walks)
    starts = SeriesTensor(as_multivariate(walks), first.spec, change=None).training_starts(14)
    # Rows count from the padding; the last horizon ends where the span begins.
    assert int(starts.max()) + 7 == first.spec.history + first.spec.context_length + 200 - 14


def test_validation_changes_neither_weights_nor_statistics(walks):
    """Validation runs in evaluation mode: with or without it training draws the same weights."""
    head = MAF(blocks=2, hidden=8, batch_norm=True)
    plain = TrainConfig(max_epochs=1, **SMALL)
    estimator = ForecastEstimator("D", 7, head=head, train=plain)
    assert_equal_weights(estimator.train(walks), estimator.train(walks, validation_data=walks))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"max_epochs": 0}, "max_epochs: expected a whole number from 1, got 0"),
        ({"learning_rate": -1.0}, "learning_rate: expected a number above 0, got -1"),
        ({"schedule": "step"}, "schedule: expected 'cosine' or 'constant', got 'step'"),
        ({"validation_span": -1}, "validation_span: expected a whole number from 0, got -1"),
        ({"max_epochs": 1.5}, "max_epochs: expected a whole number from 1, got 1.5"),
        ({"patience": -1}, "patience: expected a whole number from 1 or none, got -1"),
        ({"weight_decay": -1.0}, "weight_decay: expected a number from 0, got -1.0"),
        ({"trainer": {"enable_checkpointing": False}}, "trainer: expected enable_checkpointing=True, got False"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**setting)


def test_patience_without_anything_to_watch_is_refused(walks):
    with pytest.raises(ValueError, match="patience: expected a validation_span or validation_data"):
        ForecastEstimator("D", 7, train=TrainConfig(patience=2)).train(walks)


def test_options_that_the_trainer_does_not_know_are_refused(walks):
    with pytest.raises(ValueError, match=r"trainer: expected one of the settings accelerator.*, got 'gpus'"):
        ForecastEstimator("D", 7, train=TrainConfig(trainer={"gpus": 1})).train(walks)


def test_the_training_loss_is_the_mean_over_the_steps_that_were_taken(walks):
    """A single callback, as Lightning takes one, sees the losses; the trainer stops each epoch early."""
    from lightning.pytorch import Callback

    class Losses(Callback):
        seen: ClassVar[list[float]] = []

        def on_train_batch_end(self, trainer, module, outputs, batch, index):
            self.seen.append(float(outputs["loss"]))

    options = {"limit_train_batches": 2, "callbacks": Losses()}
    config = TrainConfig(max_epochs=1, batches_per_epoch=10, batch_size=8, trainer=options)
    predictor = ForecastEstimator("D", 7, train=config).train(walks)
    assert len(Losses.seen) == 2
    assert predictor.training_log[0]["train_loss"] == pytest.approx(np.mean(Losses.seen))


def test_epochs_and_seeds_share_no_draws():
    assert len({epoch_seed(seed, epoch) for seed in range(20) for epoch in range(500)}) == 20 * 500


def test_a_compiled_loss_trains_to_the_same_weights(walks, monkeypatch):
    seen, step = [], Training.training_step

    def watched(self, starts, index):
        seen.append("loss" in vars(self.forecaster.head))
        return step(self, starts, index)

    monkeypatch.setattr(Training, "training_step", watched)
    config = TrainConfig(max_epochs=1, **SMALL)
    plain = ForecastEstimator("D", 7, train=config).train(walks)
    compiled = ForecastEstimator("D", 7, train=TrainConfig(max_epochs=1, compile=True, **SMALL)).train(walks)
    for name, value in weights(plain).items():
        torch.testing.assert_close(weights(compiled)[name], value, atol=1e-4, rtol=1e-3)
    assert not any(seen), "the head stays as it is"
