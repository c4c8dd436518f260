"""A causal Transformer encoder that keeps its keys and values between steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....runtime.arguments.kinds import Count, Dropout
from .encoder import Encoder, EncoderConfig, State


@dataclass(frozen=True)
class Transformer(EncoderConfig):
    """A decoder-only Transformer with pre-norm blocks (Vaswani et al. 2017, arXiv 1706.03762).

    The published Transformer-MAF (Rasul et al. 2021, arXiv 2002.06103) reads the context with an encoder and the
    horizon with a decoder; its reference code trains the decoder on the whole horizon but samples each step from
    one token without history. Here one causal stack reads context and horizon alike and carries its keys and
    values from step to step, so that sampling continues exactly what training saw.

    Arguments:
        size: width of the tokens.
        heads: attention heads; they divide `size`.
        layers: number of blocks.
        dropout: share dropped in training.

    Example:
        >>> encoder = Transformer(size=16, heads=4).build(input_size=5)
        >>> context, state = encoder(torch.zeros(2, 7, 5))
        >>> context.shape
        torch.Size([2, 7, 16])
    """

    size: Count = 32
    heads: Count = 8
    layers: Count = 3
    dropout: Dropout = 0.1

    def __post_init__(self) -> None:
        if self.size % self.heads:
            raise ValueError(f"heads: expected a divisor of size {self.size}, got {self.heads}")

    def build(self, input_size: int) -> TransformerEncoder:
        """Make the encoder for inputs of width `input_size`."""
        return TransformerEncoder(input_size, self)


class Block(nn.Module):
    """One pre-norm block: causal self-attention, then a feed-forward network of four times the width."""

    def __init__(self, config: Transformer) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        self.attention_norm = nn.LayerNorm(config.size)
        self.qkv = nn.Linear(config.size, 3 * config.size)
        self.project = nn.Linear(config.size, config.size)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(config.size),
            nn.Linear(config.size, 4 * config.size),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(4 * config.size, config.size),
            nn.Dropout(config.dropout),
        )

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Tokens ``[B, T, C]`` after the block, and all keys and values ``[B, heads, past + T, C / heads]``."""
        batch, length, size = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(batch, length, 3, self.heads, size // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        if past is not None:
            key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
        mask = None
        if past is not None and length > 1:
            steps = torch.arange(key.shape[2], device=x.device)
            mask = steps <= steps[-length:, None]
        mixed = functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=mask,
            is_causal=past is None,
            dropout_p=self.dropout if self.training else 0.0,
        )
        x = x + self.project(mixed.transpose(1, 2).reshape(batch, length, size))
        return x + self.feed_forward(x), (key, value)


class TransformerEncoder(Encoder):
    """Causal self-attention over all the steps since the first one read."""

    reads = "embed.weight"

    def __init__(self, input_size: int, config: Transformer) -> None:
        super().__init__()
        self.context_size = config.size
        self.embed = nn.Linear(input_size, config.size)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.size)

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        """Read `x` ``[B, T, I]``; see `Encoder`."""
        past = state or [None] * len(self.blocks)
        read = 0 if state is None else state[0][0].shape[2]
        tokens = self.embed(x) + self._positions(read, x)
        kept = []
        for block, memory in zip(self.blocks, past, strict=True):
            tokens, memory = block(tokens, memory)
            kept.append(memory)
        return self.norm(tokens), kept

    def repeat(self, state: State, count: int) -> State:
        """Fan a state out to `count` paths a window."""
        return [tuple(part.repeat_interleave(count, dim=0) for part in memory) for memory in state]

    def _positions(self, first: int, x: Tensor) -> Tensor:
        half = self.context_size // 2 + self.context_size % 2
        steps = torch.arange(first, first + x.shape[1], device=x.device, dtype=x.dtype)
        rates = torch.exp(torch.arange(half, device=x.device, dtype=x.dtype) * (-math.log(1e4) / half))
        angles = steps[:, None] * rates
        return torch.cat([angles.sin(), angles.cos()], dim=1)[:, : self.context_size]
