"""Random draws that are seeded and leave the caller's generators as they were."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

_PROCESS = threading.RLock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the generators of the process, torch's, numpy's and Python's, for a block; then each goes on as before.

    One thread at a time is in such a block, others wait. It is for what draws from them whatever one does: a training,
    and models of other libraries, such as gluonts'. A forecast of our own draws from a generator of the call.

    Arguments:
        seed: any integer from 0.

    Example:
        >>> with seeded(3):
        ...     first = torch.rand(1)
        >>> with seeded(3):
        ...     print(bool(torch.rand(1) == first))
        True
    """
    with _PROCESS, torch.random.fork_rng():
        states = np.random.get_state(), random.getstate()
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(states[0])
            random.setstate(states[1])


def seed_everything(seed: int) -> None:
    """Seed the generators of Python, numpy and torch.

    Arguments:
        seed: at least 0.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
