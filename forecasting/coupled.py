"""Dependence between series and steps, learnt from past forecasts and lent to any model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor
from safetensors.numpy import load_file, save_file
from scipy.special import ndtri

from ..datasets.single_series import grouped
from .grouping import Entry, as_multivariate, known_until
from .seeding import asked
from .wrapping import WrappingEstimator

Dependence = Literal["gaussian", "empirical"]


class Coupled(Predictor):
    r"""A predictor whose paths are put together anew, so that they rise and fall together as past errors did.

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
        ranks: ``[K, H, D]`` where the truth lay in past forecasts, within (0, 1).
        dependence: how new ranks are drawn from past ones.
        seed: of the draws.
    """

    def __init__(
        self, predictor: Predictor, ranks: np.ndarray, *, dependence: Dependence = "gaussian", seed: int = 0
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
        self.training_log = getattr(predictor, "training_log", [])

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Names of the D series, as far as the predictor knows them."""
        return tuple(getattr(self.predictor, "item_ids", ()))

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the channels that the predictor reads; of one that does not say, there is no such attribute."""
        return tuple(self.predictor.covariate_names)

    def predict(
        self, dataset: Iterable[Entry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units, drawn from `seed` if given."""
        generator = np.random.default_rng(self.seed if seed is None else seed)
        for forecast in self.predictor.predict(dataset, num_samples=num_samples, **asked(seed)):
            samples = np.asarray(forecast.samples)
            draw = gaussian_scores if self.dependence == "gaussian" else past_scores
            forecast.samples = reorder(samples, draw(self.ranks, len(samples), generator))
            yield forecast

    def serialize(self, path: Path) -> None:
        """Write the predictor into `path`, the one beneath it into a folder of it."""
        inner = Path(path) / "predictor"
        inner.mkdir(parents=True, exist_ok=True)
        super().serialize(Path(path))
        self.predictor.serialize(inner)
        save_file({"ranks": self.ranks}, Path(path) / "ranks.safetensors")
        (Path(path) / "coupled.json").write_text(json.dumps({"dependence": self.dependence, "seed": self.seed}))

    @classmethod
    def deserialize(cls, path: Path, **kwargs: Any) -> Coupled:
        """Read what `serialize` wrote."""
        ranks = load_file(Path(path) / "ranks.safetensors")["ranks"]
        described = json.loads((Path(path) / "coupled.json").read_text())
        return cls(Predictor.deserialize(Path(path) / "predictor", **kwargs), ranks, **described)


class CoupledEstimator(WrappingEstimator):
    """Trains a model and couples it with what its forecasts of the training span missed; see `couple`.

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
        windows: int = 100,
        seed: int = 0,
    ) -> None:
        super().__init__(model)
        if dependence not in get_args(Dependence):
            raise ValueError(f"dependence: expected one of {', '.join(get_args(Dependence))}, got {dependence!r}")
        if windows < 2:
            raise ValueError(f"windows: expected at least 2 to learn from, got {windows}")
        self.dependence, self.windows, self.seed = dependence, windows, seed

    def train(self, training_data: Iterable[Entry], validation_data: Iterable[Entry] | None = None) -> Coupled:
        """Train the model and couple it.

        Arguments:
            training_data: multivariate gluonts entries (``target`` ``[D, T]``), or univariate ones.
            validation_data: likewise, for the model to watch.

        Returns:
            The coupled predictor.
        """
        entries, model = as_multivariate(training_data), self.model
        predictor = model.train(entries, validation_data) if isinstance(model, Estimator) else model
        return couple(predictor, entries, dependence=self.dependence, windows=self.windows, seed=self.seed)

    def for_run(self, seed: int, directory: Path | None = None) -> CoupledEstimator:
        """This estimator, and its model, for one run of a backtest."""
        model = self.model.for_run(seed, directory) if hasattr(self.model, "for_run") else self.model
        return CoupledEstimator(model, dependence=self.dependence, windows=self.windows, seed=seed)

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"model": self.model, "dependence": self.dependence, "windows": self.windows, "seed": self.seed}


def couple(
    predictor: Predictor,
    training_data: Iterable[Entry],
    *,
    dependence: Dependence = "gaussian",
    windows: int = 100,
    num_samples: int = 100,
    seed: int = 0,
) -> Coupled:
    """Learn from a predictor's errors on the training span, and couple its paths.

    Arguments:
        predictor: any trained predictor of joint forecasts ``[S, H, D]``; gluonts' own of single series are grouped.
        training_data: what it was trained on; nothing later enters.
        dependence: ``"gaussian"`` or ``"empirical"``, see `Coupled`.
        windows: past windows to learn from, spread evenly over the last three quarters of the span, as far as every
            series has begun; they may overlap.
        num_samples: paths a window.
        seed: of the draws.

    Returns:
        The coupled predictor.

    Raises:
        ValueError: the span is too short for two windows, or a series begins too late in it.

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
        length = entry["target"].shape[1]
        begun = 1 + int((~np.isnan(entry["target"])).argmax(axis=1).max())
        first, last = max(1, length // 4, begun), length - horizon
        for end in (
            np.unique(np.linspace(first, last, max(2, windows // len(entries))).astype(int)) if last > first else ()
        ):
            pasts.append(known_until(entry, end, horizon))
            truths.append(entry["target"][:, end : end + horizon].T)
    if len(truths) < 2:
        raise ValueError(
            f"training_data: expected more than {2 * horizon} steps to learn from, got {length}, of them "
            f"{length - begun} after every series has begun"
        )
    ranks = [
        rank_of(truth, np.asarray(forecast.samples), generator)
        for truth, forecast in zip(truths, predictor.predict(pasts, num_samples=num_samples), strict=True)
    ]
    return Coupled(predictor, np.stack(ranks), dependence=dependence, seed=seed)


def rank_of(truth: np.ndarray, samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Where the truth lies among the samples, ties and missing values at random.

    Arguments:
        truth: ``[H, D]``, NaN where missing.
        samples: ``[S, H, D]``.
        generator: of the random part.

    Returns:
        ``[H, D]``, within (0, 1): uniform where the samples are of the same distribution as the truth.

    Example:
        >>> samples = np.arange(99.0).reshape(99, 1, 1)
        >>> round(float(rank_of(np.array([[49.5]]), samples, np.random.default_rng(0))[0, 0]), 1)
        0.5
    """
    below, equal = (samples < truth).sum(0), (samples == truth).sum(0)
    chance = generator.uniform(size=truth.shape)
    rank = (below + chance * (equal + 1)) / (len(samples) + 1)
    return np.where(np.isnan(truth), chance, rank).clip(1e-6, 1 - 1e-6)


def reorder(samples: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Give paths the order of scores, at every step and for every series.

    Arguments:
        samples: ``[S, H, D]``.
        scores: ``[S, H, D]``; the path with the largest score gets the largest sample.

    Returns:
        ``[S, H, D]``: the same values in another order along S.

    Example:
        >>> reorder(np.array([[[5.0]], [[1.0]], [[3.0]]]), np.array([[[0.2]], [[0.9]], [[0.1]]])).ravel()
        array([3., 5., 1.])
    """
    return np.take_along_axis(np.sort(samples, axis=0), scores.argsort(axis=0).argsort(axis=0), axis=0)


def past_scores(ranks: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Scores of past windows, each as often as the others or once more.

    Arguments:
        ranks: ``[K, H, D]``.
        count: paths S.
        generator: of the draws.

    Returns:
        ``[S, H, D]``.
    """
    rounds = -(-count // len(ranks))
    chosen = np.concatenate([generator.permutation(len(ranks)) for _ in range(rounds)])[:count]
    # Paths that follow the same window are told apart by a hair.
    return ranks[chosen] + generator.uniform(-1e-4, 1e-4, size=(count, 1, 1))


def gaussian_scores(ranks: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Normal scores with the shrunk correlation of past ones, drawn without forming the matrix.

    Arguments:
        ranks: ``[K, H, D]``.
        count: paths S.
        generator: of the draws.

    Returns:
        ``[S, H, D]``, each standard normal.
    """
    windows, horizon, dim = ranks.shape
    z = standardised(ranks)
    weight = shrinkage(z)
    common = generator.normal(size=(count, windows)) @ z / np.sqrt(windows)
    own = generator.normal(size=common.shape)
    return (np.sqrt(1 - weight) * common + np.sqrt(weight) * own).reshape(count, horizon, dim)


def standardised(ranks: np.ndarray) -> np.ndarray:
    """Normal scores ``[K, H * D]`` of ranks ``[K, H, D]``, each column with mean 0 and variance 1."""
    z = ndtri(ranks.reshape(len(ranks), -1).astype(np.float64))
    z = z - z.mean(0)
    return z / np.maximum(z.std(0), 1e-9)


def shrinkage(z: np.ndarray) -> float:
    r"""How far an estimated correlation should be drawn towards none.

    .. math:: \lambda = \sum_{i \ne j} \widehat{\mathrm{Var}}(r_{ij}) \Big/ \sum_{i \ne j} r_{ij}^2

    Source: Schäfer and Strimmer (2005), doi 10.2202/1544-6115.1175, eq. 10. The sums over pairs are taken through the
    K by K products of windows, so that their cost does not grow with the square of the number of columns.

    Arguments:
        z: ``[K, P]`` standardised columns.

    Returns:
        Between 0 (keep the estimate) and 1 (no correlation).

    Example:
        >>> noise = standardised(np.random.default_rng(0).uniform(size=(50, 1, 4)))
        >>> alike = standardised(np.random.default_rng(0).uniform(size=(50, 1, 1)).repeat(4, axis=2))
        >>> shrinkage(noise) > 0.5, shrinkage(alike) < 0.05
        (True, True)
    """
    windows = len(z)
    squares = z**2
    # Of w_k = z_ki z_kj, over all pairs i != j: the squares of w, and those of its mean r_ij.
    of_each = (squares.sum(1) ** 2).sum() - (squares**2).sum()
    of_means = ((z @ z.T) ** 2).sum() / windows**2 - (squares.mean(0) ** 2).sum()
    variance = windows / (windows - 1) ** 3 * (of_each - windows * of_means)
    return 1.0 if of_means <= 0 else float(np.clip(variance / of_means, 0, 1))
