"""What becomes of a drawn value before it is fed back: whole numbers, no sales below zero, imposed values."""

from __future__ import annotations

import torch
from torch import Tensor

from ...datasets.entries.domain import Domain


class Feedback:
    """Post-processing of each sampled step in data units: bounds, rounding, imposed values.

    Where the model works on changes, or on sales without what prices explain, the level is followed along the path,
    so that a level can be imposed on it and what leads there is what the model reads next.

    Arguments:
        domain: the values that a path can take.
        lattice: whether the head draws whole numbers itself.
        last: ``[B, lag, D]`` the levels that the first `lag` changes are added to; ``None`` for a model of levels.
        imposed: ``[B, H, D]`` data that are set whatever is drawn, NaN where the path is free; ``None`` for none.
        factor: ``[B, S, H, D]`` by which levels are multiplied to give data; ``None`` for 1.
        rounding: ``[B, S, H, D]`` uniform numbers by which counts with a factor are rounded up or down, so that their
            mean is that of the levels times the factor; ``None`` where they are no counts.
        spread: whether levels of counts were spread over [level, level + 1) for the model, so that the whole ones below
            them are meant.
        least: ``[D]`` factors below which data say nothing of the level; that which was drawn is fed back then.

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
        factor: Tensor | None = None,
        rounding: Tensor | None = None,
        spread: bool = False,
        least: Tensor | None = None,
    ) -> None:
        self.domain, self.lattice = domain, lattice
        self.last, self.imposed, self.factor = last, imposed, factor
        self.rounding, self.spread, self.least = rounding, spread and domain == "count", least
        self._levels: list[Tensor] = []
        self._multiplied: list[Tensor] = []

    @property
    def idle(self) -> bool:
        """Whether no post-processing is needed."""
        return self.domain == "real" and self.imposed is None and self.factor is None

    def __call__(self, step: int, values: Tensor) -> Tensor:
        """Settle the values ``[B * S, D]`` of a step, levels or changes; steps come in order from 0."""
        shape = (self._windows(), -1, values.shape[-1])
        if self.last is None:
            return self._level(step, values.view(shape)).view_as(values)
        if step == 0:
            self._levels = [self.last[:, index, None] for index in range(self.last.shape[1])]
        before = self._levels[step]
        level = self._level(step, before + values.view(shape))
        self._levels.append(level)
        return (level - before).view_as(values)

    def free(self, step: int, drawn: Tensor, settled: Tensor) -> Tensor:
        """Mask ``[B, S, D]`` of values that were neither bounded nor imposed."""
        same = drawn == settled
        return same if self.imposed is None else same & self.imposed[:, step, None].isnan()

    def finish(self, levels: Tensor) -> Tensor:
        """Data ``[B, S, H, D]`` of levels, clear of what rounding left over from adding up changes."""
        if self._multiplied:
            return torch.stack(self._multiplied, 2)
        return torch.stack([self._data(step, levels[:, :, step], settled=True) for step in range(levels.shape[2])], 2)

    def _level(self, step: int, levels: Tensor) -> Tensor:
        """Settled levels ``[B, S, D]`` of drawn ones."""
        data = self._data(step, levels)
        if self.factor is None:
            return data
        # What a level times its factor was rounded to is not to be had from the level again.
        self._multiplied.append(data)
        factor = self.factor[:, :, step]
        # Spread counts are read as the middle of their interval.
        settled = data / factor + (0.5 if self.spread else 0.0)
        return settled if self.least is None else torch.where(factor < self.least, levels, settled)

    def _data(self, step: int, levels: Tensor, settled: bool = False) -> Tensor:
        """Data ``[B, S, D]`` within their bounds, imposed values in their place."""
        data = levels
        if self.factor is not None:
            data = (levels.floor() if self.spread else levels).clamp_min(0) * self.factor[:, :, step]
        if self.rounding is not None:
            data = (data + self.rounding[:, :, step]).floor()
        elif self.domain == "count" and not self.lattice:
            data = data.round() if settled else data.floor()
        if self.domain != "real":
            data = data.clamp_min(0)
        if self.imposed is None:
            return data
        set_to = self.imposed[:, step, None]
        return torch.where(set_to.isnan(), data, set_to)

    def _windows(self) -> int:
        for each in (self.factor, self.imposed, self.last):
            if each is not None:
                return len(each)
        return 1
