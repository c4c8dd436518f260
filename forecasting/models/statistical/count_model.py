"""A compound Poisson model of counts, whose clumps and seasons are judged from all articles together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gluonts.model.forecast import SampleForecast
from scipy.special import gammaln

from ....datasets.entries.gluonts_keys import GluontsEntry
from ....datasets.entries.multivariate import as_multivariate
from ....evaluation.adapters.fitted import PlainModel
from ....runtime.arguments.kinds import Seed, Steps
from ...names import NAMES
from .count_laws import LARGEST, LAWS, laws_of, log_likelihoods, negative_binomial

KNOWN_SALES = 2.0
"""Sales of an article by which its variance is believed half, and half that of all."""

NEVER_SOLD = 0.5
"""Sales of as long a past that an article without any is told, as by Jeffreys' prior of a Poisson rate."""

FADING = (np.inf, 0.5, 0.125)
"""Half-lives of past sales that are tried, in lengths of the past."""

MOST = 1e15
"""The largest count of a step: beyond, double precision and the draws of a Poisson law know no single units."""


class CountModelPredictor(PlainModel):
    r"""Draws counts of each article from a compound Poisson law with its own rate, and clumps like those of others.

    The counts of an article have the mean :math:`\lambda s_t`, where :math:`s_t` is a seasonal profile that all
    articles share, and a compound Poisson law of some dispersion (`LAWS`). Which one is judged by its own counts and by
    what laws the others have (`laws_of`). The rate is that of its own sales, and what they leave open is gamma
    distributed, with the number of sales by their dispersion as the shape; each path draws a law and a rate. Shrunk to
    the rates of others, the slowest would be told far too high. One that never sold is told half a sale in as long a
    past. How fast sales of the past fade is what would have foretold the last horizon best.

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

    def __init__(self, prediction_length: Steps, season_length: Steps = 1, seed: Seed = 0) -> None:
        super().__init__(prediction_length=prediction_length)
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
            ValueError: a value is below 0, or no count that can be drawn.
        """
        generator = np.random.default_rng(self.seed if seed is None else seed)
        for number, entry in enumerate(as_multivariate(dataset, "dataset")):
            sold = np.asarray(entry.target, dtype=np.float64)
            for value in (np.nanmin(sold), np.nanmax(sold)):
                if not 0 <= value <= MOST:
                    raise ValueError(f"dataset: expected counts from 0 to {MOST:g}, got {value:g} in entry {number}")
            yield SampleForecast(
                samples=self._paths(sold, num_samples, generator).astype(np.float32),
                start_date=entry.forecast_start,
                item_id=entry.item_id,
            )

    def _paths(self, sold: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
        length, horizon = sold.shape[1], self.prediction_length
        profile = seasonal_profile(sold, self.season_length)
        place = np.arange(length + horizon) % len(profile)
        fit = fitted(sold, profile, best_fading(sold, profile, horizon))
        chosen = (fit.laws.cumsum(1) < generator.random((count, len(sold), 1))).sum(2).clip(max=len(LAWS) - 1)
        dispersion = np.where(fit.slow, np.array([law.dispersion for law in LAWS])[chosen], fit.dispersion)
        shape = np.maximum(fit.units, NEVER_SOLD) / dispersion
        rate = generator.gamma(shape) / shape * np.maximum(fit.units, NEVER_SOLD) / fit.exposure
        mean = rate[:, None] * profile[place[length:], None]
        drawn = negative_binomial(mean, dispersion[:, None], generator)
        for number in np.unique(chosen[:, fit.slow]):
            paths, series = np.nonzero((chosen == number) & fit.slow)
            drawn[paths, :, series] = LAWS[number].drawn(mean[paths, :, series], generator)
        return drawn


@dataclass(frozen=True)
class Fit:
    """What articles sell.

    Arguments:
        units: ``[D]`` sales of the past, as far as they count.
        exposure: ``[D]`` steps of a usual season in which they were sold.
        slow: bool ``[D]``, articles whose law is told by its likelihood; others are negative binomial.
        laws: ``[D, len(LAWS)]`` how likely each law is; even where an article is not slow.
        dispersion: ``[D]`` variance by mean, as told by changes of one step to the next.
    """

    units: np.ndarray
    exposure: np.ndarray
    slow: np.ndarray
    laws: np.ndarray
    dispersion: np.ndarray


def best_fading(sold: np.ndarray, profile: np.ndarray, horizon: int) -> np.ndarray:
    """Half-lives ``[D]`` of past sales, in lengths of the past, that would have foretold the last horizon best.

    There is one for the slow articles and one for the others, whose levels say more of how they move, and would speak
    for all.

    Arguments:
        sold: ``[D, T]``, at least 0, NaN where missing.
        profile: ``[season]`` the seasonal profile.
        horizon: steps H.
    """
    found = np.full(len(sold), FADING[0])
    if sold.shape[1] <= 3 * horizon:
        return found
    scores = np.stack([_scores(sold, profile, horizon, each) for each in FADING])
    slow = np.nan_to_num(sold).max(1) <= LARGEST
    for alike in (slow, ~slow):
        gain = scores[:, alike] - scores[:1, alike]
        # Not by chance: by more than a standard error of the sum over articles, and than two units of log-likelihood.
        clear = gain.sum(1) >= np.maximum(0.999 * np.sqrt((gain**2).sum(1)), 2.0)
        found[alike] = FADING[int(np.argmax(np.where(clear, gain.sum(1), 0.0)))]
    return found


def fitted(sold: np.ndarray, profile: np.ndarray, fading: np.ndarray) -> Fit:
    """Fit rates and laws.

    Arguments:
        sold: ``[D, T]``, at least 0, NaN where missing.
        profile: ``[season]`` the seasonal profile.
        fading: ``[D]`` half-lives of past sales, in lengths of the past.
    """
    length, seen = sold.shape[1], ~np.isnan(sold)
    place = np.arange(length) % len(profile)
    weight = 0.5 ** (np.arange(length)[::-1] / (fading[:, None] * length)) * seen
    known = np.nan_to_num(sold)
    # Faded steps count for as many whole ones as tell as much.
    weight *= (weight.sum(1) / np.maximum((weight**2).sum(1), 1e-12))[:, None]
    units, exposure = (weight * known).sum(1), np.maximum((weight * profile[place]).sum(1), 1e-12)
    slow = known.max(1) <= LARGEST
    laws = np.full((len(sold), len(LAWS)), 1 / len(LAWS))
    if slow.any():
        rate = np.maximum(units[slow], NEVER_SOLD) / exposure[slow]
        laws[slow] = laws_of(_histograms(known[slow], weight[slow], len(profile)), rate[:, None] * profile)
    return Fit(units, exposure, slow, laws, _dispersion(known, seen, profile[place]))


def _histograms(known: np.ndarray, weight: np.ndarray, season: int) -> np.ndarray:
    """How often each article had each count at each place of a season, ``[D, season, LARGEST + 1]``."""
    dim, length = known.shape
    cell = (np.arange(dim)[:, None] * season + np.arange(length) % season) * (LARGEST + 1) + known.round().astype(int)
    counted = np.bincount(cell.ravel(), weight.ravel(), minlength=dim * season * (LARGEST + 1))
    return counted.reshape(dim, season, LARGEST + 1)


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


def _dispersion(known: np.ndarray, seen: np.ndarray, season: np.ndarray) -> np.ndarray:
    """Variance by mean of a step ``[D]``, from changes of one step to the next, drawn towards that of all articles."""
    both = seen[:, 1:] & seen[:, :-1]
    squares = ((known[:, 1:] / season[1:] - known[:, :-1] / season[:-1]) ** 2 * both).sum(1) / 2
    units = ((known[:, 1:] + known[:, :-1]) * both).sum(1) / 2
    # Each article counts by its sales, up to as many as say it well: the fast ones do not speak for the slow.
    counted = np.minimum(units, KNOWN_SALES) / np.maximum(units, 1e-12)
    usual = (counted * squares).sum() / max((counted * units).sum(), 1e-12) if units.any() else 1.0
    return np.maximum((squares + KNOWN_SALES * usual) / (units + KNOWN_SALES), 1.0)


def _scores(sold: np.ndarray, profile: np.ndarray, horizon: int, fading: float) -> np.ndarray:
    """Log-likelihoods ``[D]`` of the last horizon, by what came before it; 0 where one of them is missing."""
    before, came, scores = sold[:, :-horizon], sold[:, -horizon:], np.zeros(len(sold))
    begun = np.flatnonzero(~np.isnan(before).all(1) & ~np.isnan(came).any(1))
    if not len(begun):
        return scores
    fit, came = fitted(before[begun], profile, np.full(len(begun), fading)), came[begun]
    rate = np.maximum(fit.units, NEVER_SOLD) / fit.exposure
    season = np.roll(profile, -(before.shape[1] % len(profile)))
    slow = fit.slow & (came.max(1) <= LARGEST)
    if slow.any():
        counts = _histograms(came[slow], np.ones(came[slow].shape), len(season))
        chances = log_likelihoods(counts, rate[slow, None] * season)
        scores[begun[slow]] = np.logaddexp.reduce(np.log(fit.laws[slow] + 1e-300) + chances, axis=1)
    excess = np.maximum(fit.dispersion[~slow] - 1, 1e-3)[:, None]
    shape = rate[~slow, None] * season[np.arange(horizon) % len(season)] / excess
    scores[begun[~slow]] = log_negative_binomial(came[~slow], shape, 1 + excess).sum(1)
    return scores


def log_negative_binomial(units: np.ndarray, shape: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    """Log-density of units, whole or not, with mean ``shape (dispersion - 1)`` and variance `dispersion` times that."""
    excess = np.maximum(dispersion - 1, 1e-3)
    chance = gammaln(units + shape) - gammaln(shape) - gammaln(units + 1)
    return np.asarray(chance - shape * np.log1p(excess) + units * (np.log(excess) - np.log1p(excess)))
