"""A captioner and the network that reads the photos, trained together once the captioner knows its words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ...datasets.pictures.photos import Pictures
from ...runtime.plain import PlainObject
from ...runtime.run_folder import RunFolder
from ...runtime.training.checkpoints import Checkpoints
from ...runtime.training.epochs import EpochTraining
from ...runtime.training.run import run_training
from ..classify.parameter_groups import parameter_groups
from ..networks.article_batches import ArticleBatch, ArticleBatches
from ..networks.product_network import ProductNetwork
from .captioner import Captioner
from .training import RISE, CaptionTrainConfig
from .words import PAD

TUNING = "tuning"
"""Part of the name of the checkpoint, which is another one than that of the captioner alone."""


class Tuning(EpochTraining):
    """A captioner and its encoder under Lightning.

    Arguments:
        captioner: the captioner.
        network: what makes the vectors; its batch statistics stay as they are.
        config: the options.
        pictures: the photos of the whole catalogue.
        titles: number of an article to learn from -> its title as numbers.
        mean: ``[F]``, what is subtracted from a vector.
        std: ``[F]``, by what it is divided.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        captioner: Captioner,
        network: ProductNetwork,
        config: CaptionTrainConfig,
        pictures: Pictures,
        titles: dict[int, list[int]],
        mean: Tensor,
        std: Tensor,
    ) -> None:
        super().__init__(config.finetune, config.seed)
        self.captioner, self.network, self.config = captioner, network, config
        self.pictures, self.rows = pictures, np.array(sorted(titles), dtype=np.int64)
        self.titles = {row: torch.tensor(title) for row, title in titles.items()}
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)

    def train_dataloader(self) -> ArticleBatches:
        """The photos of the articles, in an order of this epoch."""
        return ArticleBatches(self.pictures, {}, self.rows, batch_size=self.config.batch_size, seed=self.epoch_seed)

    def transfer_batch_to_device(self, batch: ArticleBatch, device: torch.device, dataloader_idx: int) -> ArticleBatch:
        """Move a batch to the training device."""
        return batch.to(device)

    def training_step(self, batch: ArticleBatch, index: int) -> Tensor:
        """One step; half of the photos are mirrored."""
        mirrored = torch.rand(len(batch.pixels), 1, 1, 1, device=batch.pixels.device) < 0.5
        pixels = torch.where(mirrored, batch.pixels.flip(-1), batch.pixels)
        vectors = (self.network.embed(pixels, batch.article, len(batch)) - self.mean) / self.std
        noisy = vectors + self.config.noise * torch.randn_like(vectors)
        some = [self.titles[row] for row in batch.rows.tolist()]
        titles = pad_sequence(some, batch_first=True, padding_value=PAD).to(vectors.device)
        return self.noted(self.captioner.loss(noisy, titles, torch.tensor([len(title) for title in some])))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW and the one cycle of its learning rate, the same for both."""
        config = self.config
        groups = parameter_groups(self.network, config.finetune_lr, weight_decay=config.weight_decay)
        groups.append(
            {
                "params": list(self.captioner.parameters()),
                "lr": config.finetune_lr,
                "weight_decay": config.weight_decay,
            }
        )
        return self.one_cycle(torch.optim.AdamW(groups, lr=config.finetune_lr), RISE)


def tune(
    captioner: Captioner,
    network: ProductNetwork,
    config: CaptionTrainConfig,
    pictures: Pictures,
    titles: dict[int, list[int]],
    mean: Tensor,
    std: Tensor,
    folder: RunFolder | None = None,
    logger: Logger | Sequence[Logger] | None = None,
) -> list[PlainObject]:
    """Train a captioner and its encoder together in place, going on from the state in the folder if there is one.

    A captioner that knows nothing would pull what the encoder knows out of shape (A. Kumar et al. 2022, arXiv
    2202.10054): it has been trained on the vectors as they were.

    Arguments:
        captioner: the captioner, already trained.
        network: the encoder.
        config: the options.
        pictures: the photos of the whole catalogue.
        titles: number of an article to learn from -> its title as numbers; each has a photo.
        mean: ``[F]``, what is subtracted from a vector.
        std: ``[F]``, by what it is divided.
        folder: where the state of each epoch is kept.
        logger: Lightning's, one or several, for the curves of the training.

    Returns:
        The training log: a row an epoch with ``epoch, loss, seconds``.

    Raises:
        FloatingPointError: the loss became NaN or infinite.
    """
    captioner.train()
    network.eval().requires_grad_(True)
    # Its own questions are not asked here.
    network.heads.requires_grad_(False)
    module = Tuning(captioner, network, config, pictures, titles, mean, std)
    options = {"accelerator": config.device, "reload_dataloaders_every_n_epochs": 1, "logger": logger or False}
    run_training(module, Checkpoints(folder, identity=TUNING), options=options)
    captioner.eval()
    return module.history
