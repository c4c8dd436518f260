"""Copula marginals: every series of every window becomes normal by the empirical distribution of its past."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Literal

import torch
from torch import Tensor

from ...datasets.entries.domain import Domain
from ...runtime.arguments.kinds import Checked, Within
from .scaling import Scaling

LARGEST = 8.0
"""No value is further than this from the middle of a normal marginal."""


@dataclass(frozen=True)
class Marginals:
    r"""The empirical distribution of each series in each window, and the way to a standard normal and back.

    With the m values seen in order, :math:`x_{(1)} \le \dots \le x_{(m)}`, the distribution function is
    :math:`\hat F(x_{(k)}) = (k - 1/2) / m` and linear in between; a value seen several times gets the middle of its
    ranks. Then :math:`z = \Phi^{-1}(\hat F(x))`.

    Arguments:
        knots: ``[B, D, P]`` the values seen, increasing, then the last of them over and over.
        count: ``[B, D]`` how many were seen, at least 1.
        spread: ``[B, D]`` data units a normal unit beyond the range of the past, positive.
        clipped: whether values beyond the range are taken to its ends.
    """

    knots: Tensor
    count: Tensor
    spread: Tensor
    clipped: bool

    def to_normal(self, values: Tensor) -> Tensor:
        """Values as normal scores.

        Arguments:
            values: ``[B, N, D]``, data units.

        Returns:
            ``[B, N, D]``, within 8 of 0.
        """
        at = values.transpose(1, 2).contiguous()
        count = self.count[..., None]
        left = torch.searchsorted(self.knots, at).minimum(count)
        right = torch.searchsorted(self.knots, at, right=True).minimum(count)
        low, high = self._knot(left - 1), self._knot(left)
        between = (at - low) / torch.where(high > low, high - low, torch.ones_like(low))
        place = torch.where(right > left, (left + right) / 2, left - 0.5 + between)
        place = place.clamp(min=0.5).minimum(count - 0.5)
        z = torch.special.ndtri(self._winsorised(place / count))
        if not self.clipped:
            last, spread = self._last[..., None], self.spread[..., None]
            z = torch.where(right == 0, (at - self._knot(left)) / spread - last, z)
            z = torch.where(left == count, (at - self._knot(left - 1)) / spread + last, z)
        return z.clamp(-LARGEST, LARGEST).transpose(1, 2)

    def to_values(self, z: Tensor) -> Tensor:
        """Normal scores as values, the inverse of `to_normal`.

        Arguments:
            z: ``[B, ..., D]``.

        Returns:
            ``[B, ..., D]``, data units; within the range of the past where it is clipped.
        """
        flat = z.flatten(1, -2).transpose(1, 2)
        count = self.count[..., None]
        place = (torch.special.ndtr(flat) * count - 0.5).clamp(min=0.0).minimum(count - 1.0)
        lower = place.floor()
        low, high = self._knot(lower.long()), self._knot((lower.long() + 1).minimum(count - 1))
        values = low + (place - lower) * (high - low)
        if not self.clipped:
            last, spread = self._last[..., None], self.spread[..., None]
            values = torch.where(flat > last, self._knot(count - 1) + (flat - last) * spread, values)
            values = torch.where(flat < -last, self._knot(torch.zeros_like(count)) + (flat + last) * spread, values)
        return values.transpose(1, 2).reshape(z.shape)

    @property
    def _last(self) -> Tensor:
        """The normal score ``[B, D]`` of the largest value seen."""
        return torch.special.ndtri(1 - 0.5 / self.count.to(self.knots.dtype))

    def _knot(self, index: Tensor) -> Tensor:
        index = index.clamp(0, self.knots.shape[-1] - 1)
        return self.knots.gather(2, index.expand(*self.knots.shape[:2], index.shape[-1]))

    def _winsorised(self, share: Tensor) -> Tensor:
        if not self.clipped:
            return share
        seen = self.count.clamp(min=2)
        least = (0.25 / (seen**0.25 * (math.pi * seen.log()).sqrt()))[..., None]
        return share.maximum(least).minimum(1 - least)


@dataclass(frozen=True)
class Copula(Checked):
    r"""Normal scores: a model sees the rank of a value among those of the recent past, as a normal variable.

    What the model then learns of the series is their dependence alone, a copula; forecasts go back through the same
    distribution. It is measured on the last `window` steps of the past of each window, so that nothing of the horizon
    enters. The loss is that of the normal scores, without the density of the marginals, which no weight changes.

    Source: Salinas et al. (2019), arXiv 1910.03002, §3.1: :math:`\hat F` from 100 steps, winsorised at
    :math:`\delta_m = 1 / (4 m^{1/4} \sqrt{\pi \log m})` (``tails="clipped"``), where no forecast leaves the range of
    these steps. With ``tails="normal"``, where we differ, the marginals go on beyond it as normal ones of the same
    spread, so that a new record has a rank of its own and can be forecast.

    Arguments:
        scaling: of what the ranks are, levels or changes.
        window: steps of the past that are ranked.
        tails: beyond the range of the past: ``"normal"``, or ``"clipped"`` as published.

    Example:
        >>> marginals = Copula(window=4).marginals(torch.tensor([[[1.0], [3.0], [2.0], [9.0]]]), None, torch.ones(1))
        >>> marginals.to_normal(torch.tensor([[[2.5]]]))
        tensor([[[0.]]])
        >>> marginals.to_values(torch.tensor([[[0.0]]]))
        tensor([[[2.5000]]])
    """

    scaling: Scaling = field(default_factory=Scaling)
    window: Annotated[int, Within(2, 100_000)] = 100
    tails: Literal["normal", "clipped"] = "normal"

    @property
    def change(self) -> int | None:
        """The lag of the changes, or ``None`` where the model works on levels."""
        return self.scaling.change

    @property
    def domain(self) -> Domain:
        """The values that a path can take."""
        return self.scaling.domain

    @property
    def past(self) -> int:
        """Steps before the horizon that every window has to hold."""
        return self.window

    def scale(self, context: Tensor, observed: Tensor | None, usual: Tensor) -> Tensor:
        """Ones ``[B, D]``: normal scores need no scale."""
        return torch.ones_like(context[:, 0])

    def marginals(self, past: Tensor, observed: Tensor | None, usual: Tensor) -> Marginals:
        """Measure the distribution of each series.

        Arguments:
            past: ``[B, P, D]`` levels or changes before the horizon, 0 where missing; the last `window` count.
            observed: ``[B, P, D]``, 1 where seen; ``None`` where all were.
            usual: ``[D]`` mean absolute value on the training span, positive.

        Returns:
            The marginals; of a series that was not seen at all a normal one of its usual size.
        """
        past = past[:, -self.window :]
        seen = torch.ones_like(past) if observed is None else observed[:, -self.window :]
        scale = self.scaling.scale(past, seen, usual)
        count = seen.sum(1)
        ordered = past.masked_fill(seen == 0, math.inf).sort(dim=1).values
        last = ordered.gather(1, (count.long() - 1).clamp_min(0)[:, None])
        last = torch.where(count[:, None] > 0, last, torch.zeros_like(last))
        knots = ordered.minimum(last)
        reach = 2 * torch.special.ndtri(1 - 0.5 / count.clamp_min(1))
        width = (last - knots[:, :1])[:, 0] / torch.where(count > 1, reach, torch.ones_like(reach))
        # A series that stood still may move again; how far, its size tells.
        spread = torch.where(count > 0, width.maximum(1e-3 * scale), scale)
        return Marginals(knots.transpose(1, 2).contiguous(), count.clamp_min(1).long(), spread, self.tails == "clipped")


Units = Scaling | Copula
"""What the numbers of a model are."""
