"""Any model of sales, made to answer to prices and promotions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from gluonts.model.estimator import Estimator
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor

from ...datasets.entries.domain import Domain, raised
from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...evaluation.adapters.by_name import by_name, drawn_from
from ...evaluation.adapters.fitted import FittedModel, PlainModel
from ...evaluation.adapters.foreign import for_run, in_rungs, training_log_of, updated
from ...evaluation.adapters.predictor import asked
from ...evaluation.adapters.predictor_folder import read_predictor, store_predictor
from ...runtime.arguments.kinds import Seed, Steps
from ...runtime.names import Names
from ...runtime.plain import Space, part_from_plain, to_plain
from ...runtime.reading.json_files import read_json
from ..names import NAMES
from ..response.fit import fit_response
from ..response.response import LogLinear, Response
from ..units.feedback import Feedback
from ..windows.spec import SeriesSpec, infer_spec
from .wrapper import WrappingEstimator


class RespondingEstimator(WrappingEstimator):
    r"""A price response around any model: fitted before it, and multiplied onto its paths.

    Sales are divided by their fitted response to the covariates (`LogLinear`), the model forecasts what is left, and
    each of its paths is multiplied by the response to the planned covariates, with coefficients of its own drawn from
    their posterior. So a model that reads no covariates forecasts under planned prices, and says what others would do.

    Known as regression with ARIMA errors (Hyndman and Athanasopoulos 2021, Forecasting: Principles and Practice, ch.
    10), where both are fitted at once; here the response comes first, beside a level of its own that moves
    (`fit_response`), and any model may follow it.

    The models of `ForecastEstimator` and `CrossFitEstimator` have an argument ``response`` for the same; in those that
    draw step by step the effect is within the loop, so that they can impose sales too.

    Arguments:
        model: an estimator of joint forecasts, or a predictor that needs no training; it sees no covariates that are
            known of the future.
        response: how sales answer to the covariates.
        domain: the values that sales can take, ``"nonnegative"`` or ``"count"``. The model works on numbers that are
            not negative; its own domain is no count.
        context_length: steps of the past from whose mean covariates a drawn coefficient counts; twice the horizon if
            ``None``.
        seed: of the coefficients, and of a model that can be seeded.

    Raises:
        ValueError: `domain` is unknown, or `context_length` out of its range.

    Example:
        >>> from hemline.forecasting import VARPredictor
        >>> RespondingEstimator(VARPredictor(8)).prediction_length
        8
    """

    def __init__(
        self,
        model: Estimator | Predictor,
        *,
        response: LogLinear | None = None,
        domain: Domain = "nonnegative",
        context_length: Steps | None = None,
        seed: Seed = 0,
    ) -> None:
        super().__init__(model)
        if domain not in get_args(Domain):
            raise ValueError(f"domain: expected one of {', '.join(get_args(Domain))}, got {domain!r}")
        self.response, self.domain = response or LogLinear(), domain
        self.context_length, self.seed = context_length, seed

    @property
    def reads_channels(self) -> bool:
        """Whether the response reads channels: always."""
        return True

    def search_space(self) -> Space:
        """That of the model beneath it, and how large effects are expected to be."""
        return {
            **super().search_space(),
            "response.prior": {"low": 0.1, "high": 2.0, "log": True},
            "response.own_prior": {"low": 1.0, "high": 6.0, "log": True},
        }

    def train(
        self, training_data: Iterable[GluontsEntry], validation_data: Iterable[GluontsEntry] | None = None
    ) -> RespondingPredictor:
        """Fit the response, then train the model on what it leaves.

        Arguments:
            training_data: multivariate entries with named channels that are known of the future; or univariate ones,
                which are grouped.
            validation_data: likewise, for the model to watch.

        Returns:
            The predictor.

        Raises:
            ValueError: there are no covariates or they have no names, sales are negative, a price is not above 0, or
                the data are too short for the model to forecast after them.
        """
        entries, spec, response = self._answered(training_data)
        model = self.model
        if isinstance(model, Estimator):
            watched = None
            if validation_data is not None:
                watched = response.training(as_multivariate(validation_data, "validation_data"), self.seed)
            model = model.train(response.training(entries, self.seed), watched)
        return self._responding(model, response, spec)

    def train_in_rungs(
        self, training_data: Iterable[GluontsEntry], share: float
    ) -> Iterator[tuple[RespondingPredictor, bool]]:
        """Fit the response, then train the model with a pause; see `ForecastModel.train_in_rungs`."""
        entries, spec, response = self._answered(training_data)
        if not isinstance(self.model, Estimator):
            yield self._responding(self.model, response, spec), True
            return
        for model, whole in in_rungs(self.model, response.training(entries, self.seed), share):
            yield self._responding(model, response, spec), whole

    def _answered(self, training_data: Iterable[GluontsEntry]) -> tuple[list[Entry], SeriesSpec, Response]:
        """The data, their shape, and how they answer to the covariates."""
        entries = as_multivariate(training_data)
        if isinstance(self.model, PlainModel):  # it learns nothing now, and would refuse them at its forecast
            self.model.require_steps(entries, "training_data")
        spec = infer_spec(entries, freq=entries[0].freq, prediction_length=self.prediction_length, lags=(1,))
        return entries, spec, fit_response(entries, spec, self.response, self.domain)

    def update(
        self, fitted: FittedModel, training_data: Iterable[GluontsEntry], directory: Path | None = None
    ) -> RespondingPredictor:
        """Fit the response anew and update the model on what it leaves; see `FittedModel.update`.

        Raises:
            ValueError: `fitted` is of another kind, or the data are not those of a training.
        """
        if not isinstance(fitted, RespondingPredictor):
            raise ValueError(f"update: expected a RespondingPredictor, got a {type(fitted).__name__}")
        entries, model = as_multivariate(training_data), self.model
        spec = infer_spec(entries, freq=entries[0].freq, prediction_length=self.prediction_length, lags=(1,))
        response = fit_response(entries, spec, self.response, self.domain)
        if isinstance(model, Estimator):
            model = updated(model, fitted.predictor, response.training(entries, self.seed), directory)
        return self._responding(model, response, spec)

    def _responding(self, predictor: Predictor, response: Response, spec: SeriesSpec) -> RespondingPredictor:
        context = self.context_length or 2 * self.prediction_length
        return self.made(RespondingPredictor(predictor, response, spec, context_length=context, seed=self.seed))

    def for_run(self, seed: int, directory: Path | None = None) -> RespondingEstimator:
        """This estimator, and its model, for one run of a backtest."""
        model = for_run(self.model, seed, directory)
        return RespondingEstimator(**{**self.settings(), "model": model, "seed": seed})

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {name: getattr(self, name) for name in ("model", "response", "domain", "context_length", "seed")}


class RespondingPredictor(FittedModel):
    """Multiplies the paths of a predictor by the response to the planned covariates; see `RespondingEstimator`.

    Arguments:
        predictor: of sales without what covariates explain.
        response: the fitted response.
        spec: the shape of the training data.
        context_length: steps of the past from whose mean covariates a drawn coefficient counts.
        seed: of the coefficients.
    """

    names = NAMES

    def __init__(
        self, predictor: Predictor, response: Response, spec: SeriesSpec, *, context_length: Steps, seed: Seed = 0
    ) -> None:
        super().__init__(prediction_length=predictor.prediction_length)
        self.predictor, self.response, self.spec = predictor, response, spec
        self.context_length, self.seed = context_length, seed
        self.training_log = training_log_of(predictor)

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Names of the D series."""
        return self.spec.item_ids

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the K channels."""
        return self.response.names

    @by_name
    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units.

        Arguments:
            dataset: entries whose channels reach over the horizon, with the planned future. An entry with a changed
                future holds that of the planned one as ``planned``, as `simulate` says it.
            num_samples: paths S an entry.
            seed: of the draws; those of the training if ``None``. The same seed gives the same paths; a changed future
                has the coefficients of its plan (`Response.factors`).

        Raises:
            ValueError: there is not even one path, an entry has another shape than the training data
                (`SeriesSpec.require`), or values are to be imposed.
        """
        entries = as_multivariate(dataset, "dataset")
        for number, entry in enumerate(entries):
            self.spec.require(entry, number)
            self.response.warn_of_unseen(entry, self.prediction_length)
            if entry.imposed is not None:
                raise ValueError(
                    "imposed: expected a model that draws step by step to impose sales on, got one whose series do not "
                    "read what the others sold"
                )
        histories = [self.response.history(entry) for entry in entries]
        forecasts = drawn_from(self.predictor, histories, num_samples, asked(seed))
        own, response, horizon = self.seed if seed is None else seed, self.response, self.prediction_length
        for number, (entry, forecast) in enumerate(zip(entries, forecasts, strict=True)):
            levels, drawn = raised(np.asarray(forecast.samples)), (own + 1) * 7919 + number
            factors = response.factors(entry, horizon, self.context_length, len(levels), drawn)
            rounding = response.roundings(len(levels), horizon, drawn)
            feedback = Feedback(
                response.domain,
                factor=torch.from_numpy(factors)[None],
                rounding=None if rounding is None else torch.from_numpy(rounding)[None],
                spread=response.spread,
            )
            samples = feedback.finish(torch.from_numpy(levels)[None])[0].numpy()
            yield SampleForecast(samples, forecast.start_date, forecast.item_id, forecast.info)

    def price_effects(self, entry: Entry, num_samples: int, seed: int) -> np.ndarray | None:
        """The elasticities of its paths; see `FittedModel.price_effects`."""
        if entry.item_ids != self.item_ids:
            return None
        return self.response.price_effects(
            entry, self.prediction_length, self.context_length, num_samples, (seed + 1) * 7919
        )

    def write(self, folder: Path) -> None:
        """Write the predictor beneath it into a folder of its own, and the response."""
        store_predictor(self.predictor, folder / "predictor")
        self.response.serialize(folder)
        described = {"spec": to_plain(self.spec), "context_length": self.context_length, "seed": self.seed}
        (folder / "responding.json").write_text(json.dumps(described))

    @classmethod
    def read(cls, folder: Path, names: Names, device: str) -> RespondingPredictor:
        """The fitted model that `write` stored in a folder."""
        described = read_json(folder / "responding.json")
        predictor = read_predictor(folder / "predictor", names, device=device)
        described["spec"] = part_from_plain(described["spec"], names, SeriesSpec)
        return cls(predictor, Response.deserialize(folder), **described)
