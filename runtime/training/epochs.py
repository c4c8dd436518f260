"""What every training here is beneath: epochs that are seeded and logged, and one cycle of the learning rate."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from typing import cast

import lightning.pytorch as pl
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor

from ..display.bars import tell_bar, tell_line, time_left
from ..plain import PlainObject
from .curves import curve, learning_rates, tell_loggers

logger = logging.getLogger(__name__)


def epoch_seed(seed: int, epoch: int) -> int:
    """The seed of an epoch's draws."""
    return (seed + 1) * 1_000_003 + epoch


def tell_epoch(
    log: logging.Logger, number: int, epochs: int, losses: str, seconds: float, first: tuple[int, float]
) -> None:
    """Say how far a training is: a line an epoch where the log is read, else one every few seconds (`tell_line`).

    Arguments:
        log: of the module that trains.
        number: of epochs that are done.
        epochs: of all.
        losses: in words.
        seconds: of this epoch.
        first: the number of epochs that were done when this training began, and when that was.
    """
    mean = (time.monotonic() - first[1]) / max(number - first[0], 1)
    left = time_left(mean * max(epochs - number, 0))
    log.info("epoch %d/%d: %s (%.1f s, %s)", number, epochs, losses, seconds, left)
    if not log.isEnabledFor(logging.INFO):
        tell_line(f"{curve('')}epoch {number}/{epochs}: {losses}, {left}", first[1])


class EpochTraining(pl.LightningModule):
    """A network under Lightning, whose epochs depend on seed and number alone and leave a row each in a log.

    A training that was killed therefore goes on to the same weights; the log goes with its state. Lightning makes the
    loaders of a resumed epoch twice, so that a loader draws from a generator of its own, seeded by `epoch_seed`: one
    that draws from torch's would shift what the steps draw. A training with several optimisers
    (``automatic_optimization = False``) notes each of its losses by a name.

    Arguments:
        epochs: how many there are.
        seed: of all that the epochs draw.

    Attributes:
        history: a row an epoch, as `row` makes it.
    """

    def __init__(self, epochs: int, seed: int) -> None:
        super().__init__()
        self.epochs, self.seed = int(epochs), seed
        self.history: list[PlainObject] = []
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._rates: dict[str, float] = {}
        self._began = 0.0
        self._first: tuple[int, float] | None = None

    @property
    def epoch_seed(self) -> int:
        """The seed of this epoch's draws."""
        return epoch_seed(self.seed, self.current_epoch)

    def noted(self, loss: Tensor, name: str = "loss") -> Tensor:
        """The loss of a step, recorded for the epoch mean of that name."""
        told = loss.detach()
        self._sums[name] = self._sums[name] + told if name in self._sums else told
        self._counts[name] = self._counts.get(name, 0) + 1
        return loss

    def watched_values(self) -> dict[str, float]:
        """Metrics of this epoch on the validation data, by name: the ``validation_loss`` that a step logged, if any."""
        loss = self.trainer.callback_metrics.get("validation_loss")
        return {} if loss is None else {"validation_loss": float(loss)}

    def row(self, losses: Mapping[str, float], seconds: float) -> tuple[PlainObject, str]:
        """The row of this epoch in the training log, and a suffix for the progress line.

        Arguments:
            losses: the mean of each loss, by name.
            seconds: wall-clock time of the epoch.
        """
        watched = self.watched_values()
        shown = "".join(f", {name} {value:.4f}" for name, value in watched.items())
        return {"epoch": self.current_epoch + 1, **losses, **watched, "seconds": round(seconds, 2)}, shown

    def on_train_epoch_start(self) -> None:
        """Seed the epoch, so that a resumed training draws what an unbroken one draws."""
        torch.manual_seed(self.epoch_seed + self.global_rank)
        self._sums, self._counts, self._began = {}, {}, time.perf_counter()
        self._rates = learning_rates(self.trainer)
        self._first = self._first or (self.current_epoch, time.monotonic())
        tell_bar(f"{curve('')}epoch {self.current_epoch + 1}/{self.epochs}")

    def on_train_epoch_end(self) -> None:
        """Append the epoch to the training log.

        Raises:
            FloatingPointError: a loss became NaN or infinite.
        """
        number, seconds = self.current_epoch + 1, time.perf_counter() - self._began
        reduce = self.trainer.strategy.reduce
        losses = {name: float(reduce(total)) / self._counts[name] for name, total in self._sums.items()}
        for name, loss in losses.items():
            if not math.isfinite(loss):
                raise FloatingPointError(f"{name} is {loss} in epoch {number}; try a smaller lr")
        # For the user's callbacks and loggers; the training log is not theirs.
        several, told = self.trainer.world_size > 1, {f"train_{name}": loss for name, loss in losses.items()}
        self.log_dict(told, sync_dist=several, logger=False)
        tell_loggers(self.trainer, {**told, **self.watched_values(), **self._rates})
        row, shown = self.row(losses, seconds)
        self.history.append(row)
        means = ", ".join(f"{name} {loss:.4f}" for name, loss in losses.items())
        tell_epoch(logger, number, self.epochs, f"{means}{shown}", seconds, self._first or (0, 0.0))

    def one_cycle(self, optimizer: torch.optim.Optimizer, rise: float) -> OptimizerLRScheduler:
        """What Lightning wants to know of an optimiser whose learning rates rise once and then fall to nearly 0.

        Arguments:
            optimizer: with the largest rate of each of its groups.
            rise: the share of all steps in which the rates rise.
        """
        steps = max(self.epochs * len(self.train_dataloader()), 2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=[group["lr"] for group in optimizer.param_groups],
            total_steps=steps,
            # A rise that ends at the first step has no length, by which the schedule would divide.
            pct_start=rise if rise * steps != 1 else 0.0,
            cycle_momentum=False,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, object]) -> None:
        """Save the training log in the checkpoint."""
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict[str, object]) -> None:
        """Restore the training log from the checkpoint."""
        self.history = list(cast("list[PlainObject]", checkpoint["history"]))
