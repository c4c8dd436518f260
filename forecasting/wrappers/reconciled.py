"""Forecasts of series and of totals at several levels, made to agree."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ...datasets.entries.domain import Domain, phases, settled
from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...datasets.hierarchies.hierarchy import By, Hierarchy
from ...evaluation.adapters.fitted import FittedModel
from ...evaluation.adapters.foreign import for_run, updated
from ...evaluation.scores.multivariate import energy_score
from ...runtime.arguments.kinds import Count, Seed
from ..paths.reconciliation import Weights, error_covariance, moves, observed_totals, ranked_totals, reconciling_gain
from ..paths.strength import STRENGTHS, chosen_strength, over_steps
from ..training.members import trained_member
from ..windows.held_out import HeldOut, held_out_windows
from .reconciled_predictor import ReconciledPredictor, above
from .wrapper import WrappingEstimator

logger = logging.getLogger(__name__)


class ReconciledEstimator(WrappingEstimator):
    r"""Forecasts series and their totals with a model each, and moves the series' paths so that both agree.

    A total is often easier to forecast than the series below it. The draws of each total are given to the paths in the
    order of their own sums (`ranked_totals`), and each path b is then reconciled with them, :math:`b + c\, K (a - A b)`
    (`moves`, `reconciling_gain`). K is that of the least error variance, from the errors of both models in windows held
    out at the end of the span; its share c, from 0 for the series' own sums to 1, is the one with the best energy score
    there, as a mean over levels relative to the series' own sums, and 0 where that is not better by a standard error of
    the windows (`chosen_strength`). Totals at all levels are the sums of the paths, so
    that they agree always. In a changed future a path keeps the correction that it has in the planned one.

    Arguments:
        model: of the D series.
        hierarchy: which series add up to which totals; series are found by name.
        of_totals: the model of the totals, a joint one as well; ``None`` takes `model` for them too.
        levels: the levels to reconcile with; ``None`` takes the total and every attribute.
        weights: ``"ols"``, ``"structural"``, ``"variance"`` or ``"shrink"``, see `error_covariance`.
        windows: windows held out at the end, one horizon each; ``None`` as in `held_out_windows`.
        strength: c; ``None`` lets the held-out windows choose.
        domain: the values that a path can take.
        num_samples: paths a window to choose by.
        seed: of models that can be seeded.
        directory: where trained models are kept, so that a killed training goes on behind them.

    Example:
        >>> from hemline.forecasting import RandomWalkPredictor
        >>> shop = Hierarchy(("coat", "hat"), {"category": ("warm", "head")})
        >>> ReconciledEstimator(RandomWalkPredictor(7), shop).prediction_length
        7
    """

    def __init__(
        self,
        model: Estimator | Predictor,
        hierarchy: Hierarchy,
        *,
        of_totals: Estimator | Predictor | None = None,
        levels: Sequence[By] | None = None,
        weights: Weights = "shrink",
        windows: Count | None = None,
        strength: float | None = None,
        domain: Domain = "real",
        num_samples: Count = 100,
        seed: Seed = 0,
        directory: Path | None = None,
    ) -> None:
        super().__init__(model)
        self.hierarchy = hierarchy
        self.of_totals = None if of_totals is None else self.beside("of_totals", of_totals)
        self.levels = None if levels is None else tuple(by if isinstance(by, str) else tuple(by) for by in levels)
        if not len(hierarchy.aggregates(self.levels)[0]):
            raise ValueError("levels: expected at least one, got none")
        if strength is not None and not 0 <= strength <= 1:
            raise ValueError(f"strength: expected from 0 to 1, got {strength}")
        self.weights, self.windows, self.strength, self.domain = weights, windows, strength, domain
        self.num_samples, self.seed, self.directory = num_samples, seed, directory

    def train(
        self, training_data: Iterable[GluontsEntry], validation_data: Iterable[GluontsEntry] | None = None
    ) -> ReconciledPredictor:
        """Train both models without the last windows, learn from their errors, and train them on the whole span.

        Arguments:
            training_data: multivariate gluonts entries (``target`` ``[D, T]``) with the names of the hierarchy.
            validation_data: likewise, for the models to watch in their second training.

        Returns:
            The predictor.

        Raises:
            ValueError: the data are too short for a window, or the hierarchy does not know a series.
        """
        entries = as_multivariate(training_data)
        watched = None if validation_data is None else as_multivariate(validation_data, "validation_data")
        hierarchy = self._for(entries)
        span = held_out_windows(entries, self.prediction_length, self.windows)
        gain = self._gain(span, hierarchy)
        series = self._trained(self.model, "series", "whole", entries, watched)
        above = None if watched is None else self._above(watched, hierarchy)
        totals = self._trained(self._of_totals, "totals", "whole", self._above(entries, hierarchy), above)
        return self.made(ReconciledPredictor(series, totals, hierarchy, gain, levels=self.levels, domain=self.domain))

    def update(
        self, fitted: FittedModel, training_data: Iterable[GluontsEntry], directory: Path | None = None
    ) -> ReconciledPredictor:
        """Update both models, and keep by how much paths are moved; see `FittedModel.update`.

        Raises:
            ValueError: `fitted` is not reconciled, or the hierarchy does not know a series.
        """
        if not isinstance(fitted, ReconciledPredictor):
            raise ValueError(f"update: expected a reconciled predictor, got a {type(fitted).__name__}")
        entries = as_multivariate(training_data)
        hierarchy = self._for(entries)
        if hierarchy.item_ids != fitted.hierarchy.item_ids:
            raise ValueError("update: expected the series of the training, got others; train again")
        series, totals = (
            updated(for_run(model, self.seed), before, data, None if directory is None else directory / name)
            for name, model, before, data in (
                ("series", self.model, fitted.series, entries),
                ("totals", self._of_totals, fitted.totals, self._above(entries, hierarchy)),
            )
        )
        after = ReconciledPredictor(series, totals, hierarchy, fitted.gain, levels=self.levels, domain=self.domain)
        return self.made(after)

    def for_run(self, seed: int, directory: Path | None = None) -> ReconciledEstimator:
        """This estimator for one run of a backtest; each trained model is kept in a folder of its own."""
        return ReconciledEstimator(**{**self.settings(), "seed": seed}, directory=directory)  # type: ignore[arg-type]

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        names = ("model", "hierarchy", "of_totals", "levels", "weights", "windows", "strength", "domain")
        return {name: getattr(self, name) for name in (*names, "num_samples", "seed")}

    @property
    def _of_totals(self) -> Estimator | Predictor:
        return self.model if self.of_totals is None else self.of_totals

    def _for(self, entries: Sequence[Entry]) -> Hierarchy:
        """The hierarchy in the order of the series of the data."""
        names = entries[0].item_ids
        if not names and entries[0].dim != len(self.hierarchy.item_ids):
            raise ValueError(
                f"training_data: expected the {len(self.hierarchy.item_ids)} series of the hierarchy, "
                f"got {entries[0].dim} without names"
            )
        return self.hierarchy.of_items(names) if names else self.hierarchy

    def _above(self, entries: Sequence[Entry], hierarchy: Hierarchy) -> list[Entry]:
        return above(entries, *hierarchy.aggregates(self.levels), self.prediction_length)

    def _trained(
        self, model: Estimator | Predictor, name: str, stage: str, entries: list[Entry], watched: list[Entry] | None
    ) -> Predictor:
        logger.info("training the model of the %s %s", name, "on the whole span" if stage == "whole" else "to weigh it")
        folder = None if self.directory is None else self.directory / f"{stage}-{name}"
        return trained_member(model, self.seed, folder, entries, watched)

    def _gain(self, span: HeldOut, hierarchy: Hierarchy) -> np.ndarray:
        """By how much series are moved ``[D, A]``; those that begin in the held-out windows are not."""
        names, matrix = hierarchy.aggregates(self.levels)
        told = np.asarray(matrix[:, span.known].any(1))
        inner = matrix[told][:, span.known]
        shown = [name for name, row in zip(names, told, strict=True) if row]
        horizon = self.prediction_length
        series = self._trained(self.model, "series", "weighing", span.before, None)
        totals = self._trained(self._of_totals, "totals", "weighing", above(span.before, shown, inner, horizon), None)
        paths = _samples(series, span.pasts, self.num_samples)
        draws = _samples(totals, above(span.pasts, shown, inner, horizon), self.num_samples)
        gain = np.zeros((len(span.known), len(names)))
        gain[np.ix_(span.known, told)] = self._learnt(
            paths,
            draws,
            span.truth,
            inner,
            [hierarchy.matrix(by)[:, span.known] for by in self.levels or hierarchy.levels],
        )
        return gain

    def _learnt(
        self, paths: np.ndarray, draws: np.ndarray, truth: np.ndarray, matrix: np.ndarray, levels: Sequence[np.ndarray]
    ) -> np.ndarray:
        """The gain of held-out forecasts, paths ``[W, S, H, D]`` and draws ``[W, S, H, A]``, and of what came."""
        errors = np.concatenate([draws.mean(1) - observed_totals(truth, matrix), paths.mean(1) - truth], axis=-1)
        covariance = error_covariance(errors.reshape(-1, errors.shape[-1]).T, self.weights, matrix)
        gain = reconciling_gain(covariance, matrix)
        if self.strength is not None:
            return self.strength * gain
        ranked = np.stack([ranked_totals(*each, matrix) for each in zip(paths, draws, strict=True)])
        scores = []
        phase = phases(paths.shape[1], range(paths.shape[-1]), [0])
        for strength in STRENGTHS:
            found = [
                settled(drawn + change, self.domain, phase, by="series")
                for drawn, change in zip(paths, moves(paths, ranked, matrix, strength * gain), strict=True)
            ]
            scores.append(_scores_by_level(np.stack(found), truth, levels))
        return chosen_strength(np.array(scores), "the series and each level") * gain


def _samples(predictor: Predictor, pasts: Sequence[Entry], count: int) -> np.ndarray:
    """Paths ``[W, S, H, D]``."""
    drawn = predictor.predict(pasts, num_samples=count)
    return np.stack([np.asarray(forecast.samples, dtype=np.float64) for forecast in drawn])


def _scores_by_level(paths: np.ndarray, truth: np.ndarray, levels: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The mean energy score of each window ``[W]`` of the series, and of the totals of each level."""
    scores = [energy_score(paths, truth)]
    scores += [energy_score(paths @ matrix.T, observed_totals(truth, matrix)) for matrix in levels]
    return [over_steps(score) for score in scores]
