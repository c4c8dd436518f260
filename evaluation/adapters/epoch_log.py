"""The training log of a gluonts model that Lightning trains."""

from __future__ import annotations

import time

import lightning.pytorch as pl

from ...runtime.plain import PlainObject


class EpochLog(pl.Callback):
    """Notes loss and seconds of every epoch of a gluonts training."""

    def __init__(self) -> None:
        self.rows: list[PlainObject] = []
        self._began = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the row."""
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.rows.append(
            {
                "epoch": trainer.current_epoch,
                "train_loss": metrics.get("train_loss"),
                "validation_loss": metrics.get("val_loss"),
                "seconds": time.perf_counter() - self._began,
            }
        )
