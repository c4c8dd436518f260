"""What direct networks of one shape tell of the same windows, all of them at once by grouped products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Reading:
    """What a direct network reads of windows and series, before any weight.

    Arguments:
        level: ``[B, n, 1]`` mean of the last season, data units.
        scale: ``[B, n, 1]`` size of its recent changes over a season, data units.
        references: ``[B, n, H, J]`` naive forecasts, relative to level and scale.
        read: ``[B, n, K]`` the context and the references, likewise, and the channels.
        series: ``[n]`` numbers of the series.
    """

    level: Tensor
    scale: Tensor
    references: Tensor
    read: Tensor
    series: Tensor


def stacked(networks: Sequence[nn.Module]) -> dict[str, Tensor]:
    """The weights of G networks of one shape by name, each ``[G, ...]``."""
    named = [dict(network.named_parameters()) for network in networks]
    return {name: torch.stack([each[name] for each in named]) for name in named[0]}


def told(weights: Mapping[str, Tensor], reading: Reading, dropout: float = 0.0) -> tuple[Tensor, Tensor]:
    """Location and scale by each of G networks; see `DirectNetwork`.

    What is read is the same for all and asks for no gradient, and the first products of all networks share it. The mean
    of the references, which is taken out of what the linear layer reads, differs by network: it enters by the sums of
    the weights.

    Arguments:
        weights: of `DirectNetwork`, ``[G, ...]`` each.
        reading: what they read.
        dropout: share of the first layer's units left out, the same units in all networks.

    Returns:
        Two tensors ``[G, B, n, H]``, data units; scales are positive.
    """
    batch, count, horizon, references = reading.references.shape
    rows, groups = batch * count, len(weights["mixture"])
    # Windows are of single precision, weights in training perhaps of another one.
    x = reading.read.reshape(rows, -1).to(weights["mixture"].dtype)
    seen, embedding = weights["linear.weight"].shape[-1], weights["embedding.weight"].shape[-1]

    mixture = torch.softmax(3 * (weights["mixture"][:, None] + weights["mixture_by_step"]), dim=-1)
    mixed = (reading.references * mixture[:, None, None]).sum(-1)

    first, own = weights["body.0.weight"], weights["embedding.weight"][:, reading.series]
    place = first[..., seen : seen + embedding]
    of_read = torch.cat([first[..., :seen], first[..., seen + embedding :]], dim=-1)
    shared = x.expand(groups, -1, -1)
    hidden = torch.bmm(shared, of_read.transpose(1, 2)).view(groups, batch, count, -1)
    hidden = hidden + (own @ place.transpose(1, 2) + weights["body.0.bias"][:, None])[:, None]
    hidden = functional.silu(hidden).view(groups, rows, -1)
    if dropout:
        hidden = hidden * functional.dropout(torch.ones_like(hidden[0]), dropout)
    hidden = functional.silu(
        torch.baddbmm(weights["body.3.bias"][:, None], hidden, weights["body.3.weight"].transpose(1, 2))
    )
    curved = torch.baddbmm(weights["curved.bias"][:, None], hidden, weights["curved.weight"].transpose(1, 2))

    linear = torch.baddbmm(
        weights["linear.bias"][:, None], shared[..., :seen], weights["linear.weight"].transpose(1, 2)
    )
    middle = weights["linear.weight"][..., seen - horizon * references :].sum(-1)
    linear = linear - mixed.mean(-1).view(groups, rows, 1) * middle[:, None]
    corrected, spread = (linear / 10 + curved).view(groups, batch, count, -1).chunk(2, dim=-1)
    return reading.level + reading.scale * (mixed + corrected), reading.scale * spread.clamp(-7, 7).exp()


def _layer(weights: Mapping[str, Tensor], name: str, x: Tensor) -> Tensor:
    """A linear layer of each network on inputs ``[G, R, K]``."""
    return torch.baddbmm(weights[f"{name}.bias"][:, None], x, weights[f"{name}.weight"].transpose(1, 2))
