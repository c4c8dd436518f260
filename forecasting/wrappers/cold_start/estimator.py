"""Joint forecasts of articles without a past, from those that have one and what describes them all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ....datasets.entries.cuts import of_articles
from ....datasets.entries.domain import Domain
from ....datasets.entries.entry import Entry
from ....datasets.entries.gluonts_keys import STATIC, GluontsEntry
from ....datasets.entries.multivariate import as_multivariate
from ....evaluation.adapters.fitted import FittedModel
from ....evaluation.adapters.foreign import for_run, updated
from ....runtime.arguments.kinds import Count, Seed, Steps
from ...response.response import LogLinear, Response
from ...windows.spec import SeriesSpec, infer_spec
from ..wrapper import WrappingEstimator
from .descriptors import Likeness
from .judging import judged_by, require_past
from .predictor import ColdStartPredictor


class ColdStartEstimator(WrappingEstimator):
    r"""Cold-start forecasts: extends a model of known articles to articles without history, on the same paths.

    The model is trained on the articles with a past. A path of a new article is put together from theirs:

    * Its **level** is what descriptors of its kind have meant for others (`Entry.static_real`, such as the vector of
      its picture, `Entry.static_cat`, and its first price), with what is uncertain about that and the error of one
      of the others (`foretold_levels`). How much descriptors tell, if anything, is learnt by leaving each article out
      in turn.
    * Its **course** is that of one of the others on the same path, drawn by likeness, so that it has their season,
      holidays and shocks, and rises and falls with them. The first steps of a life are those of past launches,
      the most alike before all (`launch_course`). Counts of an article that sells more are thinned out: a share of
      negative binomial sales is negative binomial again, with the same dispersion.
    * It answers to **its own price** as the others do to theirs on average (`LogLinear`): the effects of theirs are
      taken out of their paths, its own are put in. Of a model that reads no prices it is their average effect in the
      past that is taken out.

    * It **takes from the others, and they from it**, what similar articles take from each other: by its price and
      promotions, and by being on sale at all, where the data hold three launches or more (`crossed`). Who is a
      substitute of whom is learnt of descriptors (`PairOdds`); without any, each pair has the effect of all.

    An article with fewer steps than `fewest` counts as new, and what it has sold moves its level (`brought_to`). Two
    new articles share the shocks of the others and what is uncertain about descriptors, and draw the errors of their
    levels apart.

    Forecasting new articles by descriptors and the past of others: Ekambaram et al. (2020, doi
    10.1145/3394486.3403362), with pictures. The composition with joint paths is ours.

    Arguments:
        model: an estimator of joint forecasts, or a predictor that needs no training.
        response: how sales answer to prices and other channels known of the future; ``None`` lets new articles answer
            to none.
        domain: the values that sales can take. New articles are forecast where sales are at least 0.
        fewest: steps with a value below which an article counts as new; the horizon if ``None``.
        context_length: steps of each article that say at which level it is today; four horizons if ``None``.
        seed: of the draws, and of a model that can be seeded.

    Raises:
        ValueError: `domain` is unknown, or a number is out of its range.

    Example:
        >>> from hemline.forecasting import AnalogEstimator
        >>> ColdStartEstimator(AnalogEstimator(8)).prediction_length
        8
    """

    def __init__(
        self,
        model: Estimator | Predictor,
        *,
        response: LogLinear | None = None,
        domain: Domain = "nonnegative",
        fewest: Count | None = None,
        context_length: Steps | None = None,
        seed: Seed = 0,
    ) -> None:
        super().__init__(model)
        if domain not in get_args(Domain):
            raise ValueError(f"domain: expected one of {', '.join(get_args(Domain))}, got {domain!r}")
        self.response, self.domain = response, domain
        self.fewest, self.context_length, self.seed = fewest, context_length, seed

    def train(
        self, training_data: Iterable[GluontsEntry], validation_data: Iterable[GluontsEntry] | None = None
    ) -> ColdStartPredictor:
        """Train the model on the articles with a past, and learn from them how to judge new ones.

        Arguments:
            training_data: multivariate gluonts entries, ``target`` ``[D, T]``, all NaN for an article that is yet to be
                launched, with static numbers and categories of each, and, where `response` is given, channels with
                names; or univariate ones, which are grouped (``target`` may be empty).
            validation_data: likewise, for the model to watch.

        Returns:
            The predictor.

        Raises:
            ValueError: fewer than three articles have a past where one has none, an entry has no value of one of
                them, their sales are negative, or the data are not those that the model or the response can be trained
                on.
        """
        entries = as_multivariate(training_data, unseen=True)
        spec, known = self._known(entries)
        judged, model = self._judged(entries, known, spec), self.model
        if isinstance(model, Estimator):
            watched = None
            if validation_data is not None:
                watched = as_multivariate(validation_data, "validation_data", unseen=True)
                for number, entry in enumerate(watched):
                    require_past(entry, known, spec.item_ids, f"validation_data: entry {number}")
                watched = of_articles(watched, known)
            model = model.train(of_articles(entries, known), watched)
        return self._predictor(model, entries, spec, known, *judged)

    def update(
        self, fitted: FittedModel, training_data: Iterable[GluontsEntry], directory: Path | None = None
    ) -> ColdStartPredictor:
        """Update the model of the articles with a past, and judge those without one anew; see `FittedModel.update`.

        Raises:
            ValueError: `fitted` is of another kind, or the data are not those of a training.
        """
        if not isinstance(fitted, ColdStartPredictor):
            raise ValueError(f"update: expected a ColdStartPredictor, got a {type(fitted).__name__}")
        entries = as_multivariate(training_data, unseen=True)
        spec, known = self._known(entries)
        judged = self._judged(entries, known, spec)
        model = updated(self.model, fitted.predictor, of_articles(entries, known), directory)
        return self._predictor(model, entries, spec, known, *judged)

    def _known(self, entries: list[Entry]) -> tuple[SeriesSpec, np.ndarray]:
        """The shape of the data, and which articles have a past."""
        horizon = self.prediction_length
        spec = infer_spec(entries, freq=entries[0].freq, prediction_length=horizon, lags=(1,))
        return spec, sum((~np.isnan(entry.target)).sum(1) for entry in entries) >= (self.fewest or horizon)

    def _judged(self, entries: list[Entry], known: np.ndarray, spec: SeriesSpec) -> tuple[Response | None, Likeness]:
        if known.all():
            return None, Likeness()
        return judged_by(entries, known, spec, self.response, self.domain, self.seed)

    def _predictor(
        self,
        predictor: Predictor,
        entries: list[Entry],
        spec: SeriesSpec,
        known: np.ndarray,
        response: Response | None,
        likeness: Likeness,
    ) -> ColdStartPredictor:
        fitted = ColdStartPredictor(
            predictor,
            spec,
            known,
            likeness,
            widths={
                key: values.shape[1]
                for field, key in STATIC.items()
                if (values := getattr(entries[0], field)) is not None
            },
            response=response,
            domain=self.domain,
            context_length=self.context_length or 4 * self.prediction_length,
            seed=self.seed,
            log_linear=self.response,
        )
        return self.made(fitted)

    def for_run(self, seed: int, directory: Path | None = None) -> ColdStartEstimator:
        """This estimator, and its model, for one run of a backtest."""
        model = for_run(self.model, seed, directory)
        return ColdStartEstimator(**{**self.settings(), "model": model, "seed": seed})

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        names = ("model", "response", "domain", "fewest", "context_length", "seed")
        return {name: getattr(self, name) for name in names}
