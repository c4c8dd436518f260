"""Training of style over time under Lightning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor

from ...runtime.plain import PlainObject
from ...runtime.run_folder import RunFolder
from ...runtime.training.checkpoints import Checkpoints
from ...runtime.training.epochs import EpochTraining
from ...runtime.training.run import run_training
from .network import StyleNetwork
from .sequences import Sequences
from .settings import StyleSettings


class Batches:
    """Customers in batches, in an order that is drawn: the same for the same seed.

    Arguments:
        customers: int64, their numbers.
        size: customers of a batch.
        seed: gives the seed of the epoch.
    """

    def __init__(self, customers: np.ndarray, size: int, seed: Callable[[], int]) -> None:
        self.customers, self.size, self.seed = customers, size, seed

    def __len__(self) -> int:
        """Batches of an epoch."""
        return -(-len(self.customers) // self.size)

    def __iter__(self) -> Iterator[Tensor]:
        """Numbers of customers, batch by batch."""
        order = np.random.default_rng(self.seed()).permutation(self.customers)
        for begin in range(0, len(order), self.size):
            yield torch.from_numpy(order[begin : begin + self.size])


class Training(EpochTraining):
    """A `StyleNetwork` under Lightning.

    Arguments:
        network: the network.
        config: the settings.
        inputs: labels and photo vectors of all articles.
        sequences: the baskets.
        on_sale: bool ``[W, n]``, by weeks.
        sold: bool ``[n]``, the articles with a part of their own.
        train: int64, the customers to learn from.
        watched: int64, those to watch.
    """

    def __init__(
        self,
        network: StyleNetwork,
        config: StyleSettings,
        inputs: tuple[Tensor, Tensor],
        sequences: Sequences,
        on_sale: Tensor,
        sold: Tensor,
        train: np.ndarray,
        watched: np.ndarray,
    ) -> None:
        super().__init__(config.epochs, config.seed)
        self.network, self.config, self.inputs = network, config, inputs
        self.sequences, self.on_sale, self.sold = sequences, on_sale, sold.float()
        self.rows, self.watched = train, watched

    def train_dataloader(self) -> Batches:
        """The customers to learn from."""
        return Batches(self.rows, self.config.batch, lambda: self.epoch_seed)

    def val_dataloader(self) -> Batches:
        """The watched customers; the same in each epoch."""
        return Batches(self.watched, self.config.batch, lambda: self.config.seed)

    def training_step(self, customers: Tensor, index: int) -> Tensor:
        """One step: the cross-entropy of all purchases of some customers, and the prior of the articles' own parts."""
        config, network = self.config, self.network
        baskets = self.sequences.batch(customers.numpy())
        sampled = torch.randperm(len(self.sold))[: config.negatives]
        # Of the articles only those are looked at that were bought or sampled.
        needed, places = torch.unique(torch.cat([baskets.items, sampled]), return_inverse=True)
        bought, others = places[: len(baskets.items)], places[len(baskets.items) :]
        # Some articles go without their own part, so that features alone are worth as much as they can be.
        has_own = self.sold[needed] * (torch.rand(len(needed)) >= config.alone)
        own, bias = network.own[needed], network.bias[needed]
        articles = network.content(*(part[needed] for part in self.inputs)) + own * has_own[:, None]
        on_sale = self.on_sale[:, needed]
        stands_for = (self.on_sale.sum(1) / self.on_sale[:, sampled].sum(1).clamp(min=1)).log()
        loss = self.noted(
            network.loss(replace(baskets, items=bought), articles, bias * has_own, on_sale, others, stands_for)
        )
        # Every article is needed in so many of the steps: its prior counts as often as once for all purchases.
        often = len(self.sold) / len(needed) / len(self.sequences.items)
        prior = 0.5 * (own**2).sum() / config.own_spread**2 + 0.5 * (bias**2).sum()
        total: Tensor = loss + prior * often
        return total

    def validation_step(self, customers: Tensor, index: int) -> None:
        """The cross-entropy of watched customers, among all articles."""
        network = self.network
        articles = network.content(*self.inputs) + network.own * self.sold[:, None]
        every = torch.arange(len(self.sold))
        baskets = self.sequences.batch(customers.numpy())
        nothing_else = torch.zeros(len(self.on_sale))
        loss = network.loss(baskets, articles, network.bias * self.sold, self.on_sale, every, nothing_else)
        self.log("validation_loss", loss, batch_size=len(customers), logger=False)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW and the one cycle of its learning rates."""
        own = {id(each) for each in (self.network.own, self.network.bias)}
        dense = [each for each in self.network.parameters() if id(each) not in own]
        groups = [
            {"params": dense, "lr": self.config.lr, "weight_decay": self.config.weight_decay},
            {"params": [self.network.own, self.network.bias], "lr": 2 * self.config.lr, "weight_decay": 0.0},
        ]
        return self.one_cycle(torch.optim.AdamW(groups, lr=self.config.lr), 0.2)


def fit(training: Training, folder: RunFolder | None, identity: str) -> list[PlainObject]:
    """Train a network in place, going on from the state in the folder if there is one; the best epoch is kept.

    Arguments:
        training: what is trained.
        folder: where the state of each epoch is kept; ``None`` keeps none.
        identity: a digest of settings and data.

    Returns:
        The training log: a row an epoch with ``epoch, loss, validation_loss, seconds``.
    """
    checkpoints = Checkpoints(folder, training.network, identity)
    options: dict[str, object] = {
        "accelerator": "cpu",
        "reload_dataloaders_every_n_epochs": 1,
        "gradient_clip_val": 1.0,
    }
    run_training(training, checkpoints, options=options)
    checkpoints.restore_best()
    training.network.eval()
    return training.history
