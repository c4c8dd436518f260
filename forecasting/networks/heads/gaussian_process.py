"""The head of the Gaussian process models: a joint density from what is known of each series alone."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from .gaussian import LowRank, LowRankHead, LowRankNormal, low_rank_normal


@dataclass(frozen=True)
class GaussianProcess(LowRank):
    r"""A joint normal density whose covariance is a kernel of the series' contexts (arXiv 1910.03002, eq. 6 and 7).

    With :math:`y_i` the context of series i, mean, own variance and factors are the same functions of it for all
    series, and :math:`\mathrm{cov}(z_i, z_j) = d(y_i)\, 1_{i = j} + v(y_i)^\top v(y_j)`: a Gaussian process over the
    contexts. So it can be evaluated on any subset of the series. It needs an encoder with shared weights.

    Arguments:
        rank: number r of factors v.
        minimum_scale: smallest standard deviation that is a series' own, in scaled units.

    Example:
        >>> import torch
        >>> head = GaussianProcess(rank=2).build(series=3, context_size=24)
        >>> head.sample(torch.zeros(5, 24), torch.ones(5, 3)).shape
        torch.Size([5, 3])
    """

    def build(self, series: int, context_size: int) -> GaussianProcessHead:
        """Make the head for contexts of width `context_size`, an equal part of it for each of `series` series."""
        return GaussianProcessHead(context_size // series, self)


class GaussianProcessHead(LowRankHead):
    """Mean, own standard deviation and factors of a series, linear in its part of the context."""

    shared = True

    def __init__(self, part: int, config: GaussianProcess) -> None:
        super().__init__()
        self.part, self.minimum_scale = part, config.minimum_scale
        self.parameters_of = nn.Linear(part, 2 + config.rank)

    def distribution(self, context: Tensor) -> LowRankNormal:
        """Batch shape ``[...]``, event shape ``[n]`` for contexts of n series."""
        parameters = self.parameters_of(context.unflatten(-1, (-1, self.part)))
        return low_rank_normal(parameters, self.minimum_scale)
