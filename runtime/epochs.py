"""What every training here is beneath: epochs that are seeded and logged, and one cycle of the learning rate."""

from __future__ import annotations

import logging
import math
import time
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

logger = logging.getLogger(__name__)


class EpochTraining(pl.LightningModule):
    """A network under Lightning, whose epochs depend on seed and number alone and leave a line each in a log.

    A training that was killed therefore goes on to the same weights; the log goes with its state.

    Arguments:
        epochs: passes over the batches.
        seed: of all that the epochs draw.

    Attributes:
        history: a row an epoch with ``epoch, loss, validation, seconds``.
    """

    def __init__(self, epochs: int, seed: int) -> None:
        super().__init__()
        self.epochs, self.seed = epochs, seed
        self.history: list[dict[str, Any]] = []
        self._losses: list[Tensor] = []
        self._began = 0.0

    @property
    def epoch_seed(self) -> int:
        """The seed of this epoch's draws."""
        return (self.seed + 1) * 1_000_003 + self.current_epoch

    def judged(self) -> dict[str, float]:
        """What the articles to watch came to in this epoch, by task; nothing if there are none."""
        return {}

    def noted(self, loss: Tensor) -> Tensor:
        """The loss of a step, which counts in the epoch's mean."""
        self._losses.append(loss.detach())
        return loss

    def on_train_epoch_start(self) -> None:
        """Seed the epoch, so that a resumed training draws what an unbroken one draws."""
        torch.manual_seed(self.epoch_seed)
        self._losses, self._began = [], time.perf_counter()

    def on_train_epoch_end(self) -> None:
        """Note the epoch in the training log.

        Raises:
            FloatingPointError: the loss became NaN or infinite.
        """
        loss, number = float(torch.stack(self._losses).mean()), self.current_epoch + 1
        if not math.isfinite(loss):
            raise FloatingPointError(f"loss is {loss} in epoch {number}; try a smaller lr")
        judged, seconds = self.judged(), round(time.perf_counter() - self._began, 2)
        self.history.append({"epoch": number, "loss": loss, "validation": judged, "seconds": seconds})
        shown = "".join(f", {name} {value:.3f}" for name, value in judged.items())
        logger.info("epoch %d/%d: loss %.4f%s (%.1f s)", number, self.epochs, loss, shown, seconds)

    def one_cycle(self, optimizer: torch.optim.Optimizer, rise: float) -> dict[str, Any]:
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

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The training log goes with the checkpoint."""
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The training log comes back with it."""
        self.history = list(checkpoint["history"])
