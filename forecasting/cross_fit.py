"""A joint model of direct forecasts, whose paths follow the errors that it made where it had not learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from .contract import JointForecaster
from .copula import Units
from .direct import Direct, DirectNetwork
from .estimator import WindowEstimator, response_units
from .feedback import Feedback
from .response import LogLinear
from .scaling import Domain, Scaling
from .spec import SeriesSpec
from .training import TrainConfig
from .windows import SeriesTensor, Statistics, Window

if TYPE_CHECKING:
    from .grouping import Entry


TRAINING = TrainConfig(
    max_epochs=20, batches_per_epoch=40, batch_size=32, learning_rate=2e-3, gradient_clip=1.0, patience=5
)
"""The training options of each network: short epochs, so that on few data the best one is not missed."""

WATCHED = 64
"""Windows of its own block that tell the best epoch of a network."""


class CrossFitted(JointForecaster):
    r"""Several direct networks, each trained without one block of the past, and their errors on those blocks.

    A path is :math:`m + \sigma \odot e_k`: location m and scale :math:`\sigma` are the means of the networks' (the
    scale's of its logarithm), :math:`e_k` ``[H, D]`` is the field of standardised errors of one past window, by the
    network that did not see it. A field keeps how the errors of all series and steps went together; and since no
    network learnt from the answer, its spread is close to that of forecasts, not of a fit.

    Arguments:
        spec: the shape of the problem.
        scaling: of levels.
        statistics: those of the training span.
        config: the numbers of a network.
        folds: number of networks.
        windows: number K of past windows whose errors are kept.
    """

    errors: Tensor

    def __init__(
        self, spec: SeriesSpec, scaling: Units, statistics: Statistics, config: Direct, folds: int, windows: int
    ) -> None:
        super().__init__(spec, scaling, statistics)
        self._members = nn.ModuleList(DirectNetwork(spec, scaling, statistics, config) for _ in range(folds))
        self.register_buffer("errors", torch.zeros(windows, spec.prediction_length, spec.target_dim))

    @property
    def members(self) -> list[DirectNetwork]:
        """The networks, each for the block of its number."""
        return [cast(DirectNetwork, member) for member in self._members]

    def loss(self, window: Window, *, context: bool = True) -> Tensor:
        """Mean loss of the networks."""
        return torch.stack([member.loss(window) for member in self.members]).mean()

    def location_and_scale(self, window: Window, members: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Means over some networks, ``[B, H, D]`` each, data units."""
        series = torch.arange(self.spec.target_dim, device=window.values.device)
        found = [self.members[number](window, series) for number in members]
        location = torch.stack([each for each, _ in found]).mean(0)
        scale = torch.stack([each.log() for _, each in found]).mean(0).exp()
        return location.transpose(1, 2), scale.transpose(1, 2)

    @torch.no_grad()
    def remember(self, series: SeriesTensor, blocks: Sequence[Tensor], at_once: int = 16) -> None:
        """Keep the errors on windows spread evenly over the blocks, each by the network trained without it.

        Where a value is missing, the error of another window takes its place.

        Arguments:
            series: the training data.
            blocks: for each network the rows at which the windows start that it did not see.
            at_once: windows at a time.
        """
        # A training may have left the networks in another precision than that of the windows and of what is kept.
        self.eval().float()
        starts = torch.cat(list(blocks))
        unseen_by = torch.cat([torch.full_like(block, number) for number, block in enumerate(blocks)])
        kept = _evenly(torch.arange(len(starts)), len(self.errors))
        horizon = self.spec.prediction_length
        for first in range(0, len(kept), at_once):
            places = torch.arange(first, min(first + at_once, len(kept)))
            for member in unseen_by[kept[places]].unique().tolist():
                rows = places[unseen_by[kept[places]] == member]
                window = series.gather(starts[kept[rows]]).to(self.errors.device)
                location, scale = self.location_and_scale(window, [member])
                error = (self.spread(window.values[:, -horizon:]) - location) / scale
                if window.observed is not None:
                    error = error.where(window.observed[:, -horizon:] > 0, error.new_tensor(torch.nan))
                self.errors[rows.to(self.errors.device)] = error
        self.errors.copy_(without_gaps(self.errors))

    @torch.no_grad()
    def sample(self, window: Window, paths: int, feedback: Feedback | None = None) -> Tensor:
        """Draw joint sample paths; each of the past windows is followed as often as the others, or once more.

        Arguments:
            window: the past, ``[B, M + C, D]``, with the features of context and horizon.
            paths: number of paths S a window.
            feedback: what becomes of a drawn value; it does not change what follows.

        Returns:
            ``[B, S, H, D]``, data units.
        """
        location, scale = self.location_and_scale(window, range(len(self.members)))
        rounds = -(-paths // len(self.errors))
        batch, horizon, dim = location.shape
        drawn = location.new_empty(batch, paths, horizon, dim)
        for number in range(batch):
            orders = [torch.randperm(len(self.errors), device=location.device) for _ in range(rounds)]
            drawn[number] = location[number] + scale[number] * self.errors[torch.cat(orders)[:paths]]
        if feedback is not None:
            for step in range(horizon):
                settled = feedback(step, drawn[:, :, step].reshape(-1, dim))
                drawn[:, :, step] = settled.view(batch, paths, dim)
        return drawn

    @property
    def width(self) -> int:
        """A path's share of the errors that are gathered."""
        return 4096 + self.spec.prediction_length * self.spec.target_dim


class CrossFitEstimator(WindowEstimator):
    """Direct forecasts of all series by cross-fitted networks, joint through the errors of the past.

    The past is cut into blocks; for each, a small network that all series share (`DirectNetwork`) is trained on the
    windows outside of it, and its errors on the block are kept. The forecast is the mean of the networks, and each
    path adds the errors of one past window, of all series and steps together (`CrossFitted`). That makes it joint
    without a density to be learnt, calibrated by construction as far as the future errs like the past, and quick:
    a path costs no pass through a network.

    The parts are known: cross-fitting (Chernozhukov et al. 2018, doi 10.1111/ectj.12097), predictive distributions
    from out-of-block errors (cross-conformal prediction; Barber et al. 2021, arXiv 1905.02928), whole error fields
    as ensemble templates (Clark et al. 2004, Journal of Hydrometeorology 5, 243-262). Two things make the errors
    somewhat smaller than those of a forecast: a block in the middle is judged by a network that also saw what came
    after it, and a block also says at which epoch its network stops.

    Its data are those of every `WindowEstimator`; a series reads the channels ``name[item]`` of its own and those
    without an item. Each network watches its own block, so that validation data of their own are left unread.

    Arguments:
        freq: pandas frequency alias of the data.
        prediction_length: horizon H, in steps.
        context_length: steps of the past that are read one by one; twice the horizon, from 28 to 60, if ``None``.
        lags: 1, 2 and the seasons; by frequency if ``None``, where those which reach beyond a quarter of the
            longest series are left out.
        domain: the values that a path can take.
        network: the numbers of a network.
        folds: number of blocks, and of networks.
        windows: past windows K whose errors are kept.
        response: how sales answer to the covariates, as for `ForecastEstimator`.
        train: the training options of each network, which stops when its own block is no longer forecast better.

    Raises:
        ValueError: there are fewer than two blocks or windows, or `train` wants the head compiled.

    Example:
        >>> CrossFitEstimator("D", 7, folds=3).context_length
        28
    """

    def __init__(
        self,
        freq: str,
        prediction_length: int,
        *,
        context_length: int | None = None,
        lags: tuple[int, ...] | None = None,
        domain: Domain = "real",
        network: Direct | None = None,
        folds: int = 5,
        windows: int = 300,
        response: LogLinear | None = None,
        train: TrainConfig | None = None,
    ) -> None:
        super().__init__(
            freq,
            prediction_length,
            context_length=min(max(2 * prediction_length, 28), 60) if context_length is None else context_length,
            lags=lags,
            scaling=Scaling("level", domain=domain),
            response=response,
            train=train or TRAINING,
        )
        for name, value in (("folds", folds), ("windows", windows)):
            if value < 2:
                raise ValueError(f"{name}: expected at least 2, got {value}")
        if self.train_config.compile:
            raise ValueError("train: a direct network has no head to compile, got compile=True")
        self.direct, self.folds, self.windows = network or Direct(), folds, windows

    def network(self, spec: SeriesSpec, statistics: Statistics) -> CrossFitted:
        """Compose the networks, weights drawn from torch's generator.

        Arguments:
            spec: the shape of the problem.
            statistics: those of the training span.
        """
        units = response_units(self.scaling, self.response)
        return CrossFitted(spec, units, statistics, self.direct, self.folds, self.windows)

    def _spec(self, entries: list[Entry]) -> SeriesSpec:
        spec = super()._spec(entries)
        longest = max(entry["target"].shape[1] for entry in entries)
        lags = spec.lags if self.lags is not None else tuple(lag for lag in spec.lags if lag <= max(2, longest // 4))
        season, repeats = max(lags), self.direct.repeats
        past = max((count * season for count in range(2, repeats + 1) if count * season < longest // 3), default=0)
        return replace(spec, lags=lags, past=max(past, 2 * season, spec.context_length + min(season, longest // 4)))

    def _fit(
        self,
        forecaster: JointForecaster,
        series: SeriesTensor,
        validation: SeriesTensor | None,
        ckpt_path: str | Path | None,
    ) -> list[dict[str, Any]]:
        from .fitting import fit

        if not isinstance(forecaster, CrossFitted):
            raise TypeError(f"forecaster: expected one of `network`, got {type(forecaster).__name__}")
        if ckpt_path is not None:
            raise ValueError(
                "ckpt_path: cross-fitted networks go on from the folder train.checkpoints, not from a file"
            )
        config, horizon = self.train_config, self.prediction_length
        starts = series.training_starts(config.validation_span)
        blocks = starts.tensor_split(self.folds)
        rows: list[dict[str, Any]] = []
        for number, (member, block) in enumerate(zip(forecaster.members, blocks, strict=True)):
            member.measure(series)
            own = replace(
                config,
                seed=self.folds * config.seed + number,
                checkpoints=None if config.checkpoints is None else str(Path(config.checkpoints) / f"fold-{number}"),
            )
            apart = starts[(starts <= block[0] - horizon) | (starts >= block[-1] + horizon)] if len(block) else starts
            # Data too short for windows apart from the block leave nothing but to learn from all.
            watched = series, _evenly(block if len(block) else starts, WATCHED)
            rows += fit(
                member,
                own,
                series,
                watched,
                configuration=self.configuration(),
                starts=apart if len(apart) else starts,
            )
        forecaster.remember(series, blocks)
        return [{**row, "epoch": number} for number, row in enumerate(rows)]

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments."""
        inherited = {key: value for key, value in super().settings().items() if key != "scaling"}
        own = {"domain": self.scaling.domain, "network": self.direct, "folds": self.folds, "windows": self.windows}
        return {**inherited, **own}


def _evenly(rows: Tensor, count: int) -> Tensor:
    """So many of the rows, spread evenly; some again where there are fewer."""
    return rows[torch.linspace(0, len(rows) - 1, count).round().long()]


def without_gaps(errors: Tensor) -> Tensor:
    """Errors ``[K, H, D]`` with those of the next window that has one in the place of NaN; 0 where none has.

    Example:
        >>> without_gaps(torch.tensor([1.0, torch.nan, 3.0]).view(3, 1, 1)).flatten()
        tensor([1., 3., 3.])
    """
    count = len(errors)
    twice = errors.repeat(2, 1, 1).flip(0)
    step = torch.arange(2 * count, device=errors.device)[:, None, None]
    last = torch.where(twice.isnan(), -1, step).cummax(0).values
    found = twice.gather(0, last.clamp_min(0)).flip(0)[:count]
    return found.nan_to_num(nan=0.0)
