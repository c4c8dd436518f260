"""What becomes of a drawn value before it is fed back: whole numbers, no sales below zero, imposed values."""

from __future__ import annotations

import torch
from torch import Tensor

from .scaling import Domain


class Feedback:
    """Settles each step of the horizon, as it is drawn, in the units of the data.

    Where the model works on changes, the level is followed along the path, so that a level can be imposed on it
    and the change that leads there is what the model reads next.

    Arguments:
        domain: the values that a path can take.
        lattice: whether the head draws whole numbers itself.
        last: ``[B, lag, D]`` the levels that the first `lag` changes are added to; ``None`` for a model of levels.
        imposed: ``[B, H, D]`` levels that are set whatever is drawn, NaN where the path is free; ``None`` for none.

    Example:
        >>> feedback = Feedback("count", imposed=torch.tensor([[[0.0, torch.nan]]]))
        >>> feedback(0, torch.tensor([[3.7, 2.9], [1.2, -0.4]]))
        tensor([[0., 2.],
                [0., 0.]])
    """

    def __init__(
        self,
        domain: Domain,
        *,
        lattice: bool = False,
        last: Tensor | None = None,
        imposed: Tensor | None = None,
    ) -> None:
        self.domain, self.lattice, self.last, self.imposed = domain, lattice, last, imposed
        self._levels: list[Tensor] = []

    @property
    def idle(self) -> bool:
        """Whether every drawn value is taken as it is."""
        return self.domain == "real" and self.imposed is None

    def __call__(self, step: int, values: Tensor) -> Tensor:
        """Settle the values ``[B * S, D]`` of a step, levels or changes; steps come in order from 0."""
        whole = values.floor() if self.domain == "count" and not self.lattice else values
        if self.last is None:
            return self._settle(step, whole.view(self._shape(whole))).view_as(values)
        lag = self.last.shape[1]
        if step == 0:
            self._levels = [self.last[:, index, None] for index in range(lag)]
        before = self._levels[step]
        level = self._settle(step, before + whole.view(len(self.last), -1, whole.shape[-1]))
        self._levels.append(level)
        return (level - before).view_as(values)

    def finish(self, paths: Tensor) -> Tensor:
        """Clear levels ``[B, S, H, D]`` of what rounding left over from adding up changes."""
        paths = paths.round() if self.domain == "count" else paths
        return torch.stack([self._settle(step, paths[:, :, step]) for step in range(paths.shape[2])], dim=2)

    def _settle(self, step: int, levels: Tensor) -> Tensor:
        """Bounds and imposed values, for levels ``[B, S, D]``."""
        if self.domain != "real":
            levels = levels.clamp_min(0)
        if self.imposed is None:
            return levels
        set_to = self.imposed[:, step, None]
        return torch.where(set_to.isnan(), levels, set_to)

    def _shape(self, values: Tensor) -> tuple[int, int, int]:
        windows = 1 if self.imposed is None else len(self.imposed)
        return windows, -1, values.shape[-1]
