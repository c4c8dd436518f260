"""Networks trained without one block of the past each, and their joint errors on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ..units.feedback import Feedback
from ..units.ranks import Units
from ..windows.spec import SeriesSpec
from ..windows.tensor import SeriesTensor, Statistics, Window, Windows
from . import direct_told
from .direct import Direct, DirectNetwork
from .network import JointForecaster

FEWEST = 8
"""Windows with errors of its own below which a series is given those of others."""

SALES = 10.0
"""Usual sales that count beside those that a context is expected to hold, of an article that sells rarely."""


class CrossFitted(JointForecaster):
    r"""Several direct networks, each trained without one block of the past, and their errors on those blocks.

    A path is :math:`m + \sigma \odot e_k`: location m and scale :math:`\sigma` are the means of the networks' (the
    scale's of its logarithm), :math:`e_k` ``[H, D]`` is the field of standardised errors of one past window, by the
    network that did not see it. A field keeps how the errors of all series and steps went together; and since no
    network learnt from the answer, its spread is close to that of forecasts, not of a fit.

    What the context says of an article that sells at fewer than half of its steps is mostly chance: there m and
    :math:`\log\sigma` are drawn towards their means over the past windows, so that a path is nearly what was sold in
    the window that it follows. Divided and multiplied by scales that chance made small and large, nothing would become
    a sale.

    Arguments:
        spec: the shape of the problem.
        scaling: of levels.
        statistics: those of the training span.
        config: the numbers of a network.
        folds: number of networks.
        windows: number K of past windows whose errors are kept.
        unit: the smallest scale, data units; 1 for counts.
        rare: whether articles that sell rarely are told apart.
    """

    errors: Tensor
    trust: Tensor
    usual: Tensor

    def __init__(
        self,
        spec: SeriesSpec,
        scaling: Units,
        statistics: Statistics,
        config: Direct,
        folds: int,
        windows: int,
        unit: float = 0.0,
        rare: bool = False,
    ) -> None:
        super().__init__(spec, scaling, statistics)
        self.rare, self.unit = rare, unit
        self._members = nn.ModuleList(DirectNetwork(spec, scaling, statistics, config, unit) for _ in range(folds))
        self.register_buffer("errors", torch.zeros(windows, spec.prediction_length, spec.target_dim))
        if rare:  # the share of what a context says that counts, and the usual location and logarithm of the scale
            self.register_buffer("trust", torch.ones(spec.target_dim))
            self.register_buffer("usual", torch.zeros(2, spec.prediction_length, spec.target_dim))

    @property
    def members(self) -> list[DirectNetwork]:
        """The networks, each for the block of its number."""
        return [cast(DirectNetwork, member) for member in self._members]

    def loss(self, window: Window, *, context: bool = True) -> Tensor:
        """Mean loss of the networks."""
        return torch.stack([member.loss(window) for member in self.members]).mean()

    def location_and_scale(self, window: Window, members: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Means over some networks, ``[B, H, D]`` each, data units."""
        return self._steadied(*self._told(window, members))

    def _told(self, window: Window, members: Sequence[int]) -> tuple[Tensor, Tensor]:
        series = torch.arange(self.spec.target_dim, device=window.values.device)
        some = [self.members[number] for number in members]
        location, scale = direct_told.told(direct_told.stacked(some), some[0].read(window, series))
        return location.mean(0).transpose(1, 2), scale.log().mean(0).exp().transpose(1, 2)

    def _steadied(self, location: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """Location and scale ``[..., H, D]``, drawn towards the usual ones as far as a series sells rarely."""
        if not self.rare:
            return location, scale
        usual, log_usual = self.usual
        steadied = (log_usual + self.trust * (scale.log() - log_usual)).exp()
        often = self.trust >= 1
        return (
            torch.where(often, location, usual + self.trust * (location - usual)),
            torch.where(often, scale, steadied),
        )

    @torch.no_grad()
    def remember(self, learnt: Windows, blocks: Sequence[Tensor], at_once: int = 16) -> None:
        """Store out-of-fold errors on windows spread evenly over the blocks.

        Where a value is missing, or a series had no past to be forecast from, the error of another window takes its
        place (`without_gaps`).

        Arguments:
            learnt: the windows of the training.
            blocks: for each network the rows at which the windows start that it did not see.
            at_once: windows at a time.
        """
        # A training may have left the networks in another precision than that of the windows and of what is kept.
        self.eval().float()
        starts = torch.cat(list(blocks))
        unseen_by = torch.cat([torch.full_like(block, number) for number, block in enumerate(blocks)])
        kept = evenly(torch.arange(len(starts)), len(self.errors))
        horizon = self.spec.prediction_length
        came, locations, scales = (torch.empty_like(self.errors) for _ in range(3))
        for first in range(0, len(kept), at_once):
            places = torch.arange(first, min(first + at_once, len(kept)))
            for member in unseen_by[kept[places]].unique().tolist():
                rows = places[unseen_by[kept[places]] == member]
                window = learnt.at(starts[kept[rows]]).to(self.errors.device)
                location, scale = self._told(window, [member])
                true = self.spread(window.values[:, -horizon:])
                if window.observed is not None:
                    known = (window.observed[:, -horizon:] > 0) & self.members[member].begun(window)[:, None]
                    true = true.where(known, true.new_tensor(torch.nan))
                for told, every in zip((true, location, scale), (came, locations, scales), strict=True):
                    every[rows.to(self.errors.device)] = told
        if self.rare:
            self._measure(learnt.series, came, locations, scales)
        location, scale = self._steadied(locations, scales)
        self.errors.copy_(without_gaps((came - location) / scale))

    def _measure(self, series: SeriesTensor, came: Tensor, locations: Tensor, scales: Tensor) -> None:
        """What is usual of each series, and how much a context says beside it; from ``[K, H, D]`` of past windows."""
        seen = series.observed.to(self.errors.device) > 0
        sold = series.values.to(self.errors.device).where(seen, self.errors.new_zeros(())).clamp_min(0)
        steps, sales = seen.sum(0).clamp_min(1), (sold > 0).sum(0)
        share, size = sales / steps, sold.sum(0) / sales.clamp_min(1)
        expected = self.spec.context_length * sold.sum(0) / steps
        # Sales come in clumps of the size of one.
        trust = expected / (expected + SALES * (size * (1 - share)).clamp_min(self.unit)).clamp_min(1e-12)
        rarely = (share < 0.5) & (sales > 0) & ~came.isnan().all(0).any(0) & ~self._foreseen(sold > 0, seen, share)
        self.trust.copy_(torch.where(rarely, trust, torch.ones_like(trust)))
        for place, told in enumerate((locations, scales.log())):
            self.usual[place] = told.where(~came.isnan(), told.new_tensor(torch.nan)).nanmean(0).nan_to_num(nan=0.0)

    def _foreseen(self, sold: Tensor, seen: Tensor, share: Tensor) -> Tensor:
        """Whether a season before tells the steps with a sale, better than chance by half: nights, a listing."""
        season = self.members[0].season
        both = seen[season:] & seen[:-season]
        alike = ((sold[season:] == sold[:-season]) & both).sum(0) / both.sum(0).clamp_min(1)
        chance = share**2 + (1 - share) ** 2
        return alike - chance > 0.5 * (1 - chance)

    @torch.no_grad()
    def sample(
        self,
        window: Window,
        paths: int,
        feedback: Feedback | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw joint sample paths; see `JointForecaster.sample`.

        Each of the past windows is followed as often as the others, or once more; what the feedback makes of a value
        does not change what follows.
        """
        location, scale = self.location_and_scale(window, range(len(self.members)))
        rounds = -(-paths // len(self.errors))
        batch, horizon, dim = location.shape
        drawn = location.new_empty(batch, paths, horizon, dim)
        for number in range(batch):
            orders = [
                torch.randperm(len(self.errors), device=location.device, generator=generator) for _ in range(rounds)
            ]
            drawn[number] = location[number] + scale[number] * self.errors[torch.cat(orders)[:paths]]
        if feedback is not None:
            for step in range(horizon):
                settled = feedback(step, drawn[:, :, step].reshape(-1, dim))
                drawn[:, :, step] = settled.view(batch, paths, dim)
        return drawn

    @property
    def width(self) -> int:
        """The floats that a path needs while errors are gathered."""
        return 4096 + self.spec.prediction_length * self.spec.target_dim


def folds_of(ordinals: Tensor, borders: Sequence[int]) -> Tensor:
    """The block ``[N]`` to which each window belongs, by the period in which its horizon starts.

    Those of the first training lie between its borders. Later ones come in turns, as long as its blocks were: so a
    network that has once learnt without a window never learns from it, and none of them is left without what is new.

    Arguments:
        ordinals: int64 ``[N]`` of the periods.
        borders: those at which the blocks of the first training began, and the one after the last.

    Example:
        >>> folds_of(torch.arange(10), (0, 2, 4)).tolist()
        [0, 0, 1, 1, 0, 0, 1, 1, 0, 0]
    """
    count, end = len(borders) - 1, borders[-1]
    found = torch.searchsorted(torch.tensor(borders[1:-1]), ordinals, right=True)
    turns = (ordinals - end) // max((end - borders[0]) // count, 1) % count
    return torch.where(ordinals < end, found, turns)


def apart_from(block: Tensor, rows: Tensor, steps: int) -> Tensor:
    """The rows that lie so many steps or more from every row of a block, both sorted.

    Example:
        >>> apart_from(torch.tensor([4, 5]), torch.arange(10), 2).tolist()
        [0, 1, 2, 7, 8, 9]
    """
    after = torch.searchsorted(block, rows)
    before = block[(after - 1).clamp_min(0)]
    near = (after < len(block)) & (block[after.clamp_max(len(block) - 1)] - rows < steps)
    return rows[~near & ((after == 0) | (rows - before >= steps))]


def evenly(rows: Tensor, count: int) -> Tensor:
    """`count` of the rows, evenly spaced, with repetition if there are fewer."""
    return rows[torch.linspace(0, len(rows) - 1, count).round().long()]


def without_gaps(errors: Tensor) -> Tensor:
    """Standardised errors ``[K, H, D]`` with missing ones imputed from other windows.

    They are those of other windows in turn, each as often as the others; of a series with errors of fewer than `FEWEST`
    windows, and those not one after the other, those of other series in the same windows. 0 where no series has any.

    Example:
        >>> without_gaps(torch.tensor([1.0, torch.nan, 3.0, torch.nan]).repeat(4).view(16, 1, 1)).flatten()[:8]
        tensor([1., 1., 3., 3., 1., 1., 3., 3.])
    """
    own = _in_turn(errors)
    few = (~errors.isnan()).sum(0).amin(0) < FEWEST
    if bool(few.all()):
        return own.nan_to_num(nan=0.0)
    lenders = torch.nonzero(~few).flatten()
    of_another = own[:, :, lenders[torch.arange(len(few), device=errors.device) % len(lenders)]]
    return torch.where(few & errors.isnan(), of_another, own).nan_to_num(nan=0.0)


def _in_turn(errors: Tensor) -> Tensor:
    """Errors ``[K, H, D]`` with those of other windows in turn in the place of NaN; NaN where none has one."""
    missing = errors.isnan()
    known_first = missing.to(torch.int8).argsort(dim=0, stable=True)
    turn = (missing.cumsum(0) - 1).clamp_min(0) % (~missing).sum(0).clamp_min(1)
    return torch.where(missing, errors.gather(0, known_first.gather(0, turn)), errors)
