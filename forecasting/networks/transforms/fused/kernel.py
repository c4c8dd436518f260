"""The inverse of a masked affine map as a kernel, written in Triton.

Triton comes with the builds of torch for CUDA on Linux. Its interpreter (``TRITON_INTERPRET=1``) runs the kernel on a
processor, which is how it is tested.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Protocol, cast

with contextlib.suppress(ImportError):  # without Triton there is nothing that would call what follows
    import triton
    import triton.language as tl


class Kernel(Protocol):
    """What Triton makes of a function: something that is launched over a grid of programs."""

    def __getitem__(self, grid: tuple[int]) -> Callable[..., object]: ...


@functools.cache
def compiled_kernel() -> Kernel:
    """The kernel, which Triton compiles for each size of network when it is first launched."""
    made = triton.jit(_solve_rows, do_not_specialize=["rows"])  # one for every number of rows
    return cast(Kernel, made)


def _solve_rows(
    x,
    z,
    conditioning,
    first_weight,  # [D, hidden]
    second_weight,
    third_weight,
    second_bias,
    third_bias,
    output_weight,
    output_bias,
    rows,
    features,
    hidden,
    levels,
    LAYERS: tl.constexpr,
    REVERSE: tl.constexpr,
    BOUND: tl.constexpr,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
):
    """Solve `ROWS` rows, level by level; see `solve_on_chip`."""
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    there = row < rows
    unit = tl.arange(0, UNITS)
    real = unit < hidden
    term = conditioning + row[:, None] * hidden + unit[None, :]
    first = tl.load(term, mask=there[:, None] & real[None, :], other=0.0)
    second = tl.zeros_like(first)
    third = tl.zeros_like(first)
    for level in range(levels):
        # `partition` says where the units and the series of a level lie.
        unit_start = hidden * level // levels
        unit_stop = hidden * (level + 1) // levels
        seen = unit < unit_stop
        # Not `maximum`, which takes 0 for what is no number: that would pass for a unit that is off.
        units = tl.where(seen[None, :], tl.where(first < 0.0, 0.0, first), 0.0)
        if LAYERS > 1:
            for own in range(unit_start, unit_stop):
                weight = tl.load(second_weight + own * hidden + unit, mask=seen, other=0.0)
                told = tl.sum(units * weight[None, :], axis=1) + tl.load(second_bias + own)
                told = tl.where(told < 0.0, 0.0, told)
                second = tl.where((unit == own)[None, :], told[:, None], second)
            units = second
        if LAYERS > 2:
            for own in range(unit_start, unit_stop):
                weight = tl.load(third_weight + own * hidden + unit, mask=seen, other=0.0)
                told = tl.sum(units * weight[None, :], axis=1) + tl.load(third_bias + own)
                told = tl.where(told < 0.0, 0.0, told)
                third = tl.where((unit == own)[None, :], told[:, None], third)
            units = third
        for place in range(features * level // levels, features * (level + 1) // levels):
            series = place
            if REVERSE:
                series = features - 1 - place
            shift_weight = tl.load(output_weight + series * hidden + unit, mask=seen, other=0.0)
            shift = tl.sum(units * shift_weight[None, :], axis=1) + tl.load(output_bias + series)
            behind = features * hidden
            raw_weight = tl.load(output_weight + behind + series * hidden + unit, mask=seen, other=0.0)
            raw = tl.sum(units * raw_weight[None, :], axis=1) + tl.load(output_bias + features + series)
            noise = tl.load(z + row * features + series, mask=there, other=0.0)
            scale = tl.exp(2.0 * BOUND / (1.0 + tl.exp(-raw)) - BOUND)
            value = shift + noise * scale
            tl.store(x + row * features + series, value, mask=there)
            later = real & (unit >= unit_stop)
            weight = tl.load(first_weight + series * hidden + unit, mask=later, other=0.0)
            # Chosen, not multiplied by 0: a value that is not finite must not reach units that do not see it.
            first = tl.where(later[None, :], first + value[:, None] * weight[None, :], first)
