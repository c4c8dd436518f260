"""One encoder for all series: each is read on its own, with the same weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ....runtime.arguments.kinds import Count
from .encoder import Encoder, EncoderConfig, State
from .recurrent import Recurrent

if TYPE_CHECKING:
    from ...windows.spec import SeriesSpec


@dataclass(frozen=True)
class SharedWeights(EncoderConfig):
    """An encoder that reads every series on its own with the same weights, told apart by an embedding.

    The number of weights hardly depends on the number of series, and training may look at a few series at a time
    (Salinas et al. 2019, arXiv 1910.03002, §3.2). The context vector holds one part after the other, a part a series.

    Arguments:
        each: the encoder of a single series.
        embedding: numbers that tell a series from the others; they go into the encoder and beside what it says.
        sample: series drawn for each step of training, all if ``None``; heads whose weights are shared as well
            (`GaussianProcess`) can be trained so.

    Example:
        >>> encoder = SharedWeights(Recurrent("lstm", size=8), embedding=2).build(input_size=5)
        >>> context, state = encoder(torch.zeros(2, 7, 5))
        >>> context.shape
        torch.Size([2, 7, 10])
    """

    each: EncoderConfig = field(default_factory=lambda: Recurrent("lstm"))
    embedding: Count = 4
    sample: Count | None = None

    def build(self, input_size: int) -> SharedEncoder:
        """Make the encoder for a single series with inputs of width `input_size`."""
        return SharedEncoder(self, series=1, channels=input_size, features=0)

    def build_for(self, spec: SeriesSpec) -> SharedEncoder:
        """Make the encoder for the series of a problem."""
        channels = len(spec.lags) + spec.missing
        return SharedEncoder(self, series=spec.target_dim, channels=channels, features=spec.features)


class SharedEncoder(Encoder):
    """Reads the series as further rows of the batch.

    Arguments:
        config: its parts.
        series: number of series D.
        channels: inputs that each series has for itself.
        features: inputs that all series share.
    """

    shared = True

    def __init__(self, config: SharedWeights, *, series: int, channels: int, features: int) -> None:
        super().__init__()
        self.sample, self.channels = config.sample, channels
        self.embedding = nn.Embedding(series, config.embedding)
        self.each = config.each.build(channels + features + config.embedding)
        self.context_size = series * (self.each.context_size + config.embedding)

    def subset(self) -> Tensor | None:
        """The series to learn from in the next step of training, ``[n]``; ``None`` for all."""
        count = self.embedding.num_embeddings
        if self.sample is None or self.sample >= count or not self.training:
            return None
        return torch.randperm(count, device=self.embedding.weight.device)[: self.sample]

    def forward(self, x: Tensor, state: State = None, series: Tensor | None = None) -> tuple[Tensor, State]:
        """Read `x`; see `Encoder`.

        Arguments:
            x: inputs ``[B, T, I]``: channel by channel those of each series, then the shared ones.
            state: what an earlier call returned, ``None`` at the start.
            series: which series `x` holds, ``[n]``; all D if ``None``.

        Returns:
            Context vectors ``[B, T, n * C]``, series by series, and the state.
        """
        known = self.embedding.weight if series is None else self.embedding(series)
        batch, length, _ = x.shape
        count = len(known)
        own = x[..., : count * self.channels].view(batch, length, self.channels, count).permute(3, 0, 1, 2)
        common = x[..., count * self.channels :].expand(count, -1, -1, -1)
        told = known[:, None, None].expand(-1, batch, length, -1)
        # Series by series, so that the paths of a window stay next to each other when a state is repeated.
        context, state = self.each(torch.cat([own, common, told], dim=3).flatten(0, 1), state)
        context = torch.cat([context.view(count, batch, length, -1), told], dim=3)
        return context.permute(1, 2, 0, 3).flatten(2), state

    def repeat(self, state: State, count: int) -> State:
        """Fan a state out to `count` paths a window."""
        return self.each.repeat(state, count)
