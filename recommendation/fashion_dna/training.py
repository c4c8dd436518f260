"""Training of Fashion DNA: blocks of the purchase matrix under Lightning."""

from __future__ import annotations

import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from scipy import sparse
from torch import Tensor

from ...runtime.plain import PlainObject
from ...runtime.run_folder import RunFolder
from ...runtime.training.checkpoints import Checkpoints
from ...runtime.training.epochs import EpochTraining
from ...runtime.training.run import run_training
from .blocks import Block, Blocks
from .network import DNANetwork
from .settings import DNASettings


class Training(EpochTraining):
    """A `DNANetwork` under Lightning.

    Arguments:
        network: the network.
        config: the settings.
        inputs: labels and photo vectors of all articles.
        bought: sparse ``[n, C]``.
        log_weeks: float32 ``[n]``, the logarithm of the weeks on sale.
        train: int64, the articles to learn from.
        watched: int64, sold articles that are kept out of training, as if they were new.
    """

    def __init__(
        self,
        network: DNANetwork,
        config: DNASettings,
        inputs: tuple[Tensor, Tensor],
        bought: sparse.csr_matrix,
        log_weeks: Tensor,
        train: np.ndarray,
        watched: np.ndarray,
    ) -> None:
        super().__init__(config.epochs, config.seed)
        self.network, self.config = network, config
        self.inputs, self.bought, self.log_weeks = inputs, bought, log_weeks
        self.rows, self.watched = train, watched
        self.blocks = Blocks(bought, train, size=config.block, negatives=config.negatives, seed=lambda: self.epoch_seed)

    def train_dataloader(self) -> Blocks:
        """The blocks of an epoch."""
        return self.blocks

    def val_dataloader(self) -> Blocks:
        """The watched articles, in blocks; the same in each epoch."""
        config = self.config
        return Blocks(
            self.bought, self.watched, size=config.block, negatives=config.negatives, seed=lambda: config.seed
        )

    def transfer_batch_to_device(self, batch: Block, device: torch.device, dataloader_idx: int) -> Block:
        """Blocks are made where they are needed."""
        return batch

    def training_step(self, block: Block, index: int) -> Tensor:
        """One step: the cross-entropy of a block, and the priors."""
        config, network = self.config, self.network
        own = block.articles
        if len(network.own) and config.alone:
            # Some articles go without their own part, so that features alone are worth as much as they can be.
            draw = torch.rand(len(own)) < config.alone
            found = network.article_vectors(*self._inputs(own)) + network.own[own] * (~draw)[:, None]
        else:
            found = network.article_vectors(*self._inputs(own), own)
        loss = network.loss(block, found, self.log_weeks[own])
        prior = 0.5 * config.width * (network.apart[:, :-1] ** 2).sum() / config.taste_spread**2
        prior = prior + 0.5 * (network.apart[:, -1] ** 2).sum()
        loss_of_priors = prior / len(self.rows)
        if len(network.own):
            loss_of_priors = loss_of_priors + 0.5 * (network.own[own] ** 2).sum() / config.own_spread**2 / len(own)
        self.noted(loss)
        total: Tensor = loss + loss_of_priors
        return total

    def validation_step(self, block: Block, index: int) -> None:
        """The cross-entropy of watched articles, by what their features say alone."""
        found = self.network.article_vectors(*self._inputs(block.articles))
        loss = self.network.loss(block, found, self.log_weeks[block.articles])
        self.log("validation_loss", loss, batch_size=len(block.articles), logger=False)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW and the one cycle of its learning rates."""
        config, network = self.config, self.network
        groups = [
            {"params": network.content.parameters(), "lr": config.lr, "weight_decay": config.weight_decay},
            {"params": [network.own, network.common, network.apart], "lr": 3 * config.lr, "weight_decay": 0.0},
        ]
        return self.one_cycle(torch.optim.AdamW(groups, lr=config.lr), 0.2)

    def _inputs(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        return self.inputs[0][rows], self.inputs[1][rows]


def fit(
    network: DNANetwork,
    config: DNASettings,
    inputs: tuple[Tensor, Tensor],
    bought: sparse.csr_matrix,
    log_weeks: Tensor,
    *,
    train: np.ndarray,
    watched: np.ndarray,
    folder: RunFolder | None,
    identity: str = "",
) -> list[PlainObject]:
    """Train a network in place, going on from the state in the folder if there is one.

    Arguments:
        network: the network.
        config: the settings.
        inputs: labels and photo vectors of all articles.
        bought: sparse ``[n, C]``.
        log_weeks: float32 ``[n]``.
        train: the articles to learn from.
        watched: those to watch.
        folder: where the state of each epoch is kept; ``None`` keeps none.
        identity: a digest of settings and data, so that a state of another training is told apart.

    Returns:
        The training log: a row an epoch with ``epoch, loss, validation_loss, seconds``.
    """
    module = Training(network, config, inputs, bought, log_weeks, train, watched)
    options: dict[str, object] = {"accelerator": "cpu", "reload_dataloaders_every_n_epochs": 1}
    run_training(module, Checkpoints(folder, network if config.keep_best else None, identity), options=options)
    network.eval()
    return module.history
