"""Several models as one: a mixture whose weights the last weeks of the training span have earned."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ...datasets.entries.domain import Domain
from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...evaluation.adapters.fitted import FittedModel
from ...evaluation.adapters.foreign import for_run, reads_channels, updated
from ...evaluation.adapters.model import ForecastModel
from ...runtime.arguments.kinds import Count, Seed, SomeShare
from ...runtime.display.bars import Bar
from ...runtime.plain import Space
from ...runtime.training.curves import curves_named
from ..response.shared import responses_shared
from ..training.members import member_in_rungs, trained_member
from ..windows.held_out import HeldOut, held_out_windows
from .ensemble import EnsemblePredictor
from .mixture_weights import Mixtures
from .rare_demand import sells_rarely
from .weighing import Candidates, held_out_paths, weighed

logger = logging.getLogger(__name__)


class PooledEstimator(ForecastModel):
    r"""Trains several models and mixes their paths, with the weights that were best on the end of the training span.

    Each model is trained without the last windows of the span and forecasts them. The weights w of a mixture (linear
    pool) minimise its energy score there, which is quadratic and convex in w,

    .. math:: S(w) = \sum_i w_i\, E\lVert X_i - y\rVert - \tfrac12 \sum_{ij} w_i w_j\, E\lVert X_i - X_j'\rVert ,

    so that there is one best mixture, and it rewards models that differ in what they get wrong (Gneiting and Raftery
    2007, doi 10.1198/016214506000001437, eq. 22; linear pools by their CRPS: Thorey et al. 2017, doi
    10.1002/qj.2940). What forecasts each series well need not forecast their sum well. So there are two mixtures: one
    of the models' forecasts of the sum of all series, weighed by its CRPS, and one of their paths, each reconciled to
    that sum (`to_totals`), weighed by its energy score.

    Few windows say little of weights, so that they are drawn towards equal ones (Diebold and Pauly 1990, doi
    10.1016/0169-2070(90)90028-A), by adding `shrinkage` :math:`\sum_i (w_i - 1/J)^2` to the score, measured in that of
    the best single model. Models with hardly any weight are dropped. The others go on over the whole span from where
    they were weighed, each by its `update`; one without updates is trained again.

    Series that sell at fewer than half of their steps hardly count in a score of all. Where models of rare demand take
    part (`only_rare`), such series have a mixture of their own, weighed by the CRPS of the sum of each over the
    horizon, by what is expected of it (`rare_weights`), and are not reconciled.

    Arguments:
        models: estimators of joint forecasts, or predictors that need no training, by name.
        windows: windows held out at the end, one horizon each; fewer where they would take more than a third of the
            longest series. ``None`` takes a tenth of the longest series, from 5 windows to 20.
        smallest: weight below which a model is dropped.
        shrinkage: how much the weights are drawn towards equal ones; 0 takes the best of the windows as they are.
        domain: the values that a path can take; what a model draws beyond becomes the nearest of them.
        only_totals: names of models that take part in the forecast of the sum alone. One that reads no prices belongs
            here if the others do: all paths then answer to prices.
        only_rare: names of models that take part only where demand is rare (`sells_rarely`).
        drop_after: share of the epochs of each model after which all forecast the held-out windows, and those without
            a weight in any mixture, by all windows and by those without any fifth of them, are dropped; the others go
            on from there. 1 trains all to the end.
        num_samples: paths a window to learn the weights from.
        seed: of models that can be seeded.
        directory: where trained models are kept, so that a killed training goes on behind them; ``None`` keeps none.
            It is no setting of the model.

    Raises:
        ValueError: there are fewer than two models, `windows` or `smallest` is out of its range, or `only_totals` or
            `only_rare` names what is no model, or all of them.

    Example:
        >>> from hemline.forecasting import GRUMAFEstimator, RandomWalkPredictor
        >>> sorted(PooledEstimator({"maf": GRUMAFEstimator("D", 7), "walk": RandomWalkPredictor(7)}).models)
        ['maf', 'walk']
    """

    def __init__(
        self,
        models: Mapping[str, Estimator | Predictor],
        *,
        windows: Count | None = None,
        smallest: float = 0.05,
        shrinkage: float = 0.03,
        domain: Domain = "real",
        only_totals: Sequence[str] = (),
        only_rare: Sequence[str] = (),
        drop_after: SomeShare = 1.0,
        num_samples: Count = 100,
        seed: Seed = 0,
        directory: Path | None = None,
    ) -> None:
        super().__init__()
        if len(models) < 2:
            raise ValueError(f"models: expected at least 2, got {len(models)}")
        if num_samples < 2:
            raise ValueError(f"num_samples: expected at least 2 paths, got {num_samples}")
        if not 0 <= smallest < 1 / len(models):
            raise ValueError(f"smallest: expected from 0 to below 1 / {len(models)}, got {smallest}")
        if shrinkage < 0:
            raise ValueError(f"shrinkage: expected at least 0, got {shrinkage}")
        for name, given in (("only_totals", only_totals), ("only_rare", only_rare)):
            if not set(given) < set(models):
                raise ValueError(f"{name}: expected some of {', '.join(models)}, not all, got {list(given)}")
        self.models, self.only_totals, self.only_rare = dict(models), tuple(only_totals), tuple(only_rare)
        self.windows, self.smallest, self.shrinkage, self.domain = windows, smallest, shrinkage, domain
        self.drop_after = drop_after
        self.num_samples, self.seed, self.directory = num_samples, seed, directory

    @property
    def reads_channels(self) -> bool:
        """Whether the models that draw paths read channels known of the future."""
        return all(reads_channels(model) for name, model in self.models.items() if name not in self.only_totals)

    def search_space(self) -> Space:
        """How weights are found; its models have spaces of their own, and are searched alone."""
        most = round(0.5 / len(self.models), 3)
        return {"smallest": {"low": 0.0, "high": most}, "shrinkage": {"low": 0.0, "high": 0.2}}

    @property
    def prediction_length(self) -> int:
        """The horizon H, in steps."""
        first: Any = next(iter(self.models.values()))
        return int(first.prediction_length)

    @responses_shared()
    def train(
        self, training_data: Iterable[GluontsEntry], validation_data: Iterable[GluontsEntry] | None = None
    ) -> EnsemblePredictor:
        """Weigh the models, then train those with a weight.

        Arguments:
            training_data: multivariate gluonts entries (``target`` ``[D, T]``), or univariate ones.
            validation_data: likewise; models are then trained again on the whole span, and watch it, rather than go on.

        Returns:
            The predictor.

        Raises:
            ValueError: the data are too short for a window, or no model can be trained on them.
        """
        entries = as_multivariate(training_data)
        watched = None if validation_data is None else as_multivariate(validation_data, "validation_data")
        part = held_out_windows(entries, self.prediction_length, self.windows).before

        def whole(name: str, weighing: Predictor) -> Predictor:
            goes_on = watched is None and self._goes_on_from(name, entries, part)
            return self._trained(name, entries, watched, (weighing, part) if goes_on else None)

        return self._pooled(entries, lambda name, data: self._in_rungs(name, data, entries), whole)

    @responses_shared()
    def update(
        self, fitted: FittedModel, training_data: Iterable[GluontsEntry], directory: Path | None = None
    ) -> EnsemblePredictor:
        """Update the models and weigh them again; see `FittedModel.update`.

        Those that weigh go on without the last windows of the data, and forecast them; so what is weighed is never what
        was learnt. A model without a weight before goes on from the one that weighed it.

        Raises:
            ValueError: `fitted` is no pool, or one without the models that weighed it, as an older version wrote it.
        """
        if not isinstance(fitted, EnsemblePredictor) or not fitted.weighing:
            raise ValueError(
                f"update: expected a pool with the models that weighed it, got a {type(fitted).__name__} without; "
                "train it again"
            )
        entries, before = as_multivariate(training_data), fitted
        members = dict(zip(before.member_names, before.members, strict=True))

        def updated_to(name: str, stage: str, start: Predictor, data: list[Entry]) -> Predictor:
            folder = None if directory is None else directory / f"{stage}-{name}"
            return updated(for_run(self.models[name], self.seed), start, data, folder)

        def for_weighing(name: str, data: list[Entry]) -> Iterator[tuple[Predictor, bool]]:
            if name in before.weighing:
                yield updated_to(name, "weighing", before.weighing[name], data), True
            else:
                yield from self._in_rungs(name, data, entries)

        def whole(name: str, weighing: Predictor) -> Predictor:
            return updated_to(name, "whole", members.get(name, weighing), entries)

        return self._pooled(entries, for_weighing, whole, before.dropped)

    def _pooled(
        self,
        entries: list[Entry],
        for_weighing: Callable[[str, list[Entry]], Iterator[tuple[Predictor, bool]]],
        whole: Callable[[str, Predictor], Predictor],
        dropped: Mapping[str, str] = MappingProxyType({}),
    ) -> EnsemblePredictor:
        """The pool with the weights that forecasts of held-out windows have earned."""
        with Bar(2 * len(self.models), "pool", unit="trainings") as bar:
            span = held_out_windows(entries, self.prediction_length, self.windows)
            found = self._weighed(span, for_weighing, bar, dropped)
            weights = self._mixtures.weights(found.drawn, span.truth, span.before)
            bar.reach(bar.done, bar.done + len(weights.kept))
            train, members = bar.counting(whole, "{} on the whole span"), []
            for name in weights.kept:
                with curves_named(f"whole-{name}"):
                    members.append(train(name, found.predictors[name]))
        fitted = EnsemblePredictor(
            members,
            [weights.series[name] for name in weights.kept],
            weights.kept,
            self.domain,
            None if weights.totals is None else [weights.totals[name] for name in weights.kept],
            {name: found.predictors[name] for name in weights.series},
            [weights.rare.get(name, 0.0) for name in weights.kept] if weights.rare else None,
            {**dropped, **found.dropped},
        )
        return self.made(fitted)

    @property
    def _mixtures(self) -> Mixtures:
        return Mixtures(self.domain, self.smallest, self.shrinkage, self.only_totals, self.only_rare)

    def for_run(self, seed: int, directory: Path | None = None) -> PooledEstimator:
        """This estimator for one run of a backtest; each trained model is kept in a folder of its own."""
        settings: dict[str, Any] = {**self.settings(), "seed": seed}
        return PooledEstimator(**settings, directory=directory)

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        names = ("models", "windows", "smallest", "shrinkage", "domain", "only_totals", "drop_after", "num_samples")
        # A pool without such models is what it was before there were any, and so are runs that are known by settings.
        return {name: getattr(self, name) for name in (*names, "seed", *["only_rare"] * bool(self.only_rare))}

    def held_out(self, entries: list[Entry]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Train the models without the last windows, and have them forecast.

        Arguments:
            entries: as `as_multivariate` reads them.

        Returns:
            For each model that is not dropped its paths ``[W, S, H, D]`` of W windows, and what came of them
            ``[W, H, D]``, for those D series that begin before the windows.

        Raises:
            ValueError: the data are too short for a window, or no model can be trained on them.
        """
        span = held_out_windows(entries, self.prediction_length, self.windows)
        with Bar(len(self.models), "pool", unit="trainings") as bar:
            found = self._weighed(span, lambda name, data: self._in_rungs(name, data, entries), bar)
        return found.drawn, span.truth

    def _weighed(
        self,
        span: HeldOut,
        training: Callable[[str, list[Entry]], Iterator[tuple[Predictor, bool]]],
        bar: Bar,
        without: Collection[str] = (),
    ) -> Candidates:
        """The models, trained on what lies before the windows, and their forecasts of these.

        Raises:
            ValueError: none can be trained.
        """
        if not span.known.all():
            logger.info("%d series begin in the held-out windows and do not count in the weights", (~span.known).sum())
        left_out = {*without, *(() if sells_rarely(span.before) else self.only_rare)}
        found = weighed(
            [name for name in self.models if name not in left_out],
            lambda name: training(name, span.before),
            lambda predictor: held_out_paths(predictor, span, self.domain, self.num_samples),
            lambda drawn: self._mixtures.earning(drawn, span.truth, span.before),
            self.drop_after,
            bar,
        )
        if not found.drawn:
            raise ValueError("models: none can be trained on these data; the warnings before this say why")
        return found

    def _goes_on_from(self, name: str, entries: list[Entry], part: list[Entry]) -> bool:
        """Whether a model that was trained on a part can be taken on to all of the data."""
        model = self.models[name]
        # Without names nobody can say which of the series were in that part.
        known = bool(entries[0].item_ids) or part[0].dim == entries[0].dim
        return known and not (isinstance(model, ForecastModel) and not model.goes_on_from(entries, part))

    def _in_rungs(self, name: str, part: list[Entry], entries: list[Entry]) -> Iterator[tuple[Predictor, bool]]:
        """The training that weighs a model, with a pause if models may be dropped at it."""
        model = self.models[name]
        if isinstance(model, ForecastModel):
            model = model.on_part(entries, part)
        if isinstance(model, Estimator):
            logger.info("training %s to weigh it", name)
        yield from member_in_rungs(model, self.seed, self._folder("weighing", name), part, self.drop_after)

    def _trained(
        self,
        name: str,
        entries: list[Entry],
        watched: list[Entry] | None,
        begun: tuple[Predictor, list[Entry]] | None,
    ) -> Predictor:
        model = self.models[name]
        if isinstance(model, Estimator):
            logger.info("training %s on the whole span", name)
        return trained_member(model, self.seed, self._folder("whole", name), entries, watched, begun)

    def _folder(self, stage: str, name: str) -> Path | None:
        return None if self.directory is None else self.directory / f"{stage}-{name}"
