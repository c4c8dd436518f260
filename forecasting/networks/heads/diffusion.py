"""TimeGrad's head: the next values are drawn by removing noise, a little at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from ....runtime.arguments.kinds import Count, Positive, Within
from .head import EmissionHead, HeadConfig, borrow

AT_ONCE = 2**16
"""Values whose noise is told at once in training; each takes 2.5 kB, and more of them leave the cache."""


@dataclass(frozen=True)
class Diffusion(HeadConfig):
    r"""A denoising diffusion model, conditioned on the encoder (TimeGrad, Rasul et al. 2021, arXiv 2101.12072).

    It is trained to tell the noise :math:`\epsilon` in :math:`\sqrt{\bar\alpha_n} x + \sqrt{1 - \bar\alpha_n}
    \epsilon` (Ho et al. 2020, arXiv 2006.11239, eq. 14). The loss is the squared error, not a likelihood: the model has
    samples, but no density.

    Arguments:
        steps: noise levels N; the variances added rise linearly from 1e-4 to `largest_variance`.
        largest_variance: variance added at the last level.
        sampling_steps: levels visited when sampling, at most; all if ``None``. Time is proportional to it.
        spacing: 1 spreads these levels evenly; more lets them lie the denser the less noise is left, which few need.
        channels: width of the residual layers.
        layers: residual layers, dilated convolutions along the series.

    Example:
        >>> import torch
        >>> head = Diffusion(steps=5).build(series=3, context_size=8)
        >>> head.sample(torch.zeros(5, 8), torch.ones(5, 3)).shape
        torch.Size([5, 3])
    """

    steps: Count = 100
    largest_variance: Annotated[float, Within(1e-4, 1, below=True)] = 0.1
    sampling_steps: Count | None = None
    channels: Count = 8
    layers: Count = 8
    spacing: Positive = 1.0

    def build(self, series: int, context_size: int) -> DiffusionHead:
        """Make the head for `series` series on contexts of width `context_size`."""
        return DiffusionHead(NoiseNetwork(series, context_size, self), self)


def kept_shares(steps: int, largest_variance: float) -> Tensor:
    r"""Cumulative signal share of the variance, :math:`\bar\alpha_n`, at each noise level.

    Arguments:
        steps: noise levels N.
        largest_variance: variance added at the last one.

    Returns:
        ``[N]``, decreasing in (0, 1).
    """
    return (1 - torch.linspace(1e-4, largest_variance, steps)).cumprod(0)


def remove_noise(
    predict: Callable[[Tensor, Tensor], Tensor],
    noise: Tensor,
    kept: Tensor,
    steps: int | None = None,
    generator: torch.Generator | None = None,
    spacing: float = 1.0,
) -> Tensor:
    r"""Reverse diffusion: samples from the last noise level to the first.

    From level n to the one before it visited, m, with :math:`a = \bar\alpha_n / \bar\alpha_m`,

    .. math:: x_m = \frac{1}{\sqrt a}\Big(x_n - \frac{1 - a}{\sqrt{1 - \bar\alpha_n}} \epsilon(x_n, n)\Big)
        + \sqrt{\frac{(1 - a)(1 - \bar\alpha_m)}{1 - \bar\alpha_n}}\, z.

    Source: Ho et al. (2020), arXiv 2006.11239, algorithm 2; with fewer steps than levels, Nichol and Dhariwal (2021),
    arXiv 2102.09672, §4.

    Arguments:
        predict: noisy values ``[N, D]`` and levels ``[N]`` (from 0) to the noise in them ``[N, D]``.
        noise: ``[N, D]`` standard normal.
        kept: ``[levels]`` as `kept_shares` gives them.
        steps: levels visited from the last to the first, at most; all if ``None``.
        generator: of the noise that is added between them; torch's own if ``None``.
        spacing: the s-th of S + 1 levels lies at the share :math:`(1 - s/S)^p` of all of them, with this p; 1 spreads
            them evenly.

    Returns:
        ``[N, D]``, scaled values.
    """
    levels = len(kept)
    if spacing == 1:
        places = torch.linspace(levels - 1, 0, steps or levels)
    else:
        places = torch.linspace(1, 0, steps or levels) ** spacing * (levels - 1)
    visited = list(dict.fromkeys(places.round().long().tolist()))
    x = noise
    for level, before in zip(visited, [*visited[1:], None], strict=True):
        share, earlier = kept[level], kept[before] if before is not None else torch.ones_like(kept[0])
        ratio = share / earlier
        epsilon = predict(x, torch.full((len(x),), level, device=x.device))
        x = (x - (1 - ratio) / (1 - share).sqrt() * epsilon) / ratio.sqrt()
        if before is not None:
            x = x + ((1 - ratio) * (1 - earlier) / (1 - share)).sqrt() * torch.empty_like(x).normal_(
                generator=generator
            )
    return x


class DiffusionHead(EmissionHead):
    """Trains the noise network on noisy values, and samples by removing noise.

    Arguments:
        network: tells the noise.
        config: the noise levels.
    """

    kept: Tensor

    def __init__(self, network: NoiseNetwork, config: Diffusion) -> None:
        super().__init__()
        self.network = network
        self.sampling_steps, self.spacing = config.sampling_steps, config.spacing
        self.register_buffer("kept", kept_shares(config.steps, config.largest_variance), persistent=False)

    def loss(self, context: Tensor, target: Tensor, scale: Tensor, observed: Tensor | None = None) -> Tensor:
        """Squared error of the predicted noise, summed over the series, at a random noise level a step.

        The places of missing series are taken by values of the same window; their errors do not count.

        Returns:
            ``[B, T]``; no likelihood.
        """
        scaled = target / scale[:, None]
        if observed is not None:
            scaled = borrow(scaled, observed)
        level = torch.randint(len(self.kept), scaled.shape[:-1], device=scaled.device)
        share, noise = self.kept[level][..., None], torch.randn_like(scaled)
        noisy = share.sqrt() * scaled + (1 - share).sqrt() * noise
        told = self._told(noisy.flatten(0, 1), level.flatten(), context.flatten(0, 1)).view_as(noise)
        errors = (told - noise).square()
        if observed is None:
            return errors.sum(-1)
        return (errors * observed).sum(-1) / observed.mean(-1).clamp_min(1 / observed.shape[-1])

    def _told(self, noisy: Tensor, level: Tensor, context: Tensor) -> Tensor:
        """The noise ``[N, D]`` that the network tells, of large batches part by part.

        What the network remembers for its gradient is then that of one part; it is computed again on the way back,
        which costs no more than to fetch it from memory.
        """
        rows = max(1, AT_ONCE // noisy.shape[-1])
        if len(noisy) <= rows:
            return self.network(noisy, level, context)
        parts = zip(noisy.split(rows), level.split(rows), context.split(rows), strict=True)
        told = [checkpoint(self.network, *part, use_reentrant=False, preserve_rng_state=False) for part in parts]
        return torch.cat(told)

    @torch.no_grad()
    def sample(self, context: Tensor, scale: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw one joint value a context; see `EmissionHead.sample`."""
        rows = context.reshape(-1, context.shape[-1])
        noise = rows.new_empty(len(rows), scale.shape[-1]).normal_(generator=generator)
        condition = self.network.conditioned(rows)

        def told(x: Tensor, level: Tensor) -> Tensor:
            return self.network.told(x, level, condition)

        drawn = remove_noise(told, noise, self.kept, self.sampling_steps, generator, self.spacing)
        return drawn.view(scale.shape) * scale


class NoiseNetwork(nn.Module):
    """Gated, dilated convolutions along the series (DiffWave, Kong et al. 2021, arXiv 2009.09761).

    We differ from the reference code of TimeGrad in the ends: they are padded with zeros, not by the other end of the
    list of series, so that any number of series will do.

    Arguments:
        series: number of series D.
        context_size: width C of the context.
        config: width and depth.
    """

    rates: Tensor

    def __init__(self, series: int, context_size: int, config: Diffusion, hidden: int = 64) -> None:
        super().__init__()
        channels = config.channels
        self.register_buffer("rates", 10.0 ** torch.linspace(0, -4, hidden // 4), persistent=False)
        self.level = nn.Sequential(nn.Linear(hidden // 2, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
        self.condition = nn.Sequential(
            nn.Linear(context_size, hidden), nn.LeakyReLU(0.4), nn.Linear(hidden, series), nn.LeakyReLU(0.4)
        )
        self.enter = nn.Conv1d(1, channels, 1)
        self.layers = nn.ModuleList(ResidualLayer(channels, hidden, 2 ** (i % 2)) for i in range(config.layers))
        self.leave = nn.Sequential(
            nn.Conv1d(channels, channels, 3, padding=1), nn.LeakyReLU(0.4), nn.Conv1d(channels, 1, 3, padding=1)
        )

    def forward(self, noisy: Tensor, level: Tensor, context: Tensor) -> Tensor:
        """Predict the noise.

        Arguments:
            noisy: ``[N, D]``.
            level: ``[N]`` noise levels, from 0.
            context: ``[N, C]``.

        Returns:
            ``[N, D]``.
        """
        return self.told(noisy, level, self.conditioned(context))

    def conditioned(self, context: Tensor) -> list[Tensor]:
        """What each layer adds for contexts ``[N, C]``; the same at every noise level."""
        condition = self.condition(context)[:, None]
        return [layer.condition(condition) for layer in self._residual()]

    def told(self, noisy: Tensor, level: Tensor, condition: list[Tensor]) -> Tensor:
        """The predicted noise ``[N, D]``, given the output of `conditioned`."""
        angles = level[:, None] * self.rates
        embedded = self.level(torch.cat([angles.sin(), angles.cos()], dim=1))
        x = functional.leaky_relu(self.enter(noisy[:, None]), 0.4)
        skipped = torch.zeros_like(x)
        for layer, added in zip(self._residual(), condition, strict=True):
            x, skip = layer(x, embedded, added)
            skipped = skipped + skip
        return self.leave(skipped / math.sqrt(len(self.layers)))[:, 0]

    def _residual(self) -> list[ResidualLayer]:
        return [layer for layer in self.layers if isinstance(layer, ResidualLayer)]


class ResidualLayer(nn.Module):
    """One gated convolution, whose output is split between the next layer and the end."""

    def __init__(self, channels: int, hidden: int, dilation: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(channels, 2 * channels, 3, padding=dilation, dilation=dilation)
        self.level = nn.Linear(hidden, channels)
        self.condition = nn.Conv1d(1, 2 * channels, 1)
        self.split = nn.Conv1d(channels, 2 * channels, 1)

    def forward(self, x: Tensor, level: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Values ``[N, channels, D]`` for the next layer and for the end."""
        gate, value = (self.mix(x + self.level(level)[..., None]) + condition).chunk(2, dim=1)
        kept, skip = self.split(gate.sigmoid() * value.tanh()).chunk(2, dim=1)
        return (x + kept) / math.sqrt(2), skip
