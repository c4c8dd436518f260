"""What all adversarial trainings share: the sheets that are kept, and Lightning over the folder of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from lightning.pytorch.loggers import Logger

from ....runtime.devices import Precision
from ....runtime.run_folder import RunFolder
from ....runtime.training.checkpoints import Checkpoints
from ....runtime.training.epochs import EpochTraining
from ....runtime.training.run import run_training
from .precision import precision_here

_SHEETS = 20
"""Sheets of a training beside the last."""


def keep_sheet(folder: RunFolder, name: str, content: bytes, epoch: int, epochs: int) -> None:
    """Write the sheet of an epoch, and of some epochs a copy that stays.

    Arguments:
        folder: of the run.
        name: of the last sheet.
        content: PNG.
        epoch: from 1.
        epochs: of the training.
    """
    folder.write_bytes(name, content)
    if epoch % max(epochs // _SHEETS, 1) == 0:
        folder.write_bytes(f"sheets/epoch-{epoch:05d}.png", content)


def train_adversaries(
    module: EpochTraining,
    folder: RunFolder,
    precision: Literal["auto"] | Precision,
    device: str,
    logger: Logger | Sequence[Logger] | None,
) -> None:
    """Train networks that learn from each other, going on from the state in the folder of the run.

    Arguments:
        module: makes its batches anew for each epoch.
        folder: of the run.
        precision: see `precision_here`.
        device: Lightning's accelerator.
        logger: one or several of ``lightning.pytorch.loggers``.
    """
    options: dict[str, object] = {
        "accelerator": device,
        "precision": precision_here(precision, device),
        "reload_dataloaders_every_n_epochs": 1,
        "logger": logger or False,
    }
    run_training(module, Checkpoints(folder), options=options)
