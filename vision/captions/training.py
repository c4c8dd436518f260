"""Training a captioner on vectors that were computed once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ...runtime.arguments.kinds import Checked, Count, NotNegative, Number, Positive, Seed
from ...runtime.plain import PlainObject
from ...runtime.run_folder import RunFolder
from ...runtime.training.checkpoints import Checkpoints
from ...runtime.training.epochs import EpochTraining
from ...runtime.training.run import run_training
from .captioner import Captioner
from .words import PAD

RISE = 0.3
"""The share of all steps in which the learning rate rises."""


@dataclass(frozen=True)
class CaptionTrainConfig(Checked):
    """How a captioner is trained: AdamW with one cycle of its learning rate.

    Arguments:
        epochs: passes over the training titles.
        batch_size: titles a step.
        lr: the largest learning rate.
        weight_decay: AdamW's decay of the weights.
        noise: standard deviation of the noise on the article vectors, in units of the spread of each feature
            over the training articles: keeps the state from knowing articles by heart.
        finetune: further epochs in which the encoder, the network that reads the photos, learns along; 0 leaves it.
        finetune_lr: the largest learning rate of both in these.
        seed: seeds the weights, the order and the noise.
        device: Lightning's accelerator.

    Raises:
        ValueError: an argument is out of its range.
    """

    epochs: Count = 30
    batch_size: Count = 64
    lr: Positive = 3e-3
    weight_decay: NotNegative = 0.05
    noise: NotNegative = 0.3
    finetune: Number = 0
    finetune_lr: Positive = 1e-4
    seed: Seed = 0
    device: str = "auto"


class TitleBatches:
    """Vectors and titles in batches.

    Arguments:
        vectors: ``[n, F]``.
        titles: n titles as numbers, each with its end.
        batch_size: titles a batch.
        seed: shuffles them.
    """

    def __init__(self, vectors: Tensor, titles: Sequence[list[int]], batch_size: int, seed: int) -> None:
        self.vectors, self.batch_size, self.seed = vectors, batch_size, seed
        self.titles = [torch.tensor(title) for title in titles]

    def __len__(self) -> int:
        """Batches in a pass."""
        return -(-len(self.titles) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """One pass: vectors ``[B, F]``, titles ``[B, L]`` and their lengths ``[B]``."""
        order = torch.randperm(len(self.titles), generator=torch.Generator().manual_seed(self.seed))
        for chosen in order.split(self.batch_size):
            some = [self.titles[number] for number in chosen.tolist()]
            lengths = torch.tensor([len(title) for title in some])
            yield self.vectors[chosen], pad_sequence(some, batch_first=True, padding_value=PAD), lengths


class CaptionTraining(EpochTraining):
    """A captioner under Lightning.

    Arguments:
        captioner: the network.
        config: the options.
        vectors: ``[n, F]`` of the training articles, standardised.
        titles: their titles as numbers.
    """

    def __init__(
        self, captioner: Captioner, config: CaptionTrainConfig, vectors: Tensor, titles: Sequence[list[int]]
    ) -> None:
        super().__init__(config.epochs, config.seed)
        self.captioner, self.config, self.vectors, self.titles = captioner, config, vectors, titles

    def train_dataloader(self) -> TitleBatches:
        """The titles, in an order of this epoch."""
        return TitleBatches(self.vectors, self.titles, self.config.batch_size, self.epoch_seed)

    def transfer_batch_to_device(
        self, batch: tuple[Tensor, Tensor, Tensor], device: torch.device, dataloader_idx: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Move vectors and titles; packing wants the lengths on the processor."""
        vectors, titles, lengths = batch
        return vectors.to(device), titles.to(device), lengths

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], index: int) -> Tensor:
        """One step."""
        vectors, titles, lengths = batch
        noisy = vectors + self.config.noise * torch.randn_like(vectors)
        return self.noted(self.captioner.loss(noisy, titles, lengths))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW and the one cycle of its learning rate."""
        config = self.config
        optimizer = torch.optim.AdamW(self.captioner.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        return self.one_cycle(optimizer, RISE)


def fit_captioner(
    captioner: Captioner,
    config: CaptionTrainConfig,
    vectors: Tensor,
    titles: Sequence[list[int]],
    folder: RunFolder | None = None,
    logger: Logger | Sequence[Logger] | None = None,
) -> list[PlainObject]:
    """Train a captioner in place, going on from the state in the folder if there is one.

    Arguments:
        captioner: the network, its weights already drawn.
        config: the options.
        vectors: ``[n, F]``, standardised.
        titles: n titles as numbers, each with its end.
        folder: where the state of each epoch is kept.
        logger: Lightning's, one or several, for the curves of the training.

    Returns:
        The training log: a row an epoch with ``epoch, loss, seconds``.

    Raises:
        ValueError: there is no title.
        FloatingPointError: the loss became NaN or infinite.
    """
    if not titles:
        raise ValueError("titles: expected training articles with a photo and a text, got none")
    module = CaptionTraining(captioner, config, vectors, titles)
    options = {"accelerator": config.device, "reload_dataloaders_every_n_epochs": 1, "logger": logger or False}
    run_training(module, Checkpoints(folder), options=options)
    captioner.eval()
    return module.history
