"""A joint model of direct forecasts, whose paths follow the errors that it made where it had not learnt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...datasets.entries.domain import Domain
from ...runtime.arguments.kinds import Count, Steps
from ...runtime.plain import PlainObject, Space
from ..networks.composition import CrossFitNetworks
from ..networks.cross_fitted import CrossFitted, apart_from, evenly, folds_of
from ..networks.direct import Direct
from ..networks.network import JointForecaster
from ..response.response import LogLinear
from ..training.options import TrainConfig
from ..units.scaling import Scaling
from ..windows.spec import SeriesSpec
from ..windows.tensor import SeriesTensor
from .window_estimator import WindowEstimator

if TYPE_CHECKING:
    from ...datasets.entries.entry import Entry

TRAINING = TrainConfig(
    max_epochs=20, batches_per_epoch=40, batch_size=32, learning_rate=2e-3, gradient_clip=1.0, patience=5
)
"""The training options of each network: short epochs, so that on few data the best one is not missed."""

WATCHED = 64
"""Windows of its own block that tell the best epoch of a network."""


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
        prediction_length: Steps,
        *,
        context_length: Steps | None = None,
        lags: tuple[Steps, ...] | None = None,
        domain: Domain = "real",
        network: Direct | None = None,
        folds: Count = 5,
        windows: Count = 300,
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
            raise ValueError("train: expected compile=False for networks without a head, got compile=True")
        self.direct, self.folds, self.windows = network or Direct(), folds, windows

    def composition(self, spec: SeriesSpec) -> CrossFitNetworks:
        """The networks, for the data.

        Arguments:
            spec: the shape of the problem.
        """
        return CrossFitNetworks(
            spec,
            self.scaling,
            self.response is not None,
            self.direct,
            folds=self.folds,
            windows=self.windows,
            rare=self.scaling.domain != "real",
        )

    def _spec(self, entries: list[Entry]) -> SeriesSpec:
        spec = super()._spec(entries)
        longest = max(entry.length for entry in entries)
        lags = spec.lags if self.lags is not None else tuple(lag for lag in spec.lags if lag <= max(2, longest // 4))
        season, repeats = max(lags), self.direct.repeats
        past = max((count * season for count in range(2, repeats + 1) if count * season < longest // 3), default=0)
        return replace(spec, lags=lags, past=max(past, 2 * season, spec.context_length + min(season, longest // 4)))

    def search_space(self) -> Space:
        """Learning rate, context, and the networks' width and dropout."""
        return {
            **super().search_space(),
            "network.hidden": [32, 64, 128, 256],
            "network.dropout": {"low": 0.0, "high": 0.3},
        }

    @property
    def learns_density(self) -> bool:
        """Whether the model learns a density: no, its errors are those that it made."""
        return False

    def _fit(
        self,
        forecaster: JointForecaster,
        series: SeriesTensor,
        validation: SeriesTensor | None,
        ckpt_path: str | Path | None,
        begun: bool = False,
    ) -> list[PlainObject]:
        from ..training.folds import fit_folds

        if not isinstance(forecaster, CrossFitted):
            raise TypeError(f"forecaster: expected one of `network`, got {type(forecaster).__name__}")
        if ckpt_path is not None:
            raise ValueError(
                f"ckpt_path: expected None, and train.checkpoints for a training to go on from, got {str(ckpt_path)!r}"
            )
        config, horizon = self.train_config, self.prediction_length
        learnt = series.windows(series.training_starts(config.validation_span))
        starts = learnt.starts
        blocks = self._blocks(forecaster, series, starts)
        for member in forecaster.members:
            member.measure(series)
        # Data too short for windows apart from a block leave nothing but to learn from all.
        apart = [apart_from(block, starts, horizon) if len(block) else starts for block in blocks]
        log = fit_folds(
            forecaster.members,
            config,
            learnt,
            [each if len(each) else starts for each in apart],
            [evenly(block if len(block) else starts, WATCHED) for block in blocks],
            configuration=self.configuration(),
            begun=begun,
        )
        forecaster.remember(learnt, blocks)
        return log

    def _blocks(self, forecaster: CrossFitted, series: SeriesTensor, starts: Tensor) -> list[Tensor]:
        """The rows of each network's block: those of the first training, and later ones in turns (`folds_of`).

        They are told by date, so that they stay the same whatever comes behind or is left out in front; of several
        entries they are as many parts of all windows, in an update too.
        """
        if not forecaster.borders:
            blocks = list(starts.tensor_split(self.folds))
            if len(series.starts) == 1 and all(map(len, blocks)):
                ends = torch.stack([*(block[0] for block in blocks), blocks[-1][-1] + 1])
                forecaster.borders = tuple(series.ordinals(ends).tolist())
            return blocks
        folds = folds_of(series.ordinals(starts), forecaster.borders)
        return [starts[folds == number] for number in range(self.folds)]

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        inherited = {key: value for key, value in super().settings().items() if key != "scaling"}
        own = {"domain": self.scaling.domain, "network": self.direct, "folds": self.folds, "windows": self.windows}
        return {**inherited, **own}
