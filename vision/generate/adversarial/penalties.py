"""What keeps a critic smooth and a generator even: penalties on gradients, and clipped weights."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

Critic = Callable[[Tensor], Tensor]
"""Images ``[B, C, S, S]`` to logits ``[B]``."""


def gradient_penalty(critic: Critic, real: Tensor, generated: Tensor) -> Tensor:
    """Mean of ``(‖∇D(x̂)‖ − 1)²`` at random points between real and generated images.

    Arguments:
        critic: images to logits; each logit depends on its own image alone.
        real: ``[B, C, S, S]``.
        generated: likewise, as many.

    Returns:
        A scalar that can be differentiated once more.

    Source: I. Gulrajani et al. (2017), arXiv 1704.00028, equation 3 and algorithm 1.
    """
    share = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype)
    between = (share * real + (1 - share) * generated).detach()
    return (_gradients(critic, between).flatten(1).norm(dim=1) - 1).square().mean()


def squared_gradient(critic: Critic, images: Tensor) -> Tensor:
    """Mean of ``‖∇D(x)‖²``: R1 on real images, R2 on generated ones; the published weight is γ/2.

    Source: L. Mescheder et al. (2018), arXiv 1801.04406, equation 9.
    """
    return _gradients(critic, images.detach()).square().flatten(1).sum(dim=1).mean()


def drift(real: Tensor) -> Tensor:
    """Mean squared logit of real images, which keeps a critic without bounds near 0 (arXiv 1710.10196, appendix A)."""
    return real.square().mean()


def clip_weights(network: nn.Module, most: float) -> None:
    """Bring every weight of a network to ``[−most, most]``, in place (arXiv 1701.07875, algorithm 1)."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.clamp_(-most, most)


class PathLength(nn.Module):
    """Penalty on how far images move with the style: ``mean (‖Jᵀ y‖ − a)²``, with the running mean a of the lengths.

    The images y of noise have the variance one over the number of pixels; ``Jᵀ y`` is the gradient of ``⟨G(w), y⟩``.

    Arguments:
        decay: of the running mean.

    Source: T. Karras et al. (2020), arXiv 1912.04958, equation 4.
    """

    mean: Tensor

    def __init__(self, decay: float = 0.99) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, images: Tensor, styles: Tensor) -> Tensor:
        """The penalty.

        Arguments:
            images: ``[B, C, S, S]``, made from the styles.
            styles: ``[B, L, W]``, one for each layer, or ``[B, W]``.
        """
        noise = torch.randn_like(images) / math.sqrt(images.shape[-1] * images.shape[-2])
        (moved,) = torch.autograd.grad((images * noise).sum(), styles, create_graph=True)
        lengths = moved.square().sum(dim=-1).reshape(len(images), -1).mean(dim=1).sqrt()
        now = self.mean + (1 - self.decay) * (lengths.mean().detach() - self.mean)
        self.mean.copy_(now)
        return (lengths - now).square().mean()


def _gradients(critic: Critic, images: Tensor) -> Tensor:
    images = images.requires_grad_(True)
    (found,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return found
