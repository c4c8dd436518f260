"""Warnings of an adversarial training that goes wrong: images all alike, a critic that wins outright or guesses."""

from __future__ import annotations

import logging

from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

logger = logging.getLogger(__name__)

_ALIKE = 0.1
"""Of the variance of real images; below it generated ones count as all alike."""

_VARIED = 0.2

_WON = 0.02
"""Of the loss of a critic that cannot tell; below it the critic wins outright."""

_GUESSING = 0.002
"""How near to that loss a critic has come to guess; a good generator brings it near, and never so near."""


class Watch:
    """What is looked for after each epoch of an adversarial training; each warning is given once.

    Arguments:
        undecided: the loss of a critic that cannot tell real from generated; ``None`` where it has no lower bound, as
            with Wasserstein distances, whose critic cannot win outright.
        epochs: of the training.
    """

    def __init__(self, undecided: float | None, epochs: int) -> None:
        self.undecided, self.epochs = undecided, epochs
        self.varied = False
        self.warned: set[str] = set()

    def told(self, epoch: int, real: Tensor, generated: Tensor, critic_loss: float | None) -> dict[str, float]:
        """What is shown of an epoch; warns where something is wrong.

        Arguments:
            epoch: from 0.
            real: images ``[n, C, S, S]``.
            generated: images that the generator makes now, of the same classes.
            critic_loss: the mean of the epoch.
        """
        share = spread(generated) / max(spread(real), 1e-12)
        self.varied = self.varied or share > _VARIED
        # Untrained generators make images that are all alike, too: before they varied, only the last epoch counts.
        if share < _ALIKE and (self.varied or epoch + 1 == self.epochs):
            self._warn(
                "collapse",
                f"epoch {epoch + 1}: generated images are nearly all alike (their variance is {share:.3f} of that "
                "of the photos); try smaller learning rates, more critic_steps, or a penalty (r1, gradient_penalty)",
            )
        if critic_loss is not None:
            self.look_at_critic(epoch, critic_loss)
        return {"spread": round(share, 4)}

    def look_at_critic(self, epoch: int, critic_loss: float) -> None:
        """Warn of a critic that wins outright or guesses.

        Arguments:
            epoch: from 0.
            critic_loss: the mean of the epoch.
        """
        if self.undecided and abs(critic_loss / self.undecided - 1) < _GUESSING:
            self._warn(
                "guessing",
                f"epoch {epoch + 1}: the critic only guesses (loss {critic_loss:.4f}), and what the generator learns "
                "from it is chance; try smaller learning rates",
            )
        if self.undecided and critic_loss < _WON * self.undecided:
            self._warn(
                "critic",
                f"epoch {epoch + 1}: the critic wins outright (loss {critic_loss:.4f}), and what the generator learns "
                "from it is little; try a smaller critic_lr, a penalty (r1), or augment for few photos",
            )

    def _warn(self, what: str, words: str) -> None:
        if what not in self.warned:
            self.warned.add(what)
            logger.warning("%s", words)


def spread(images: Tensor) -> float:
    """Mean variance over images of what they show at 8 × 8 places.

    Arguments:
        images: ``[n, C, S, S]``.
    """
    return float(adaptive_avg_pool2d(images.float(), 8).var(dim=0, correction=0).mean())
