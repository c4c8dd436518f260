"""The contract of an emission head, and the one place where a density meets the scale."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.distributions import Distribution


class EmissionHead(nn.Module, ABC):
    """Turns context vectors into values of the D series: a training loss and a sampler."""

    @abstractmethod
    def loss(self, context: Tensor, target: Tensor, scale: Tensor, observed: Tensor | None = None) -> Tensor:
        """The loss of every step.

        Arguments:
            context: ``[B, T, C]``.
            target: ``[B, T, D]``, unscaled; 0 where missing.
            scale: ``[B, D]``, positive.
            observed: ``[B, T, D]``, 1 where seen; ``None`` where all were.

        Returns:
            ``[B, T]``: for a density head the negative log-likelihood of the step, in nats of unscaled units.
        """

    @abstractmethod
    def sample(self, context: Tensor, scale: Tensor) -> Tensor:
        """Draw one joint value a context.

        Arguments:
            context: ``[..., C]``.
            scale: ``[..., D]``.

        Returns:
            ``[..., D]``, unscaled.
        """


class HeadConfig(ABC):
    """The numbers of a head; a frozen dataclass that builds the module once D is known."""

    @abstractmethod
    def build(self, series: int, context_size: int) -> EmissionHead:
        """Make the head for `series` series on contexts of width `context_size`."""


class DensityHead(EmissionHead):
    """A head that supplies only `distribution`; scaling, its Jacobian and masks are applied here, once.

    With ``z = x / s`` the density of the data is ``p(x) = p_z(x / s) / prod(s)``, so the loss is
    ``-log p_z(z) + sum(log s)``.

    A distribution with an empty event shape is one density a series: missing series are left out exactly, and the
    rest counts for them. A joint one (event shape ``[D]``) cannot be evaluated on part of its series: their
    places are taken by values of the same window at another time, which keeps each series' own distribution.
    """

    @abstractmethod
    def distribution(self, context: Tensor) -> Distribution:
        """The density of the scaled values: batch shape ``[...]`` and event ``[D]``, or batch ``[..., D]``."""

    def loss(self, context: Tensor, target: Tensor, scale: Tensor, observed: Tensor | None = None) -> Tensor:
        """Negative log-likelihood of every step; see `EmissionHead.loss`."""
        scaled = target / scale[:, None]
        density = self.distribution(context)
        if density.event_shape:
            if observed is not None:
                scaled = borrow(scaled, observed)
            return scale.log().sum(-1, keepdim=True) - density.log_prob(scaled)
        terms = scale.log()[:, None] - density.log_prob(scaled)
        if observed is None:
            return terms.sum(-1)
        share = observed.mean(-1).clamp_min(1 / observed.shape[-1])
        return (terms * observed).sum(-1) / share

    def sample(self, context: Tensor, scale: Tensor) -> Tensor:
        """Draw one joint value a context; see `EmissionHead.sample`."""
        return self.distribution(context).sample() * scale


def borrow(values: Tensor, observed: Tensor) -> Tensor:
    """Fill missing values with those of the same window and series at other steps, 0 where none was seen.

    Arguments:
        values: ``[B, T, D]``.
        observed: ``[B, T, D]``, 1 where seen.

    Returns:
        ``[B, T, D]`` without gaps.
    """
    filled, seen = values * observed, observed
    for shift in torch.randperm(values.shape[1] - 1)[:3].tolist() if values.shape[1] > 1 else []:
        moved, known = filled.roll(shift + 1, dims=1), seen.roll(shift + 1, dims=1)
        filled = torch.where(seen > 0, filled, moved)
        seen = torch.maximum(seen, known)
    return filled
