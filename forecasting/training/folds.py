"""The training of networks side by side, each without its own block of the windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ...runtime.plain import Plain, PlainObject
from ...runtime.run_folder import RunFolder
from ...runtime.training.checkpoints import Checkpoints
from ...runtime.training.run import run_training
from ..networks.direct import DirectNetwork
from ..networks.folds import Folds
from ..windows.tensor import Windows
from .fit import identity_of
from .module import Batches, Training
from .options import TrainConfig


def fit_folds(
    members: Sequence[DirectNetwork],
    config: TrainConfig,
    learnt: Windows,
    apart: Sequence[Tensor],
    watched: Sequence[Tensor],
    *,
    configuration: Mapping[str, Plain],
    begun: bool = False,
) -> list[PlainObject]:
    """Train networks in place, side by side: the windows of a step are those of all, and each learns from its part.

    A step has so many more windows that each network learns from `batch_size` of them on average. Each has its own
    early stopping and the weights of its own best epoch, and its gradient is clipped on its own.

    Arguments:
        members: the G networks, their weights already drawn.
        config: the options; `max_epochs` and the schedule are those of all.
        learnt: the windows of all blocks.
        apart: for each network the rows ``[n]`` from which it learns.
        watched: for each network the rows ``[w]`` that it watches.
        configuration: that of the estimator, as plain data, so that a checkpoint of another one is told apart.
        begun: whether the weights are those of a training before, and stay where no epoch is better on what is watched.

    Returns:
        The training log: a row an epoch with ``epoch, train_loss, validation_loss, seconds``; losses are means over the
        networks that still learn.

    Raises:
        NonFiniteLoss: the loss became NaN or infinite; the checkpoint of the epoch before stays.
        ValueError: the checkpoint is of another training, or Lightning's trainer has no such option.
    """
    taught = torch.zeros(len(members), len(learnt.series.values), dtype=torch.bool)
    for row, starts in zip(taught, apart, strict=True):
        row[starts] = True
    some = learnt.starts[taught[:, learnt.starts].any(0)]
    share = float(taught[:, some].float().mean())
    wide = replace(config, batch_size=round(config.batch_size / share))
    folds = Folds(members, taught)
    sources = [learnt, *(learnt.only(starts) for starts in (*apart, *watched))]
    folder = None if config.checkpoints is None else RunFolder(config.checkpoints)
    checkpoints = Checkpoints(folder, None, identity_of(config, configuration, folds, sources))
    module = FoldsTraining(folds, config, learnt, watched)
    if begun:
        folds.note(module.watched_losses())
    run_training(
        module,
        checkpoints,
        options={"gradient_clip_val": config.gradient_clip, **config.trainer},
        threads=1,
        train_dataloaders=Batches(some, wide, module),
        val_dataloaders=Blocks(watched, config.batch_size),
    )
    folds.to(members[0].usual_scale.device)
    folds.hand_back()
    return module.history


class Blocks:
    """The windows that networks watch, a batch of one network after the other.

    Arguments:
        watched: for each network the rows of its windows.
        batch_size: windows a batch.
    """

    def __init__(self, watched: Sequence[Tensor], batch_size: int) -> None:
        parts = [(number, part) for number, rows in enumerate(watched) for part in rows.split(batch_size)]
        self.parts = [torch.cat([torch.tensor([number]), part]) for number, part in parts]

    def __len__(self) -> int:
        """Batches in all."""
        return len(self.parts)

    def __iter__(self) -> Iterator[Tensor]:
        """The number of a network and behind it row numbers, ``[1 + B]``."""
        yield from self.parts


class FoldsTraining(Training):
    """Networks side by side under Lightning; see `fit_folds`.

    Arguments:
        folds: the networks.
        config: the options.
        learnt: the windows of all blocks.
        watched: for each network the rows that it watches.
    """

    def __init__(self, folds: Folds, config: TrainConfig, learnt: Windows, watched: Sequence[Tensor]) -> None:
        super().__init__(folds, config, learnt, None)
        self.folds, self.blocks = folds, watched
        self._totals = [0.0] * len(watched)
        self._last: list[float] = []

    def on_fit_start(self) -> None:
        """Stop before the first epoch where the training that a checkpoint is of had come to its end."""
        super().on_fit_start()
        self.trainer.should_stop = not self._active

    @property
    def _active(self) -> list[int]:
        return self.folds.active(self.config.patience)

    def training_step(self, starts: Tensor, index: int) -> Tensor:
        """One step of all networks that still learn, on the windows that start at `starts`."""
        window = self.learnt.at(starts).to(self.device)
        active = self._active
        losses = self.folds.losses(window, active, self.folds.taught[active][:, starts.to(self.device)])
        total = losses.sum()
        self.require_finite(total, window, starts, index)
        self.noted(losses.mean())
        return total

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the gradient of each network on its own."""
        if gradient_clip_val:
            self.folds.clip(gradient_clip_val)

    def on_validation_epoch_start(self) -> None:
        """Forget the losses of the epoch before."""
        self._totals = [0.0] * len(self.blocks)

    def validation_step(self, starts: Tensor, index: int) -> None:
        """Loss of the network whose number comes first on windows of its block, in evaluation mode."""
        number, starts = int(starts[0]), starts[1:]
        if number in self._active:
            self._totals[number] += self._watched_loss(number, starts) * len(starts)

    def on_validation_epoch_end(self) -> None:
        """Keep the weights of the networks that are better than before; stop where none learns any more."""
        active = self._active
        self._last = [
            total / len(rows) if number in active else torch.nan
            for number, (total, rows) in enumerate(zip(self._totals, self.blocks, strict=True))
        ]
        self.folds.note(self._last)
        self.log("validation_loss", self._mean(self._last), logger=False)
        if not self._active:
            self.trainer.should_stop = True

    def watched_values(self) -> dict[str, float]:
        """The loss of the watched windows, the mean over the networks, and that of each."""
        told = {f"fold-{number}/validation_loss": loss for number, loss in enumerate(self._last) if loss == loss}
        return {"validation_loss": self._mean(self._last), **told} if told else {}

    @torch.no_grad()
    def watched_losses(self) -> list[float]:
        """The mean loss of each network on its block, in evaluation mode."""
        self.folds.eval()
        size = self.config.batch_size
        return [
            sum(self._watched_loss(number, part) * len(part) for part in rows.split(size)) / len(rows)
            for number, rows in enumerate(self.blocks)
        ]

    def _watched_loss(self, number: int, starts: Tensor) -> float:
        window = self.learnt.at(starts).to(self.device)
        every = self.folds.taught.new_ones(1, len(starts))
        return float(self.folds.losses(window, [number], every))

    @staticmethod
    def _mean(losses: Sequence[float]) -> float:
        known = [loss for loss in losses if loss == loss]
        return sum(known) / len(known)
