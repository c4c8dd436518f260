"""The gluonts Estimators: what all that learn from windows share, and the one of every composed model."""

from __future__ import annotations

import math
import tempfile
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from ...datasets.entries.assortment import is_free
from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import written_date
from ...datasets.entries.gluonts_keys import KNOWN, PAST, GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...evaluation.adapters.estimator import placed_for
from ...evaluation.adapters.fitted import FittedModel
from ...runtime.arguments.kinds import Steps
from ...runtime.plain import PlainObject, Space
from ...runtime.seeds import seeded
from ..networks.composition import Composition
from ..networks.network import JointForecaster
from ..networks.widening import take_over
from ..response.fit import fit_response
from ..response.response import LogLinear, Response
from ..training.options import TrainConfig
from ..units.ranks import Units
from ..windows.spec import SeriesSpec, infer_spec
from ..windows.tensor import SeriesTensor, Statistics
from .architecture import Architecture
from .predictor import ForecastPredictor


class WindowEstimator(Architecture):
    """An estimator of many series that learns from windows of them.

    Dimensions, lags, calendar and covariates are inferred from the training data: channels known of the future and of
    the past alone. Static features do not change what a network learns that always sees the same series, and are left
    unread.

    Arguments:
        freq: pandas frequency alias of the data.
        prediction_length: horizon H, in steps.
        context_length: steps that the network reads before the horizon.
        lags: steps back at which past values enter; by frequency if ``None``.
        scaling: the units in which the network works.
        response: how sales answer to the covariates, fitted before the network, which then models what is left;
            ``None`` leaves the covariates to the network.
        train: the training options.
    """

    def __init__(
        self,
        freq: str,
        prediction_length: Steps,
        *,
        context_length: Steps | None,
        lags: tuple[Steps, ...] | None,
        scaling: Units,
        response: LogLinear | None,
        train: TrainConfig,
    ) -> None:
        super().__init__()
        self.freq, self.prediction_length = freq, int(prediction_length)
        self.context_length = None if context_length is None else int(context_length)
        self.lags = None if lags is None else tuple(int(lag) for lag in lags)
        self.scaling, self.response, self.train_config = scaling, response, train

    @property
    def reads_channels(self) -> bool:
        """Whether the model reads channels known of the future."""
        return True

    @property
    def imposes_sales(self) -> bool:
        """Whether a scenario can set what a series sells."""
        return True

    @property
    def learns_density(self) -> bool:
        """Whether the model learns a density, for which whole numbers are spread."""
        return True

    def search_space(self) -> Space:
        """Learning rate and context."""
        horizon = self.prediction_length
        return {
            "train.learning_rate": {"low": 3e-4, "high": 1e-2, "log": True},
            "context_length": {"low": horizon, "high": 4 * horizon},
        }

    @abstractmethod
    def _fit(
        self,
        forecaster: JointForecaster,
        series: SeriesTensor,
        validation: SeriesTensor | None,
        ckpt_path: str | Path | None,
        begun: bool = False,
    ) -> list[PlainObject]:
        """Train the network in place, from weights that a training left if it was begun; the training log."""

    def _spec(self, entries: list[Entry]) -> SeriesSpec:
        """The shape of the problem that the entries pose."""
        return infer_spec(
            entries,
            freq=self.freq,
            prediction_length=self.prediction_length,
            context_length=self.context_length,
            lags=self.lags,
            past=self.scaling.past,
        )

    def on_part(self, entries: list[Entry], part: list[Entry]) -> Self:
        """This estimator with the lags of all of the data, where the part is long enough for a window with them."""
        lags = self.lags or self._spec(entries).lags
        given = self.override({"lags": list(lags)})
        spec = given._spec(part)
        fits = spec.history + spec.context_length + spec.prediction_length <= max(entry.length for entry in part)
        return given if fits and lags != self._spec(part).lags else self

    def goes_on_from(self, entries: list[Entry], part: list[Entry]) -> bool:
        """Whether the part is long enough for the lags of all of the data; see `ForecastModel.goes_on_from`."""
        return self.on_part(entries, part)._spec(part).lags == self._spec(entries).lags

    def train(
        self,
        training_data: Iterable[GluontsEntry],
        validation_data: Iterable[GluontsEntry] | None = None,
        ckpt_path: str | Path | None = None,
    ) -> ForecastPredictor:
        """Train on a dataset.

        Arguments:
            training_data: multivariate gluonts entries (``target`` ``[D, T]``), or univariate ones, which are
                grouped.
            validation_data: entries whose last horizon is watched; the weights of the best epoch are kept.
            ckpt_path: checkpoint of a training to go on from.

        Returns:
            The predictor.

        Raises:
            ValueError: the data are not what `as_multivariate` takes, their frequency is another one, the history
                is shorter than the horizon, or the validation data have other series or channels.
            NonFiniteLoss: the loss became NaN or infinite.
        """
        entries = as_multivariate(training_data)
        held_out = None if validation_data is None else as_multivariate(validation_data, "validation_data")
        told, spec, response = entries, self._spec(entries), None
        _require_same_rows(held_out or [], spec)
        if self.response is not None:
            response = fit_response(entries, spec, self.response, self.scaling.domain, spread=self.learns_density)
            entries = response.training(entries, self.train_config.seed)
            held_out = None if held_out is None else response.training(held_out, self.train_config.seed)
            spec = replace(spec, covariates=0, covariate_names=())
        change = self.scaling.change
        series = SeriesTensor(entries, spec, change=change)
        validation = None
        if held_out is not None:
            validation = SeriesTensor(held_out, spec, change=change, statistics=series.statistics)
        composition = self.composition(spec)
        with seeded(self.train_config.seed):
            forecaster = composition.network(series.statistics)
            if forecaster.lattice:
                _require_counts(entries, spec)
            log = self._fit(forecaster, series, validation, ckpt_path)
        return self._fitted(composition, forecaster, log, response).having_learnt(told)

    def train_in_rungs(
        self, training_data: Iterable[GluontsEntry], share: float
    ) -> Iterator[tuple[ForecastPredictor, bool]]:
        """The predictor after a share of the epochs, then that of the training which goes on from its checkpoint."""
        config, entries = self.train_config, as_multivariate(training_data)
        epochs = math.ceil(share * config.max_epochs)
        with ExitStack() as stack:
            folder = config.checkpoints or stack.enter_context(tempfile.TemporaryDirectory())
            kept = self.override({"train": {"checkpoints": folder}})
            if epochs < config.max_epochs and "max_epochs" not in config.trainer:
                first = kept.override({"train": {"trainer": {**config.trainer, "max_epochs": epochs}}})
                yield self.made(first.train(entries)), False
            yield self.made(kept.train(entries)), True

    def update(
        self, fitted: FittedModel, training_data: Iterable[GluontsEntry], directory: Path | None = None
    ) -> ForecastPredictor:
        """Train a network further on data that go on.

        It starts from the weights that it has and takes twice the steps of a training over the values that are new
        (`further_epochs`), at half the learning rate. Where no epoch is better on what it watches, weights stay. The
        response to covariates is fitted anew. Scales of series that were known stay, as weights go by them. Series that
        are gone are masked. New ones take free places; where there are none left, layers are widened (`take_over`).

        Arguments:
            fitted: what a training or an update returned.
            training_data: all of the data, what was trained on before among them.
            directory: folder for checkpoints, of this update alone.

        Raises:
            ValueError: `fitted` is no network, or the data are not what `train` takes.
        """
        if not isinstance(fitted, ForecastPredictor):
            raise ValueError(f"update: expected a trained network, got a {type(fitted).__name__}")
        told, old = placed_for(fitted, as_multivariate(training_data)), fitted.spec
        entries = told
        spec, response = self._grown(old, entries), None
        if self.response is not None:
            response = fit_response(entries, spec, self.response, self.scaling.domain, spread=self.learns_density)
            entries = response.training(entries, self.train_config.seed)
            spec = replace(spec, covariates=0, covariate_names=())
        change = self.scaling.change
        measured = SeriesTensor(entries, spec, change=change).statistics
        statistics = _kept(measured, spec, fitted.forecaster.statistics, old)
        series = SeriesTensor(entries, spec, change=change, statistics=statistics)
        config, seed = self.train_config, self.train_config.seed + max(entry.length for entry in entries)
        further = self.override({"train": config.further(fitted.share_of_new(told), seed, directory)})
        composition = self.composition(spec)
        with seeded(further.train_config.seed):
            forecaster = composition.network(statistics)
            take_over(forecaster, fitted.forecaster.state_dict(), old)
            forecaster.borders = fitted.forecaster.borders
            log = further._fit(forecaster, series, None, None, begun=True)
        return self._fitted(composition, forecaster, log, response).having_learnt(told)

    def _fitted(
        self, composition: Composition, forecaster: JointForecaster, log: list[PlainObject], response: Response | None
    ) -> ForecastPredictor:
        # A training may have had another precision; windows, and what is read back, are of single precision.
        network, seed = forecaster.cpu().float(), self.train_config.seed
        return self.made(ForecastPredictor(composition, network, log, seed=seed, response=response))

    def _grown(self, old: SeriesSpec, entries: list[Entry]) -> SeriesSpec:
        """The shape of the problem with the places that there are now; what a network looks back on stays."""
        first = entries[0]
        return replace(
            old,
            target_dim=first.dim,
            item_ids=first.item_ids or old.item_ids,
            covariates=len(first.channels),
            covariate_names=first.channels.names,
            past_covariates=len(first.past_channels),
            past_covariate_names=first.past_channels.names,
            missing=old.missing or any(bool(np.isnan(entry.target).any()) for entry in entries),
        )

    def for_run(self, seed: int, directory: Path | None = None) -> Self:
        """This estimator for one run of a backtest.

        Arguments:
            seed: of weights, windows and draws.
            directory: folder for checkpoints, from which a killed run goes on.
        """
        checkpoints = None if directory is None else str(directory)
        return self.override({"train": {"seed": seed, "checkpoints": checkpoints}})

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {
            "freq": self.freq,
            "prediction_length": self.prediction_length,
            "context_length": self.context_length,
            "lags": self.lags,
            "scaling": self.scaling,
            "response": self.response,
            "train": self.train_config,
        }


def _kept(measured: Statistics, spec: SeriesSpec, before: Statistics, old: SeriesSpec) -> Statistics:
    """Statistics of a further training: as they were of what was known, as measured of what is new."""
    scale = measured.scale.clone()
    for place, name in enumerate(old.item_ids):
        if spec.item_ids[place] == name and not is_free(name):
            scale[place] = before.scale[place]
    mean, std = measured.covariate_mean.clone(), measured.covariate_std.clone()
    names, known = (
        [*(each.covariate_names or range(each.covariates)), *(each.past_covariate_names or range(each.past_covariates))]
        for each in (spec, old)
    )
    row = {name: number for number, name in enumerate(known)}
    for number, name in enumerate(names):
        if name in row:
            mean[number], std[number] = before.covariate_mean[row[name]], before.covariate_std[row[name]]
    return Statistics(scale, mean, std)


def _require_same_rows(held_out: list[Entry], spec: SeriesSpec) -> None:
    """Raise for the first entry to watch that has another number of series or channels than the training data."""
    for number, entry in enumerate(held_out):
        counts = {
            "target": (entry.dim, spec.target_dim),
            KNOWN: (len(entry.channels), spec.covariates),
            PAST: (len(entry.past_channels), spec.past_covariates),
        }
        for field, (found, rows) in counts.items():
            if found != rows:
                raise ValueError(
                    f"validation_data: expected {rows} rows of {field} as in training, got {found} in entry {number}"
                )


def _require_counts(entries: list[Entry], spec: SeriesSpec) -> None:
    """Raise for the first value that is no count, by series."""
    for entry in entries:
        seen = np.nan_to_num(entry.target)
        for item, values in zip(spec.item_ids, seen, strict=True):
            bad = np.flatnonzero((values < 0) | (values != np.round(values)))
            if len(bad):
                raise ValueError(
                    f"training_data: expected counts for a head of whole numbers, got {values[bad[0]]:g} in {item!r} "
                    f"on {written_date(entry.start, int(bad[0]))}"
                )
