"""Normalising-flow heads: a joint density over all series, transformed from noise by the context."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Distribution

from ....runtime.arguments.kinds import Count
from ..transforms.flow import Flow, FlowDistribution
from ..transforms.sampler import FlowSampler
from ..transforms.stacks import BaseName, masked_autoregressive, real_nvp
from .head import DensityHead, HeadConfig, Sampler


@dataclass(frozen=True)
class RealNVP(HeadConfig):
    """Affine coupling layers (Dinh et al. 2017, arXiv 1605.08803), conditioned as in Rasul et al. 2021.

    Arguments:
        blocks: coupling layers K.
        hidden: width of their networks.
        hidden_layers: hidden layers in each.
        batch_norm: whether a batch-norm bijection stands between the layers.
        base: the density of the noise, ``"gaussian"`` as published or the heavier-tailed ``"student_t"``.

    Example:
        >>> import torch
        >>> head = RealNVP(blocks=2, hidden=16).build(series=3, context_size=8)
        >>> head.sample(torch.zeros(5, 8), torch.ones(5, 3)).shape
        torch.Size([5, 3])
    """

    blocks: Count = 4
    hidden: Count = 100
    hidden_layers: Count = 2
    batch_norm: bool = False
    base: BaseName = "gaussian"

    def build(self, series: int, context_size: int) -> FlowHead:
        """Make the head for `series` series on contexts of width `context_size`."""
        return FlowHead(
            real_nvp(
                series,
                context_size,
                blocks=self.blocks,
                hidden=self.hidden,
                hidden_layers=self.hidden_layers,
                batch_norm=self.batch_norm,
                base=self.base,
            )
        )


@dataclass(frozen=True)
class MAF(HeadConfig):
    """Masked autoregressive flow (Papamakarios et al. 2017, arXiv 1705.07057), conditioned as in Rasul et al. 2021.

    Arguments:
        blocks: autoregressive layers K, in alternating order of the series.
        hidden: width of their networks.
        hidden_layers: hidden layers in each.
        levels: groups in which the series condition on each other; `masked_autoregressive` says what it trades.
        batch_norm: whether a batch-norm bijection stands between the layers.
        base: the density of the noise, ``"gaussian"`` as published or the heavier-tailed ``"student_t"``.

    Example:
        >>> import torch
        >>> head = MAF(blocks=2, hidden=16).build(series=3, context_size=8)
        >>> head.sample(torch.zeros(5, 8), torch.ones(5, 3)).shape
        torch.Size([5, 3])
    """

    blocks: Count = 4
    hidden: Count = 100
    hidden_layers: Count = 2
    levels: Count | None = None
    batch_norm: bool = False
    base: BaseName = "gaussian"

    def build(self, series: int, context_size: int) -> FlowHead:
        """Make the head for `series` series on contexts of width `context_size`."""
        return FlowHead(
            masked_autoregressive(
                series,
                context_size,
                blocks=self.blocks,
                hidden=self.hidden,
                hidden_layers=self.hidden_layers,
                levels=self.levels,
                batch_norm=self.batch_norm,
                base=self.base,
            )
        )


class FlowHead(DensityHead):
    """A conditional flow as an emission head."""

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.flow = flow

    def distribution(self, context: Tensor) -> Distribution:
        """Batch shape ``[...]``, event shape ``[D]``."""
        return self.flow(context)

    def draw(self, density: Distribution, generator: torch.Generator | None) -> Tensor:
        """One value of all series, ``[..., D]``."""
        assert isinstance(density, FlowDistribution)
        return density.sample(generator=generator)

    def sampler(self, generator: torch.Generator | None) -> Sampler:
        """Draws that keep the memory of the inverse from one to the next, on a GPU as one CUDA graph."""
        sample = FlowSampler(self.flow, generator)
        return lambda context, scale: sample(context) * scale
