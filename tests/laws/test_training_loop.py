"""The one training loop serves a training with two optimisers, and goes on to the digit after a kill."""

import csv
import logging
import signal
from typing import Any

import pytest
import torch
from hemline.runtime.run_folder import RunFolder
from hemline.runtime.training.checkpoints import Checkpoints
from hemline.runtime.training.epochs import EpochTraining
from hemline.runtime.training.run import run_training
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.utils.data import DataLoader


class Adversaries(EpochTraining):
    """A generator of numbers and a critic that tells them from those of a normal law, each with its optimiser."""

    def __init__(
        self,
        epochs: int,
        stop_in: int | None = None,
        plant: float | None = None,
        by: type[BaseException] = RuntimeError,
    ) -> None:
        super().__init__(epochs, seed=3)
        self.automatic_optimization = False
        self.stop_in, self.plant, self.by = stop_in, plant, by
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.generator, self.critic = nn.Linear(2, 1), nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))

    def train_dataloader(self) -> DataLoader:
        drawn = torch.Generator().manual_seed(self.epoch_seed)
        return DataLoader([torch.randn(16, 1, generator=drawn) + 2 for _ in range(4)], batch_size=None, generator=drawn)

    def training_step(self, real: torch.Tensor, index: int) -> None:
        if self.stop_in == self.current_epoch and index == 2:
            raise self.by("killed")
        of_critic, of_generator = self.optimizers()
        made = self.generator(torch.randn(16, 2))
        critic = self.critic(made.detach()).mean() - self.critic(real).mean()
        of_critic.zero_grad()
        self.manual_backward(self.noted(critic, "critic"))
        of_critic.step()
        generator = -self.critic(made).mean() * (self.plant or 1.0)
        of_generator.zero_grad()
        self.manual_backward(self.noted(generator, "generator"))
        of_generator.step()

    def configure_optimizers(self) -> Any:
        return [torch.optim.Adam(part.parameters(), lr=0.01) for part in (self.critic, self.generator)]


def train(
    module: EpochTraining, folder: str | None, identity: str = "", resume: str | None = None, **options: Any
) -> EpochTraining:
    checkpoints = Checkpoints(None if folder is None else RunFolder(folder), identity=identity)
    used = {"accelerator": "cpu", "reload_dataloaders_every_n_epochs": 1, **options}
    run_training(module, checkpoints, options=used, resume=resume)
    return module


@pytest.mark.parametrize("place", ["local", "memory"])
def test_a_training_with_two_optimisers_goes_on_to_the_same_weights(tmp_path, place):
    folder = str(tmp_path / "run") if place == "local" else "memory://two-optimisers"
    whole = train(Adversaries(5), None)
    with pytest.raises(RuntimeError, match="killed"):
        train(Adversaries(5, stop_in=3), folder)
    resumed = train(Adversaries(5), folder)
    for name, weights in whole.state_dict().items():
        assert torch.equal(weights, resumed.state_dict()[name]), name
    without_time = [{key: row[key] for key in ("epoch", "critic", "generator")} for row in whole.history]
    assert [{key: row[key] for key in ("epoch", "critic", "generator")} for row in resumed.history] == without_time
    assert [row["epoch"] for row in resumed.history] == [1, 2, 3, 4, 5]


def test_a_loss_that_is_no_number_stops_with_the_state_before_it(tmp_path):
    with pytest.raises(FloatingPointError, match="critic is nan in epoch 1"):
        train(Adversaries(2, plant=float("nan")), str(tmp_path / "run"))
    assert not (tmp_path / "run" / "last.ckpt").exists()


def test_an_option_that_the_trainer_does_not_have_is_refused():
    with pytest.raises(ValueError, match=r"trainer: expected one of the settings .*, got 'epochs'"):
        run_training(Adversaries(1), Checkpoints(None), options={"epochs": 3})


def test_an_interrupt_is_one_and_keeps_the_state_before_it(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(Adversaries(3, stop_in=1, by=KeyboardInterrupt), str(tmp_path / "run"))
    assert signal.getsignal(signal.SIGINT) is before
    assert torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["epoch"] == 0


def test_an_exit_that_is_no_interrupt_stays_an_exit():
    with pytest.raises(SystemExit):
        train(Adversaries(1, stop_in=0, by=SystemExit), None)


@pytest.mark.parametrize("place", ["local", "memory"])
def test_the_state_of_another_training_is_refused(tmp_path, place):
    folder = str(tmp_path / "run") if place == "local" else "memory://other"
    train(Adversaries(1), folder, identity="one")
    kept = f"{folder}/last-one.ckpt"
    for identity in ("other", ""):
        with pytest.raises(ValueError, match="checkpoints: expected a checkpoint of the same settings and data"):
            train(Adversaries(2), folder, identity=identity, resume=kept)
    assert len(train(Adversaries(2), folder, identity="one").history) == 2


def broken(path):
    """Half of a state, nothing, text, and tensors that are no state."""
    half = path.read_bytes()[: path.stat().st_size // 2]
    for content in (half, b"", b"not a state"):
        path.write_bytes(content)
        yield
    torch.save({"weights": torch.zeros(2)}, path)
    yield
    torch.save([torch.zeros(2)], path)
    yield


def test_a_file_that_is_no_state_is_refused_by_name(tmp_path):
    train(Adversaries(1), str(tmp_path))
    for _ in broken(tmp_path / "last.ckpt"):
        with pytest.raises(ValueError, match=r"checkpoints: expected the state of a training, got .*last\.ckpt"):
            train(Adversaries(2), str(tmp_path))


def test_each_loss_is_told_by_its_name_to_the_log_and_to_the_users_logger(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        (row,) = train(Adversaries(1), None, logger=CSVLogger(tmp_path, name=None, version="")).history
    assert f"epoch 1/1: critic {row['critic']:.4f}, generator {row['generator']:.4f} (" in caplog.text
    with (tmp_path / "metrics.csv").open() as file:
        (logged,) = csv.DictReader(file)
    assert {name: float(logged[f"train_{name}"]) for name in ("critic", "generator")} == pytest.approx(
        {name: row[name] for name in ("critic", "generator")}
    )
