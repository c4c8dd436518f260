"""Fingerprints of photos that survive another size or another compression."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

_SIDE, _KEPT = 32, 8


def perceptual_hash(pixels: Tensor) -> np.ndarray:
    """Which of the lowest 8 × 8 frequencies of the grey photo are above their median, the mean brightness apart.

    Source: C. Zauner (2010), Implementation and Benchmarking of Perceptual Image Hash Functions, section 3.2.1 (pHash).

    Arguments:
        pixels: uint8 ``[N, 1 or 3, S, S]``.

    Returns:
        uint64 ``[N]``.

    Example:
        >>> ramp = torch.arange(64, dtype=torch.uint8).expand(1, 3, 64, 64)
        >>> distances(perceptual_hash(ramp), perceptual_hash(ramp[..., ::2, ::2])).tolist()
        [[0]]
    """
    grey = pixels.float().mean(dim=1, keepdim=True)
    small = torch.nn.functional.interpolate(grey, (_SIDE, _SIDE), mode="bilinear", antialias=True, align_corners=False)[
        :, 0
    ]
    waves = _cosines()
    # In steps that are coarser than rounding: a flat photo has no frequency but the first.
    spectrum = (waves @ small.double() @ waves.T).flatten(1).mul(1e3).round()
    bits = spectrum > spectrum[:, 1:].median(dim=1, keepdim=True).values
    return np.packbits(bits.numpy(), axis=1).view(">u8")[:, 0].astype(np.uint64)


def distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The number of bits in which hashes differ, int64 ``[n, m]``.

    Arguments:
        first: uint64 ``[n]``.
        second: uint64 ``[m]``.
    """
    return np.bitwise_count(first[:, None] ^ second[None]).astype(np.int64)


@cache
def _cosines() -> Tensor:
    """The lowest rows of the orthonormal discrete cosine transform (type II), ``[8, 32]``."""
    place, wave = torch.arange(_SIDE, dtype=torch.float64), torch.arange(_KEPT, dtype=torch.float64)
    rows = torch.cos(torch.pi * wave[:, None] * (2 * place + 1) / (2 * _SIDE)) * (2 / _SIDE) ** 0.5
    rows[0] /= 2**0.5
    return rows
