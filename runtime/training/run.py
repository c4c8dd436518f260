"""One way to run Lightning: quiet, with progress on a terminal, and able to go on after a kill."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import TQDMProgressBar
from torch import Tensor

from ..display.bars import is_bar_open, is_watched
from ..plain import refuse_unknown
from ..quiet import quiet_lightning
from ..threads import on_threads, threads_or
from .checkpoints import Checkpoints
from .curves import require_loggers
from .epochs import EpochTraining
from .interrupts import interrupts_passed_on


def run_training(
    module: EpochTraining,
    checkpoints: Checkpoints,
    *,
    callbacks: Sequence[pl.Callback] = (),
    options: Mapping[str, object] | None = None,
    resume: str | Path | None = None,
    threads: int | None = None,
    train_dataloaders: Iterable[Tensor] | None = None,
    val_dataloaders: Iterable[Tensor] | None = None,
) -> None:
    """Train a module, going on from the state that is kept in its folder if there is one.

    Arguments:
        module: what is trained.
        checkpoints: keeps the state of each epoch.
        callbacks: further ones.
        options: of Lightning's trainer, before ours; its own ``callbacks`` join the others, and its ``logger`` gets
            the losses, what is watched and the learning rate, a point an epoch.
        resume: checkpoint to go on from; by default the latest of the folder.
        threads: of the processor, where the user set no number; ``None`` for as many as torch takes.
        train_dataloaders: the batches of an epoch, for a module that does not make its own.
        val_dataloaders: those that are watched, likewise.

    Raises:
        ValueError: Lightning's trainer has no such option or cannot do it on this machine, the checkpoint is of
            another training, or another process trains the same in the folder.
        KeyboardInterrupt: the training was interrupted; the state of the last whole epoch is kept.
    """
    given: dict[str, Any] = dict(options or {})
    shown = is_watched() and not is_bar_open()
    refuse_unknown(list(inspect.signature(pl.Trainer).parameters), given, "trainer")
    require_loggers(given.get("logger"))
    users = given.pop("callbacks", None) or []
    used = [checkpoints, *callbacks, *([TQDMProgressBar(refresh_rate=10)] if shown else [])]
    used += [users] if isinstance(users, pl.Callback) else users
    defaults = {
        "max_epochs": module.epochs,
        "accelerator": "auto",
        "devices": 1,
        "num_sanity_val_steps": 0,
        "logger": False,
        "enable_checkpointing": True,
        "enable_model_summary": False,
        "enable_progress_bar": shown,
    }
    with checkpoints.alone():
        before = resume or checkpoints.latest()
        if before is not None:
            checkpoints.require_own(before)
        with quiet_lightning(), interrupts_passed_on(), on_threads(threads_or(threads)):
            try:
                trainer = pl.Trainer(**{**defaults, **given, "callbacks": used})
            except MisconfigurationException as error:
                raise ValueError(f"trainer: expected options that fit this machine, got {given}: {error}") from error
            trainer.fit(
                module,
                train_dataloaders=train_dataloaders,
                val_dataloaders=val_dataloaders,
                ckpt_path=before,
                weights_only=True,
            )
