"""Training dressed figures: photos with their articles and poses, and a critic that is shown wrong pairs too."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, cast

import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor

from ....datasets.pictures.worn.outfits import Outfits
from ....runtime.arguments.kinds import Checked, Count, NotNegative, Positive, Seed, Within
from ....runtime.devices import Precision
from ....runtime.training.epochs import EpochTraining
from ..adversarial.averaging import follow
from ..adversarial.losses import LOSSES
from ..adversarial.steps import InSteps
from ..adversarial.watch import Watch
from .network import Dresser, OutfitCritic, article_colours
from .terms import photo_term, slot_colour_term, worn_term, wrong_pair_term

_WATCHED = 64

Conditions = tuple[Tensor, Tensor, Tensor]
"""Packshots ``[B, 6, 3, 32, 32]``, −1…1; which there are ``[B, 6]``; joints ``[B, J, 2]``, shares of the side."""


@dataclass(frozen=True)
class OutfitConfig(Checked, InSteps):
    """How dressed figures are trained.

    Arguments:
        steps: of the generator.
        batch_size: photos a step.
        lr: learning rate of the generator.
        critic_lr: learning rate of the critic.
        wrong: weight of `wrong_pair_term`.
        worn: weight of `worn_term`.
        colour: weight of `slot_colour_term`.
        photo: weight of `photo_term`.
        average: decay a step of the running mean of the weights, which is what is kept.
        log_steps: steps of an epoch: of a row of the log and of a state to go on from.
        seed: draws weights, order, latents and conditions.
        precision: Lightning's precision, or ``"auto"``, see `AdversarialConfig`.
        device: Lightning's accelerator.
    """

    steps: Count = 5000
    batch_size: Count = 16
    lr: Positive = 1e-3
    critic_lr: Positive = 4e-4
    wrong: NotNegative = 0.5
    worn: NotNegative = 0.5
    colour: NotNegative = 5.0
    photo: NotNegative = 20.0
    average: Annotated[float, Within(0, 1, below=True)] = 0.995
    log_steps: Count = 250
    seed: Seed = 0
    precision: Literal["auto"] | Precision = "32-true"
    device: str = "auto"


class OutfitTraining(EpochTraining):
    """Generator and critic of dressed figures under Lightning, by turns.

    Arguments:
        dresser: with random weights, or those to go on from.
        critic: likewise.
        config: the options.
        outfits: what is learnt from.
        shown: called with the number of the epoch and the generator that is kept, after each epoch.
    """

    def __init__(
        self,
        dresser: Dresser,
        critic: OutfitCritic,
        config: OutfitConfig,
        outfits: Outfits,
        shown: Callable[[int, Dresser], None] | None = None,
    ) -> None:
        super().__init__(config.epochs, config.seed)
        self.automatic_optimization = False
        self.dresser, self.critic, self.config = dresser, critic, config
        self.average = copy.deepcopy(dresser).eval().requires_grad_(False)
        self.outfits, self.shown = outfits, shown
        self.loss = LOSSES["hinge"]
        self.watch = Watch(self.loss.undecided, config.epochs)
        self._told: dict[str, float] = {}

    def train_dataloader(self) -> OutfitBatches:
        """Photos of an epoch with their conditions, drawn anew."""
        steps = self.config.steps_of(self.current_epoch)
        return OutfitBatches(self.outfits, steps, self.config.batch_size, self.epoch_seed)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for both."""
        pairs = ((self.dresser, self.config.lr), (self.critic, self.config.critic_lr))
        return [torch.optim.Adam(network.parameters(), lr=rate, betas=(0.0, 0.99)) for network, rate in pairs]

    def training_step(self, batch: OutfitBatch, index: int) -> None:
        """One step of each; half of the outfits are asked for in their own pose, half in that of another photo."""
        of_dresser, of_critic = cast("list[LightningOptimizer]", self.optimizers())
        images, own = units(batch)
        articles, worn, joints = own
        half = len(images) // 2
        asked = (articles, worn, torch.cat([joints[:half], joints[half:].roll(1, dims=0)]))
        made = self.dresser(self._latents(len(images)), *asked)
        self._critic_step(of_critic, images, own, made.detach(), asked)
        self._dresser_step(of_dresser, made, asked, images[:half])
        done = self.current_epoch * self.config.log_steps + self._counts["outfit_loss"]
        follow(self.average, self.dresser, self.config.average, done)

    def on_train_epoch_end(self) -> None:
        """Look for collapse and for a critic that wins outright, and show what is drawn.

        Raises:
            FloatingPointError: a loss became NaN or infinite.
        """
        images, (articles, worn, joints) = units(next(iter(OutfitBatches(self.outfits, 1, _WATCHED, self.config.seed))))
        asked = [part.to(self.device) for part in (articles, worn, joints)]
        with torch.no_grad(), torch.random.fork_rng([]):
            torch.manual_seed(self.config.seed)
            made = self.average(self._latents(len(images)), *asked)
        total = self._sums.get("critic_loss")
        mean = None if total is None else float(total) / self._counts["critic_loss"]
        self._told = self.watch.told(self.current_epoch, images, made, mean)
        super().on_train_epoch_end()
        if self.shown is not None and self.trainer.is_global_zero:
            self.shown(self.current_epoch + 1, self.average)

    def watched_values(self) -> dict[str, float]:
        """How far drawn photos differ from each other, in shares of how far photos do."""
        return self._told

    def _latents(self, count: int) -> Tensor:
        return torch.randn(count, self.dresser.form.latent, device=self.device)

    def _critic_step(
        self, optimizer: LightningOptimizer, images: Tensor, own: Conditions, made: Tensor, asked: Conditions
    ) -> None:
        self.critic.requires_grad_(True)
        config, (articles, worn, joints) = self.config, own
        real, told = self.critic(images, *own)
        drawn, _ = self.critic(made, *asked)
        loss = self.noted(self.loss.critic(real.float(), drawn.float()), "critic_loss")
        if self.dresser.form.conditional:
            half = len(images) // 2
            # One half in outfits, the other half in poses of other photos.
            others = [torch.cat([part[:half].roll(1, dims=0), part[half:]]) for part in (articles, worn)]
            poses = torch.cat([joints[:half], joints[half:].roll(1, dims=0)])
            wrong, _ = self.critic(images, others[0], others[1], poses)
            loss = loss + config.wrong * self.noted(wrong_pair_term(wrong.float()), "wrong")
            loss = loss + config.worn * worn_term(told, worn)
            loss = loss + config.colour * slot_colour_term(told, article_colours(articles), worn)
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()

    def _dresser_step(self, optimizer: LightningOptimizer, made: Tensor, asked: Conditions, photos: Tensor) -> None:
        # The gradient runs through the critic, and is of no use in it.
        self.critic.requires_grad_(False)
        config, (articles, worn, _) = self.config, asked
        logits, told = self.critic(made, *asked)
        total = self.noted(self.loss.generator(logits.float(), logits.float()), "outfit_loss")
        if self.dresser.form.conditional:
            total = total + config.worn * self.noted(worn_term(told, worn), "worn")
            total = total + config.photo * self.noted(photo_term(made[: len(photos)].float(), photos), "photo")
            total = total + config.colour * self.noted(
                slot_colour_term(told, article_colours(articles), worn), "colour"
            )
        optimizer.zero_grad()
        self.manual_backward(total)
        optimizer.step()


OutfitBatch = tuple[Tensor, Tensor, Tensor, Tensor]
"""uint8 photos ``[B, 3, S, S]``, uint8 packshots ``[B, 6, 3, 32, 32]``, bool worn ``[B, 6]``, joints ``[B, J, 2]``."""


def units(batch: OutfitBatch) -> tuple[Tensor, Conditions]:
    """Photos −1…1 and their conditions, of a batch."""
    images, articles, worn, joints = batch
    return images.float() / 127.5 - 1, (articles.float() / 127.5 - 1, worn.float(), joints)


class OutfitBatches:
    """Photos with their articles and poses, drawn by chance.

    Arguments:
        outfits: the photos.
        steps: how many batches.
        count: photos of a batch.
        seed: of the draws.
    """

    def __init__(self, outfits: Outfits, steps: int, count: int, seed: int) -> None:
        self.steps, self.count, self.seed = steps, count, seed
        self.parts = tuple(
            torch.from_numpy(part) for part in (outfits.images, outfits.articles, outfits.worn, outfits.joints)
        )

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[OutfitBatch]:
        generator = torch.Generator().manual_seed(self.seed)
        images, articles, worn, joints = self.parts
        for _ in range(self.steps):
            chosen = torch.randint(len(images), (self.count,), generator=generator)
            yield images[chosen], articles[chosen], worn[chosen], joints[chosen]
