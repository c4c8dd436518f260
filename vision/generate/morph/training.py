"""Training a network that changes poses: pairs of photos of one person, and a critic where one is asked for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, cast

import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor

from ....datasets.pictures.poses import PosePairs
from ....runtime.arguments.kinds import Checked, Count, NotNegative, Positive, Seed, Share, Within
from ....runtime.devices import Precision
from ....runtime.training.epochs import EpochTraining
from ..adversarial.averaging import follow
from ..adversarial.losses import LOSSES
from ..adversarial.order import RandomOrder
from ..adversarial.rates import rate_left, set_rates
from ..adversarial.steps import InSteps
from ..adversarial.watch import Watch
from .network import Morph, PoseCritic
from .terms import FixedFeatures, absolute_term, perceptual_term


@dataclass(frozen=True)
class MorphConfig(Checked, InSteps):
    """How a network that changes poses is trained.

    Arguments:
        steps: of the network.
        batch_size: pairs a step.
        lr: learning rate of the network.
        critic_lr: learning rate of the critic.
        decay: last share of the steps, over which both learning rates fall to 0 along a line.
        absolute: weight of `absolute_term`.
        perceptual: weight of `perceptual_term`.
        adversarial: weight of the critic's hinge loss; 0 for no critic.
        average: decay a step of the running mean of the weights, which is what is kept.
        log_steps: steps of an epoch: of a row of the log and of a state to go on from.
        seed: draws weights and order.
        precision: Lightning's precision, or ``"auto"``, see `AdversarialConfig`; attention that copies calculates in
            float32 always.
        device: Lightning's accelerator.
    """

    steps: Count = 10_000
    batch_size: Count = 8
    lr: Positive = 2e-3
    critic_lr: Positive = 4e-4
    decay: Share = 1.0
    absolute: NotNegative = 1.0
    perceptual: NotNegative = 0.2
    adversarial: NotNegative = 0.0
    average: Annotated[float, Within(0, 1, below=True)] = 0.995
    log_steps: Count = 250
    seed: Seed = 0
    precision: Literal["auto"] | Precision = "auto"
    device: str = "auto"


MorphBatch = tuple[Tensor, Tensor, Tensor, Tensor]
"""uint8 photos and those of the other poses ``[B, 3, S, S]``, and the joints of both ``[B, J, 2]``."""


class MorphTraining(EpochTraining):
    """The network, and a critic where one is asked for, under Lightning.

    Arguments:
        network: with random weights, or those to go on from.
        critic: likewise; ``None`` without an adversarial loss.
        config: the options.
        pairs: photos and poses.
        features: sees images for the perceptual loss; ``None`` without one.
        shown: called with the number of the epoch and the network that is kept, after each epoch.
    """

    def __init__(
        self,
        network: Morph,
        critic: PoseCritic | None,
        config: MorphConfig,
        pairs: PosePairs,
        features: FixedFeatures | None,
        shown: Callable[[int, Morph], None] | None = None,
    ) -> None:
        super().__init__(config.epochs, config.seed)
        self.automatic_optimization = False
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network, self.critic, self.config = network, critic, config
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        self.pairs, self.features, self.shown = pairs, features, shown
        self.loss = LOSSES["hinge"]
        self.watch = Watch(self.loss.undecided, config.epochs)

    def train_dataloader(self) -> PairBatches:
        """Pairs of an epoch, drawn anew."""
        steps = self.config.steps_of(self.current_epoch)
        return PairBatches(self.pairs, steps, self.config.batch_size, self.epoch_seed)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for both."""
        config = self.config
        found = [torch.optim.Adam(self.network.parameters(), lr=config.lr, betas=(0.9, 0.99))]
        if self.critic is not None:
            found.append(torch.optim.Adam(self.critic.parameters(), lr=config.critic_lr, betas=(0.0, 0.99)))
        return cast("list[torch.optim.Optimizer]", found)

    def training_step(self, batch: MorphBatch, index: int) -> None:
        """One step of each."""
        photos, truth = ((part.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last) for part in batch[:2])
        source, target = batch[2:]
        given = self.optimizers()
        optimizers = cast("list[LightningOptimizer]", given if isinstance(given, list) else [given])
        config = self.config
        left = rate_left(self.current_epoch * config.log_steps + index, config.steps, config.decay)
        set_rates(optimizers, (config.lr, config.critic_lr)[: len(optimizers)], left)
        made = self.network(photos, source, target)
        total = config.absolute * self.noted(absolute_term(made.float(), truth), "absolute")
        if self.features is not None:
            with torch.no_grad():
                wanted = self.features.maps(truth)
            total = total + config.perceptual * self.noted(
                perceptual_term(self.features.maps(made.float()), wanted), "perceptual"
            )
        if self.critic is not None:
            self._critic_step(optimizers[1], self.critic, truth, made.detach(), target)
            # The gradient runs through the critic, and is of no use in it.
            self.critic.requires_grad_(False)
            logits = self.critic(made, target).float()
            total = total + config.adversarial * self.noted(self.loss.generator(logits, logits), "adversarial")
        optimizers[0].zero_grad()
        self.manual_backward(total)
        optimizers[0].step()
        done = self.current_epoch * config.log_steps + self._counts["absolute"]
        follow(self.average, self.network, config.average, done)

    def on_train_epoch_end(self) -> None:
        """Warn of a critic that wins outright, and show what is made.

        Raises:
            FloatingPointError: a loss became NaN or infinite.
        """
        if "critic_loss" in self._sums:
            self.watch.look_at_critic(
                self.current_epoch, float(self._sums["critic_loss"]) / self._counts["critic_loss"]
            )
        super().on_train_epoch_end()
        if self.shown is not None and self.trainer.is_global_zero:
            self.shown(self.current_epoch + 1, self.average)

    def _critic_step(
        self, optimizer: LightningOptimizer, critic: PoseCritic, truth: Tensor, made: Tensor, target: Tensor
    ) -> None:
        critic.requires_grad_(True)
        loss = self.loss.critic(critic(truth, target).float(), critic(made, target).float())
        optimizer.zero_grad()
        self.manual_backward(self.noted(loss, "critic_loss"))
        optimizer.step()


class PairBatches:
    """Pairs in a random order, without one twice before all were drawn.

    Arguments:
        pairs: photos and poses.
        steps: how many batches.
        count: pairs of a batch.
        seed: of the order.
    """

    def __init__(self, pairs: PosePairs, steps: int, count: int, seed: int) -> None:
        self.pairs, self.order = pairs, RandomOrder(len(pairs.pairs), steps, count, seed)

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[MorphBatch]:
        images, joints = torch.from_numpy(self.pairs.images), torch.from_numpy(self.pairs.joints)
        rows = torch.from_numpy(self.pairs.pairs)
        for chosen in self.order:
            source, target = rows[chosen].unbind(1)
            yield images[source], images[target], joints[source], joints[target]
