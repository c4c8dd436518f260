"""Negative-binomial densities of counts, one a series, with or without more zeros than they explain."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, softplus

from ....runtime.arguments.kinds import Positive
from .head import EmissionHead, HeadConfig


@dataclass(frozen=True)
class NegativeBinomial(HeadConfig):
    r"""Counts of mean m and variance :math:`m + \alpha m^2`, independent given the context.

    The mean is the scale of the window times a positive number, as in DeepAR (Salinas et al. 2020,
    arXiv 1704.04110, §3.1). With `zero_inflated` a count is 0 with a probability of its own besides.

    Arguments:
        zero_inflated: whether zeros have a probability of their own.
        minimum_dispersion: smallest :math:`\alpha`; a Poisson count has 0.

    Example:
        >>> head = NegativeBinomial().build(series=3, context_size=8)
        >>> drawn = head.sample(torch.zeros(5, 8), torch.full((5, 3), 20.0))
        >>> drawn.shape, bool((drawn == drawn.round()).all())
        (torch.Size([5, 3]), True)
    """

    zero_inflated: bool = False
    minimum_dispersion: Positive = 1e-3

    def build(self, series: int, context_size: int) -> NegativeBinomialHead:
        """Make the head for `series` series on contexts of width `context_size`."""
        return NegativeBinomialHead(series, context_size, self.zero_inflated, self.minimum_dispersion)


class NegativeBinomialHead(EmissionHead):
    """Mean, dispersion and, where zeros have a probability of their own, its logit; linear in the context."""

    lattice = True

    def __init__(self, series: int, context_size: int, zero_inflated: bool, minimum_dispersion: Positive) -> None:
        super().__init__()
        self.zero_inflated, self.minimum_dispersion = zero_inflated, minimum_dispersion
        self.parameters_of = nn.Linear(context_size, (3 if zero_inflated else 2) * series)

    def loss(self, context: Tensor, target: Tensor, scale: Tensor, observed: Tensor | None = None) -> Tensor:
        """Negative log-probability of the counts of every step; see `EmissionHead.loss`."""
        mean, dispersion, zero = self._law(context, scale[:, None])
        count = 1 / dispersion
        # Of large counts these are far larger than their sum, of which single precision would leave little.
        wide, exact = count.double(), target.double()
        ways = torch.lgamma(exact + wide) - torch.lgamma(wide) - torch.lgamma(exact + 1)
        log_prob = ways.to(mean.dtype) - count * torch.log1p(mean * dispersion) - target * torch.log1p(count / mean)
        if zero is not None:
            log_prob = logsigmoid(-zero) + log_prob
            log_prob = torch.where(target == 0, torch.logaddexp(logsigmoid(zero), log_prob), log_prob)
        if observed is None:
            return -log_prob.sum(-1)
        share = observed.mean(-1).clamp_min(1 / observed.shape[-1])
        return -(log_prob * observed).sum(-1) / share

    @torch.no_grad()
    def sample(self, context: Tensor, scale: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw counts by their quantile function, one uniform number each, so that scenarios share their noise."""
        mean, dispersion, zero = self._law(context, scale)
        level = torch.rand(mean.shape, dtype=mean.dtype, device=mean.device, generator=generator)
        # Its import takes longer than that of the rest of this package.
        from scipy.stats import nbinom

        if zero is not None:
            chance = zero.sigmoid()
            level = ((level - chance) / (1 - chance)).clamp(0, 1 - 1e-7)
        count = (1 / dispersion).double().cpu()
        drawn = nbinom.ppf(level.double().cpu().numpy(), count.numpy(), (count / (count + mean.cpu())).numpy())
        # The lowest level of all has the quantile -1.
        return torch.from_numpy(drawn).to(mean).clamp_min(0)

    def _law(self, context: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        parts = self.parameters_of(context).chunk(3 if self.zero_inflated else 2, dim=-1)
        mean = scale * softplus(parts[0]).clamp_min(1e-6)
        return mean, self.minimum_dispersion + softplus(parts[1]), parts[2] if self.zero_inflated else None
