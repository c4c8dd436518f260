"""The device that a calculation runs on: one set of words, one refusal, one name for the record."""

from __future__ import annotations

import functools
import os
import platform
from typing import Literal

DEVICES = ("auto", "cpu", "cuda")

Precision = Literal["32-true", "bf16-mixed"]
"""In which numbers a training calculates, by Lightning's names."""


def torch_device(device: str) -> str:
    """The name of torch's device that a word means on this machine.

    Arguments:
        device: ``"auto"`` for a GPU where there is one, ``"cpu"`` or ``"cuda"``.

    Returns:
        ``"cpu"`` or ``"cuda"``.

    Raises:
        ValueError: it is another word, or there is no GPU for ``"cuda"``.

    Example:
        >>> torch_device("cpu")
        'cpu'
    """
    if device not in DEVICES:
        raise ValueError(f"device: expected 'auto', 'cpu' or 'cuda', got {device!r}")
    import torch  # here, because a command that refuses its options should not wait for torch

    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise ValueError("device: expected a machine with a GPU for 'cuda', got none")
    return "cuda" if device != "cpu" and available else "cpu"


ROWS_FOR_A_GPU = 256
"""Sample paths from which ``"auto"`` draws on a GPU."""


def drawing_device(device: str, rows: int) -> str:
    """The name of torch's device on which sample paths of a network are drawn.

    A step of a decode is hundreds of small kernels whatever the number of paths, which a processor finishes sooner for
    few paths and a GPU for many. 100 paths took an H200 1.4 to 2.6 times as long as two cores for each of 8 to 2,000
    series; on the cores the time of a step grows as the square root of the paths (docs/benchmarks.md), so that both
    are even at about 250. Paths that the fused inverse draws should be even sooner, which was not measured.

    Arguments:
        device: ``"auto"`` for a GPU where there is one and it pays, or a word of `torch_device`.
        rows: paths of all windows; a GPU pays from `ROWS_FOR_A_GPU`.

    Returns:
        ``"cpu"`` or ``"cuda"``.

    Raises:
        ValueError: as `torch_device` does.

    Example:
        >>> drawing_device("auto", 100)
        'cpu'
    """
    found = torch_device(device)
    return "cpu" if device == "auto" and rows < ROWS_FOR_A_GPU else found


@functools.cache
def device_name() -> str:
    """The name of the device that ``"auto"`` means here: the GPU, or the processor and its cores."""
    import torch

    if torch.cuda.is_available():
        return f"cuda ({torch.cuda.get_device_name()})"
    return f"cpu ({platform.machine()}, {os.cpu_count()} cores)"


@functools.cache
def has_fast_bfloat16() -> bool:
    """Whether the processor multiplies numbers of 16 bits (bfloat16) faster than those of 32; known of Linux alone."""
    try:
        with open("/proc/cpuinfo") as file:
            flags = next((line for line in file if line.startswith(("flags", "Features"))), "")
    except OSError:
        return False
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & set(flags.split()))
