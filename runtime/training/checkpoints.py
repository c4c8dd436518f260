"""Checkpoints that survive a kill at any moment, and a stop that survives with them."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import fsspec
import lightning.pytorch as pl
import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import Checkpoint, EarlyStopping
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason
from lightning.pytorch.utilities import rank_zero_only

from ..reading.places import open_file, protocol
from ..run_folder import RunFolder
from ..whole_files import write_whole
from .resume import RESUME


class Checkpoints(Checkpoint):
    """Keeps the whole state after every epoch, and the weights of the best one where a validation loss is watched.

    The file is written beside its place and moved there when it is whole, so that there is always one to go on
    from. It holds tensors and plain data only and is read with ``weights_only=True``. Lightning calls a `Checkpoint`
    after the module's own hook, so that the epoch is in the training log.

    Arguments:
        folder: where the file is kept, local or at any fsspec address; ``None`` keeps no file.
        network: the network in training, of which the best weights are kept; ``None`` keeps none.
        identity: what has to be equal for a training to go on: a hash of its configuration and data, which is in the
            name of the file too, so that other trainings in the folder have theirs; empty where the folder's own
            files say what was begun there.
    """

    def __init__(self, folder: RunFolder | None, network: torch.nn.Module | None = None, identity: str = "") -> None:
        self.folder, self.network, self.identity = folder, network, identity
        self.name = f"last-{identity[:16]}.ckpt" if identity else RESUME
        self.best_loss = float("inf")
        self.best: dict[str, torch.Tensor] | None = None

    def latest(self) -> str | None:
        """The checkpoint to go on from, ``None`` where there is none.

        Raises:
            ValueError: it cannot be read.
        """
        if self.folder is None:
            return None
        if self.folder.has(self.name):
            return self.folder.path(self.name)
        # Version 0.1 called those of all trainings alike.
        before = self.folder.path(RESUME) if self.folder.has(RESUME) else None
        return before if before is not None and self._identity_of(before) == self.identity else None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep the same training in other processes out of the folder, where it is one of this machine.

        Raises:
            ValueError: another process is at it.
        """
        if self.folder is None or getattr(rank_zero_only, "rank", 0) != 0:
            yield
            return
        with self.folder.alone("checkpoints", f"{self.name}.lock"):
            yield

    def require_own(self, path: str | Path) -> None:
        """Check that a checkpoint belongs to this training, before Lightning loads its weights.

        Arguments:
            path: the checkpoint, local or at any fsspec address.

        Raises:
            ValueError: the checkpoint is of another training, or is none.
            FileNotFoundError: there is no such file.
        """
        if self._identity_of(path) != self.identity:
            raise ValueError(
                f"checkpoints: expected a checkpoint of the same settings and data, got one of another training in "
                f"{path}; remove it, or choose another folder"
            )

    def _identity_of(self, path: str | Path) -> str:
        try:
            with fsspec.open(str(path), "rb") if protocol(str(path)) else open_file(path) as file:
                states = torch.load(file, map_location="cpu", weights_only=True)["callbacks"]
            return str(states.get(self.state_key, {}).get("identity", ""))
        except FileNotFoundError:
            raise
        except (pickle.UnpicklingError, EOFError, OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"checkpoints: expected the state of a training, got {path}, which cannot be read "
                f"({type(error).__name__}); remove it, or choose another folder"
            ) from error

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Make Lightning write checkpoints atomically."""
        trainer.strategy.checkpoint_io = _WholeStates()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Update the best weights and write the checkpoint."""
        watched = trainer.callback_metrics.get("validation_loss")
        if watched is not None:
            self.note(float(watched))
        if self.folder is not None:
            trainer.save_checkpoint(self.folder.path(self.name))

    def note(self, watched: float) -> None:
        """Keep the weights as they are, if they have the smallest loss on what is watched so far."""
        if self.network is not None and watched < self.best_loss:
            self.best_loss = watched
            state = self.network.state_dict()
            self.best = {name: value.detach().cpu().clone() for name, value in state.items()}

    def restore_best(self) -> None:
        """Give the network the weights of the best epoch, if a validation loss was watched."""
        if self.network is not None and self.best is not None:
            self.network.load_state_dict(self.best)

    def state_dict(self) -> dict[str, object]:
        """The state of the callback for the checkpoint: best epoch, loss and weights."""
        return {"best_loss": self.best_loss, "best": self.best, "identity": self.identity}

    def load_state_dict(self, state_dict: dict[str, object]) -> None:
        """Restore the state of the callback from a checkpoint."""
        self.best_loss = cast("float", state_dict["best_loss"])
        self.best = cast("dict[str, torch.Tensor] | None", state_dict["best"])


class Patience(EarlyStopping):
    """Early stopping on the validation loss that survives resuming.

    Arguments:
        epochs: without a better validation loss.
    """

    def __init__(self, epochs: int) -> None:
        super().__init__("validation_loss", patience=epochs, verbose=False)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop before the first epoch, if the training that the checkpoint is of had come to its end."""
        trainer.should_stop = self.stopping_reason is not EarlyStoppingReason.NOT_STOPPED


class _WholeStates(TorchCheckpointIO):
    """States as torch writes them, each whole or absent; Lightning's own way leaves copies elsewhere when shot."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write a state to a local path or any fsspec address."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        files, place = fsspec.core.url_to_fs(str(path))
        files.makedirs(place.rpartition("/")[0], exist_ok=True)
        write_whole(files, place, content.getvalue())
