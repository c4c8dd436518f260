"""Joint forecasts of articles without a past, from those that have one and what describes them all."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor

from .configuration import from_plain, to_plain
from .first_sales import ages_of, at_ages, brought_to, doubt_in_means, launch_course, said_by_first
from .grouping import STATIC, Entry, as_multivariate, of_articles
from .launch_levels import Likeness, alike, candidates, explained, last_levels, learnt_likeness, levels_and_index
from .launch_paths import at_usual_prices, beside_usual, described, followed, scaled, usual_channels
from .response import LogLinear, Response
from .response_fit import fit_response
from .scaling import Domain
from .seeding import as_often, asked
from .spec import SeriesSpec, infer_spec
from .wrapping import WrappingEstimator

logger = logging.getLogger(__name__)

FEWEST = 3
"""Articles with a past, at least, for new ones to be judged by."""


class ColdStartEstimator(WrappingEstimator):
    r"""Lets a model of articles with a past forecast those without one too, on the same paths.

    The model is trained on the articles with a past. A path of a new article is put together from theirs:

    * Its **level** is what descriptors of its kind have meant for others (``feat_static_real``, such as the vector of
      its picture, ``feat_static_cat``, and its first price), with the error that was made when one of them was
      foretold from the rest (`candidates`). How much descriptors tell, if anything, is learnt by leaving each article
      out in turn.
    * Its **course** is that of one of the others on the same path, drawn by likeness, so that it has their season,
      holidays and shocks, and rises and falls with them. The first steps of a life are those of past launches
      (`launch_course`). Counts of an article that sells more are thinned out: a share of negative binomial sales is
      negative binomial again, with the same dispersion.
    * It answers to **its own price** as the others do to theirs on average (`LogLinear`): the effects of theirs are
      taken out of their paths, its own are put in.

    An article with fewer steps than `fewest` counts as new, and what it has sold moves its level (`brought_to`). What
    a launch takes from the articles that are there is not forecast; two new articles share the shocks of the others
    and draw the errors of their levels apart.

    Forecasting new articles by descriptors and the past of others: Ekambaram et al. (2020, doi
    10.1145/3394486.3403362), with pictures; leaving each out for the spread: Barber et al. (2021, arXiv 1905.02928).
    The composition with joint paths is ours.

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
        fewest: int | None = None,
        context_length: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(model)
        if domain not in get_args(Domain):
            raise ValueError(f"domain: expected one of {', '.join(get_args(Domain))}, got {domain!r}")
        for name, value in (("fewest", fewest), ("context_length", context_length)):
            if value is not None and value < 1:
                raise ValueError(f"{name}: expected at least 1 step, got {value}")
        self.response, self.domain = response, domain
        self.fewest, self.context_length, self.seed = fewest, context_length, seed

    def train(
        self, training_data: Iterable[Entry], validation_data: Iterable[Entry] | None = None
    ) -> ColdStartPredictor:
        """Train the model on the articles with a past, and learn from them how to judge new ones.

        Arguments:
            training_data: multivariate gluonts entries, ``target`` ``[D, T]``, all NaN for an article that is yet to be
                launched, with ``feat_static_real`` ``[D, k]``, ``feat_static_cat`` ``[D, c]``, and, where `response` is
                given, ``feat_dynamic_real`` ``[K, T]`` with names in ``covariates``; or univariate ones, which are
                grouped (``target`` may be empty).
            validation_data: likewise, for the model to watch.

        Returns:
            The predictor.

        Raises:
            ValueError: fewer than `FEWEST` articles have a past where one has none, their sales are negative, or the
                data are not those that the model or the response can be trained on.
        """
        entries = as_multivariate(training_data, unseen=True)
        horizon = self.prediction_length
        spec = infer_spec(entries, freq=entries[0]["start"].freqstr, prediction_length=horizon, lags=(1,))
        known = sum((~np.isnan(entry["target"])).sum(1) for entry in entries) >= (self.fewest or horizon)
        if not known.all():
            self._check(entries, known, spec)
        response = None if self.response is None else fit_response(entries, spec, self.response, self.domain)
        likeness = Likeness() if known.all() else self._likeness(entries, known, response)
        model = self.model
        if isinstance(model, Estimator):
            watched = None
            if validation_data is not None:
                watched = of_articles(as_multivariate(validation_data, "validation_data", unseen=True), known)
            model = model.train(of_articles(entries, known), watched)
        return ColdStartPredictor(
            model,
            spec,
            known,
            likeness,
            widths={key: entries[0][key].shape[1] for key in STATIC if key in entries[0]},
            response=response,
            domain=self.domain,
            context_length=self.context_length or 4 * horizon,
            seed=self.seed,
        )

    def _likeness(self, entries: list[Entry], known: np.ndarray, response: Response | None) -> Likeness:
        longest = max(entries, key=lambda entry: entry["target"].shape[1])
        sales, told = at_usual_prices(longest, response)[known], described(longest, response, known)[known]
        likeness = learnt_likeness(sales, told, self.seed)
        logger.info(
            "%d new articles; of the levels of %d others, each foretold from the rest, descriptors explain %.0f %%; "
            "a new one takes the course of %s",
            (~known).sum(),
            known.sum(),
            100 * explained(levels_and_index(sales)[0], told, likeness.ridge),
            "those that resemble it" if np.isfinite(likeness.course) else "any of them",
        )
        return likeness

    def _check(self, entries: list[Entry], known: np.ndarray, spec: SeriesSpec) -> None:
        new = spec.item_ids[int(np.flatnonzero(~known)[0])]
        if known.sum() < FEWEST:
            raise ValueError(
                f"training_data: expected at least {FEWEST} articles with {self.fewest or self.prediction_length} "
                f"values, to judge {new!r} by, which has fewer; got {known.sum()}"
            )
        for entry in entries:
            if np.nanmin(entry["target"]) < 0:
                series = int(np.argwhere(entry["target"] < 0)[0][0])
                raise ValueError(
                    f"training_data: expected values of at least 0, to judge {new!r} by, which has no past, got "
                    f"{np.nanmin(entry['target']):g} in {spec.item_ids[series]!r}"
                )

    def for_run(self, seed: int, directory: Path | None = None) -> ColdStartEstimator:
        """This estimator, and its model, for one run of a backtest."""
        model = self.model.for_run(seed, directory) if hasattr(self.model, "for_run") else self.model
        return ColdStartEstimator(**{**self.settings(), "model": model, "seed": seed})

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = ("model", "response", "domain", "fewest", "context_length", "seed")
        return {name: getattr(self, name) for name in names}


class ColdStartPredictor(Predictor):
    """Adds paths of new articles to those of a predictor of the others; see `ColdStartEstimator`.

    Arguments:
        predictor: of the articles with a past.
        spec: the shape of the training data, new articles among them.
        known: bool ``[D]``, which articles have a past.
        likeness: how much descriptors tell.
        widths: the numbers k and c of static features of an article, by their field.
        response: the fitted response; ``None`` for none.
        domain: the values that sales can take.
        context_length: steps of each article that say at which level it is today.
        seed: of the draws.
    """

    def __init__(
        self,
        predictor: Predictor,
        spec: SeriesSpec,
        known: np.ndarray,
        likeness: Likeness,
        *,
        widths: dict[str, int],
        response: Response | None,
        domain: Domain,
        context_length: int,
        seed: int = 0,
    ) -> None:
        super().__init__(prediction_length=predictor.prediction_length)
        self.predictor, self.spec, self.known, self.likeness = predictor, spec, known, likeness
        self.widths = widths
        self.response, self.domain, self.context_length, self.seed = response, domain, context_length, seed
        self.training_log = getattr(predictor, "training_log", [])

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Names of the D series."""
        return self.spec.item_ids

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the K channels; none if the articles with a past, or the new ones, read none."""
        read = getattr(self.predictor, "covariate_names", ())
        return self.spec.covariate_names if read and (self.known.all() or self.response is not None) else ()

    def predict(
        self, dataset: Iterable[Entry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units.

        Arguments:
            dataset: entries as in training, channels known of the future over the horizon too. An article that had no
                past in training may have values by now. An entry with a changed future holds that of the planned one as
                ``planned``, as `simulate` says it; a new article then answers to what changed in its own channels.
            num_samples: paths S an entry.
            seed: of the draws; those of the training if ``None``.

        Raises:
            ValueError: there is not even one path, or an entry has another shape than the training data.
        """
        if num_samples < 1:
            raise ValueError(f"num_samples: expected at least 1 path, got {num_samples}")
        entries = as_multivariate(dataset, "dataset", unseen=True)
        for number, entry in enumerate(entries):
            self.spec.require(entry, number)
            self._require_described(entry, number)
        forecasts = planned = self._of_others(entries, num_samples, seed)
        plans = [entry.get("planned", entry) for entry in entries]
        if not self.known.all() and any("planned" in entry for entry in entries):
            planned = self._of_others(plans, num_samples, seed)
        own = self.seed if seed is None else seed
        for number, (entry, forecast) in enumerate(zip(entries, forecasts, strict=True)):
            samples = np.asarray(forecast.samples)
            whole = np.empty((*samples.shape[:2], len(self.known)), dtype=np.float32)
            whole[:, :, self.known] = samples
            if not self.known.all():
                generator = np.random.default_rng([own, number, 2])
                usual = np.asarray(planned[number].samples)
                whole[:, :, ~self.known] = self._launched(entry, plans[number], usual, generator, (own, number))
            forecast.samples = whole
            yield forecast

    def _require_described(self, entry: Entry, number: int) -> None:
        for key in STATIC if not self.known.all() else ():
            wanted, got = self.widths.get(key), entry[key].shape[1] if key in entry else None
            if got != wanted:
                told = [f"[{len(self.known)}, {width}]" if width else "none" for width in (wanted, got)]
                raise ValueError(
                    f"dataset: expected {key} {told[0]} as in training, got {told[1]} in entry {number}; new articles "
                    "are told apart by them"
                )

    def _of_others(self, entries: list[Entry], num_samples: int, seed: int | None) -> list[SampleForecast]:
        """Forecasts of the articles with a past."""
        return list(self.predictor.predict(of_articles(entries, self.known), num_samples=num_samples, **asked(seed)))

    def _launched(
        self,
        entry: Entry,
        plan: Entry,
        others: np.ndarray,
        generator: np.random.Generator,
        seeds: tuple[int, int],
    ) -> np.ndarray:
        """Paths ``[S, H, N]`` of the new articles, from those of the others in the planned future ``[S, H, D - N]``."""
        count, horizon, _ = others.shape
        new = np.flatnonzero(~self.known)
        sales = at_usual_prices(entry, self.response)
        levels, index = levels_and_index(sales[self.known])
        today = last_levels(sales[self.known], index, self.context_length)
        told = described(entry, self.response, self.known)
        logs, weights = candidates(levels, told[self.known], told[new], self.likeness)
        likely = alike(told[self.known], told[new], self.likeness.course)
        first = launch_course(sales[self.known], levels, index, 2 * horizon)
        effects, usual = self._effects(entry, plan, count, seeds)
        paths, ages = np.empty((count, horizon, len(new))), ages_of(sales)[:, -1] + 1
        for place, article in enumerate(new):
            level = logs[place][as_often(weights[place], count, generator)]
            if ages[article]:
                steps = int((~np.isnan(sales[article])).sum())
                doubt = doubt_in_means(sales[self.known], levels, index, steps)
                level = brought_to(level, said_by_first(sales[article], index, first), doubt, generator)
            of = followed(likely[place], today, np.exp(level), generator)
            young = at_ages(first, ages[article] + np.arange(horizon))
            times = np.exp(level)[:, None] / today[of][:, None] * young * effects[:, :, place] / usual[of]
            chance = generator.random(times.shape)
            paths[:, :, place] = scaled(others[np.arange(count), :, of], times, chance, self.domain)
        imposed = entry["imposed"][new].T if "imposed" in entry else np.nan
        return np.where(np.isnan(imposed), paths, imposed)

    def _effects(self, entry: Entry, plan: Entry, count: int, seeds: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """What channels do to the sales of new articles ``[S, H, N]``, and usually to the others' ``[D - N, H]``."""
        horizon, length = self.prediction_length, entry["target"].shape[1]
        new = ~self.known
        if self.response is None:
            return np.ones((count, horizon, new.sum())), np.ones((self.known.sum(), horizon))
        own, number = seeds
        factors = self.response.factors(entry, horizon, self.context_length, count, (own + 1) * 7919 + number)
        ahead = plan["feat_dynamic_real"][:, length : length + horizon]
        usual = self.response.usual(usual_channels(plan))[:, 0]
        return factors[:, :, new] / usual[new], beside_usual(self.response, plan, ahead)[self.known]

    def serialize(self, path: Path) -> None:
        """Write the predictor into `path`, the one beneath it into a folder of it."""
        inner = Path(path) / "predictor"
        inner.mkdir(parents=True, exist_ok=True)
        super().serialize(Path(path))
        self.predictor.serialize(inner)
        if self.response is not None:
            self.response.serialize(path)
        described = {
            "spec": to_plain(self.spec),
            "known": self.known.tolist(),
            "likeness": to_plain(self.likeness),
            "widths": self.widths,
            "responds": self.response is not None,
            "domain": self.domain,
            "context_length": self.context_length,
            "seed": self.seed,
        }
        (Path(path) / "cold_start.json").write_text(json.dumps(described))

    @classmethod
    def deserialize(cls, path: Path, **kwargs: Any) -> ColdStartPredictor:
        """Read what `serialize` wrote."""
        described = json.loads((Path(path) / "cold_start.json").read_text())
        predictor = Predictor.deserialize(Path(path) / "predictor", **kwargs)
        response = Response.deserialize(path) if described.pop("responds") else None
        spec, likeness = from_plain(described.pop("spec")), from_plain(described.pop("likeness"))
        return cls(predictor, spec, np.array(described.pop("known")), likeness, response=response, **described)
