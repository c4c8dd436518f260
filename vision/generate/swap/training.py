"""Training an article swap: a critic of pairs, and a cycle through the swap back."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, cast

import numpy as np
import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor

from ....datasets.pictures.worn.pairs import WornPairs
from ....runtime.arguments.kinds import Checked, Count, NotNegative, Positive, Seed, Within
from ....runtime.devices import Precision
from ....runtime.training.epochs import EpochTraining
from ..adversarial.averaging import follow
from ..adversarial.steps import InSteps
from ..adversarial.watch import Watch
from .network import PairCritic, Swapper
from .terms import UNDECIDED, adversarial_term, composed, cycle_term, identity_term, pair_critic_loss

_WATCHED = 64
"""Photos by which collapse is looked for."""


@dataclass(frozen=True)
class SwapConfig(Checked, InSteps):
    """How an article swap is trained.

    Arguments:
        steps: of the generator.
        batch_size: photos a step.
        lr: learning rate of the generator.
        critic_lr: learning rate of the critic.
        adversarial: weight of `adversarial_term`.
        cycle: γ_c, weight of `cycle_term`; 0 for no swap back.
        identity: γ_i, weight of `identity_term`.
        mirror: whether half of the photos are mirrored with their articles, by chance.
        average: decay a step of the running mean of the weights, which is what is kept.
        log_steps: steps of an epoch: of a row of the log and of a state to go on from.
        seed: draws weights, order and articles.
        precision: Lightning's precision, or ``"auto"``, see `AdversarialConfig`; 16 bits were no faster on processors.
        device: Lightning's accelerator.
    """

    steps: Count = 4000
    batch_size: Count = 8
    lr: Positive = 1e-3
    critic_lr: Positive = 1e-3
    adversarial: NotNegative = 1.0
    cycle: NotNegative = 5.0
    identity: NotNegative = 0.5
    mirror: bool = True
    average: Annotated[float, Within(0, 1, below=True)] = 0.995
    log_steps: Count = 250
    seed: Seed = 0
    precision: Literal["auto"] | Precision = "32-true"
    device: str = "auto"


class SwapTraining(EpochTraining):
    """Generator and critic of article swaps under Lightning, by turns.

    Arguments:
        swapper: with random weights, or those to go on from.
        critic: likewise.
        config: the options.
        pairs: what is learnt from.
        shown: called with the number of the epoch and the generator that is kept, after each epoch.
    """

    def __init__(
        self,
        swapper: Swapper,
        critic: PairCritic,
        config: SwapConfig,
        pairs: WornPairs,
        shown: Callable[[int, Swapper], None] | None = None,
    ) -> None:
        super().__init__(config.epochs, config.seed)
        self.automatic_optimization = False
        for network in (swapper, critic):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.swapper, self.critic, self.config = swapper, critic, config
        self.average = copy.deepcopy(swapper).eval().requires_grad_(False)
        self.pairs, self.shown = pairs, shown
        self.watch = Watch(UNDECIDED, config.epochs)
        self._told: dict[str, float] = {}

    def train_dataloader(self) -> SwapBatches:
        """Photos, worn and wanted articles of an epoch, drawn anew."""
        steps = self.config.steps_of(self.current_epoch)
        return SwapBatches(self.pairs, steps, self.config.batch_size, self.epoch_seed, self.config.mirror)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for both."""
        pairs = ((self.swapper, self.config.lr), (self.critic, self.config.critic_lr))
        return [torch.optim.Adam(network.parameters(), lr=rate, betas=(0.5, 0.99)) for network, rate in pairs]

    def training_step(self, batch: SwapBatch, index: int) -> None:
        """One step of each."""
        of_swapper, of_critic = cast("list[LightningOptimizer]", self.optimizers())
        images, worn, wanted = (
            (part.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last) for part in batch
        )
        alpha, drawn = self.swapper(images, worn, wanted)
        swapped = composed(images, alpha, drawn)
        self._critic_step(of_critic, images, worn, wanted, swapped.detach())
        self._swapper_step(of_swapper, images, worn, wanted, swapped, alpha)
        done = self.current_epoch * self.config.log_steps + self._counts["swap_loss"]
        follow(self.average, self.swapper, self.config.average, done)

    def on_train_epoch_end(self) -> None:
        """Look for a critic that wins outright, and show what is swapped.

        Raises:
            FloatingPointError: a loss became NaN or infinite.
        """
        first = SwapBatches(self.pairs, 1, _WATCHED, self.config.seed, False)
        images, worn, wanted = (part.to(self.device).float() / 127.5 - 1 for part in next(iter(first)))
        with torch.no_grad():
            swapped = composed(images, *self.average(images, worn, wanted))
        total = self._sums.get("critic_loss")
        mean = None if total is None else float(total) / self._counts["critic_loss"]
        self._told = self.watch.told(self.current_epoch, images, swapped, mean)
        super().on_train_epoch_end()
        if self.shown is not None and self.trainer.is_global_zero:
            self.shown(self.current_epoch + 1, self.average)

    def watched_values(self) -> dict[str, float]:
        """How far swapped photos differ from each other, in shares of how far photos do."""
        return self._told

    def _critic_step(
        self, optimizer: LightningOptimizer, images: Tensor, worn: Tensor, wanted: Tensor, swapped: Tensor
    ) -> None:
        self.critic.requires_grad_(True)
        # In one batch, which is faster; a critic without batch statistics judges each alone.
        logits = self.critic(torch.cat([images, swapped, images]), torch.cat([worn, wanted, wanted]))
        loss = self.noted(pair_critic_loss(*logits.float().chunk(3)), "critic_loss")
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()

    def _swapper_step(
        self,
        optimizer: LightningOptimizer,
        images: Tensor,
        worn: Tensor,
        wanted: Tensor,
        swapped: Tensor,
        alpha: Tensor,
    ) -> None:
        # The gradient runs through the critic, and is of no use in it.
        self.critic.requires_grad_(False)
        config = self.config
        judged = self.noted(adversarial_term(self.critic(swapped, wanted).float()), "swap_loss")
        total = config.adversarial * judged + config.identity * self.noted(identity_term(alpha.float()), "identity")
        if config.cycle:
            back = composed(swapped, *self.swapper(swapped, wanted, worn))
            total = total + config.cycle * self.noted(cycle_term(images, back.float()), "cycle")
        optimizer.zero_grad()
        self.manual_backward(total)
        optimizer.step()


SwapBatch = tuple[Tensor, Tensor, Tensor]
"""uint8 photos, articles worn on them and articles wanted, ``[B, 3, H, W]`` each."""


class SwapBatches:
    """Photos with the article worn, and for each another article of the same kind.

    Arguments:
        pairs: N photos with their articles; each kind has two different articles or more.
        steps: how many batches.
        count: photos of a batch.
        seed: of the draws.
        mirror: whether half of the photos are mirrored, with their articles.
    """

    def __init__(self, pairs: WornPairs, steps: int, count: int, seed: int, mirror: bool) -> None:
        self.steps, self.count, self.seed, self.mirror = steps, count, seed, mirror
        self.images, self.articles = torch.from_numpy(pairs.images), torch.from_numpy(pairs.articles)
        # Pairs by kind, and those of one article beside each other: what follows them is another article.
        same = _numbered(pairs)
        self.order = np.lexsort((same, pairs.kinds))
        kinds = pairs.kinds[self.order]
        self.begin, self.end = (np.searchsorted(kinds, kinds, side=side) for side in ("left", "right"))
        blocks = np.cumsum(np.concatenate([[0], np.diff(kinds) | np.diff(same[self.order])]) != 0)
        self.first, self.last = (np.searchsorted(blocks, blocks, side=side) for side in ("left", "right"))

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[SwapBatch]:
        generator = torch.Generator().manual_seed(self.seed)
        for _ in range(self.steps):
            worn = torch.randint(len(self.order), (self.count,), generator=generator).numpy()
            share = torch.rand(self.count, generator=generator, dtype=torch.float64).numpy()
            others = self.end[worn] - self.begin[worn] - (self.last[worn] - self.first[worn])
            at = self.begin[worn] + np.minimum((share * others).astype(np.int64), others - 1)
            at = np.where(at >= self.first[worn], at + self.last[worn] - self.first[worn], at)
            chosen, wanted = (torch.from_numpy(self.order[places]) for places in (worn, at))
            parts = (self.images[chosen], self.articles[chosen], self.articles[wanted])
            if self.mirror:
                turned = torch.rand(self.count, 1, 1, 1, generator=generator) < 0.5
                parts = tuple(torch.where(turned, part.flip(-1), part) for part in parts)  # type: ignore[assignment]
            yield parts


def swappable(pairs: WornPairs) -> np.ndarray:
    """Which pairs have an article for which there is another of its kind, bool ``[N]``."""
    same, kinds = _numbered(pairs), pairs.kinds
    several = [len(set(same[kinds == kind])) > 1 for kind in range(int(kinds.max(initial=-1)) + 1)]
    return np.array(several, dtype=bool)[kinds]


def _numbered(pairs: WornPairs) -> np.ndarray:
    """The number of the article of each pair, the same for packshots that show the same, int64 ``[N]``."""
    shown = [article.tobytes() for article in pairs.articles]
    numbers = {content: number for number, content in enumerate(dict.fromkeys(shown))}
    return np.array([numbers[content] for content in shown], dtype=np.int64)
