"""GRU and LSTM encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ....runtime.arguments.kinds import Count, Dropout
from .encoder import Encoder, EncoderConfig, State

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}


@dataclass(frozen=True)
class Recurrent(EncoderConfig):
    """A stacked recurrent network.

    Arguments:
        cell: ``"gru"`` or ``"lstm"``.
        size: width of each layer.
        layers: number of layers.
        dropout: share of the outputs dropped between layers in training.

    Example:
        >>> encoder = Recurrent("gru", size=16).build(input_size=5)
        >>> context, state = encoder(torch.zeros(2, 7, 5))
        >>> context.shape
        torch.Size([2, 7, 16])
    """

    cell: Literal["gru", "lstm"] = "gru"
    size: Count = 40
    layers: Count = 2
    dropout: Dropout = 0.1

    def build(self, input_size: int) -> RecurrentEncoder:
        """Make the encoder for inputs of width `input_size`."""
        dropout = self.dropout if self.layers > 1 else 0.0
        return RecurrentEncoder(CELLS[self.cell](input_size, self.size, self.layers, dropout=dropout, batch_first=True))


class RecurrentEncoder(Encoder):
    """A torch recurrent network behind the contract of an encoder."""

    reads = "network.weight_ih_l0"

    def __init__(self, network: nn.GRU | nn.LSTM) -> None:
        super().__init__()
        self.network = network
        self.context_size = network.hidden_size

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        """Read `x` ``[B, T, I]``; see `Encoder`."""
        return self.network(x, state)

    def repeat(self, state: State, count: int) -> State:
        """Fan a state out to `count` paths a window."""
        if isinstance(state, tuple):
            return tuple(self.repeat(part, count) for part in state)
        return torch.repeat_interleave(state, count, dim=1)
