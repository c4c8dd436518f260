"""The one LightningModule, and the training that runs it.

Importing Lightning takes as long as importing all else together, so this file is imported when a training starts.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import math
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import TQDMProgressBar
from torch import Tensor
from torch.distributions import Distribution
from torch.utils.data import DataLoader

from .checkpoints import Checkpoints, Patience
from .configuration import refuse_unknown
from .contract import Learner
from .forecaster import Forecaster
from .quiet import quiet_lightning
from .training import NonFiniteLoss, TrainConfig
from .windows import SeriesTensor, Window

logger = logging.getLogger(__name__)


class Batches:
    """The windows of an epoch, as row numbers: the same for the same seed and epoch.

    With several processes each takes its part of one common draw, so that together they see what one process
    with the batch size of all of them would.

    Arguments:
        starts: int64 ``[N]`` row numbers to draw from, with replacement.
        config: batch size, batches an epoch and seed.
        trainer: tells the epoch and the process.
    """

    def __init__(self, starts: Tensor, config: TrainConfig, trainer: pl.Trainer) -> None:
        self.starts, self.config, self.trainer = starts, config, trainer

    def __len__(self) -> int:
        """Batches an epoch."""
        return self.config.batches_per_epoch

    def __iter__(self) -> Iterator[Tensor]:
        """Row numbers ``[B]`` of each batch."""
        config, trainer = self.config, self.trainer
        generator = torch.Generator().manual_seed(epoch_seed(config.seed, trainer.current_epoch))
        size = (config.batches_per_epoch, trainer.world_size, config.batch_size)
        drawn = self.starts[torch.randint(len(self.starts), size, generator=generator)]
        yield from drawn[:, trainer.global_rank]


class Training(pl.LightningModule):
    """A forecaster under Lightning: draws windows, takes steps, watches the validation span.

    Arguments:
        forecaster: the network.
        config: the options.
        series: the training data.
        validation: data to watch and the starts of the windows, or ``None``.
    """

    def __init__(
        self,
        forecaster: Learner,
        config: TrainConfig,
        series: SeriesTensor,
        validation: tuple[SeriesTensor, Tensor] | None,
    ) -> None:
        super().__init__()
        self.forecaster, self.config = forecaster, config
        self.series, self.validation = series, validation
        self.history: list[dict[str, Any]] = []
        self._total, self._steps = torch.zeros(()), 0
        self._began = 0.0

    def on_fit_start(self) -> None:
        """Hold the data on the training device where they fit into half of its free memory."""
        sources = [self.series] + ([self.validation[0]] if self.validation else [])
        if self.device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.device)
            if sum(source.bytes for source in sources) > free / 2:
                return
        for source in sources:
            source.to(self.device)

    def on_train_epoch_start(self) -> None:
        """Seed the epoch, so that a resumed training draws what an unbroken one draws."""
        torch.manual_seed(epoch_seed(self.config.seed, self.current_epoch) + self.global_rank)
        self._total, self._steps = torch.zeros((), device=self.device), 0
        self._began = time.perf_counter()

    def training_step(self, starts: Tensor, index: int) -> Tensor:
        """One step on the windows that start at `starts`."""
        window = self.series.gather(starts).to(self.device)
        loss = self.forecaster.loss(window, context=self.config.context_loss)
        if not torch.isfinite(loss):
            raise NonFiniteLoss(self._blame(window, starts, index, float(loss.detach())))
        self._total += loss.detach()
        self._steps += 1
        return loss

    def validation_step(self, starts: Tensor, index: int) -> None:
        """Loss on held-out windows, in evaluation mode."""
        if self.validation is None:
            return
        loss = self.forecaster.loss(self.validation[0].gather(starts).to(self.device), context=False)
        self.log("validation_loss", loss, batch_size=len(starts), sync_dist=self.trainer.world_size > 1)

    def on_train_epoch_end(self) -> None:
        """Note the epoch in the training log."""
        watched = self.trainer.callback_metrics.get("validation_loss")
        row = {
            "epoch": self.current_epoch,
            "train_loss": float(self.trainer.strategy.reduce(self._total)) / self._steps,
            "validation_loss": None if watched is None else float(watched),
            "seconds": time.perf_counter() - self._began,
        }
        self.history.append(row)
        shown = f", validation {row['validation_loss']:.4f}" if watched is not None else ""
        logger.info(
            "epoch %d/%d: loss %.4f%s (%.1f s)",
            self.current_epoch + 1,
            self.config.max_epochs,
            row["train_loss"],
            shown,
            row["seconds"],
        )

    def configure_optimizers(self) -> Any:
        """Adam, and the schedule of its learning rate."""
        config = self.config
        optimizer = torch.optim.Adam(
            self.forecaster.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        if config.schedule == "constant":
            return optimizer
        steps = config.max_epochs * config.batches_per_epoch
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * min(step / steps, 1.0)))
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The training log goes with the checkpoint."""
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The training log comes back with it."""
        self.history = list(checkpoint["history"])

    def _blame(self, window: Window, starts: Tensor, index: int, loss: float) -> str:
        size = (window.values.abs() / self.forecaster.usual_scale).nan_to_num(nan=math.inf)
        row, _, series = torch.unravel_index(size.argmax(), size.shape)
        kept = self.config.checkpoints
        return (
            f"loss is {loss} at epoch {self.current_epoch}, batch {index}; the largest value of the batch is "
            f"{float(size.max()):.3g} times the usual size of series {self.series.spec.item_ids[int(series)]!r}, in "
            f"the window at row {int(starts[row])}. "
            + (f"The checkpoint before it is kept in {kept}. " if kept else "")
            + "Try a smaller learning_rate or gradient_clip."
        )


def epoch_seed(seed: int, epoch: int) -> int:
    """The seed of an epoch's draws."""
    return (seed + 1) * 1_000_003 + epoch


def fit(
    forecaster: Learner,
    config: TrainConfig,
    series: SeriesTensor,
    watched: tuple[SeriesTensor, Tensor] | None,
    *,
    configuration: Mapping[str, Any],
    starts: Tensor | None = None,
    ckpt_path: str | Path | None = None,
) -> list[dict[str, Any]]:
    """Train a network in place.

    Arguments:
        forecaster: the network, its weights already drawn.
        config: the options.
        series: the training data.
        watched: data to watch and the rows at which their windows start, see `to_watch`; the weights of the best
            epoch are kept. ``None`` for none.
        configuration: that of the estimator, as plain data, so that a checkpoint of another one is told apart.
        starts: int64 ``[N]`` rows of `series` at which the windows to learn from start; all outside of the validation
            span if ``None``.
        ckpt_path: checkpoint to go on from; by default the one in ``config.checkpoints``, if there is one.

    Returns:
        The training log: a row an epoch with ``epoch, train_loss, validation_loss, seconds``.

    Raises:
        NonFiniteLoss: the loss became NaN or infinite; the checkpoint of the epoch before stays.
        ValueError: the data are shorter than a horizon and the validation span, there is patience and nothing to
            watch, the checkpoint is of another training, or Lightning's trainer has no such option.
    """
    starts = series.training_starts(config.validation_span) if starts is None else starts
    if watched is None and config.patience is not None:
        raise ValueError("patience: expected a validation_span or validation_data to watch, got neither")
    module = Training(forecaster, config, series, watched)
    identity = _identity(config, configuration, forecaster, [(series, starts)] + ([watched] if watched else []))
    checkpoints = Checkpoints(config.checkpoints, forecaster, identity)
    before = ckpt_path or checkpoints.latest()
    if before is not None:
        checkpoints.require_own(before)
    callbacks: list[pl.Callback] = [checkpoints]
    if watched is not None and config.patience is not None:
        callbacks.append(Patience(config.patience))
    show = sys.stderr.isatty()
    if show:
        callbacks.append(TQDMProgressBar(refresh_rate=10))
    refuse_unknown(list(inspect.signature(pl.Trainer).parameters), config.trainer, "trainer")
    given = config.trainer.get("callbacks") or []
    callbacks += [given] if isinstance(given, pl.Callback) else given
    options = {
        "max_epochs": int(config.max_epochs),
        "gradient_clip_val": config.gradient_clip,
        "accelerator": "auto",
        "devices": 1,
        "num_sanity_val_steps": 0,
        "logger": False,
        "enable_checkpointing": True,
        "enable_model_summary": False,
        "enable_progress_bar": show,
        **config.trainer,
        "callbacks": callbacks,
    }
    with quiet_lightning(), _unchecked_distributions(), _compiled_head(forecaster, config.compile):
        trainer = pl.Trainer(**options)
        loaders: dict[str, Any] = {"train_dataloaders": Batches(starts, config, trainer)}
        if watched is not None:
            loaders["val_dataloaders"] = DataLoader(watched[1], config.batch_size)  # type: ignore[arg-type]
        trainer.fit(module, ckpt_path=before, weights_only=True, **loaders)
    if trainer.interrupted:
        raise KeyboardInterrupt
    checkpoints.restore_best()
    return module.history


def to_watch(
    config: TrainConfig, series: SeriesTensor, validation: SeriesTensor | None
) -> tuple[SeriesTensor, Tensor] | None:
    """The windows that a training watches.

    Arguments:
        config: the options.
        series: the training data, from whose end the validation span of `config` is cut.
        validation: data of their own, whose last horizon goes before that.

    Returns:
        The data and the rows at which the windows start; ``None`` where nothing is to be watched.

    Raises:
        ValueError: the validation span is shorter than a horizon.
    """
    if validation is not None:
        return validation, validation.validation_starts(series.spec.prediction_length)
    if config.validation_span:
        if config.validation_span < series.spec.prediction_length:
            raise ValueError(
                f"validation_span: expected at least the horizon of {series.spec.prediction_length} steps, "
                f"got {config.validation_span}"
            )
        return series, series.validation_starts(config.validation_span)
    return None


def _identity(
    config: TrainConfig,
    configuration: Mapping[str, Any],
    forecaster: Learner,
    sources: list[tuple[SeriesTensor, Tensor]],
) -> str:
    """Hash of all that decides how a training goes on; more epochs, or other devices, are the same training."""
    settings = replace(config, max_epochs=1, checkpoints=None, trainer={}, compile=False)
    parts = {name: value for name, value in configuration.items() if name != "train"}
    digest = hashlib.sha256(repr((settings, parts, forecaster.spec)).encode())
    for source, starts in sources:
        for tensor in (source.values, source.observed, source.features, source.past, starts):
            if tensor is not None:
                digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


@contextmanager
def _unchecked_distributions() -> Iterator[None]:
    """Let a NaN parameter reach the loss, where it is reported by name, and save a check a step."""
    before = Distribution._validate_args
    Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        Distribution.set_default_validate_args(before)


@contextmanager
def _compiled_head(forecaster: Learner, wanted: bool) -> Iterator[None]:
    """Compile the loss of the head; torch's recurrent networks are kernels already and cannot be traced."""
    if not wanted:
        yield
        return
    if not isinstance(forecaster, Forecaster):
        raise ValueError(f"compile: expected a model with an emission head, got {type(forecaster).__name__}")
    with warnings.catch_warnings():
        # The compiler looks for gradients on every input, the context vectors among them.
        warnings.filterwarnings("ignore", message=".*\\.grad attribute of a Tensor that is not a leaf.*")
        forecaster.head.loss = torch.compile(forecaster.head.loss)  # type: ignore[method-assign]
        try:
            yield
        finally:
            del forecaster.head.loss
