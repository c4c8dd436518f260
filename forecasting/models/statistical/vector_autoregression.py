"""Vector autoregression: the classical joint forecast."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from gluonts.model.forecast import SampleForecast

from ....datasets.entries.entry import Entry
from ....datasets.entries.gluonts_keys import GluontsEntry
from ....datasets.entries.multivariate import as_multivariate
from ....evaluation.adapters.fitted import PlainModel
from ....runtime.arguments.kinds import Seed, Steps
from ....runtime.plain import Space
from ...names import NAMES
from .ridge_autoregression import FEWEST, Equations, ridge_equations


class VARPredictor(PlainModel):
    r"""Each series regressed on the last values of all, :math:`y_t = c + \sum_{l=1}^{p} A_l y_{t-l} + e_t`.

    Fitted anew on all that lies before each forecast: by least squares, with the order p of the least AIC, where all
    series begin together, have no gaps and have two steps a coefficient; else by ridge regression, each equation on the
    steps at which its series was seen (`ridge_equations`). Paths add past residuals, all series of one past step
    together.

    Source: Lütkepohl (2005), New Introduction to Multiple Time Series Analysis, ch. 3 and 4.3.

    Arguments:
        prediction_length: horizon H, in steps.
        max_lags: the largest order tried.
        seed: of the draws.

    Example:
        >>> import pandas as pd
        >>> entry = {"start": pd.Period("2024-01-01", "D"), "target": 0.5 ** np.arange(40.0)[None] * 4 + 1}
        >>> forecast = next(VARPredictor(2, max_lags=1).predict([entry], num_samples=1))
        >>> bool(np.allclose(forecast.samples, 1, atol=1e-3))
        True
    """

    names = NAMES

    def __init__(self, prediction_length: Steps, max_lags: Steps = 5, seed: Seed = 0) -> None:
        super().__init__(prediction_length=prediction_length)
        self.max_lags, self.seed = max_lags, seed

    def search_space(self) -> Space:
        """How many lags there may be."""
        return {"max_lags": {"low": 1, "high": 8}}

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {"prediction_length": self.prediction_length, "max_lags": self.max_lags, "seed": self.seed}

    def for_run(self, seed: int, directory: Path | None = None) -> VARPredictor:
        """This predictor with another seed."""
        return VARPredictor(self.prediction_length, self.max_lags, seed)

    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units, drawn from `seed` if given.

        Raises:
            ValueError: an entry is shorter than `least_steps`.
        """
        generator = np.random.default_rng(self.seed if seed is None else seed)
        for entry in as_multivariate(dataset, "dataset"):
            yield SampleForecast(
                samples=self._paths(self._fit(entry, "dataset"), num_samples, generator).astype(np.float32),
                start_date=entry.forecast_start,
                item_id=entry.item_id,
            )

    def require_steps(self, entries: Sequence[Entry], argument: str) -> None:
        """Refuse data that have no entry long enough to be forecast after, before anything else is done with them.

        Arguments:
            entries: multivariate, ``target`` ``[D, T]``.
            argument: the name by which the error calls them.

        Raises:
            ValueError: the longest entry is shorter than `least_steps`.
        """
        self._require(max(entries, key=lambda entry: entry.length), argument)

    def _require(self, entry: Entry, argument: str) -> None:
        if entry.length < (needed := least_steps(self.max_lags)):
            raise ValueError(
                f"{argument}: expected at least {needed} steps to regress them on {self.max_lags} before, "
                f"got {entry.length}"
            )

    def _fit(self, entry: Entry, argument: str) -> Equations:
        self._require(entry, argument)
        target = np.asarray(entry.target, dtype=np.float64)
        target = target[:, int((~np.isnan(target)).argmax(1).min()) :]
        dim, length = target.shape
        if np.isnan(target).any() or length < 2 * (dim + 1) + self.max_lags:
            return ridge_equations(target, min(self.max_lags, max(1, length - 2)))
        values = target.T
        center, spread = values.mean(0), values.std(0)
        spread = np.where(spread > 0, spread, 1.0)
        values = (values - center) / spread
        order = choose_order(values, self.max_lags)
        return Equations(*least_squares(values, order), center, spread, values[-order:])

    def _paths(self, fit: Equations, count: int, generator: np.random.Generator) -> np.ndarray:
        order, residuals = len(fit.last), fit.residuals
        past = np.repeat(fit.last[None], count, axis=0)
        for _ in range(self.prediction_length):
            told = past[:, : -order - 1 : -1].reshape(count, -1) @ fit.coefficients[1:] + fit.coefficients[0]
            drawn = residuals[generator.integers(len(residuals), size=count)]
            past = np.concatenate([past, (told + drawn)[:, None]], axis=1)
        return past[:, order:] * fit.spread + fit.center


def least_steps(max_lags: int) -> int:
    """The minimum length of an entry for a regression: the order and a few steps."""
    return max_lags + FEWEST


def choose_order(values: np.ndarray, max_lags: int) -> int:
    """The order with the least AIC, all compared on the same steps.

    Arguments:
        values: ``[T, D]`` without gaps.
        max_lags: the largest order tried; those with fewer than two steps a coefficient are left out.

    Returns:
        The order, from 1.

    Raises:
        ValueError: there are too few steps even for order 1.

    Example:
        >>> noise = np.random.default_rng(0).normal(size=(500, 1))
        >>> choose_order(noise[2:] + 0.9 * noise[:-2], max_lags=1)
        1
    """
    length, dim = values.shape
    orders = [order for order in range(1, max_lags + 1) if length - max_lags >= 2 * (order * dim + 1)]
    if not orders:
        raise ValueError(
            f"dataset: expected at least {2 * (dim + 1) + max_lags} steps to regress {dim} series on each other, "
            f"got {length}"
        )
    criteria = []
    for order in orders:
        _, residuals = least_squares(values[max_lags - order :], order)
        covariance = residuals.T @ residuals / len(residuals) + 1e-10 * np.eye(dim)
        criteria.append(np.linalg.slogdet(covariance)[1] + 2 * order * dim**2 / len(residuals))
    return orders[int(np.argmin(criteria))]


def least_squares(values: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Regress each step on those before it.

    Arguments:
        values: ``[T, D]`` without gaps.
        order: steps looked back on, p.

    Returns:
        Coefficients ``[1 + p * D, D]``, the constant first, then lag by lag, and residuals ``[T - p, D]``.
    """
    length = len(values)
    lagged = [values[order - lag : length - lag] for lag in range(1, order + 1)]
    regressors = np.concatenate([np.ones((length - order, 1)), *lagged], axis=1)
    coefficients = np.linalg.lstsq(regressors, values[order:], rcond=None)[0]
    return coefficients, values[order:] - regressors @ coefficients
