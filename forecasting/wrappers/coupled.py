"""Dependence between series and steps, learnt from past forecasts and lent to any model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor
from safetensors.numpy import save

from ...datasets.entries.assortment import in_places
from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...evaluation.adapters.by_name import by_name, drawn_from
from ...evaluation.adapters.estimator import grouped
from ...evaluation.adapters.fitted import FittedModel
from ...evaluation.adapters.foreign import for_run, in_rungs, item_ids_of, training_log_of, updated
from ...evaluation.adapters.predictor import asked
from ...evaluation.adapters.predictor_folder import read_predictor, store_predictor
from ...runtime.arguments.kinds import Count, Seed
from ...runtime.names import Names
from ...runtime.reading.json_files import read_json
from ...runtime.reading.weights import read_arrays
from ..names import NAMES
from ..paths.dependence import gaussian_scores, past_scores, rank_of, reorder
from ..windows.gaps import bridged
from .wrapper import WrappingEstimator

Dependence = Literal["gaussian", "empirical"]


class Coupled(FittedModel):
    r"""Empirical copula coupling: a predictor whose paths are reordered by the ranks of past errors.

    At every step and for every series the values drawn stay what they are; only which path has which of them changes.
    So each marginal, and every score of one, is untouched. The order comes from where the truth lay within the
    forecasts of past windows, its ranks u ``[K, H, D]``:

    * ``"empirical"``: a path follows the ranks of one past window, drawn anew for each path. With observations in
      the place of ranks this is the Schaake shuffle (Clark et al. 2004, Journal of Hydrometeorology 5, 243-262).
    * ``"gaussian"``: a path follows a normal vector over all series and steps, with the correlation of
      :math:`\Phi^{-1}(u)`, shrunk towards none as far as K windows leave it uncertain (`shrinkage`).

    Make one with `couple`.

    Arguments:
        predictor: any predictor of joint forecasts; what dependence it has is replaced.
        ranks: ``[K, H, D]`` where the truth lay in past forecasts, within (0, 1), NaN where it is not known.
        dependence: how new ranks are drawn from past ones.
        seed: of the draws.
    """

    names = NAMES

    def __init__(
        self, predictor: Predictor, ranks: np.ndarray, *, dependence: Dependence = "gaussian", seed: Seed = 0
    ) -> None:
        super().__init__(prediction_length=predictor.prediction_length)
        if dependence not in get_args(Dependence):
            raise ValueError(f"dependence: expected one of {', '.join(get_args(Dependence))}, got {dependence!r}")
        if ranks.ndim != 3 or len(ranks) < 2 or ranks.shape[1] != predictor.prediction_length:
            raise ValueError(
                f"ranks: expected [K, {predictor.prediction_length}, D] of at least 2 windows, got {list(ranks.shape)}"
            )
        self.predictor, self.ranks = predictor, ranks.astype(np.float32)
        self.dependence, self.seed = dependence, seed
        self.training_log = training_log_of(predictor)

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Names of the D series, as far as the predictor knows them."""
        return item_ids_of(self.predictor)

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the channels that the predictor reads; of one that does not say, there is no such attribute."""
        return tuple(self.predictor.covariate_names)

    @by_name
    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units, drawn from `seed` if given."""
        generator = np.random.default_rng(self.seed if seed is None else seed)
        entries = as_multivariate(dataset, "dataset")
        drawn = drawn_from(self.predictor, [entry.of_domain("real") for entry in entries], num_samples, asked(seed))
        for forecast in drawn:
            samples = np.asarray(forecast.samples)
            draw = gaussian_scores if self.dependence == "gaussian" else past_scores
            ordered = reorder(samples, draw(self.ranks, len(samples), generator))
            yield SampleForecast(ordered, forecast.start_date, forecast.item_id, forecast.info)

    def write(self, folder: Path) -> None:
        """Write the predictor beneath it into a folder of its own, and the ranks."""
        store_predictor(self.predictor, folder / "predictor")
        (folder / "ranks.safetensors").write_bytes(save({"ranks": self.ranks}))
        (folder / "coupled.json").write_text(json.dumps({"dependence": self.dependence, "seed": self.seed}))

    @classmethod
    def read(cls, folder: Path, names: Names, device: str) -> Coupled:
        """The fitted model that `write` stored in a folder."""
        ranks = read_arrays(folder / "ranks.safetensors")["ranks"]
        described = read_json(folder / "coupled.json")
        return cls(read_predictor(folder / "predictor", names, device=device), ranks, **described)


class CoupledEstimator(WrappingEstimator):
    """A model whose independent paths are coupled by the ranks of its past errors; see `couple`.

    Arguments:
        model: an estimator of joint forecasts, such as `GroupedEstimator`, or a predictor that needs no training.
        dependence: ``"gaussian"`` or ``"empirical"``, see `Coupled`.
        windows: past windows to learn from.
        seed: of the draws.
    """

    def __init__(
        self,
        model: Estimator | Predictor,
        *,
        dependence: Dependence = "gaussian",
        windows: Count = 100,
        seed: Seed = 0,
    ) -> None:
        super().__init__(model)
        if dependence not in get_args(Dependence):
            raise ValueError(f"dependence: expected one of {', '.join(get_args(Dependence))}, got {dependence!r}")
        if windows < 2:
            raise ValueError(f"windows: expected at least 2 to learn from, got {windows}")
        self.dependence, self.windows, self.seed = dependence, windows, seed

    def train(
        self, training_data: Iterable[GluontsEntry], validation_data: Iterable[GluontsEntry] | None = None
    ) -> Coupled:
        """Train the model and couple it.

        Arguments:
            training_data: multivariate gluonts entries (``target`` ``[D, T]``), or univariate ones.
            validation_data: likewise, for the model to watch.

        Returns:
            The coupled predictor.
        """
        entries, model = as_multivariate(training_data), self.model
        predictor = model.train(entries, validation_data) if isinstance(model, Estimator) else model
        return self._coupled(predictor, entries)

    def train_in_rungs(self, training_data: Iterable[GluontsEntry], share: float) -> Iterator[tuple[Coupled, bool]]:
        """The model after a share of its epochs, then the whole one, coupled; see `ForecastModel.train_in_rungs`."""
        entries, model = as_multivariate(training_data), self.model
        if not isinstance(model, Estimator):
            yield self._coupled(model, entries), True
            return
        for predictor, whole in in_rungs(model, entries, share):
            yield self._coupled(predictor, entries), whole

    def update(
        self, fitted: FittedModel, training_data: Iterable[GluontsEntry], directory: Path | None = None
    ) -> Coupled:
        """Update the model and couple it anew; see `FittedModel.update`.

        Raises:
            ValueError: `fitted` is not coupled.
        """
        if not isinstance(fitted, Coupled):
            raise ValueError(f"update: expected a coupled predictor, got a {type(fitted).__name__}")
        entries = as_multivariate(training_data)
        return self._coupled(updated(self.model, fitted.predictor, entries, directory), entries)

    def _coupled(self, predictor: Predictor, entries: list[Entry]) -> Coupled:
        entries = in_places(entries, item_ids_of(predictor))
        return self.made(couple(predictor, entries, dependence=self.dependence, windows=self.windows, seed=self.seed))

    def for_run(self, seed: int, directory: Path | None = None) -> CoupledEstimator:
        """This estimator, and its model, for one run of a backtest."""
        model = for_run(self.model, seed, directory)
        return CoupledEstimator(model, dependence=self.dependence, windows=self.windows, seed=seed)

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {"model": self.model, "dependence": self.dependence, "windows": self.windows, "seed": self.seed}


def couple(
    predictor: Predictor,
    training_data: Iterable[GluontsEntry],
    *,
    dependence: Dependence = "gaussian",
    windows: Count = 100,
    num_samples: Count = 100,
    seed: Seed = 0,
) -> Coupled:
    """Fit the empirical copula of a predictor's past errors, and couple its paths.

    Arguments:
        predictor: any trained predictor of joint forecasts ``[S, H, D]``; gluonts' own of single series are grouped.
        training_data: what it was trained on; nothing later enters.
        dependence: ``"gaussian"`` or ``"empirical"``, see `Coupled`.
        windows: past windows to learn from, spread evenly over the last three quarters of the span; they may overlap.
            A series counts in those before which it was seen for a horizon.
        num_samples: paths a window.
        seed: of the draws.

    Returns:
        The coupled predictor.

    Raises:
        ValueError: the span is too short for two windows.

    Example:
        >>> import pandas as pd
        >>> from hemline.forecasting import RandomWalkPredictor
        >>> steps = np.random.default_rng(0).normal(size=(1, 200)) * [[1], [-1]]
        >>> entry = {"start": pd.Period("2024-01-01", "D"), "target": steps.cumsum(1)}
        >>> coupled = couple(RandomWalkPredictor(3, joint=False), [entry])
        >>> drawn = next(coupled.predict([entry], num_samples=500)).samples
        >>> bool(np.corrcoef(drawn[:, 0].T)[0, 1] < -0.9)
        True
    """
    predictor = grouped(predictor)
    generator, horizon = np.random.default_rng(seed), predictor.prediction_length
    entries = as_multivariate(training_data)
    pasts, truths = [], []
    for entry in entries:
        begins = int((~np.isnan(entry.target)).argmax(1).min())
        first, last = max(1, entry.length // 4, 1 + begins), entry.length - horizon
        ends = np.linspace(first, last, max(2, windows // len(entries))).astype(int) if last > first else ()
        for end in np.unique(ends):
            past, truth = _window(entry, int(end), horizon)
            pasts.append(past)
            truths.append(truth)
    if len(truths) < 2:
        raise ValueError(
            f"training_data: expected more than {2 * horizon} steps to learn from, got "
            f"{max(entry.length for entry in entries)}"
        )
    ranks = [
        rank_of(truth, np.asarray(forecast.samples), generator)
        for truth, forecast in zip(truths, predictor.predict(pasts, num_samples=num_samples), strict=True)
    ]
    return Coupled(predictor, np.stack(ranks), dependence=dependence, seed=seed)


def _window(entry: Entry, end: int, horizon: int) -> tuple[Entry, np.ndarray]:
    """The past of an entry up to a step, and what came ``[H, D]``, NaN of series that cannot be judged there.

    Those were seen for less than a horizon. Not every model forecasts without any value of a series, so that one that
    begins later has what it sold then.
    """
    past, seen = entry.until(end, horizon).of_domain("real"), (~np.isnan(entry.target[:, :end])).sum(1)
    truth = np.where(seen >= horizon, entry.target[:, end : end + horizon].T, np.nan)
    if seen.all():
        return past, truth
    return past.with_(target=np.where(seen[:, None] > 0, past.target, bridged(entry.target, 1).T[:, :end])), truth
