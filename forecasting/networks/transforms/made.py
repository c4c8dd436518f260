"""MADE: a network whose outputs see only the series before them."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from .affine import NEAR_IDENTITY


def partition(total: int, parts: int) -> tuple[int, ...]:
    """Boundaries that cut ``range(total)`` into parts as even as they can be.

    Arguments:
        total: how many items.
        parts: how many parts, at most ``total``.

    Returns:
        ``parts + 1`` boundaries, the first 0 and the last ``total``.

    >>> partition(7, 3)
    (0, 2, 4, 7)
    """
    return tuple(total * part // parts for part in range(parts + 1))


class MADE(nn.Module):
    r"""Shift and raw log-scale of each series from the context and the series before it.

    The series are cut into L groups, in their order, and the units of every hidden layer into L levels, as
    evenly as they can be. A unit of level l sees the groups before l; a series of group l is described by
    units of levels up to l. Units of level 0 therefore see nothing but the context, so that the first group
    is still conditional on it, and D = 1 is an ordinary conditional network.

    Because units are laid out by level, a mask is a staircase: what a level reads of a layer is one contiguous
    slice of the weights (``units[l]``, ``groups[l]`` and ``earlier[l]`` are the slices).

    **How many levels.** L = D is fully autoregressive: each series sees all before it. L = 2 is about a
    coupling layer. In between, series of one group are independent given the groups before, the share of
    pairs that condition on each other is (L-1)/L, and sampling takes L small steps. A level needs a unit of
    its own, hence L ≤ min(D, hidden), the default; fewer levels make sampling faster and leave more units to
    each.

    Source: Germain et al. (2015), arXiv 1502.03509; context as in Rasul et al. (2021), arXiv 2002.06103.
    Where we differ: degrees are spread evenly over all series. Common code gives unit k the degree
    k mod (D-1), which divides by zero at D = 1, lets only the first ``hidden`` series condition the others
    (20 % of the pairs at D = 963 with 100 units, here 99 %), and describes the first series without context.

    Arguments:
        features: the number of series D.
        hidden: units of a hidden layer.
        hidden_layers: hidden layers.
        levels: the number of levels L, by default ``min(features, hidden)``.
        reverse: take the series in reversed order, the last one first.

    Raises:
        ValueError: a size below 1, or ``levels`` not in 1 … min(features, hidden).

    >>> shift, raw = MADE(3, hidden=8)(torch.zeros(5, 3), torch.zeros(5, 8))
    >>> shift.shape, raw.shape
    (torch.Size([5, 3]), torch.Size([5, 3]))
    """

    input_mask: Tensor
    hidden_mask: Tensor
    output_mask: Tensor

    def __init__(
        self,
        features: int,
        *,
        hidden: int = 100,
        hidden_layers: int = 2,
        levels: int | None = None,
        reverse: bool = False,
    ) -> None:
        super().__init__()
        for name, size in {"features": features, "hidden": hidden, "hidden_layers": hidden_layers}.items():
            if size < 1:
                raise ValueError(f"{name}: expected at least 1, got {size}")
        most = min(features, hidden)
        chosen = most if levels is None else levels
        if not 1 <= chosen <= most:
            raise ValueError(f"levels: expected 1 to {most}, the smaller of features and hidden, got {levels}")
        self.features = features
        self.hidden = hidden
        self.levels = chosen
        self.reverse = reverse
        self.units = [slice(*ends) for ends in pairwise(partition(hidden, chosen))]
        groups = list(pairwise(partition(features, chosen)))
        if reverse:
            self.groups = [slice(features - stop, features - start) for start, stop in groups]
            self.earlier = [slice(group.stop, features) for group in self.groups]
        else:
            self.groups = [slice(start, stop) for start, stop in groups]
            self.earlier = [slice(0, group.start) for group in self.groups]

        level_of_unit = _levels(self.units, hidden)
        level_of_series = _levels(self.groups, features)
        sees_series = level_of_unit[:, None] > level_of_series
        sees_unit = level_of_unit[:, None] >= level_of_unit
        described_by = level_of_series[:, None] >= level_of_unit
        self.register_buffer("input_mask", sees_series.float(), persistent=False)
        self.register_buffer("hidden_mask", sees_unit.float(), persistent=False)
        self.register_buffer("output_mask", described_by.float(), persistent=False)

        self.input_weight = nn.Parameter(torch.empty(hidden, features))
        self.hidden_weights = nn.ParameterList(torch.empty(hidden, hidden) for _ in range(hidden_layers - 1))
        self.hidden_biases = nn.ParameterList(torch.zeros(hidden) for _ in range(hidden_layers - 1))
        self.output_weight = nn.Parameter(torch.empty(2, features, hidden))
        self.output_bias = nn.Parameter(torch.zeros(2, features))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw new weights, scaled by what a unit really sees; the outputs start near zero."""
        for weight, mask in (
            (self.input_weight, self.input_mask),
            *((weight, self.hidden_mask) for weight in self.hidden_weights),
            (self.output_weight, self.output_mask),
        ):
            bound = mask.sum(-1, keepdim=True).clamp(min=1).rsqrt()
            weight.uniform_(-1.0, 1.0).mul_(bound * mask)
        self.output_weight.mul_(NEAR_IDENTITY)

    def forward(self, x: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate all outputs at once.

        Arguments:
            x: data, ``[N, D]``.
            conditioning: what the first layer adds for the context, its bias included, ``[N, hidden]``.

        Returns:
            shift and raw log-scale, ``[N, D]`` each.
        """
        units = torch.addmm(conditioning, x, (self.input_weight * self.input_mask).t()).relu_()
        for weight, bias in zip(self.hidden_weights, self.hidden_biases, strict=True):
            units = torch.addmm(bias, units, (weight * self.hidden_mask).t()).relu_()
        # Two products rather than one that is cut in two: the gradient of a cut is a copy of both halves.
        shift_weight, raw_weight = (self.output_weight * self.output_mask).unbind(0)
        shift_bias, raw_bias = self.output_bias.unbind(0)
        return torch.addmm(shift_bias, units, shift_weight.t()), torch.addmm(raw_bias, units, raw_weight.t())


def _levels(slices: list[slice], total: int) -> Tensor:
    levels = torch.empty(total, dtype=torch.long)
    for level, members in enumerate(slices):
        levels[members] = level
    return levels
