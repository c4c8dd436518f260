"""Adversarial training: its options and its LightningModule."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, cast

import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn

from ....runtime.arguments.kinds import Checked, Count, NotNegative, Positive, Seed, Share, Within
from ....runtime.devices import DEVICES, Precision
from ....runtime.training.epochs import EpochTraining
from ..networks.network import Critic, Generator
from ..networks.style import StyleGenerator
from .augment import AdaptiveAugment, DiffAugment, mirrored
from .averaging import follow
from .losses import LOSSES, LossName
from .order import RandomOrder
from .penalties import PathLength, clip_weights, drift, gradient_penalty, squared_gradient
from .rates import rate_left, set_rates
from .steps import InSteps
from .watch import Watch

logger = logging.getLogger(__name__)

Batch = tuple[Tensor, Tensor | None]
"""uint8 images ``[n, channels, size, size]`` and labels ``[n]`` where there are classes."""


@dataclass(frozen=True)
class AdversarialConfig(Checked, InSteps):
    """How generator and critic are trained.

    Arguments:
        steps: of the generator.
        batch_size: images a step.
        critic_steps: steps of the critic for each of the generator.
        loss: a name of `LOSSES`.
        optimiser: ``"adam"`` or ``"rmsprop"``.
        lr: learning rate of the generator.
        critic_lr: learning rate of the critic.
        decay: last share of the steps, over which both learning rates fall to 0 along a line (T. Miyato et al., 2018,
            let them fall so over the whole training, the share 1); 0 for rates that stay.
        betas: of Adam.
        clip: largest size of the critic's weights; 0 for no bound.
        gradient_penalty: weight λ of `gradient_penalty`.
        drift: weight of `drift`.
        r1: γ of R1, half of which weighs `squared_gradient` on real images.
        r2: γ of R2, on generated ones.
        path_length: weight of `PathLength`, for generators with styles.
        every: steps from one penalty to the next, whose weight is as many times as large.
        average: decay a step of the running mean of the generator's weights, which is what is kept; 0 for the last.
        augment: changes of all images before the critic: ``"none"``, ``"diff"`` or ``"ada"``.
        mirror: whether real images are mirrored with even chances.
        log_steps: steps of an epoch: of a row of the log and of a state to go on from.
        seed: draws weights, order and latents.
        precision: Lightning's precision, or ``"auto"`` for ``"bf16-mixed"`` where the device is fast in it; penalties,
            losses and weights are float32 always.
        device: Lightning's accelerator (``"auto"``, ``"cpu"``, ``"cuda"``).

    Raises:
        ValueError: an argument is out of its range.
    """

    steps: Count = 10_000
    batch_size: Count = 64
    critic_steps: Annotated[int, Within(1, 100)] = 1
    loss: LossName = "hinge"
    optimiser: Literal["adam", "rmsprop"] = "adam"
    lr: Positive = 2e-4
    critic_lr: Positive = 2e-4
    decay: Share = 0.0
    betas: tuple[Share, Share] = (0.0, 0.9)
    clip: NotNegative = 0.0
    gradient_penalty: NotNegative = 0.0
    drift: NotNegative = 0.0
    r1: NotNegative = 0.0
    r2: NotNegative = 0.0
    path_length: NotNegative = 0.0
    every: Count = 1
    average: Annotated[float, Within(0, 1, below=True)] = 0.999
    augment: Literal["none", "diff", "ada"] = "none"
    mirror: bool = False
    log_steps: Count = 250
    seed: Seed = 0
    precision: Literal["auto"] | Precision = "auto"
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise ValueError(f"device: expected one of {', '.join(DEVICES)}, got {self.device!r}")
        if max(self.betas) >= 1:
            raise ValueError(f"betas: expected shares below 1, got {self.betas}")


class AdversarialTraining(EpochTraining):
    """Generator and critic under Lightning, by turns.

    Arguments:
        generator: with random weights, or those to go on from.
        critic: likewise.
        config: the options.
        images: uint8 ``[N, channels, size, size]``.
        labels: int64 ``[N]`` where there are classes.
        shown: called with the number of the epoch and the generator that is kept, after each epoch.
    """

    def __init__(
        self,
        generator: Generator,
        critic: Critic,
        config: AdversarialConfig,
        images: Tensor,
        labels: Tensor | None,
        shown: Callable[[int, Generator], None] | None = None,
    ) -> None:
        super().__init__(config.epochs, config.seed)
        if config.path_length and not isinstance(generator, StyleGenerator):
            raise ValueError(f"path_length: expected 0 for a generator without styles, got {config.path_length}")
        self.automatic_optimization = False
        # On a processor convolutions are faster with the channels innermost.
        for network in (generator, critic):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.generator, self.critic = generator, critic
        self.config = config
        self.average = copy.deepcopy(generator).eval().requires_grad_(False)
        self.images, self.labels, self.shown = images, labels, shown
        self.loss = LOSSES[config.loss]
        grey = generator.spec.channels == 1
        kinds: dict[str, Callable[[], nn.Module]] = {
            "none": nn.Identity,
            "diff": lambda: DiffAugment(grey),
            "ada": lambda: AdaptiveAugment(grey),
        }
        self.augment = kinds[config.augment]()
        self.path_length = PathLength()
        self.watch = Watch(self.loss.undecided, config.epochs)
        self._told: dict[str, float] = {}

    def train_dataloader(self) -> Batches:
        """The images of an epoch, drawn anew; made by Lightning before each epoch."""
        steps = self.config.steps_of(self.current_epoch)
        count = self.config.batch_size * self.config.critic_steps
        return Batches(self.images, self.labels, steps, count, self.epoch_seed)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """The optimisers of generator and critic."""
        config = self.config
        pairs = ((self.generator, config.lr), (self.critic, config.critic_lr))
        if config.optimiser == "rmsprop":
            return [torch.optim.RMSprop(network.parameters(), lr=rate) for network, rate in pairs]
        return [torch.optim.Adam(network.parameters(), lr=rate, betas=config.betas) for network, rate in pairs]

    def training_step(self, batch: Batch, index: int) -> None:
        """The critic's steps, and one of the generator."""
        of_generator, of_critic = cast("list[LightningOptimizer]", self.optimizers())
        done = self.current_epoch * self.config.log_steps + index
        now = done % self.config.every == 0
        left = rate_left(done, self.config.steps, self.config.decay)
        set_rates((of_generator, of_critic), (self.config.lr, self.config.critic_lr), left)
        images = (batch[0].float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        for part, labels in _parts(images, batch[1], self.config.batch_size):
            real = mirrored(part) if self.config.mirror else part
            self._critic_step(of_critic, real, labels, now)
        self._generator_step(of_generator, real, labels, now)
        done = self.current_epoch * self.config.log_steps + self._counts["generator_loss"]
        follow(self.average, self.generator, self.config.average, done)

    def on_train_epoch_end(self) -> None:
        """Look for collapse and for a critic that wins outright, and show what is generated.

        Raises:
            FloatingPointError: a loss became NaN or infinite.
        """
        real = self.images[: min(256, len(self.images))].to(self.device).float() / 127.5 - 1
        labels = None if self.labels is None else self.labels[: len(real)].to(self.device)
        with torch.no_grad(), torch.random.fork_rng([]):
            torch.manual_seed(self.config.seed)
            made = self.average(torch.randn(len(real), self.average.latent, device=self.device), labels)
        critic = self._sums.get("critic_loss")
        mean = None if critic is None else float(critic) / self._counts["critic_loss"]
        self._told = self.watch.told(self.current_epoch, real, made, mean)
        if isinstance(self.augment, AdaptiveAugment):
            self._told["augment"] = round(float(self.augment.probability), 4)
        super().on_train_epoch_end()
        if self.shown is not None and self.trainer.is_global_zero:
            self.shown(self.current_epoch + 1, self.average)

    def watched_values(self) -> dict[str, float]:
        """How far generated images differ, in shares of how far real ones do; and the chance of changes."""
        return self._told

    def _latents(self, real: Tensor) -> Tensor:
        return torch.randn(len(real), self.generator.latent, device=real.device)

    def _critic_step(self, optimizer: LightningOptimizer, real: Tensor, labels: Tensor | None, now: bool) -> None:
        config = self.config
        self.critic.requires_grad_(True)
        with torch.no_grad():
            generated = self.generator(self._latents(real), labels)
        real, generated = self.augment(real), self.augment(generated)
        logits = self.critic(real, labels).float()
        loss = self.noted(self.loss.critic(logits, self.critic(generated, labels).float()), "critic_loss")
        if config.drift:
            loss = loss + config.drift * drift(logits)
        if now:
            with torch.autocast(real.device.type, enabled=False):
                loss = loss + config.every * self._penalties(real.float(), generated.float(), labels)
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        if config.clip:
            clip_weights(self.critic, config.clip)
        if isinstance(self.augment, AdaptiveAugment):
            self.augment.follow(logits)

    def _penalties(self, real: Tensor, generated: Tensor, labels: Tensor | None) -> Tensor:
        config, total = self.config, torch.zeros((), device=real.device)

        def judged(images: Tensor) -> Tensor:
            logits: Tensor = self.critic(images, labels)
            return logits

        if config.gradient_penalty:
            total = total + config.gradient_penalty * gradient_penalty(judged, real, generated)
        if config.r1:
            total = total + config.r1 / 2 * self.noted(squared_gradient(judged, real), "r1")
        if config.r2:
            total = total + config.r2 / 2 * squared_gradient(judged, generated)
        return total

    def _generator_step(self, optimizer: LightningOptimizer, real: Tensor, labels: Tensor | None, now: bool) -> None:
        # The gradient runs through the critic, and is of no use in it.
        self.critic.requires_grad_(False)
        generated = self.generator(self._latents(real), labels)
        logits = self.critic(self.augment(generated), labels).float()
        against = logits
        if self.loss.pairs:
            with torch.no_grad():
                against = self.critic(self.augment(real), labels).float()
        loss = self.noted(self.loss.generator(against, logits), "generator_loss")
        if now and self.config.path_length:
            generator = cast("StyleGenerator", self.generator)
            with torch.autocast(real.device.type, enabled=False):
                few = max(len(real) // 2, 1)
                styles = generator.styles(self._latents(real[:few]), None if labels is None else labels[:few])
                far = self.path_length(generator.drawn(styles), styles)
            loss = loss + self.config.every * self.config.path_length * far
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()


class Batches:
    """Images in a random order, without one twice before all were drawn.

    Arguments:
        images: uint8 ``[N, channels, size, size]``.
        labels: int64 ``[N]``, or none.
        steps: how many batches.
        count: images of a batch.
        seed: of the order.
    """

    def __init__(self, images: Tensor, labels: Tensor | None, steps: int, count: int, seed: int) -> None:
        self.images, self.labels = images, labels
        self.order = RandomOrder(len(images), steps, count, seed)

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[Batch]:
        for chosen in self.order:
            yield self.images[chosen], None if self.labels is None else self.labels[chosen]


def _parts(images: Tensor, labels: Tensor | None, size: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    for first in range(0, len(images), size):
        some = slice(first, first + size)
        yield images[some], None if labels is None else labels[some]
