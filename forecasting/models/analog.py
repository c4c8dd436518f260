"""Joint forecasts that follow what came after similar days, weeks or years of the past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import numpy as np
from gluonts.model.forecast import SampleForecast

from ...datasets.entries.domain import Domain, phases, settled
from ...datasets.entries.frequency import frequency_family
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...evaluation.adapters.fitted import PlainModel
from ...evaluation.adapters.model import ForecastModel
from ...runtime.arguments.kinds import Count, Seed, Steps
from ...runtime.plain import Space
from ..names import NAMES
from ..paths.shares import shares_of
from .analogs.likeness_fit import LearntMoves, drawn_stretches, learnt_moves
from .analogs.past_stretches import Difference, Move, Reference, shortest, stretches_before
from .analogs.start_grid import FEWEST, Origins, PastForecasts, best_spacing

MOVES = (
    Move(),
    Move(0.5, "mean"),
    Move(1.0, "mean"),
    Move(0.5, "profile"),
    Move(1.0, "profile"),
)

RATIOS = tuple(Move(move.share, move.of, "ratio") for move in MOVES if move.share)
"""What is tried beside `MOVES` where no value is negative."""


class AnalogEstimator(ForecastModel):
    r"""Learns which stretches of the past the future resembles, all series of a stretch together.

    A path is what really happened over some past stretch of as many steps, which began whole seasons ago, or within
    seasons where that was better (`spacings`), brought to today's level (`Move`). Stretch k is drawn with probability
    :math:`w_k \propto \exp(\theta \cdot f_k)`; its likeness f says how long ago it was, how close the season before it
    came to the last one, whether it has today's place in the longer cycle, and how far its place in the season is from
    today's. For each way to bring it to today's level, :math:`\theta` has the best energy score over past forecasts,
    each from its own past; for a discrete distribution the score is exact,

    .. math:: S = \sum_k w_k \lVert x_k - y\rVert - \tfrac12 \sum_{kl} w_k w_l \lVert x_k - x_l\rVert ,

    and the ways are mixed by their energy score too (`pool_weights`). That is some thirty numbers to learn, in seconds.
    It keeps the dependence of all series and steps as it was, and knows nothing of what never happened.

    Forecasts from similar states are those of Lorenz (1969), as ensembles: Delle Monache et al. (2013, doi
    10.1175/MWR-D-12-00281.1), as a bootstrap: Lall and Sharma (1996, doi 10.1029/95WR02966). Learning from which past
    values to draw, series by series: DeepNPTS (Rangapuram et al. 2023, arXiv 2312.14657). Whole stretches of all
    series, the levels and the score are ours.

    Arguments:
        prediction_length: horizon H, in steps.
        season_length: steps of a season; 1 for none, with stretches that began at any step.
        cycle_length: steps of a longer cycle, such as the week of hourly data; ``None`` for none.
        domain: the values that a path can take.
        stretches: stretches of a past, at most, the newest ones.
        origins: past forecasts to learn from, at most, the newest ones, a season or half a horizon apart; closer where
            that leaves few and there are `spacings`.
        spacings: steps from one stretch to the next, parts of a season, that are tried beside whole seasons: past
            forecasts say which is best. A few days of five-minute data hold few whole days, and many hours.
        num_samples: paths of each to weigh the ways to today's level by.
        seed: of the draws.

    Raises:
        ValueError: a number is out of its range, the cycle is no multiple of the season, or the season none of a
            spacing.

    Example:
        >>> AnalogEstimator(24, season_length=24, cycle_length=168).origins
        40
    """

    def __init__(
        self,
        prediction_length: Steps,
        *,
        season_length: Steps = 1,
        cycle_length: Steps | None = None,
        domain: Domain = "real",
        stretches: Count = 250,
        origins: Count = 40,
        spacings: Sequence[Steps] = (),
        num_samples: Count = 30,
        seed: Seed = 0,
    ) -> None:
        super().__init__()
        for name, value, fewest in (("stretches", stretches, FEWEST), ("num_samples", num_samples, 2)):
            if value < fewest:
                raise ValueError(f"{name}: expected at least {fewest}, got {value}")
        if cycle_length is not None and (cycle_length % season_length or cycle_length < season_length):
            raise ValueError(f"cycle_length: expected a multiple of {season_length} steps, got {cycle_length}")
        for every in spacings:
            if season_length % every or every >= season_length:
                raise ValueError(f"spacings: expected parts of the season of {season_length} steps, got {every}")
        self.prediction_length, self.season_length, self.cycle_length = prediction_length, season_length, cycle_length
        self.spacings = tuple(spacings)
        self.domain, self.stretches, self.origins = domain, stretches, origins
        self.num_samples, self.seed = num_samples, seed

    def train(
        self, training_data: Iterable[GluontsEntry], validation_data: Iterable[GluontsEntry] | None = None
    ) -> AnalogPredictor:
        """Learn from past forecasts.

        Arguments:
            training_data: multivariate gluonts entries (``target`` ``[D, T]``), or univariate ones.
            validation_data: not read.

        Returns:
            The predictor.

        Raises:
            ValueError: no entry is long enough for a past forecast.
        """
        entries = as_multivariate(training_data)
        moves = MOVES if self.domain == "real" else MOVES + RATIOS
        if self.season_length == 1:
            moves = tuple(move for move in moves if move.of == "mean")  # the profile of one step is its mean
        origins, every = self._origins(), self.season_length

        def learn(found: PastForecasts) -> LearntMoves:
            return learnt_moves(found.pasts, found.truths, moves, self.domain, self.num_samples, self.seed)

        if self.spacings:
            every = best_spacing(entries, origins, (every, *self.spacings), learn)
        found = origins.forecasts(entries, origins.ends(entries, every), every)
        if not found.truths:
            needed = shortest(self.prediction_length, self.season_length, FEWEST, every) + self.prediction_length
            raise ValueError(
                f"training_data: expected at least {needed} steps, so that a horizon of {self.prediction_length} can "
                f"follow {FEWEST} past ones, got {max(entry.length for entry in entries)}"
            )
        learnt = learn(found)
        fitted = AnalogPredictor(
            self.prediction_length,
            freq=entries[0].freq,
            target_dim=entries[0].dim,
            season_length=self.season_length,
            cycle_length=self.cycle_length or self.season_length,
            domain=self.domain,
            stretches=self.stretches,
            moves=[(move.share, move.of, move.by) for move in learnt.moves],
            weights=learnt.weights.tolist(),
            thetas=[theta.tolist() for theta in learnt.thetas],
            seed=self.seed,
            every=None if every == self.season_length else every,
        )
        return self.made(fitted)

    def search_space(self) -> Space:
        """How many stretches are drawn from, and from how many origins it learns."""
        return {"stretches": [60, 120, 250, 500], "origins": [20, 40, 80]}

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        names = ["season_length", "cycle_length", "domain", "stretches", "origins", "num_samples", "seed"]
        # Whole seasons alone are what there was before, and so are runs that are known by settings.
        names += ["spacings"] * bool(self.spacings)
        return {"prediction_length": self.prediction_length, **{name: getattr(self, name) for name in names}}

    def _origins(self) -> Origins:
        season = self.season_length
        cycle = self.cycle_length or season
        closer = bool(self.spacings)
        return Origins(self.prediction_length, season, cycle, self.origins, self.stretches, self.domain, closer)


class AnalogPredictor(PlainModel):
    """Draws stretches of the past, as `AnalogEstimator` has learnt to.

    Paths are what happened; many are alike where few stretches resemble today. Each forecast reads the past that it is
    given, from its beginning.

    Arguments:
        prediction_length: horizon H, in steps.
        freq: pandas frequency alias of the data.
        target_dim: number of series D of the training; any other number is forecast as well.
        season_length: steps of a season.
        cycle_length: steps of the longer cycle; those of the season for none.
        domain: the values that a path can take.
        stretches: stretches of a past, at most.
        moves: the ways to today's level, each the arguments of a `Move`.
        weights: their shares of the paths, 1 in all.
        thetas: what likeness counts, ``[F]`` for each of them.
        seed: of the draws.
        every: steps from one stretch to the next; a season if ``None``.
    """

    names = NAMES

    def __init__(
        self,
        prediction_length: Steps,
        freq: str,
        target_dim: Count,
        season_length: Steps,
        cycle_length: Steps,
        domain: str,
        stretches: Count,
        moves: Sequence[tuple[float, Reference, Difference]],
        weights: Sequence[float],
        thetas: Sequence[Sequence[float]],
        seed: Seed = 0,
        every: Steps | None = None,
    ) -> None:
        super().__init__(prediction_length=prediction_length)
        self.freq, self.target_dim = freq, target_dim
        self.season_length, self.cycle_length = season_length, cycle_length
        self.domain: Domain = cast(Domain, domain)
        self.stretches, self.seed, self.every = stretches, seed, every
        self.moves = [Move(*move) for move in moves]
        self.weights, self.thetas = weights, [np.asarray(theta, dtype=float) for theta in thetas]

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        names = ["freq", "target_dim", "season_length", "cycle_length", "domain", "stretches", "seed"]
        names += ["every"] * (self.every is not None)
        learnt = {
            "moves": [list(vars(move).values()) for move in self.moves],
            "weights": self.weights,
            "thetas": [theta.tolist() for theta in self.thetas],
        }
        return {"prediction_length": self.prediction_length, **{name: getattr(self, name) for name in names}, **learnt}

    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units.

        Arguments:
            dataset: entries with all of the past that may be followed, ``target`` ``[D, T]``.
            num_samples: paths S an entry.
            seed: of the draws; that of the training if ``None``.

        Raises:
            ValueError: there is not even one path, or an entry is too short to hold a stretch, or has another frequency
                than the training data.
        """
        own = self.seed if seed is None else seed
        generator = np.random.default_rng(own)
        for number, entry in enumerate(as_multivariate(dataset, "dataset")):
            if frequency_family(entry.freq) != frequency_family(self.freq):
                raise ValueError(
                    f"dataset: expected frequency {self.freq!r} as in training, got {entry.freq!r} in entry {number}"
                )
            length, needed = entry.length, shortest(self.prediction_length, self.season_length, every=self.every)
            if length < needed:
                raise ValueError(
                    f"dataset: expected at least {needed} steps, to follow what came after some of them, got {length} "
                    f"in entry {number}"
                )
            names = entry.item_ids or range(entry.dim)
            yield SampleForecast(
                samples=settled(
                    self._paths(entry.target, num_samples, generator),
                    self.domain,
                    phases(num_samples, names, [own, number]),
                ).astype(np.float32),
                start_date=entry.forecast_start,
                item_id=entry.item_id,
            )

    def _paths(self, target: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
        season = self.season_length
        settings = (self.prediction_length, season, self.cycle_length, self.stretches, self.domain, self.every)
        past = stretches_before(np.asarray(target, dtype=np.float64), *settings)
        drawn = [
            past.moved(move, drawn_stretches(past, theta, share, generator))
            for move, theta, share in zip(self.moves, self.thetas, shares_of(count, self.weights), strict=True)
            if share
        ]
        # Any first paths are a fair share of all of them.
        return np.concatenate(drawn)[generator.permutation(count)]
