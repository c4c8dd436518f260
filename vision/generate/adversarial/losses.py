"""Adversarial losses: functions of the critic's logits for real and for generated images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn.functional import relu, softplus

Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits of real and of generated images, ``[B]`` each, to a mean over the batch."""

LossName = Literal["original", "non-saturating", "wasserstein", "hinge", "relativistic"]


@dataclass(frozen=True)
class AdversarialLoss:
    """What critic and generator minimise.

    Arguments:
        critic: the critic's loss.
        generator: the generator's loss.
        undecided: the critic's loss where all logits are 0; ``None`` where its loss has no lower bound.
        pairs: whether a loss needs real and generated logits together.
    """

    critic: Loss
    generator: Loss
    undecided: float | None
    pairs: bool = False


def original_critic(real: Tensor, generated: Tensor) -> Tensor:
    """Cross-entropy of telling real from generated: ``−mean log σ(r) − mean log(1 − σ(g))``.

    Smallest, for fixed images, where the logit is ``log p_real − log p_generated``; at equal densities it is 2 log 2.

    Source: I. Goodfellow et al. (2014), arXiv 1406.2661, equation 1.
    """
    return softplus(-real).mean() + softplus(generated).mean()


def original_generator(real: Tensor, generated: Tensor) -> Tensor:
    """``mean log(1 − σ(g))``: the negative of the critic's term, flat where the critic is sure (arXiv 1406.2661)."""
    return -softplus(generated).mean()


def non_saturating_generator(real: Tensor, generated: Tensor) -> Tensor:
    """``−mean log σ(g)``: the same zero of the gradient, steep where the critic is sure (arXiv 1406.2661, §3)."""
    return softplus(-generated).mean()


def wasserstein_critic(real: Tensor, generated: Tensor) -> Tensor:
    """``mean g − mean r``, for a critic that is kept Lipschitz (M. Arjovsky et al. (2017), arXiv 1701.07875, eq. 3)."""
    return generated.mean() - real.mean()


def wasserstein_generator(real: Tensor, generated: Tensor) -> Tensor:
    """``−mean g`` (arXiv 1701.07875); the generator's loss beside a hinge, too (arXiv 1802.05957, equation 17)."""
    return -generated.mean()


def hinge_critic(real: Tensor, generated: Tensor) -> Tensor:
    """``mean max(0, 1 − r) + mean max(0, 1 + g)``; 2 where all logits are 0.

    Source: T. Miyato et al. (2018), arXiv 1802.05957, equation 16.
    """
    return relu(1 - real).mean() + relu(1 + generated).mean()


def relativistic_critic(real: Tensor, generated: Tensor) -> Tensor:
    """``−mean log σ(r − g)`` over pairs of a real and a generated image; log 2 where the logits are equal.

    Source: A. Jolicoeur-Martineau (2018), arXiv 1807.00734, equation 5.
    """
    return softplus(generated - real).mean()


def relativistic_generator(real: Tensor, generated: Tensor) -> Tensor:
    """``−mean log σ(g − r)`` (arXiv 1807.00734, equation 6)."""
    return softplus(real - generated).mean()


LOSSES: dict[str, AdversarialLoss] = {
    "original": AdversarialLoss(original_critic, original_generator, 1.3862943611198906),
    "non-saturating": AdversarialLoss(original_critic, non_saturating_generator, 1.3862943611198906),
    "wasserstein": AdversarialLoss(wasserstein_critic, wasserstein_generator, None),
    "hinge": AdversarialLoss(hinge_critic, wasserstein_generator, 2.0),
    "relativistic": AdversarialLoss(relativistic_critic, relativistic_generator, 0.6931471805599453, pairs=True),
}
