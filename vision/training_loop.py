"""One way to run Lightning: quiet, and able to go on after a kill."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint, TQDMProgressBar

from .epoch_training import EpochTraining
from .run_folder import RunFolder

Precision = Literal["32-true", "bf16-mixed"]

RESUME = "last.ckpt"
"""The full state after the last whole epoch; removed when the training is done."""


def run_training(module: EpochTraining, *, device: str, precision: Precision, folder: RunFolder | None) -> None:
    """Train a module, going on from the state in the folder if there is one.

    Arguments:
        module: what is trained; it makes its own batches, anew before each epoch.
        device: Lightning's accelerator.
        precision: Lightning's precision.
        folder: where the state of each epoch is kept; ``None`` keeps none.

    Raises:
        KeyboardInterrupt: the training was interrupted; the state of the last whole epoch is kept.
    """
    shown = sys.stderr.isatty()
    callbacks: list[pl.Callback] = [TQDMProgressBar(refresh_rate=10)] if shown else []
    resume = None
    if folder is not None:
        folder.files.makedirs(folder.root, exist_ok=True)
        callbacks.append(KeepLast(folder))
        resume = folder.path(RESUME) if folder.has(RESUME) else None
    with quiet_lightning():
        trainer = pl.Trainer(
            max_epochs=module.epochs,
            accelerator=device,
            devices=1,
            precision=precision,
            callbacks=callbacks,
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            logger=False,
            enable_checkpointing=folder is not None,
            enable_model_summary=False,
            enable_progress_bar=shown,
        )
        trainer.fit(module, ckpt_path=resume, weights_only=True)
    if trainer.interrupted:
        raise KeyboardInterrupt


class KeepLast(Checkpoint):
    """Write the full state after each epoch, from which a killed training goes on.

    Lightning calls a `Checkpoint` after the module's own hook, so that the epoch is in the training log.

    Arguments:
        folder: the folder of the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the state aside, then put it in the place of the last one."""
        trainer.save_checkpoint(self.folder.path(f"{RESUME}.partial"))
        files, root = self.folder.files, self.folder.root
        files.mv(f"{root}/{RESUME}.partial", f"{root}/{RESUME}")


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Leave out Lightning's banners and advice, which are not for the users of this library."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [each.level for each in loggers]
    with warnings.catch_warnings():
        # Without articles to watch there is nothing to validate on, which is as it should be.
        warnings.filterwarnings("ignore", message=".*`val_dataloader`.*")
        warnings.filterwarnings("ignore", message=".*Total length of `list` across ranks is zero.*")
        warnings.filterwarnings("ignore", message=".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*")
        for each in loggers:
            each.setLevel(logging.WARNING)
        try:
            yield
        finally:
            for each, level in zip(loggers, levels, strict=True):
                each.setLevel(level)
