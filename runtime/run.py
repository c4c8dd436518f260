"""One way to run Lightning: quiet, and able to go on after a kill."""

from __future__ import annotations

import sys
from typing import Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import TQDMProgressBar

from .checkpoints import KeepLast
from .epochs import EpochTraining
from .quiet import quiet_lightning
from .resume import RESUME
from .run_folder import RunFolder

Precision = Literal["32-true", "bf16-mixed"]


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
