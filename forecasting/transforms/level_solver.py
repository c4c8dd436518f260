"""The inverse of a masked affine map at the cost of about one pass."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from .affine import LOG_SCALE_BOUND
from .made import MADE


def solve_levels(made: MADE, z: Tensor, conditioning: Tensor, workspace: Workspace) -> Tensor:
    r"""Solve :math:`x = z\,e^{\alpha(x, c)} + \mu(x, c)` for x, level by level.

    The masks make this a triangular system: the units of level l need the series of earlier levels only, and
    the series of group l need the units up to level l only. So each level first evaluates its units, layer
    by layer, then its series, and no unit is evaluated twice. Everything lies feature by feature
    (``[D, N]``), which makes both "the units so far" and "the units of this level" contiguous: a layer of a
    level is one matrix product of a slice of the weights with a slice of the units, accumulated onto the
    bias in place. The slices leave out exactly the masked weights, so no mask is applied.

    The loop makes no host-device round trip and its shapes are fixed by the map and N, so that it can be
    captured in a CUDA graph. Gradients do not pass through it.

    Arguments:
        made: the network of μ and α.
        z: noise, ``[N, D]``.
        conditioning: the conditioning term, ``[N, hidden]``.
        workspace: memory to reuse.

    Returns:
        the data ``[N, D]``, in memory of its own.
    """
    buffers = workspace.buffers(made, z)
    buffers.z.copy_(z.t())
    buffers.units[0].copy_(conditioning.t())
    for units, bias in zip(buffers.units[1:], made.hidden_biases, strict=True):
        units.copy_(bias.unsqueeze(1).expand_as(units))
    order = workspace.output_order(made)
    output_weight = made.output_weight.detach().flatten(0, 1)[order]
    buffers.outputs.copy_(made.output_bias.flatten()[order].unsqueeze(1).expand_as(buffers.outputs))

    for level, weights in zip(buffers.levels, _weight_slices(made, output_weight), strict=True):
        if level.earlier.shape[0]:
            level.units[0].addmm_(weights[0], level.earlier)
        level.units[0].relu_()
        for layer in range(1, len(level.units)):
            level.units[layer].addmm_(weights[layer], level.units_so_far[layer - 1]).relu_()
        level.outputs.addmm_(weights[-1], level.units_so_far[-1])
        scale = level.raw.tanh_().mul_(LOG_SCALE_BOUND).exp_()
        torch.addcmul(level.shift, level.z, scale, out=level.x)
    return buffers.x.t().contiguous()


class Level(NamedTuple):
    """The slices of the buffers that one level reads and writes, ``[., N]`` each."""

    earlier: Tensor
    units: list[Tensor]
    units_so_far: list[Tensor]
    outputs: Tensor
    shift: Tensor
    raw: Tensor
    z: Tensor
    x: Tensor


class Buffers:
    """Noise, data, units and outputs of one inverse, feature by feature, and their slices by level."""

    def __init__(self, made: MADE, rows: int, like: Tensor) -> None:
        self.z = like.new_empty(made.features, rows)
        self.x = like.new_empty(made.features, rows)
        self.units = [like.new_empty(made.hidden, rows) for _ in range(1 + len(made.hidden_weights))]
        self.outputs = like.new_empty(2 * made.features, rows)
        self.levels = [
            Level(
                earlier=self.x[:start],
                units=[units[first:last] for units in self.units],
                units_so_far=[units[:last] for units in self.units],
                outputs=self.outputs[2 * start : 2 * stop],
                shift=self.outputs[2 * start : start + stop],
                raw=self.outputs[start + stop : 2 * stop],
                z=self.z[start:stop],
                x=self.x[start:stop],
            )
            for (start, stop), (first, last) in zip(pairwise(made.groups), pairwise(made.units), strict=True)
        ]


class Workspace:
    """Memory that inverses of one shape share, kept for as long as the workspace is.

    It holds no weights, nor anything computed from them: what a decode reuses is memory and its slicing, so
    that nothing here can be out of date.
    """

    def __init__(self) -> None:
        self._buffers: dict[tuple[object, ...], Buffers] = {}
        self._orders: dict[tuple[object, ...], Tensor] = {}

    def buffers(self, made: MADE, z: Tensor) -> Buffers:
        """Buffers for ``z.shape[0]`` rows of the network's shape, on the device and in the type of ``z``."""
        shape = (made.features, made.hidden, len(made.hidden_weights), made.levels)
        # Memory made in inference mode may not be written to outside it.
        key = (*shape, z.shape[0], z.device, z.dtype, torch.is_inference_mode_enabled())
        if key not in self._buffers:
            self._buffers[key] = Buffers(made, z.shape[0], z)
        return self._buffers[key]

    def output_order(self, made: MADE) -> Tensor:
        """The rows of the output layer by level: of each group first the shifts, then the raw log-scales."""
        key = (made.groups, made.output_weight.device)
        if key not in self._orders:
            shifts = torch.arange(made.features, device=made.output_weight.device)
            self._orders[key] = torch.cat(
                [
                    rows
                    for a, b in pairwise(made.groups)
                    for rows in (shifts[a:b], shifts[a:b] + made.features)
                ]
            )
        return self._orders[key]


def _weight_slices(made: MADE, output_weight: Tensor) -> Iterator[list[Tensor]]:
    for (start, stop), (first, last) in zip(pairwise(made.groups), pairwise(made.units), strict=True):
        yield [
            made.input_weight[first:last, :start],
            *(weight[first:last, :last] for weight in made.hidden_weights),
            output_weight[2 * start : 2 * stop, :last],
        ]
