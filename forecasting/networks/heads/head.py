"""The contract of an emission head, and the one place where a density meets the scale."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from ....runtime.arguments.kinds import Checked

Sampler = Callable[[Tensor, Tensor], Tensor]
"""Contexts ``[..., C]`` and scales ``[..., D]`` to values ``[..., D]`` drawn from them, unscaled."""

HeadLoss = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]
"""What `EmissionHead.loss` takes and gives."""


class EmissionHead(nn.Module, ABC):
    """Turns context vectors into values of the D series: a training loss and a sampler."""

    lattice: ClassVar[bool] = False
    """Whether the head draws whole numbers, and its loss takes them as they are."""

    shared: ClassVar[bool] = False
    """Whether the weights are shared by the series, so that a context of some of them gives these series."""

    by_series: ClassVar[bool] = False
    """Whether the numbers of a density stand series by series in the weights, and not kind by kind."""

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
    def sample(self, context: Tensor, scale: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw one joint value a context.

        Arguments:
            context: ``[..., C]``.
            scale: ``[..., D]``.
            generator: of the draws, on the device of the context; torch's own if ``None``.

        Returns:
            ``[..., D]``, unscaled.
        """

    def sampler(self, generator: torch.Generator | None) -> Sampler:
        """`sample` for the steps of one decode, each of which goes on drawing where the last one stopped.

        Memory that a head keeps from one draw to the next belongs here, not on the head: other threads draw from it.

        Arguments:
            generator: of the draws, on the device of the context; torch's own if ``None``.
        """
        return partial(self.sample, generator=generator)


class HeadConfig(Checked, ABC):
    """The numbers of a head; a frozen dataclass that builds the module once D is known."""

    @abstractmethod
    def build(self, series: int, context_size: int) -> EmissionHead:
        """Make the head for `series` series on contexts of width `context_size`."""


class DensityHead(EmissionHead):
    """A head that supplies only `distribution` and `draw`; scaling, its Jacobian and masks are applied here, once.

    With ``z = x / s`` the density of the data is ``p(x) = p_z(x / s) / prod(s)``, so the loss is
    ``-log p_z(z) + sum(log s)``.

    Where series are missing, the loss is that of the density of those seen, counted for all. `marginal_log_prob`
    says it: exactly for a density a series (an empty event shape), and for a joint one whose head can integrate
    the others out. A joint density that can only be evaluated on all its series (a flow) has their places taken
    by values of the same window (`borrow`): of the series at another time, which keeps its own distribution, and of
    another series where it was never seen there. A constant instead would be learnt as what such a series sells.
    """

    @abstractmethod
    def distribution(self, context: Tensor) -> Distribution:
        """The density of the scaled values: batch shape ``[...]`` and event ``[D]``, or batch ``[..., D]``."""

    def loss(self, context: Tensor, target: Tensor, scale: Tensor, observed: Tensor | None = None) -> Tensor:
        """Negative log-likelihood of every step; see `EmissionHead.loss`."""
        scaled, log_scale = target / scale[:, None], scale.log()[:, None]
        density = self.distribution(context)
        if observed is not None:
            seen = self.marginal_log_prob(density, scaled, observed)
            if seen is not None:
                share = observed.mean(-1).clamp_min(1 / observed.shape[-1])
                return ((log_scale * observed).sum(-1) - seen) / share
            scaled = borrow(scaled, observed)
        log_prob = density.log_prob(scaled)
        return log_scale.sum(-1) - (log_prob if density.event_shape else log_prob.sum(-1))

    def marginal_log_prob(self, density: Distribution, value: Tensor, observed: Tensor) -> Tensor | None:
        """Log-density of the series seen at each step, the others integrated out.

        Arguments:
            density: what `distribution` returned.
            value: ``[B, T, D]``, scaled; anything finite where nothing was seen.
            observed: ``[B, T, D]``, 1 where seen.

        Returns:
            ``[B, T]``, or ``None`` where the density has no marginals that can be computed.
        """
        return None if density.event_shape else (density.log_prob(value) * observed).sum(-1)

    @abstractmethod
    def draw(self, density: Distribution, generator: torch.Generator | None) -> Tensor:
        """One joint value ``[..., D]`` of each density that `distribution` returned, scaled, without gradients."""

    @torch.no_grad()
    def sample(self, context: Tensor, scale: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw one joint value a context; see `EmissionHead.sample`."""
        return self.draw(self.distribution(context), generator) * scale


def borrow(values: Tensor, observed: Tensor) -> Tensor:
    """Fill missing values with those of the same window and series at other steps.

    A series that the window never saw, one before its launch or a free place, takes all steps of another that it saw,
    drawn anew for each window: what is known of an article without a past is what the others are like. Where nothing
    was seen at all, values are 0.

    Arguments:
        values: ``[B, T, D]``, in units in which one series is like another.
        observed: ``[B, T, D]``, 1 where seen.

    Returns:
        ``[B, T, D]`` without gaps.
    """
    filled, seen = values * observed, observed
    for shift in torch.randperm(values.shape[1] - 1)[:3].tolist() if values.shape[1] > 1 else []:
        moved, known = filled.roll(shift + 1, dims=1), seen.roll(shift + 1, dims=1)
        filled = torch.where(seen > 0, filled, moved)
        seen = torch.maximum(seen, known)
    # What none of these reached takes the last value before it, those at the start the newest one of the window.
    steps = torch.arange(values.shape[1], device=values.device)[:, None]
    lenders = torch.where(seen > 0, steps, -1)
    last, newest = lenders.cummax(1).values, lenders.amax(1, keepdim=True)
    filled = filled.gather(1, torch.where(last < 0, newest, last).clamp_min(0))
    there = newest[:, 0] >= 0
    if bool(there.all()) or not bool(there.any()):
        return filled
    weights = torch.where(there.any(-1, keepdim=True), there.to(values.dtype), 1.0)
    lender = torch.multinomial(weights, values.shape[-1], replacement=True)
    own = torch.arange(values.shape[-1], device=values.device)
    return filled.gather(2, torch.where(there, own, lender)[:, None].expand_as(filled))
