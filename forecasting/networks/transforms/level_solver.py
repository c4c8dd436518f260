"""The inverse of a masked affine map at the cost of about one pass."""

from __future__ import annotations

import math
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
    bias in place. The slices leave out exactly the masked weights, so no mask is applied and no weight is
    copied.

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
    # exp(log_scale(raw)) = exp(2 b sigmoid(raw)) exp(-b); the constant factor is applied to all noise at once.
    buffers.z.copy_(z.t()).mul_(math.exp(-LOG_SCALE_BOUND))
    buffers.units[0].copy_(conditioning.t())
    for units, bias in zip(buffers.units[1:], made.hidden_biases, strict=True):
        units.copy_(bias.unsqueeze(1).expand_as(units))
    buffers.outputs.copy_(made.output_bias.unsqueeze(2).expand_as(buffers.outputs))

    for level, weights in zip(buffers.levels, workspace.weight_slices(made), strict=True):
        if level.earlier.shape[0]:
            level.units[0].addmm_(weights.layers[0], level.earlier)
        level.units[0].relu_()
        for units, weight, below in zip(level.units[1:], weights.layers[1:], level.units_so_far, strict=False):
            units.addmm_(weight, below).relu_()
        level.shift.addmm_(weights.shift, level.units_so_far[-1])
        level.raw.addmm_(weights.raw, level.units_so_far[-1])
        scale = level.raw.sigmoid_().mul_(2 * LOG_SCALE_BOUND).exp_()
        torch.addcmul(level.shift, level.z, scale, out=level.x)
    return buffers.x.t().contiguous()


class Level(NamedTuple):
    """The slices of the buffers that one level reads and writes, ``[., N]`` each."""

    earlier: Tensor
    units: list[Tensor]
    units_so_far: list[Tensor]
    shift: Tensor
    raw: Tensor
    z: Tensor
    x: Tensor


class LevelWeights(NamedTuple):
    """The slices of the weights that one level needs, ``[rows of the level, columns so far]`` each."""

    layers: list[Tensor]
    shift: Tensor
    raw: Tensor


class Buffers:
    """Noise, data, units and outputs of one inverse, feature by feature, and their slices by level.

    Arguments:
        made: the network whose sizes to take.
        like: noise ``[N, D]``, whose number of rows, type and device to take.
    """

    def __init__(self, made: MADE, like: Tensor) -> None:
        rows = like.shape[0]
        self.z = like.new_empty(made.features, rows)
        self.x = like.new_empty(made.features, rows)
        self.units = [like.new_empty(made.hidden, rows) for _ in range(1 + len(made.hidden_weights))]
        self.outputs = like.new_empty(2, made.features, rows)
        self.levels = [
            Level(
                earlier=self.x[earlier],
                units=[layer[units] for layer in self.units],
                units_so_far=[layer[: units.stop] for layer in self.units],
                shift=self.outputs[0, group],
                raw=self.outputs[1, group],
                z=self.z[group],
                x=self.x[group],
            )
            for earlier, units, group in zip(made.earlier, made.units, made.groups, strict=True)
        ]


class Workspace:
    """Memory and slices that the inverses of one decode share, kept for as long as the workspace is.

    It belongs to one thread: two that wrote to the same memory would mix their paths.

    Nothing here can be out of date: of the weights it keeps views only, which show every change made in
    place (an optimiser's step, ``load_state_dict``), and it makes new views when a parameter has moved to
    other memory (``.to()``, ``.data = ...``).
    """

    def __init__(self) -> None:
        self._buffers: dict[tuple[object, ...], Buffers] = {}
        self._slices: dict[int, tuple[list[int], list[LevelWeights]]] = {}

    def buffers(self, made: MADE, z: Tensor) -> Buffers:
        """Buffers for as many rows as ``z``, for all networks of the same sizes."""
        sizes = (made.features, made.hidden, len(made.hidden_weights), made.levels, made.reverse)
        # Memory made in inference mode may not be written to outside it.
        key = (*sizes, z.shape[0], z.device, z.dtype, torch.is_inference_mode_enabled())
        if key not in self._buffers:
            self._buffers[key] = Buffers(made, z)
        return self._buffers[key]

    def weight_slices(self, made: MADE) -> list[LevelWeights]:
        """Views of the weights of a network, one for each level."""
        weights = [made.input_weight, *made.hidden_weights, made.output_weight]
        # The views keep the old memory alive, so that an equal address is the same memory.
        addresses = [weight.data_ptr() for weight in weights]
        known = self._slices.get(id(made))
        if known is None or known[0] != addresses:
            known = (addresses, _weight_slices(made))
            self._slices[id(made)] = known
        return known[1]


def _weight_slices(made: MADE) -> list[LevelWeights]:
    first, *others = (weight.detach() for weight in (made.input_weight, *made.hidden_weights))
    shift, raw = made.output_weight.detach()
    return [
        LevelWeights(
            layers=[first[units, earlier], *(weight[units, : units.stop] for weight in others)],
            shift=shift[group, : units.stop],
            raw=raw[group, : units.stop],
        )
        for earlier, units, group in zip(made.earlier, made.units, made.groups, strict=True)
    ]
