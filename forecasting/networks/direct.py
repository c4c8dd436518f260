"""A network for every series that forecasts all steps of the horizon at once, as a correction of seasonal averages."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from dataclasses import field as column

import torch
from torch import Tensor, nn

from ...datasets.entries.channels import ChannelName, items_of
from ...runtime.arguments.kinds import Checked, Count, Dropout, Positive
from ..units.ranks import Units
from ..windows.spec import SeriesSpec
from ..windows.tensor import SeriesTensor, Statistics, Window
from .direct_told import Reading, stacked, told
from .gaps import filled, mean_of_seen
from .network import Learner
from .seasons import past_seasons, seasons_of

PRIOR = 10
"""Changes of usual size that are counted into a scale, beside those of the context."""


FIRST_LAYER = "body.0.weight"
"""The name of the weights, ``[hidden, inputs]``, by which a network reads a window; `inputs_of` names its columns."""


@dataclass(frozen=True)
class Direct(Checked):
    """The numbers of the network.

    Arguments:
        hidden: width of both hidden layers.
        embedding: numbers that tell a series from the others.
        dropout: share of the first layer's units left out in training.
        repeats: past seasons that are averaged, at most.
        freedom: degrees of freedom of the Student-t loss.
        size_weight: how much more a large series counts: its mean size to this power.
        series: series drawn for each step of training, at most.

    Example:
        >>> Direct(hidden=32).repeats
        4
    """

    hidden: Count = 128
    embedding: Count = 16
    dropout: Dropout = 0.1
    repeats: Count = 4
    freedom: Positive = 4.0
    size_weight: float = 0.5
    series: Count = 64


@dataclass(frozen=True)
class Columns:
    """Which features of a window a series reads: those that all share, and its own, ``name[item]``.

    Arguments:
        shared: ``[F]`` column numbers.
        own: ``[D, G]`` column numbers, -1 where a series has fewer than the others.
    """

    shared: Tensor
    own: Tensor = column(repr=False)

    @classmethod
    def of(cls, spec: SeriesSpec) -> Columns:
        """The columns of a problem; channels without names are shared."""
        names = _names(spec)
        owners = items_of(names)
        rows = [[number for number, owner in enumerate(owners) if owner == item] for item in spec.item_ids]
        taken = {number for row in rows for number in row}
        most = max(map(len, rows))
        return cls(
            torch.tensor([number for number in range(len(names)) if number not in taken], dtype=torch.long),
            torch.tensor([row + [-1] * (most - len(row)) for row in rows], dtype=torch.long).view(len(rows), most),
        )


def _names(spec: SeriesSpec) -> list[str]:
    """The names of the features of a window, empty for those that have none."""
    names = [""] * spec.calendar + (list(spec.covariate_names) or [""] * spec.covariates)
    names += list(spec.past_covariate_names) or [""] * spec.past_covariates
    return names + [""] * (spec.features - len(names))


def inputs_of(spec: SeriesSpec, config: Direct) -> list[Hashable]:
    """What each column of the first layer of `DirectNetwork` is, so that those of two problems can be matched.

    Arguments:
        spec: the shape of the problem.
        config: the numbers of the network.
    """
    names, columns, steps = _names(spec), Columns.of(spec), spec.context_length + spec.prediction_length
    seen = spec.context_length + spec.prediction_length * references_of(spec)
    found: list[Hashable] = [("seen", number) for number in range(seen)]
    found += [("series", number) for number in range(config.embedding)]
    shared = [names[each] or (each if each < spec.calendar else each - len(names)) for each in columns.shared.tolist()]
    found += [("ahead", step, each) for step in range(spec.prediction_length) for each in shared]
    widest = columns.own[(columns.own >= 0).sum(1).argmax()].tolist()
    kinds = [ChannelName.parse(names[number]).kind for number in widest]
    found += [("own", step, kind) for step in range(steps) for kind in kinds]
    return found + [("known", step) for step in range(spec.context_length)] * spec.missing


def references_of(spec: SeriesSpec) -> int:
    """The number of naive forecasts of a step."""
    return 2 + 4 * len(seasons_of(spec))


class DirectNetwork(Learner):
    r"""Forecasts location and scale of every step of every series from its own past.

    The location is :math:`\sum_j w_{hj} r_{hj} + s\,(a_h + b_h)`: a mixture of naive forecasts r (the last value, the
    mean of the context, and for each season the last one, the mean of some past ones, that mean without the largest
    and the smallest, and the last one moved to today's level), a linear and a small nonlinear correction of it, in
    units of the recent seasonal change s.
    The weights w depend on the step alone, and both corrections start at 0: before any training it is the mean of the
    naive forecasts, so that short data leave it close to one.

    It is ours. A linear path beside a nonlinear one: TiDE (Das et al. 2023, arXiv 2304.08424); weights that all series
    share: DeepAR (Salinas et al. 2020, arXiv 1704.04110), as is the size of a series as its weight in the loss.

    All series share the weights, told apart by an embedding. Levels enter relative to the mean over the last season
    only, so that a series may go where it has never been.

    Arguments:
        spec: the shape of the problem; lags above 2 are its seasons.
        scaling: of levels.
        statistics: those of the training span.
        config: the numbers of the network.
        unit: the smallest scale, data units: 1 for counts, so that a series that mostly sells nothing has errors of the
            size of what it sells.
    """

    usual_change: Tensor
    shared: Tensor
    own: Tensor

    def __init__(
        self, spec: SeriesSpec, scaling: Units, statistics: Statistics, config: Direct, unit: float = 0.0
    ) -> None:
        super().__init__(spec, scaling, statistics)
        self.config, self.unit, columns = config, unit, Columns.of(spec)
        # What is no buffer stays behind when the network moves to another device.
        self.register_buffer("shared", columns.shared, persistent=False)
        self.register_buffer("own", columns.own, persistent=False)
        self.seasons = seasons_of(spec)
        self.register_buffer("usual_change", statistics.scale.clone())
        horizon = spec.prediction_length
        references = references_of(spec)
        seen = spec.context_length + horizon * references
        own = columns.own.shape[1] * (spec.context_length + horizon)
        width = seen + own + horizon * len(columns.shared) + config.embedding
        width += spec.context_length * spec.missing
        self.embedding = nn.Embedding(spec.target_dim, config.embedding)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.body = nn.Sequential(
            nn.Linear(width, config.hidden),
            nn.SiLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.hidden),
            nn.SiLU(),
        )
        self.curved, self.linear = nn.Linear(config.hidden, 2 * horizon), nn.Linear(seen, 2 * horizon)
        for layer in (self.curved, self.linear):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.mixture = nn.Parameter(torch.zeros(references))
        self.mixture_by_step = nn.Parameter(torch.zeros(horizon, references))

    def measure(self, series: SeriesTensor) -> None:
        """Measure the usual change over a season on the training span; a series that never changes has a small one."""
        season = self.season
        # The training of another network may have left the data on its device.
        device = self.usual_scale.device
        values, seen = series.values.to(device), series.observed.to(device) > 0
        both = seen[season:] & seen[:-season]
        change = ((values[season:] - values[:-season]).abs() * both).sum(0) / both.sum(0).clamp_min(1)
        self.usual_change.copy_(torch.maximum(change, 1e-3 * self.usual_scale))

    def forward(self, window: Window, series: Tensor) -> tuple[Tensor, Tensor]:
        """Location and scale, data units.

        Arguments:
            window: the past ``[B, M + C, D]`` or more, with the features of context and horizon.
            series: ``[n]`` numbers of the series to forecast.

        Returns:
            Two tensors ``[B, n, H]``; scales are positive.
        """
        location, scale = told(stacked([self]), self.read(window, series), self.dropout)
        return location[0], scale[0]

    @property
    def dropout(self) -> float:
        """Share of the first layer's units that is left out now."""
        return self.config.dropout if self.training else 0.0

    def read(self, window: Window, series: Tensor) -> Reading:
        """What the network reads of a window, before any weight; see `forward`."""
        spec, horizon = self.spec, self.spec.prediction_length
        count, season = len(series), self.season
        past, seen = filled(window, spec.history + spec.context_length, series, season)
        context = past[..., -spec.context_length :]
        change = (past[..., season:] - past[..., :-season]).abs()[..., -spec.context_length :]
        counted: Tensor | int = change.shape[-1]
        if seen is not None:
            both = (seen[..., season:] & seen[..., :-season])[..., -spec.context_length :]
            change, counted = change * both, both.sum(-1)
        scale = (change.sum(-1) + PRIOR * self.usual_change[series]) / (counted + PRIOR)
        level, scale = past[..., -season:].mean(-1, keepdim=True), scale[..., None].clamp_min(self.unit)
        usual = context.mean(-1) if seen is None else mean_of_seen(context, seen[..., -spec.context_length :])
        references = (self._references(past, usual, scale) - level[..., None]) / scale[..., None]
        parts = [10 * torch.tanh((context - level) / scale / 10), references.flatten(2)]
        ahead = window.features[:, -horizon:, self.shared].flatten(1)
        parts.append(ahead[:, None].expand(-1, count, -1))
        own = self.own[series]
        if own.shape[1]:
            read = window.features[:, :, own.clamp_min(0)] * (own >= 0)
            parts.append(read.permute(0, 2, 1, 3).flatten(2))
        if spec.missing:
            known = torch.ones_like(context) if seen is None else seen[..., -spec.context_length :].to(context.dtype)
            parts.append(known)
        return Reading(level, scale, references, torch.cat(parts, dim=-1), series)

    def loss(self, window: Window, *, context: bool = True) -> Tensor:
        """Mean negative Student-t log-density of the values of the horizon, in units of their recent changes.

        Arguments:
            window: with the values of the horizon.
            context: means nothing: the network forecasts the horizon alone.
        """
        series = self.drawn_series(window.values.device)
        losses, weights = self.losses(window, series, *self(window, series))
        return (losses * weights).sum() / weights.sum().clamp_min(1e-8)

    def drawn_series(self, device: torch.device) -> Tensor:
        """The numbers ``[n]`` of those series that a step of training learns from; all of them outside of training."""
        total = self.spec.target_dim
        if self.training and total > self.config.series:
            return torch.randperm(total, device=device)[: self.config.series]
        return torch.arange(total, device=device)

    def losses(self, window: Window, series: Tensor, location: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of each value of the horizon, and what it counts.

        Arguments:
            window: with the values of the horizon.
            series: ``[n]`` numbers of the series.
            location: ``[..., B, n, H]``, data units.
            scale: likewise.

        Returns:
            Losses ``[..., B, n, H]`` and weights ``[B, n, H]``.
        """
        config, horizon = self.config, self.spec.prediction_length
        target = self.spread(window.values[:, -horizon:, series]).transpose(1, 2)
        squared = ((target - location) / scale) ** 2
        # The size of a series is taken out, so that losses can be compared and weights say what a series counts.
        size = self.usual_scale[series][:, None]
        losses = torch.log(scale / size) + (config.freedom + 1) / 2 * torch.log1p(squared / config.freedom)
        weights = (size / self.usual_scale.mean()) ** config.size_weight * torch.ones_like(target)
        if window.observed is not None:
            weights = weights * window.observed[:, -horizon:, series].transpose(1, 2)
            weights = weights * self.begun(window)[:, series, None]
        return losses, weights

    @property
    def season(self) -> int:
        """The steps of the shortest season; 1 for none."""
        return self.seasons[0] if self.seasons else 1

    def begun(self, window: Window) -> Tensor:
        """Mask ``[B, D]`` of series with enough past: a season or a horizon of observed values.

        What is forecast from less says how a network fills nothing in, and is neither learnt from nor remembered.

        Arguments:
            window: with ``observed``.
        """
        assert window.observed is not None
        length = self.spec.history + self.spec.context_length
        return window.observed[:, :length].sum(1) >= min(self.season, self.spec.prediction_length)

    def _references(self, past: Tensor, usual: Tensor, scale: Tensor) -> Tensor:
        """Naive forecasts ``[B, n, H, J]`` of the past ``[B, n, P]``, its mean ``[B, n]`` and scale ``[B, n, 1]``."""
        horizon, length = self.spec.prediction_length, past.shape[-1]
        found = [past[..., -1:].expand(*past.shape[:2], horizon)]
        found.append(usual[..., None].expand_as(found[0]))
        step = torch.arange(horizon, device=past.device)
        for season in self.seasons:
            repeats = min(self.config.repeats, length // season)
            seasons = past_seasons(past, scale, season, repeats)[..., step % season]
            moved = past[..., -season:].mean(-1) - past[..., -2 * season : -season].mean(-1)
            found += [
                seasons[0],
                seasons.mean(0),
                _without_extremes(seasons),
                seasons[0] + moved[..., None],
            ]
        return torch.stack(found, dim=-1)


def _without_extremes(seasons: Tensor) -> Tensor:
    """The mean over the first axis without its largest and smallest value, where there are more than two."""
    if len(seasons) < 3:
        return seasons.mean(0)
    return (seasons.sum(0) - seasons.amax(0) - seasons.amin(0)) / (len(seasons) - 2)
