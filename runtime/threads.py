"""The number of threads that a calculation may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def on_threads(count: int | None) -> Iterator[None]:
    """Let torch compute with some threads inside; the last digits of a sum can depend on their number.

    Arguments:
        count: the number of threads; ``None`` leaves it.
    """
    if count is None:
        yield
        return
    import torch  # here, because what needs no torch should not wait for its import

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
