"""Random draws that are seeded and leave the caller's generators as they were."""

from __future__ import annotations

import random
import threading
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


_FOREIGN = threading.RLock()


@contextmanager
def foreign_library(seed: int) -> Iterator[None]:
    """Let code of another library draw from the process-wide generators, seeded, one thread at a time.

    Models of our own draw from generators of the call. Those of other libraries, gluonts' for one, draw from torch's,
    numpy's and Python's own: they wait for each other here, and afterwards each generator goes on from where it was.

    Arguments:
        seed: any integer from 0.
    """
    with _FOREIGN, seeded(seed):
        yield


def seed_everything(seed: int) -> None:
    """Seed the generators of Python, numpy and torch.

    Arguments:
        seed: at least 0.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
