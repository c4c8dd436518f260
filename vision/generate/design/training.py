"""Training a designer: factorial batches, an adversarial loss, and terms that tie images to their conditions."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, cast

import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor

from ....runtime.arguments.kinds import Checked, Count, NotNegative, Positive, Seed, Share, Within
from ....runtime.devices import Precision
from ....runtime.training.epochs import EpochTraining
from ..adversarial.augment import shifted
from ..adversarial.averaging import follow
from ..adversarial.losses import LOSSES
from ..adversarial.rates import rate_left, set_rates
from ..adversarial.steps import InSteps
from .masks import mean_colours
from .network import DesignCritic, Designer
from .terms import colour_term, contrast_term, ground_term, pattern_similarity, same_colour_term, structure_term


@dataclass(frozen=True)
class DesignConfig(Checked, InSteps):
    """How a designer is trained.

    Arguments:
        steps: of the designer.
        groups: of 2 textures × 2 colours × 2 masks in a step, eight images each.
        lr: learning rate of the designer.
        critic_lr: learning rate of the critic.
        decay: last share of the steps, over which both learning rates fall to 0 along a line; 0 for rates that stay.
        told_colour: weight of the squared distance of the colour that the critic tells.
        colour: weight of `colour_term`.
        same_colour: weight of `same_colour_term`.
        structure: weight of `structure_term`.
        ground: weight of `ground_term`.
        diversity: weight of what the patterns of two textures are more alike than `alike`.
        alike: `pattern_similarity` of two textures that costs nothing.
        contrast: weight of `contrast_term`.
        mirror: whether half of the photos and masks are mirrored, by chance.
        shift: largest share of the side by which what the critic sees is moved, real and designed images with their
            masks (S. Zhao et al., 2020, arXiv 2006.10738); 0 for none.
        average: decay a step of the running mean of the weights, which is what is kept.
        log_steps: steps of an epoch: of a row of the log and of a state to go on from.
        seed: draws weights, order and conditions.
        precision: Lightning's precision, or ``"auto"``, see `AdversarialConfig`.
        device: Lightning's accelerator.
    """

    steps: Count = 10_000
    groups: Count = 4
    lr: Positive = 1e-3
    critic_lr: Positive = 2e-4
    decay: Share = 0.0
    told_colour: NotNegative = 1.0
    colour: NotNegative = 100.0
    same_colour: NotNegative = 100.0
    structure: NotNegative = 100.0
    ground: NotNegative = 1.0
    diversity: NotNegative = 5.0
    alike: Share = 0.3
    contrast: NotNegative = 5.0
    mirror: bool = True
    shift: Annotated[float, Within(0, 0.5)] = 0.0
    average: Annotated[float, Within(0, 1, below=True)] = 0.998
    log_steps: Count = 250
    seed: Seed = 0
    precision: Literal["auto"] | Precision = "auto"
    device: str = "auto"


Factorial = tuple[Tensor, Tensor, Tensor]
"""Textures ``[8G, Z]``, colours ``[8G, 3]`` and masks ``[8G, 1, S, S]``: texture, colour and mask by turns."""


def factorial(textures: Tensor, colours: Tensor, masks: Tensor) -> Factorial:
    """All combinations of two textures, two colours and two masks of each group.

    Arguments:
        textures: ``[G, 2, Z]``.
        colours: ``[G, 2, 3]``.
        masks: ``[G, 2, 1, S, S]``.
    """
    groups = len(textures)
    return (
        textures[:, :, None, None].expand(-1, -1, 2, 2, -1).reshape(8 * groups, -1),
        colours[:, None, :, None].expand(-1, 2, -1, 2, -1).reshape(8 * groups, 3),
        masks[:, None, None].expand(-1, 2, 2, -1, -1, -1, -1).reshape(8 * groups, *masks.shape[2:]),
    )


class DesignTraining(EpochTraining):
    """Designer and critic under Lightning, by turns.

    Arguments:
        designer: with random weights, or those to go on from.
        critic: likewise.
        config: the options.
        images: uint8 ``[N, 3, S, S]``, packshots.
        masks: uint8 ``[N, 1, S, S]``, 255 where the article is.
        shown: called with the number of the epoch and the designer that is kept, after each epoch.
    """

    def __init__(
        self,
        designer: Designer,
        critic: DesignCritic,
        config: DesignConfig,
        images: Tensor,
        masks: Tensor,
        shown: Callable[[int, Designer], None] | None = None,
    ) -> None:
        super().__init__(config.epochs, config.seed)
        self.automatic_optimization = False
        for network in (designer, critic):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.designer, self.critic, self.config = designer, critic, config
        self.average = copy.deepcopy(designer).eval().requires_grad_(False)
        self.images, self.masks, self.shown = images, masks, shown
        self.loss = LOSSES["hinge"]

    def train_dataloader(self) -> DesignBatches:
        """Photos and masks of an epoch, drawn anew."""
        steps = self.config.steps_of(self.current_epoch)
        config = self.config
        return DesignBatches(self.images, self.masks, steps, config.groups, self.epoch_seed, config.mirror)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for both."""
        config = self.config
        pairs = ((self.designer, config.lr), (self.critic, config.critic_lr))
        return [torch.optim.Adam(network.parameters(), lr=rate, betas=(0.0, 0.99)) for network, rate in pairs]

    def training_step(self, batch: DesignBatch, index: int) -> None:
        """One step of each."""
        of_designer, of_critic = cast("list[LightningOptimizer]", self.optimizers())
        config = self.config
        left = rate_left(self.current_epoch * config.log_steps + index, config.steps, config.decay)
        set_rates((of_designer, of_critic), (config.lr, config.critic_lr), left)
        photos, own, masks, palette = batch
        real, own, masks = photos.float() / 127.5 - 1, own.float() / 255, masks.float() / 255
        colours = mean_colours(palette[0].float() / 127.5 - 1, palette[1].float() / 255)
        textures = torch.randn(len(masks), 2, self.designer.form.texture, device=real.device)
        conditions = factorial(textures, colours.unflatten(0, (-1, 2)), masks)
        made = self.designer(*conditions)
        self._critic_step(of_critic, real, own, made.detach(), conditions)
        self._designer_step(of_designer, made, conditions, (real, own))
        done = self.current_epoch * self.config.log_steps + self._counts["designer_loss"]
        follow(self.average, self.designer, self.config.average, done)

    def on_train_epoch_end(self) -> None:
        """Show what is designed.

        Raises:
            FloatingPointError: a loss became NaN or infinite.
        """
        super().on_train_epoch_end()
        if self.shown is not None and self.trainer.is_global_zero:
            self.shown(self.current_epoch + 1, self.average)

    def _critic_step(
        self, optimizer: LightningOptimizer, real: Tensor, own: Tensor, made: Tensor, conditions: Factorial
    ) -> None:
        self.critic.requires_grad_(True)
        _, colours, masks = conditions
        real_logits, real_colours = self.critic(*self._seen(real, own))
        made_logits, made_colours = self.critic(*self._seen(made, masks))
        loss = self.noted(self.loss.critic(real_logits.float(), made_logits.float()), "critic_loss")
        seen = (real_colours.float() - mean_colours(real, own)).square().sum(dim=1).mean()
        seen = seen + (made_colours.float() - colours).square().sum(dim=1).mean()
        optimizer.zero_grad()
        self.manual_backward(loss + self.config.told_colour * seen)
        optimizer.step()

    def _designer_step(
        self, optimizer: LightningOptimizer, made: Tensor, conditions: Factorial, photos: tuple[Tensor, Tensor]
    ) -> None:
        # The gradient runs through the critic, and is of no use in it.
        self.critic.requires_grad_(False)
        config = self.config
        _, colours, masks = conditions
        logits, told = self.critic(*self._seen(made, masks))
        total = self.noted(self.loss.generator(logits, logits.float()), "designer_loss")
        by_condition = made.float().unflatten(0, (-1, 2, 2, 2))
        first, second = (by_condition[:, number].flatten(0, 2) for number in range(2))
        one, other = (by_condition[:, :, number].flatten(0, 2) for number in range(2))
        inside = masks.unflatten(0, (-1, 2, 2, 2))[:, 0].flatten(0, 2)
        alike = pattern_similarity(first, second, inside)
        terms = {
            "told_colour": (told.float() - colours).square().sum(dim=1).mean(),
            "colour": colour_term(made.float(), masks, colours),
            "same_colour": same_colour_term(first, second, inside),
            "structure": structure_term(one, other) if config.structure else made.new_zeros(()),
            "ground": ground_term(made.float(), masks),
            "diversity": (alike - config.alike).relu().mean(),
            "contrast": contrast_term(made.float(), masks, *photos),
        }
        for name, term in terms.items():
            weight: float = getattr(config, name)
            if weight:
                total = total + weight * self.noted(term, name)
        optimizer.zero_grad()
        self.manual_backward(total)
        optimizer.step()

    def _seen(self, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """What the critic sees of images and masks: both moved alike, onto a white ground."""
        if not self.config.shift:
            return images, masks
        moved = shifted(torch.cat([images - 1, masks.to(images)], dim=1), self.config.shift)
        return moved[:, :3] + 1, moved[:, 3:]


DesignBatch = tuple[Tensor, Tensor, Tensor, tuple[Tensor, Tensor]]
"""Photos ``[8G, …]`` with their masks; masks to fill ``[G, 2, …]``; photos and masks whose colours are asked for."""


class DesignBatches:
    """Photos to learn from, masks to fill and photos whose colours are asked for, each drawn alone.

    Arguments:
        images: uint8 ``[N, 3, S, S]``.
        masks: uint8 ``[N, 1, S, S]``.
        steps: how many batches.
        groups: G of a batch.
        seed: of the draws.
        mirror: whether half of the photos and of the masks are mirrored.
    """

    def __init__(self, images: Tensor, masks: Tensor, steps: int, groups: int, seed: int, mirror: bool = True) -> None:
        self.images, self.masks, self.steps, self.groups, self.seed = images, masks, steps, groups, seed
        self.mirror = mirror

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[DesignBatch]:
        generator = torch.Generator().manual_seed(self.seed)

        def drawn(count: int) -> Tensor:
            return torch.randint(len(self.images), (count,), generator=generator)

        def turned(*parts: Tensor) -> list[Tensor]:
            if not self.mirror:
                return list(parts)
            chosen = torch.rand(len(parts[0]), 1, 1, 1, generator=generator) < 0.5
            return [torch.where(chosen, part.flip(-1), part) for part in parts]

        for _ in range(self.steps):
            photos, filled, asked = drawn(8 * self.groups), drawn(2 * self.groups), drawn(2 * self.groups)
            real, own = turned(self.images[photos], self.masks[photos])
            (places,) = turned(self.masks[filled])
            yield real, own, places.unflatten(0, (-1, 2)), (self.images[asked], self.masks[asked])
