"""A training of Lightning's that pauses after some epochs, and goes on as if it never had."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor

logger = logging.getLogger(__name__)


class Pause(Checkpoint):
    """Lightning callback that stops a training after some epochs, and can go on with it to its end.

    Weights, optimisers, schedules, what other callbacks remember, and the generators of the process are then those of
    the last epoch before it, and batches are those that come next, so that both parts together are one training. Its
    trainer, network and data are held until then. Lightning calls a `Checkpoint` after all other callbacks.

    Arguments:
        epochs: of the first part.

    Attributes:
        paused: whether there is anything to go on with: epochs are left, and nothing else stopped the training.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs, self.paused = epochs, False
        self._states: tuple[Any, ...] = ()
        self._weights: dict[str, Tensor] = {}
        self._modes: list[bool] = []
        self._held: tuple[pl.Trainer, pl.LightningModule] | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Have the network make its optimisers once, whatever number of parts there are."""
        if self._held is None:
            self._held = trainer, pl_module
            pl_module.configure_optimizers = cache(pl_module.configure_optimizers)  # type: ignore[method-assign]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw on from where the last epoch had come to, whatever was drawn to set up."""
        if self._states:
            torch.set_rng_state(self._states[0])

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the training, if it is not at its end."""
        left = (trainer.max_epochs or 0) - trainer.current_epoch - 1
        if trainer.current_epoch + 1 == self.epochs and left > 0 and not trainer.should_stop:
            self.paused = trainer.should_stop = True

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep what the next epoch begins with: who trained may give the network the weights of another one."""
        if self.paused:
            self._weights = {name: value.detach().clone() for name, value in pl_module.state_dict().items()}
            self._modes = [module.training for module in pl_module.modules()]
            self._states = torch.get_rng_state(), np.random.get_state(), random.getstate()

    def go_on(self) -> None:
        """Train to the end; the network then has the weights of the best epoch, where Lightning kept them.

        The generators of the process are set, so that it has to be called within `seeded`. As gluonts does, a training
        that fails and has a best epoch is at its end with that.

        Raises:
            ValueError: the training is not paused.
        """
        if not self.paused or self._held is None:
            raise ValueError("go_on: expected a training that is paused, got one that is at its end, or not begun")
        self.paused = False
        trainer, network = self._held
        network.load_state_dict(self._weights)
        for module, mode in zip(network.modules(), self._modes, strict=True):
            module.training = mode  # a forecast in between has set it
        # The first batch is drawn while Lightning sets up.
        np.random.set_state(self._states[1])
        random.setstate(self._states[2])
        kept = getattr(trainer.checkpoint_callback, "best_model_path", "")
        try:
            trainer.fit(network, _Next(trainer.train_dataloader or ()), trainer.val_dataloaders)
        except Exception as error:
            if not kept:
                raise
            logger.warning("the training failed and ends with its best epoch: %s", error)
        kept = getattr(trainer.checkpoint_callback, "best_model_path", "")
        if kept:
            best = torch.load(kept, map_location="cpu", weights_only=True)
            network.load_state_dict(best["state_dict"])


class _Next:
    """Batches of an endless stream, an epoch at a time, none of which is lost where Lightning begins an epoch twice.

    It does so with the first one of a training that goes on, and has taken a batch by then.

    Arguments:
        loader: gives the next epoch of the stream each time.
    """

    def __init__(self, loader: Iterable[Any]) -> None:
        self.loader = loader
        self._first: list[Any] = []
        self._epoch: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        if self._epoch is None:
            self._epoch, self._first = iter(self.loader), []
        yield from list(self._first)
        for batch in self._epoch:
            self._first = self._first or [batch]
            yield batch
        self._epoch = None
