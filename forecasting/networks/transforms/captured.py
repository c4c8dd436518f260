"""A decode step on a GPU as one CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Inverse = Callable[[Tensor, Sequence[Tensor]], Tensor]

Replay = Callable[[], None]


def capture(function: Callable[[], Tensor]) -> tuple[Replay, Tensor]:
    """Record the kernels of a function once, to be launched together from then on.

    Arguments:
        function: work on CUDA tensors that are always the same, without host-device round trips.

    Returns:
        what replays the work, and the tensor that each replay writes its result to.
    """
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(2):  # libraries choose their kernels and take their memory in the first runs
            function()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = function()
    return graph.replay, result


class CapturedInverse:
    """An inverse for a fixed number of rows, whose thousand small kernels are launched as one graph.

    The graph reads the weights where they lie, so that it sees every change made in place. ``addresses``
    says where they lay: when a parameter has moved, a new graph is needed.

    Arguments:
        inverse: noise ``[N, D]`` and conditioning terms ``[N, .]`` to data ``[N, D]``.
        z: noise of the shape to capture.
        terms: conditioning terms of the shapes to capture.
        addresses: where the weights lie.
        capture: how to record.
    """

    def __init__(
        self,
        inverse: Inverse,
        z: Tensor,
        terms: Sequence[Tensor],
        addresses: list[int],
        capture: Callable[[Callable[[], Tensor]], tuple[Replay, Tensor]] = capture,
    ) -> None:
        self.addresses = addresses
        self._z = z.clone(memory_format=torch.contiguous_format)
        self._terms = [term.clone(memory_format=torch.contiguous_format) for term in terms]
        self._replay, self._x = capture(lambda: inverse(self._z, self._terms))

    def __call__(self, z: Tensor, terms: Sequence[Tensor]) -> Tensor:
        """Map noise ``[N, D]`` to data ``[N, D]``, in memory of its own."""
        self._z.copy_(z)
        for kept, term in zip(self._terms, terms, strict=True):
            kept.copy_(term)
        self._replay()
        return self._x.clone()
