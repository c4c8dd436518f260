"""Whether the inverse of a masked affine map is the kernel or the loop over its levels, tried once for each size."""

from __future__ import annotations

import copy
import functools
import importlib.util
import os
import threading
import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from ..level_solver import Workspace, solve_levels
from ..made import MADE
from .launch import fits, solve_on_chip

SWITCH = "HEMLINE_FUSED"
"""The variable of the environment that is 0 where no kernel is to be used."""

ROWS_TRIED = 11
"""Rows by which a kernel is compared with the loop; odd, so that the last warp has a row too few."""

Launch = Callable[[MADE, Tensor, Tensor], Tensor]


def may_be_fused(made: MADE, z: Tensor) -> bool:
    """Whether the kernel is made for this network and noise ``[N, D]``, as far as can be told beforehand.

    It is for rows on a GPU, in single precision, of networks whose units fit on its chip, where Triton is installed and
    ``HEMLINE_FUSED`` is not 0. Gradients do not pass through it, which is the caller's to know.

    >>> may_be_fused(MADE(3, hidden=8), torch.zeros(5, 3))
    False
    """
    single = z.dtype == made.input_weight.dtype == torch.float32
    if not (z.is_cuda and single and len(z) and fits(made)):
        return False
    return os.environ.get(SWITCH) != "0" and _has_triton()


@functools.cache
def _has_triton() -> bool:
    return importlib.util.find_spec("triton") is not None


class TriedInverse:
    """The kernel where it has proved right, and nothing elsewhere.

    For each size of network and device the first rows are computed three times, by the kernel, by the loop and by the
    loop in double precision. The kernel is taken if it is at most ten times as far from the last as the loop in single
    precision is, or nearer than 1e-5; if not, or if it fails, to be compiled or to run, a warning says so once and the
    loop does the work from then on. What is kept is that verdict; it belongs to the process and to all threads.

    Arguments:
        launch: computes the data ``[N, D]`` of a network, noise ``[N, D]`` and conditioning ``[N, hidden]``.
    """

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._is_right: dict[tuple[object, ...], bool] = {}
        self._one_trial = threading.Lock()

    def __call__(self, made: MADE, z: Tensor, conditioning: Tensor) -> Tensor | None:
        """The data ``[N, D]``, or ``None`` where the loop over the levels has to find them."""
        sizes = (made.features, made.hidden, 1 + len(made.hidden_weights), made.levels, made.reverse)
        key = (*sizes, z.device)
        with self._one_trial:
            if key not in self._is_right:
                self._try(key, made, z[:ROWS_TRIED], conditioning[:ROWS_TRIED])
        if not self._is_right.get(key):
            return None
        try:
            return self._launch(made, z, conditioning)
        except Exception as error:  # of a compiler, a driver or a cache of files: any kind
            self._refuse(key, made, z, f"{type(error).__name__}: {error}")
            return None

    def _try(self, key: tuple[object, ...], made: MADE, z: Tensor, conditioning: Tensor) -> None:
        if z.is_cuda and torch.cuda.is_current_stream_capturing():
            return  # a graph cannot look at values: the next call outside one tries
        try:
            found = self._launch(made, z, conditioning)
        except Exception as error:
            return self._refuse(key, made, z, f"{type(error).__name__}: {error}")
        looped = solve_levels(made, z, conditioning, Workspace())
        exact = solve_levels(copy.deepcopy(made).double(), z.double(), conditioning.double(), Workspace())
        if not bool(looped.isfinite().all()):
            return None  # nothing to compare with: the next call tries
        wrong, usual = _distance(found, exact), _distance(looped, exact)
        if wrong <= max(1e-5, 10 * usual):
            self._is_right[key] = True
            return None
        return self._refuse(key, made, z, f"its data differ by {wrong:.1e}, those of the loop by {usual:.1e}")

    def _refuse(self, key: tuple[object, ...], made: MADE, z: Tensor, reason: str) -> None:
        self._is_right[key] = False
        layers = 1 + len(made.hidden_weights)
        warnings.warn(
            f"fused inverse: expected a kernel for {made.features} series and {layers} layers of {made.hidden} units "
            f"on {z.device}, got {' '.join(reason.split())[:300]}; paths are drawn level by level ({SWITCH}=0 does so "
            "without trying)",
            RuntimeWarning,
            stacklevel=2,
        )


def _distance(x: Tensor, exact: Tensor) -> float:
    """The largest difference between data, relative to those that are above 1."""
    return float(((x.double() - exact).abs() / (1 + exact.abs())).max())


fused_inverse = TriedInverse(solve_on_chip)
"""The kernel on a GPU, as tried in this process."""
