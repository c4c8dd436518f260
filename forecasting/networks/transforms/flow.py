"""Conditional densities from stacked bijections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Size, Tensor, nn
from torch.distributions import Distribution, constraints
from torch.nn import functional

from .base import Base
from .bijection import Bijection
from .level_solver import Workspace


class Flow(nn.Module):
    r"""A conditional density over D series, from bijections and a base density.

    .. math:: p(x \mid c) = p(f(x; c)) \, |\det \partial f / \partial x|

    Called with a context it returns a ``torch.distributions`` object. What the bijections need of the context
    is computed once and kept in that object.

    Densities are joint: an x with missing series has none. Impute them first and mask the loss.

    A flow computes in the type of its parameters and switches autocast off for itself: rounded shifts and
    log-scales would differ between the two directions, and a map that is inverted inexactly has no density.

    Arguments:
        bijections: the maps from data to noise, in this order.
        base: the density of the noise.
        context_features: width C of the context.

    Raises:
        ValueError: no bijection, parts that disagree on the number of series, or ``context_features``
            below 1.

    >>> from hemline.forecasting.networks.transforms import real_nvp
    >>> flow = real_nvp(features=3, context_features=5, hidden=16)
    >>> distribution = flow(torch.randn(4, 7, 5))
    >>> distribution.batch_shape, distribution.event_shape
    (torch.Size([4, 7]), torch.Size([3]))
    >>> distribution.log_prob(torch.randn(4, 7, 3)).shape
    torch.Size([4, 7])
    >>> distribution.sample((10,)).shape
    torch.Size([10, 4, 7, 3])
    """

    def __init__(self, bijections: Sequence[Bijection], base: Base, *, context_features: int) -> None:
        super().__init__()
        if not bijections:
            raise ValueError("bijections: expected at least one, got none")
        for index, bijection in enumerate(bijections):
            if bijection.features != base.features:
                raise ValueError(
                    f"bijections[{index}]: expected {base.features} features as of the base, got {bijection.features}"
                )
        if context_features < 1:
            raise ValueError(f"context_features: expected at least 1, got {context_features}")
        self.features = base.features
        self.context_features = context_features
        self.bijections = nn.ModuleList(bijections)
        self.base = base
        self.widths = [bijection.conditioning_features for bijection in bijections]
        self.conditioner = nn.Linear(context_features, sum(self.widths))

    def forward(self, context: Tensor) -> FlowDistribution:
        """The density given a context.

        Arguments:
            context: ``[..., C]``.

        Returns:
            a distribution of batch shape ``context.shape[:-1]`` and event shape ``(D,)``.

        Raises:
            ValueError: a context of another width.
        """
        if context.shape[-1:] != (self.context_features,):
            raise ValueError(
                f"context: expected {self.context_features} features on its last axis, got shape {tuple(context.shape)}"
            )
        with full_precision(context):
            context = context.to(self.conditioner.weight.dtype)
            # One product for each bijection: the gradient of one product cut to pieces is a copy of all.
            weights = self.conditioner.weight.split(self.widths)
            biases = self.conditioner.bias.split(self.widths)
            terms = [functional.linear(context, *each) for each in zip(weights, biases, strict=True)]
            return FlowDistribution(self, terms, context.shape[:-1])

    def to_base(self, x: Tensor, terms: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Map rows of data to noise.

        Arguments:
            x: data, ``[N, D]``.
            terms: the conditioning term of each bijection, ``[N, .]``.

        Returns:
            the noise ``[N, D]`` and the log of the absolute Jacobian determinant ``[N]``.
        """
        log_det = x.new_zeros(x.shape[0])
        for bijection, term in zip(self._maps(), terms, strict=True):
            x, change = bijection(x, term)
            log_det = log_det + change
        return x, log_det

    def from_base(self, z: Tensor, terms: Sequence[Tensor], workspace: Workspace | None = None) -> Tensor:
        """Map rows of noise to data.

        Arguments:
            z: noise, ``[N, D]``.
            terms: the conditioning term of each bijection, ``[N, .]``.
            workspace: memory of a decode; see `Bijection.inverse`.

        Returns:
            the data ``[N, D]``.
        """
        for bijection, term in zip(reversed(self._maps()), reversed(terms), strict=True):
            z = bijection.inverse(z, term, workspace)
        return z

    def _maps(self) -> list[Bijection]:
        return [cast(Bijection, bijection) for bijection in self.bijections]


class FlowDistribution(Distribution):
    """The density of D series that a :class:`Flow` gives to a context.

    Arguments:
        flow: the flow.
        terms: the conditioning term of each bijection, ``[..., .]``.
        batch_shape: what the leading axes of the terms are broadcast to.
    """

    arg_constraints: dict[str, constraints.Constraint] = {}  # noqa: RUF012  (the name and type are torch's)
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, flow: Flow, terms: Sequence[Tensor], batch_shape: Size) -> None:
        super().__init__(batch_shape, Size([flow.features]), validate_args=False)
        self.flow = flow
        self.terms = list(terms)

    def expand(
        self, batch_shape: Size | list[int] | tuple[int, ...], _instance: Distribution | None = None
    ) -> FlowDistribution:
        """The same density over more batch axes."""
        return FlowDistribution(self.flow, self.terms, Size(batch_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """The log-density of data ``[..., D]``, broadcast against the batch shape.

        Raises:
            ValueError: data of another number of series.
        """
        if value.shape[-1:] != self.event_shape:
            raise ValueError(
                f"value: expected {self.flow.features} series on its last axis, got shape {tuple(value.shape)}"
            )
        shape = torch.broadcast_shapes(value.shape[:-1], self.batch_shape)
        with full_precision(value):
            x = _rows(value.to(self.terms[0].dtype), shape)
            z, log_det = self.flow.to_base(x, self.rows(shape))
            return (self.flow.base.log_prob(z) + log_det).reshape(shape)

    @torch.no_grad()
    def sample(self, sample_shape: Sequence[int] | Size = (), generator: torch.Generator | None = None) -> Tensor:
        """Draw data ``[*sample_shape, *batch_shape, D]`` without gradients, from torch's generator if ``None``."""
        return self.rsample(sample_shape, generator)

    def rsample(self, sample_shape: Sequence[int] | Size = (), generator: torch.Generator | None = None) -> Tensor:
        """Draw data ``[*sample_shape, *batch_shape, D]``, from torch's generator if ``None``.

        Through a masked autoregressive flow, a draw with gradients enabled takes one full pass for each
        level; ``sample`` is the fast one, and for draw after draw a `FlowSampler` is faster still.
        """
        shape = self._extended_shape(Size(sample_shape))
        with full_precision(self.terms[0]):
            terms = self.rows(shape[:-1])
            z = self.flow.base.rsample(terms[0].shape[0], like=terms[0], generator=generator)
            return self.flow.from_base(z, terms).reshape(shape)

    def rows(self, shape: Size) -> list[Tensor]:
        """The conditioning term of each bijection, ``[N, .]``, for a shape to which the batch is broadcast."""
        return [_rows(term, shape) for term in self.terms]

    def __repr__(self) -> str:
        return f"FlowDistribution(batch_shape={self.batch_shape}, event_shape={self.event_shape})"


def _rows(values: Tensor, shape: Size) -> Tensor:
    return values.expand(*shape, values.shape[-1]).reshape(shape.numel(), values.shape[-1])


def full_precision(values: Tensor) -> torch.autocast:
    """Without autocast on the device of some values."""
    return torch.autocast(values.device.type, enabled=False)
