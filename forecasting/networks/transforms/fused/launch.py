"""The inverse of a masked affine map as one launch: which networks it is for, and how it is called."""

from __future__ import annotations

import torch
from torch import Tensor

from ..affine import LOG_SCALE_BOUND
from ..made import MADE

MOST_LAYERS = 3
"""Hidden layers that the kernel is written for."""

WIDEST = 1024
"""Units of a layer, padded, that a warp holds without running out of registers: 32 of the 255 of a thread."""

MOST_UNITS = 2048
"""The same for all hidden layers together."""


def padded(hidden: int) -> int:
    """The units of a layer as the kernel holds them: the next power of two, at least one for each thread of a warp.

    >>> padded(100), padded(1)
    (128, 32)
    """
    return max(32, 1 << (hidden - 1).bit_length())


def fits(made: MADE) -> bool:
    """Whether the units of a row stay on the chip; see `MOST_LAYERS`, `WIDEST` and `MOST_UNITS`.

    >>> fits(MADE(963, hidden=100)), fits(MADE(2, hidden=1024)), fits(MADE(2, hidden=1025, hidden_layers=1))
    (True, True, False)
    >>> fits(MADE(2, hidden=513, hidden_layers=3)), fits(MADE(2, hidden=8, hidden_layers=4))
    (False, False)
    """
    layers, units = 1 + len(made.hidden_weights), padded(made.hidden)
    small = 2 * made.features * made.hidden < 2**31  # places in the weights are numbers of 32 bits
    return layers <= MOST_LAYERS and units <= WIDEST and units * layers <= MOST_UNITS and small


def solve_on_chip(made: MADE, z: Tensor, conditioning: Tensor) -> Tensor:
    r"""Solve :math:`x = z\,e^{\alpha(x, c)} + \mu(x, c)` for x, all levels in one launch.

    It is the arithmetic of :func:`~hemline.forecasting.networks.transforms.level_solver.solve_levels`. Sums are taken
    in the type of the numbers, and no factor is rounded to fewer bits: no matrix unit takes part. A warp takes two
    rows, or one of a wide network, through all levels, so that no warp waits for another. What a row knows of the
    levels behind it are its units, which never leave the registers: those of the first layer before their rectifier,
    to which each solved series is added at once, and those of the layers above that have been reached. Noise is read
    once and data are written once.

    Gradients do not pass through it. Weights are read where they lie, but for those of the first layer, which are
    transposed first.

    Arguments:
        made: the network of μ and α, one that `fits`.
        z: noise, ``[N, D]``.
        conditioning: the conditioning term, ``[N, hidden]``.

    Returns:
        the data ``[N, D]``, in memory of its own.
    """
    from .kernel import compiled_kernel  # here, because Triton need not be there, and takes its time to be imported

    rows, layers, units = z.shape[0], 1 + len(made.hidden_weights), padded(made.hidden)
    at_once = 2 if 2 * units <= WIDEST and 2 * units * layers <= MOST_UNITS else 1
    z, conditioning = z.contiguous(), conditioning.contiguous()
    x = torch.empty_like(z)
    first = _laid_out(made.input_weight.t())
    # A layer that is not there is never read.
    weights = [*map(_laid_out, made.hidden_weights), first, first][: MOST_LAYERS - 1]
    biases = [*map(_laid_out, made.hidden_biases), first, first][: MOST_LAYERS - 1]
    with torch.cuda.device_of(z):
        compiled_kernel()[(-(-rows // at_once),)](
            x, z, conditioning, first, *weights, *biases, _laid_out(made.output_weight), _laid_out(made.output_bias),
            rows, made.features, made.hidden, made.levels,
            LAYERS=layers, REVERSE=made.reverse, BOUND=LOG_SCALE_BOUND, ROWS=at_once, UNITS=units,
            num_warps=1, enable_fp_fusion=True,
        )  # fmt: skip
    return x


def _laid_out(weight: Tensor) -> Tensor:
    return weight.detach().contiguous()
