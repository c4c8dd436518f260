"""Reordering of the series between the maps of a flow."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .bijection import Bijection
from .level_solver import Workspace


class Permutation(Bijection):
    """A fixed reordering of the series, ``z[:, i] = x[:, order[i]]``.

    Arguments:
        features: the number of series D.
        order: a permutation of ``0 … D-1``; by default the reversed order, which lets the series that an
            autoregression treated first be treated last by the next one.

    Raises:
        ValueError: ``order`` is not a permutation of ``0 … D-1``.

    >>> Permutation(3)(torch.tensor([[1.0, 2.0, 3.0]]), torch.empty(1, 0))[0]
    tensor([[3., 2., 1.]])
    """

    order: Tensor
    undo: Tensor

    def __init__(self, features: int, order: Sequence[int] | None = None) -> None:
        super().__init__(features)
        chosen = list(range(features))[::-1] if order is None else list(order)
        if sorted(chosen) != list(range(features)):
            raise ValueError(f"order: expected a permutation of 0 to {features - 1}, got {chosen}")
        indices = torch.tensor(chosen)
        self.register_buffer("order", indices)
        self.register_buffer("undo", torch.argsort(indices))

    def forward(self, x: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        """Map data ``[N, D]`` to noise; see :class:`Bijection`."""
        return x[:, self.order], x.new_zeros(x.shape[0])

    def inverse(self, z: Tensor, conditioning: Tensor, workspace: Workspace | None = None) -> Tensor:
        """Map noise ``[N, D]`` to data; see :class:`Bijection`."""
        return z[:, self.undo]
