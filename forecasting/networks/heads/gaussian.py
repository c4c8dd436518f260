"""Gaussian heads: independent series, and a joint covariance of low rank plus a diagonal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Normal
from torch.nn.functional import softplus

from ....runtime.arguments.kinds import Count, Positive
from .head import DensityHead, HeadConfig


@dataclass(frozen=True)
class Gaussian(HeadConfig):
    """A normal density a series, independent given the context (Vec-LSTM ind-scaling, arXiv 1910.03002).

    Arguments:
        minimum_scale: smallest standard deviation, in scaled units; keeps the density finite on constant series.

    Example:
        >>> import torch
        >>> head = Gaussian().build(series=3, context_size=8)
        >>> head.sample(torch.zeros(5, 8), torch.ones(5, 3)).shape
        torch.Size([5, 3])
    """

    minimum_scale: Positive = 1e-3

    def build(self, series: int, context_size: int) -> GaussianHead:
        """Make the head for `series` series on contexts of width `context_size`."""
        return GaussianHead(series, context_size, self.minimum_scale)


class GaussianHead(DensityHead):
    """Mean and standard deviation of each series, linear in the context."""

    def __init__(self, series: int, context_size: int, minimum_scale: float) -> None:
        super().__init__()
        self.minimum_scale = minimum_scale
        self.parameters_of = nn.Linear(context_size, 2 * series)

    def distribution(self, context: Tensor) -> Normal:
        """Batch shape ``[..., D]``, empty event shape."""
        mean, width = self.parameters_of(context).chunk(2, dim=-1)
        return Normal(mean, self.minimum_scale + softplus(width), validate_args=False)

    def draw(self, density: Distribution, generator: torch.Generator | None) -> Tensor:
        """One value of each series, ``[..., D]``."""
        assert isinstance(density, Normal)
        return torch.normal(density.loc, density.scale, generator=generator)


@dataclass(frozen=True)
class LowRank(HeadConfig):
    """Base configuration of low-rank Gaussian heads.

    Arguments:
        rank: columns r of the factor.
        minimum_scale: smallest standard deviation that is a series' own, in scaled units.
    """

    rank: Count = 10
    minimum_scale: Positive = 1e-3


@dataclass(frozen=True)
class LowRankGaussian(LowRank):
    r"""A joint normal density with covariance :math:`\mathrm{diag}(d^2) + V V^\top` (arXiv 1910.03002, eq. 6).

    Arguments:
        rank: columns r of the factor V ``[D, r]``.
        minimum_scale: smallest ``d``, in scaled units.

    Example:
        >>> import torch
        >>> head = LowRankGaussian(rank=2).build(series=3, context_size=8)
        >>> head.sample(torch.zeros(5, 8), torch.ones(5, 3)).shape
        torch.Size([5, 3])
    """

    def build(self, series: int, context_size: int) -> LowRankGaussianHead:
        """Make the head for `series` series on contexts of width `context_size`."""
        return LowRankGaussianHead(series, context_size, self)


class LowRankNormal(Distribution):
    r"""A joint normal density with covariance :math:`\mathrm{diag}(d^2) + V V^\top`.

    It differs from torch's ``LowRankMultivariateNormal`` in that it can integrate missing series out, and in that the
    factor, by far the largest of its numbers, is gone over once, :math:`W = D^{-1} V`. By the matrix determinant lemma
    and Woodbury's identity, with :math:`C = I + W^\top W`, :math:`u = D^{-1} (x - \mu)` and
    :math:`c = C^{-1} W^\top u`,

    .. math:: -2 \log p(x) = |u - W c|^2 + |c|^2 + \log |C| + 2 \sum_i \log d_i + D \log 2 \pi,

    sums of squares, where the difference :math:`|u|^2 - u^\top W c` that equals the first two is of large numbers.

    Arguments:
        mean: ``[..., D]``.
        own: ``[..., D]`` standard deviations ``d`` that are a series' own, positive.
        factor: ``[..., D, r]`` the factor V.

    Example:
        >>> density = LowRankNormal(torch.zeros(2), torch.ones(2), torch.ones(2, 1))
        >>> found = density.log_prob(torch.tensor([0.5, 99.0]), observed=torch.tensor([1.0, 0.0]))
        >>> torch.testing.assert_close(found, Normal(0.0, 2**0.5).log_prob(torch.tensor(0.5)))
    """

    def __init__(self, mean: Tensor, own: Tensor, factor: Tensor) -> None:
        super().__init__(mean.shape[:-1], mean.shape[-1:], validate_args=False)
        self.loc, self.own, self.factor = mean, own, factor

    def sample(self, sample_shape: Sequence[int] = (), generator: torch.Generator | None = None) -> Tensor:
        """Draw values ``[*sample_shape, ..., D]``."""
        shape = (*sample_shape, *self.batch_shape)
        kind: dict[str, Any] = {"dtype": self.loc.dtype, "device": self.loc.device, "generator": generator}
        with torch.no_grad():
            common = torch.randn(*shape, self.factor.shape[-1], **kind)
            alone = torch.randn(*shape, *self.event_shape, **kind)
            return self.loc + self.own * alone + (self.factor @ common[..., None])[..., 0]

    def log_prob(self, value: Tensor, observed: Tensor | None = None) -> Tensor:
        """Log-density of the series that were seen, the others integrated out exactly.

        A marginal of a normal density drops rows and columns: here, what they add to each of the sums.

        Arguments:
            value: ``[..., D]``; anything finite where nothing was seen.
            observed: ``[..., D]``, 1 where seen; ``None`` where all were.

        Returns:
            ``[...]``, 0 where no series was seen.
        """
        inverse, width = self.own.reciprocal(), self.own.log() + 0.5 * math.log(2 * math.pi)
        if observed is not None:
            inverse, width = inverse * observed, width * observed
        alone = (value - self.loc) * inverse
        shared = self.factor * inverse[..., None]
        inner = shared.mT @ shared + torch.eye(shared.shape[-1], dtype=shared.dtype, device=shared.device)
        triangle = torch.linalg.cholesky(inner)
        # No other c makes the two sums smaller: their gradient is the same whether it counts as given or not.
        with torch.no_grad():
            common = torch.cholesky_solve(shared.mT @ alone[..., None], triangle)
        left = alone - (shared @ common)[..., 0]
        distance = left.square().sum(-1) + common.square().sum((-1, -2))
        return -0.5 * distance - triangle.diagonal(dim1=-2, dim2=-1).log().sum(-1) - width.sum(-1)


class LowRankHead(DensityHead):
    """Base class of low-rank Gaussian heads, with exact marginal densities."""

    def marginal_log_prob(self, density: Distribution, value: Tensor, observed: Tensor) -> Tensor:
        """Log-density ``[...]`` of the series seen; see `LowRankNormal.log_prob`."""
        assert isinstance(density, LowRankNormal)
        return density.log_prob(value, observed)

    def draw(self, density: Distribution, generator: torch.Generator | None) -> Tensor:
        """One value of all series, ``[..., D]``."""
        assert isinstance(density, LowRankNormal)
        return density.sample(generator=generator)


class LowRankGaussianHead(LowRankHead):
    """Mean, diagonal and factor of all series, linear in the context."""

    by_series = True

    def __init__(self, series: int, context_size: int, config: LowRankGaussian) -> None:
        super().__init__()
        self.series, self.rank, self.minimum_scale = series, config.rank, config.minimum_scale
        self.parameters_of = nn.Linear(context_size, (2 + config.rank) * series)

    def distribution(self, context: Tensor) -> LowRankNormal:
        """Batch shape ``[...]``, event shape ``[D]``."""
        parameters = self.parameters_of(context).unflatten(-1, (self.series, 2 + self.rank))
        return low_rank_normal(parameters, self.minimum_scale)


def low_rank_normal(parameters: Tensor, minimum_scale: float) -> LowRankNormal:
    """A joint normal density from the outputs of a network.

    Arguments:
        parameters: ``[..., D, 2 + r]``: mean, raw standard deviation and r factors of each series.
        minimum_scale: smallest standard deviation that is a series' own.

    Returns:
        Batch shape ``[...]``, event shape ``[D]``.
    """
    mean, width, factor = parameters.split([1, 1, parameters.shape[-1] - 2], dim=-1)
    own = minimum_scale + softplus(width[..., 0])
    # So that the shared variance does not grow with the rank before anything is learnt.
    return LowRankNormal(mean[..., 0], own, factor / math.sqrt(factor.shape[-1]))
