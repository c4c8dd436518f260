"""The training log of a gluonts model that Lightning trains."""

from __future__ import annotations

import logging
import time

import lightning.pytorch as pl

from ....runtime.display.bars import tell_bar
from ....runtime.plain import PlainObject
from ....runtime.training.curves import are_curves_named, curve, learning_rates, tell_loggers
from ....runtime.training.epochs import tell_epoch

logger = logging.getLogger(__name__)


class EpochLog(pl.Callback):
    """Lightning callback that records loss and seconds of each epoch, for the bar, the log and the user's loggers."""

    def __init__(self) -> None:
        self.rows: list[PlainObject] = []
        self._rates: dict[str, float] = {}
        self._began = 0.0
        self._first: tuple[int, float] | None = None

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._rates, self._began = learning_rates(trainer), time.perf_counter()
        self._first = self._first or (trainer.current_epoch, time.monotonic())
        tell_bar(f"{curve('')}epoch {trainer.current_epoch + 1}/{trainer.max_epochs}")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Append the row and pass it to the user's loggers."""
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        losses = {"train_loss": metrics.get("train_loss"), "validation_loss": metrics.get("val_loss")}
        seconds = time.perf_counter() - self._began
        self.rows.append({"epoch": trainer.current_epoch, **losses, "seconds": seconds})
        number, epochs = trainer.current_epoch + 1, trainer.max_epochs or 0
        names = {"train_loss": "loss", "validation_loss": "validation"}
        said = ", ".join(f"{names[name]} {loss:.4f}" for name, loss in losses.items() if loss is not None)
        tell_epoch(logger, number, epochs, said, seconds, self._first or (0, 0.0))
        told = {name: loss for name, loss in losses.items() if loss is not None}
        if not are_curves_named():
            told.pop("train_loss", None)  # gluonts tells it by that name
        tell_loggers(trainer, {**told, **self._rates})
