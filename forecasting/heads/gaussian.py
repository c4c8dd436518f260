"""Gaussian heads: independent series, and a joint covariance of low rank plus a diagonal."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, LowRankMultivariateNormal, Normal
from torch.nn.functional import softplus

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

    minimum_scale: float = 1e-3

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


@dataclass(frozen=True)
class LowRankGaussian(HeadConfig):
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

    rank: int = 10
    minimum_scale: float = 1e-3

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"rank: expected at least 1 factor, got {self.rank}")

    def build(self, series: int, context_size: int) -> LowRankGaussianHead:
        """Make the head for `series` series on contexts of width `context_size`."""
        return LowRankGaussianHead(series, context_size, self)


class LowRankHead(DensityHead):
    """What joint normal densities of low rank share: the exact density of a part of the series."""

    def marginal_log_prob(self, density: Distribution, value: Tensor, observed: Tensor) -> Tensor:
        """Log-density ``[...]`` of the series seen; see `seen_log_prob`."""
        assert isinstance(density, LowRankMultivariateNormal)
        return seen_log_prob(density, value, observed)


class LowRankGaussianHead(LowRankHead):
    """Mean, diagonal and factor of all series, linear in the context."""

    def __init__(self, series: int, context_size: int, config: LowRankGaussian) -> None:
        super().__init__()
        self.series, self.rank, self.minimum_scale = series, config.rank, config.minimum_scale
        self.parameters_of = nn.Linear(context_size, (2 + config.rank) * series)

    def distribution(self, context: Tensor) -> LowRankMultivariateNormal:
        """Batch shape ``[...]``, event shape ``[D]``."""
        parameters = self.parameters_of(context).unflatten(-1, (self.series, 2 + self.rank))
        return low_rank_normal(parameters, self.minimum_scale)


def low_rank_normal(parameters: Tensor, minimum_scale: float) -> LowRankMultivariateNormal:
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
    shared = factor / math.sqrt(factor.shape[-1])
    return LowRankMultivariateNormal(mean[..., 0], shared, own.square(), validate_args=False)


def seen_log_prob(density: LowRankMultivariateNormal, value: Tensor, observed: Tensor) -> Tensor:
    r"""The log-density of the series that were seen, the others integrated out exactly.

    A marginal of a normal density drops rows and columns. Missing series are given variance 1, no factor and
    their mean as the value, so that each multiplies the density by :math:`(2\pi)^{-1/2}`, which is taken back.

    Arguments:
        density: batch shape ``[...]``, event shape ``[D]``.
        value: ``[..., D]``; what stands where nothing was seen does not count.
        observed: ``[..., D]``, 1 where seen.

    Returns:
        ``[...]``, 0 where no series was seen.

    Example:
        >>> joint = LowRankMultivariateNormal(torch.zeros(2), torch.ones(2, 1), torch.ones(2))
        >>> seen = seen_log_prob(joint, torch.tensor([0.5, 99.0]), torch.tensor([1.0, 0.0]))
        >>> torch.testing.assert_close(seen, Normal(0.0, 2**0.5).log_prob(torch.tensor(0.5)))
    """
    seen = observed > 0
    mean = density.loc
    marginal = LowRankMultivariateNormal(
        mean,
        density.cov_factor * observed[..., None],
        torch.where(seen, density.cov_diag, torch.ones_like(density.cov_diag)),
        validate_args=False,
    )
    missing = observed.shape[-1] - observed.sum(-1)
    return marginal.log_prob(torch.where(seen, value, mean)) + missing * (0.5 * math.log(2 * math.pi))
