"""Random draws that are seeded and leave the caller's generators as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch, numpy and Python for a block; afterwards each goes on from where it was.

    Arguments:
        seed: any integer from 0.

    Example:
        >>> with seeded(3):
        ...     first = torch.rand(1)
        >>> with seeded(3):
        ...     print(bool(torch.rand(1) == first))
        True
    """
    states = np.random.get_state(), random.getstate()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(states[0])
            random.setstate(states[1])


def as_often(probability: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Numbers ``[count]`` from 0 in random order, each as often as its probability says, or once more or less.

    Arguments:
        probability: of each, 1 in all.
        count: how many are drawn.
        generator: of the draws.

    Example:
        >>> np.sort(as_often(np.array([0.5, 0.25, 0.25]), 4, np.random.default_rng(0)))
        array([0, 0, 1, 2])
    """
    edges = np.cumsum(probability)
    levels = (np.arange(count) + generator.random()) / count
    return generator.permutation(np.searchsorted(edges, levels).clip(0, len(edges) - 1))


def asked(seed: int | None) -> dict[str, int]:
    """The seed as an argument of the ``predict`` of any predictor, which need not know of seeds unless one is asked.

    Arguments:
        seed: of the draws; ``None`` leaves it to the predictor.

    Example:
        >>> asked(3), asked(None)
        ({'seed': 3}, {})
    """
    return {} if seed is None else {"seed": seed}
