"""A forecaster under Lightning, and the windows that it draws."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor

from ...runtime.plain import PlainObject
from ...runtime.training.epochs import EpochTraining
from ..networks.network import Learner, WindowLoss
from ..windows.tensor import Window, Windows
from .options import NonFiniteLoss, TrainConfig


class Batches:
    """The windows of an epoch, as row numbers: the same for the same seed and epoch.

    With several processes each takes its part of one common draw, so that together they see what one process
    with the batch size of all of them would.

    Arguments:
        starts: int64 ``[N]`` row numbers to draw from, with replacement.
        config: batch size, batches an epoch and seed.
        training: tells the epoch and the process.
    """

    def __init__(self, starts: Tensor, config: TrainConfig, training: EpochTraining) -> None:
        self.starts, self.config, self.training = starts, config, training

    def __len__(self) -> int:
        """Batches an epoch."""
        return self.config.batches_per_epoch

    def __iter__(self) -> Iterator[Tensor]:
        """Row numbers ``[B]`` of each batch."""
        config, trainer = self.config, self.training.trainer
        generator = torch.Generator().manual_seed(self.training.epoch_seed)
        size = (config.batches_per_epoch, trainer.world_size, config.batch_size)
        drawn = self.starts[torch.randint(len(self.starts), size, generator=generator)]
        yield from drawn[:, trainer.global_rank]


class Training(EpochTraining):
    """A forecaster under Lightning: draws windows, takes steps, watches the validation span.

    Arguments:
        forecaster: the network.
        config: the options.
        learnt: the windows to learn from.
        watched: those to watch, or ``None``.
        loss: computes the loss of a window, by default the network.
    """

    def __init__(
        self,
        forecaster: Learner,
        config: TrainConfig,
        learnt: Windows,
        watched: Windows | None,
        loss: WindowLoss | None = None,
    ) -> None:
        super().__init__(config.max_epochs, config.seed)
        self.forecaster, self.config = forecaster, config
        self.learnt, self.watched = learnt, watched
        self.loss_of = loss or forecaster.loss

    def on_fit_start(self) -> None:
        """Hold the data on the training device where they fit into half of its free memory."""
        sources = [self.learnt.series] + ([self.watched.series] if self.watched else [])
        if self.device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.device)
            if sum(source.bytes for source in sources) > free / 2:
                return
        for source in sources:
            source.to(self.device)

    def training_step(self, starts: Tensor, index: int) -> Tensor:
        """One step on the windows that start at `starts`."""
        window = self.learnt.at(starts).to(self.device)
        loss = self.loss_of(window, context=self.config.context_loss)
        self.require_finite(loss, window, starts, index)
        return self.noted(loss)

    def require_finite(self, loss: Tensor, window: Window, starts: Tensor, index: int) -> None:
        """Raise `NonFiniteLoss`, with the largest value of the batch, where a loss is none."""
        if not torch.isfinite(loss):
            raise NonFiniteLoss(self._blame(window, starts, index, float(loss.detach())))

    def validation_step(self, starts: Tensor, index: int) -> None:
        """Loss on held-out windows, in evaluation mode."""
        if self.watched is None:
            return
        loss = self.loss_of(self.watched.at(starts).to(self.device), context=False)
        several = self.trainer.world_size > 1
        self.log("validation_loss", loss, batch_size=len(starts), sync_dist=several, logger=False)

    def row(self, losses: Mapping[str, float], seconds: float) -> tuple[PlainObject, str]:
        """The mean loss of training, and that of the watched windows."""
        watched = self.watched_values().get("validation_loss")
        row: PlainObject = {
            "epoch": self.current_epoch,
            "train_loss": losses["loss"],
            "validation_loss": watched,
            "seconds": seconds,
        }
        return row, "" if watched is None else f", validation {watched:.4f}"

    def configure_optimizers(self) -> OptimizerLRScheduler:
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

    def _blame(self, window: Window, starts: Tensor, index: int, loss: float) -> str:
        size = (window.values.abs() / self.forecaster.usual_scale).nan_to_num(nan=math.inf)
        row, _, series = torch.unravel_index(size.argmax(), size.shape)
        kept, data = self.config.checkpoints, self.learnt.series
        return (
            f"loss is {loss} at epoch {self.current_epoch}, batch {index}; the largest value of the batch is "
            f"{float(size.max()):.3g} times the usual size of series {data.spec.item_ids[int(series)]!r}, in the "
            f"window whose horizon starts on {data.date(int(starts[row]))}. "
            + (f"The checkpoint before it is kept in {kept}. " if kept else "")
            + "Try a smaller learning_rate or gradient_clip."
        )
