"""A negative binomial model of counts whose rates are shared over articles by empirical Bayes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from gluonts.model.forecast import SampleForecast
from scipy.special import gammaln

from ....datasets.entries.gluonts_keys import GluontsEntry
from ....datasets.entries.multivariate import as_multivariate
from ....evaluation.adapters.fitted import PlainModel
from ...names import NAMES

RATES = 80
"""Rates of the mixing distribution, evenly spread over their logarithm."""

UPDATES = 100
"""Steps of EM for its weights."""

KNOWN_SALES = 2.0
"""Sales of an article by which its dispersion is believed half, and half that of all."""

FADING = (np.inf, 0.5, 0.125)
"""Half-lives of past sales that are tried, in lengths of the past."""


class CountModelPredictor(PlainModel):
    r"""Draws counts of each article from a negative binomial law whose rate is judged from all articles together.

    The counts y of an article have the mean :math:`\lambda s_t` and the variance :math:`\phi` times that, so that sums
    over steps are of the same law (compound Poisson demand in clumps). :math:`s_t` is a seasonal profile that all
    articles share. The rates :math:`\lambda` of the articles have a common distribution, whose weights on a grid are
    those of most likelihood (Kiefer and Wolfowitz 1956, doi 10.1214/aoms/1177728066; by EM, Laird 1978, doi
    10.1080/01621459.1978.10480103), with one article's worth of even weights beside them; each path draws a rate of its
    own from what the article's sales leave of it, and so holds what is uncertain about the rate of one that hardly ever
    sold. The mean over paths is that of the article's own sales, where it has any: shrunk to the rates of others, the
    slowest would be told far too high. The dispersion of an article is drawn towards that of all. How fast sales of
    the past fade is what would have foretold the last horizon best.

    It is fitted anew at each forecast, in a moment. Missing steps count nowhere, zeros are zeros; articles are
    independent on a path.

    Arguments:
        prediction_length: horizon H, in steps.
        season_length: steps of the seasonal profile, 1 for none; none either where the past is shorter than three.
        seed: of the draws.

    Raises:
        ValueError: the season is shorter than a step.

    Example:
        >>> import pandas as pd
        >>> sold = np.random.default_rng(0).poisson(0.2, size=(50, 300))
        >>> entry = {"start": pd.Period("2024-01-01", "D"), "target": sold}
        >>> drawn = next(CountModelPredictor(14).predict([entry], num_samples=200)).samples
        >>> bool(abs(drawn.mean() - 0.2) < 0.02)
        True
    """

    names = NAMES

    def __init__(self, prediction_length: int, season_length: int = 1, seed: int = 0) -> None:
        super().__init__(prediction_length=prediction_length)
        if season_length < 1:
            raise ValueError(f"season_length: expected at least 1 step, got {season_length}")
        self.season_length, self.seed = season_length, seed

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {
            "prediction_length": self.prediction_length,
            "season_length": self.season_length,
            "seed": self.seed,
        }

    def for_run(self, seed: int, directory: Path | None = None) -> CountModelPredictor:
        """This predictor with another seed."""
        return CountModelPredictor(self.prediction_length, self.season_length, seed)

    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, whole numbers from 0.

        Raises:
            ValueError: a value is below 0.
        """
        generator = np.random.default_rng(self.seed if seed is None else seed)
        for number, entry in enumerate(as_multivariate(dataset, "dataset")):
            sold = np.asarray(entry.target, dtype=np.float64)
            if np.nanmin(sold) < 0:
                raise ValueError(f"dataset: expected counts from 0, got {np.nanmin(sold):g} in entry {number}")
            yield SampleForecast(
                samples=self._paths(sold, num_samples, generator).astype(np.float32),
                start_date=entry.forecast_start,
                item_id=entry.item_id,
            )

    def _paths(self, sold: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
        dim, length = sold.shape
        horizon = self.prediction_length
        profile = seasonal_profile(sold, self.season_length)
        season = profile[np.arange(length + horizon) % len(profile)]
        fading = FADING[0]
        if length > 3 * horizon:
            scores = [_score(sold, season[:length], horizon, each) for each in FADING]
            fading = FADING[int(np.argmax(scores))]
        weights, rates, dispersion, own = fitted_rates(sold, season[:length], fading)
        chance = generator.random((count, dim, 1))
        chosen = (weights.cumsum(1) < chance).sum(2).clip(max=len(rates) - 1)
        drawn = rates[chosen] * np.where(own > 0, own / (weights @ rates), 1.0)
        mean = drawn[:, None] * season[length:, None]
        # A Poisson law where there is no more than its dispersion.
        shape = mean / np.maximum(dispersion - 1, 1e-3)
        return generator.poisson(generator.gamma(shape) * np.maximum(dispersion - 1, 1e-3)).astype(float)


def seasonal_profile(sold: np.ndarray, season: int) -> np.ndarray:
    """What is sold at each place of a season beside the mean of all, over all articles, 1 on average.

    Arguments:
        sold: ``[D, T]``, NaN where missing; every article counts up to about one unit a step.
        season: steps of a season.

    Returns:
        ``[season]``, places counted from the first step; ``[1]`` where the past is shorter than three seasons.

    Example:
        >>> seasonal_profile(np.tile([0.0, 4.0], 200)[None], 2).round(1)
        array([0.3, 1.7])
    """
    length = sold.shape[1]
    if season == 1 or length < 3 * season:
        return np.ones(1)
    seen = ~np.isnan(sold)
    mean = np.where(seen, sold, 0).sum(1) / np.maximum(seen.sum(1), 1)
    weight = 1 / (1 + mean)
    units = (np.where(seen, sold, 0) * weight[:, None]).sum(0)
    expected = (seen * (mean * weight)[:, None]).sum(0)
    place = np.arange(length) % season
    # Few sales say little of a place: as many as would say it well are counted as usual.
    usual = 50.0
    profile = (np.bincount(place, units) + usual) / (np.bincount(place, expected) + usual)
    return np.asarray(profile / profile.mean())


def fitted_rates(
    sold: np.ndarray, season: np.ndarray, fading: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The posterior weights ``[D, G]`` of rates ``[G]`` of each article, its dispersion and its own rate, each ``[D]``.

    Arguments:
        sold: ``[D, T]``, at least 0, NaN where missing.
        season: ``[T]`` the seasonal profile.
        fading: half-life of past sales, in lengths of the past.
    """
    length = sold.shape[1]
    weight = 0.5 ** (np.arange(length)[::-1] / (fading * length)) * ~np.isnan(sold)
    known = np.nan_to_num(sold)
    # Faded steps count for as many whole ones as tell as much.
    whole = weight.sum(1) / np.maximum((weight**2).sum(1), 1e-12)
    units, exposure = (weight * known).sum(1) * whole, (weight * season).sum(1) * whole
    dispersion = _dispersion(known, ~np.isnan(sold), season)
    grid = np.geomspace(0.1 / max(exposure.max(), 1.0), 1.5 * max((units / exposure).max(), 1e-3), RATES)
    mean = grid * exposure[:, None]
    shape = mean / np.maximum(dispersion - 1, 1e-3)[:, None]
    log_likelihood = negative_binomial(units[:, None], shape, dispersion[:, None])
    likelihood = np.exp(log_likelihood - log_likelihood.max(1, keepdims=True))
    prior = np.full(RATES, 1 / RATES)
    for _ in range(UPDATES):
        posterior = likelihood * prior
        posterior /= posterior.sum(1, keepdims=True)
        prior = (posterior.sum(0) + 1 / RATES) / (len(sold) + 1)
    posterior = likelihood * prior
    own = units / np.maximum(exposure, 1e-12)
    return posterior / posterior.sum(1, keepdims=True), grid, dispersion, own


def negative_binomial(units: np.ndarray, shape: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    """Log-density of sums of units, whole or not, with mean ``shape (dispersion - 1)`` and ``dispersion`` times it."""
    excess = np.maximum(dispersion - 1, 1e-3)
    chance = gammaln(units + shape) - gammaln(shape) - gammaln(units + 1)
    return np.asarray(chance - shape * np.log1p(excess) + units * (np.log(excess) - np.log1p(excess)))


def _dispersion(known: np.ndarray, seen: np.ndarray, season: np.ndarray) -> np.ndarray:
    """Variance by mean of a step ``[D]``, from changes of one step to the next, drawn towards that of all articles."""
    both = seen[:, 1:] & seen[:, :-1]
    squares = ((known[:, 1:] / season[1:] - known[:, :-1] / season[:-1]) ** 2 * both).sum(1) / 2
    units = ((known[:, 1:] + known[:, :-1]) * both).sum(1) / 2
    # Each article counts by its sales, up to as many as say it well: the fast ones do not speak for the slow.
    counted = np.minimum(units, KNOWN_SALES) / np.maximum(units, 1e-12)
    usual = (counted * squares).sum() / max((counted * units).sum(), 1e-12) if units.any() else 1.0
    return np.maximum((squares + KNOWN_SALES * usual) / (units + KNOWN_SALES), 1.0)


def _score(sold: np.ndarray, season: np.ndarray, horizon: int, fading: float) -> float:
    """Log-likelihood of the sums over the last horizon, by what came before it."""
    before, came = sold[:, :-horizon], sold[:, -horizon:]
    begun = ~np.isnan(before).all(1) & ~np.isnan(came).any(1)
    if not begun.any():
        return 0.0
    weights, rates, dispersion, _ = fitted_rates(before[begun], season[:-horizon], fading)
    shape = rates * season[-horizon:].sum() / np.maximum(dispersion - 1, 1e-3)[:, None]
    found = negative_binomial(came[begun].sum(1)[:, None], shape, dispersion[:, None])
    return float(np.log((weights * np.exp(found)).sum(1) + 1e-300).sum())
