"""A predictor of articles with a past, and the paths of those without one made of theirs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor

from ....datasets.entries.assortment import is_another
from ....datasets.entries.cuts import of_articles
from ....datasets.entries.domain import Domain
from ....datasets.entries.entry import Entry
from ....datasets.entries.gluonts_keys import STATIC, GluontsEntry
from ....datasets.entries.multivariate import as_multivariate
from ....evaluation.adapters.fitted import FittedModel
from ....evaluation.adapters.foreign import channels_of, training_log_of
from ....evaluation.adapters.predictor import asked
from ....evaluation.adapters.predictor_folder import read_predictor, store_predictor
from ....runtime.arguments.kinds import Seed, Steps
from ....runtime.names import Names
from ....runtime.plain import part_from_plain, to_plain
from ....runtime.reading.json_files import read_json
from ...names import NAMES
from ...response.response import LogLinear, Response
from ...windows.spec import SeriesSpec, infer_spec
from .cross_effects import crossed, lessened, of_direct, present, with_presence
from .descriptors import Likeness, alike
from .first_sales import ages_of, at_ages, brought_to, doubt_in_means, launch_course, said_by_first
from .judging import judged_by, require_past
from .level_regression import foretold_levels
from .new_paths import at_usual_prices, beside_usual, described, followed, scaled, usual_channels
from .sales_levels import last_levels, least, levels_and_index

DRAWS = 100
"""Draws of a level that first sales move, at least: how far they do goes by the variance of the draws."""


class ColdStartPredictor(FittedModel):
    """Paths of known and new articles; see `ColdStartEstimator`.

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
        log_linear: how a response is fitted anew for another assortment than the one of the training; ``None`` lets
            new articles answer to no channels there.
    """

    names = NAMES

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
        context_length: Steps,
        seed: Seed = 0,
        log_linear: LogLinear | None = None,
    ) -> None:
        super().__init__(prediction_length=predictor.prediction_length)
        self.predictor, self.spec, self.known, self.likeness = predictor, spec, known, likeness
        self.widths = widths
        self.response, self.domain, self.context_length, self.seed = response, domain, context_length, seed
        self.log_linear = log_linear
        self.training_log = training_log_of(predictor)

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Names of the D series."""
        return self.spec.item_ids

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the K channels; none if the articles with a past, or the new ones, read none."""
        read = channels_of(self.predictor)
        return self.spec.covariate_names if read and (self.known.all() or self.response is not None) else ()

    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units.

        Arguments:
            dataset: entries as in training, channels known of the future over the horizon too. An article that had no
                past in training may have values by now. The articles may be others, in any order: those with a past in
                training are forecast by it, and all others judged by these. An entry with a changed future holds that
                of the planned one as ``planned``, as `simulate` says it; a new article then answers to what changed in
                its own channels.
            num_samples: paths S an entry.
            seed: of the draws; those of the training if ``None``.

        Raises:
            ValueError: there is not even one path, or an entry has another shape than the training data, or no value of
                an article that had a past there.
        """
        entries = as_multivariate(dataset, "dataset", unseen=True)
        if any(is_another(entry, self.item_ids) for entry in entries):
            for number, entry in enumerate(entries):
                fit = self._anew(entry, number) if is_another(entry, self.item_ids) else self
                yield from fit.predict([entry], num_samples, seed)
            return
        for number, entry in enumerate(entries):
            self.spec.require(entry, number)
            require_past(entry, self.known, self.item_ids, f"dataset: entry {number}")
            self._require_described(entry, number)
        forecasts = planned = self._of_others(entries, num_samples, seed)
        plans = [entry.planned or entry for entry in entries]
        if not self.known.all() and any(entry.planned is not None for entry in entries):
            planned = self._of_others(plans, num_samples, seed)
        own = self.seed if seed is None else seed
        for number, (entry, forecast) in enumerate(zip(entries, forecasts, strict=True)):
            samples = np.asarray(forecast.samples)
            whole = np.empty((*samples.shape[:2], len(self.known)), dtype=np.float32)
            whole[:, :, self.known] = samples
            if not self.known.all():
                generator = np.random.default_rng([own, number, 2])
                usual = np.asarray(planned[number].samples)
                told, plan = (
                    with_presence(each, present(self.response), self.known, self.prediction_length)
                    for each in (entry, plans[number])
                )
                whole[:, :, ~self.known] = self._launched(told, plan, usual, generator, (own, number))
                whole[:, :, self.known] = self._beside_launches(told, samples, (own, number))
            yield SampleForecast(whole, forecast.start_date, forecast.item_id, forecast.info)

    def _anew(self, entry: Entry, number: int) -> ColdStartPredictor:
        """The predictor for another assortment: what is new in it is judged by what the training knew of the rest."""
        trained = {item for item, has_past in zip(self.item_ids, self.known, strict=True) if has_past}
        known = np.array([item in trained for item in entry.item_ids]) & ~np.isnan(entry.target).all(axis=1)
        spec = infer_spec([entry], freq=self.spec.freq, prediction_length=self.prediction_length, lags=(1,))
        response, likeness = None, Likeness()
        if not known.all():
            argument = f"dataset: entry {number}"
            log_linear = self.log_linear if entry.channels else None
            response, likeness = judged_by([entry], known, spec, log_linear, self.domain, self.seed, argument)
        return ColdStartPredictor(
            self.predictor,
            spec,
            known,
            likeness,
            widths={key: told.shape[1] for field, key in STATIC.items() if (told := getattr(entry, field)) is not None},
            response=response,
            domain=self.domain,
            context_length=self.context_length,
            seed=self.seed,
            log_linear=self.log_linear,
        )

    def _require_described(self, entry: Entry, number: int) -> None:
        for field, key in STATIC.items() if not self.known.all() else ():
            numbers = getattr(entry, field)
            wanted, got = self.widths.get(key), None if numbers is None else numbers.shape[1]
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
        ages = ages_of(sales)[:, -1] + 1
        draws = max(count, DRAWS) if ages[new].any() else count
        logs = foretold_levels(levels, told[self.known], told[new], self.likeness, draws, generator)
        likely = alike(told[self.known], told[new], self.likeness.course)
        effects, usual = self._effects(entry, plan, count, seeds)
        paths = np.empty((count, horizon, len(new)))
        for place, article in enumerate(new):
            level = logs[:, place]
            alike_launches = likely[place] if np.isfinite(self.likeness.course) else None
            first = launch_course(sales[self.known], levels, index, 2 * horizon, alike_launches)
            if ages[article]:
                steps = int((~np.isnan(sales[article])).sum())
                doubt = doubt_in_means(sales[self.known], levels, index, steps)
                said = said_by_first(sales[article], index, first, least(sales[self.known]))
                level = brought_to(level, said, doubt, generator)
            level = level[:count]
            of = followed(likely[place], today, np.exp(level), generator)
            young = at_ages(first, ages[article] + np.arange(horizon))
            times = np.exp(level)[:, None] / today[of][:, None] * young * effects[:, :, place] / usual[of]
            chance = generator.random(times.shape)
            paths[:, :, place] = scaled(others[np.arange(count), :, of], times, chance, self.domain)
        imposed = np.nan if entry.imposed is None else entry.imposed[new].T
        return np.where(np.isnan(imposed), paths, imposed)

    def _beside_launches(self, entry: Entry, others: np.ndarray, seeds: tuple[int, int]) -> np.ndarray:
        """Paths ``[S, H, D - N]`` of the others, with what the new articles take from them."""
        if self.response is None:
            return others
        # What the others' sales are forecast from has seen their competitors as they were in the context.
        context = entry.channels.values[:, max(0, entry.length - self.context_length) : entry.length]
        factors = self._crossed(entry, self.known, self.response.inputs(context).mean(0), len(others), seeds, new=True)
        if factors is None:
            return others
        chance = np.random.default_rng([*seeds, 4]).random(others.shape)
        imposed = np.nan if entry.imposed is None else entry.imposed[self.known].T
        return np.where(np.isnan(imposed), lessened(others, factors, chance, self.domain), others)

    def _crossed(
        self, entry: Entry, rows: np.ndarray, usual: np.ndarray, count: int, seeds: tuple[int, int], *, new: bool
    ) -> np.ndarray | None:
        """Factors ``[S, H, R]`` of the channels of new articles, or of all, on others; see `crossed`."""
        assert self.response is not None
        owners = {item for item, past in zip(entry.item_ids, self.known, strict=True) if not (new and past)}
        own, number = seeds
        seed = (own + 1) * 7919 + number
        return crossed(
            self.response, entry, rows, owners, usual, horizon=self.prediction_length, paths=count, seed=seed
        )

    def _effects(self, entry: Entry, plan: Entry, count: int, seeds: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """What channels do to the sales of new articles ``[S, H, N]``, and usually to the others' ``[D - N, H]``."""
        horizon, length = self.prediction_length, entry.length
        new = ~self.known
        if self.response is None:
            return np.ones((count, horizon, new.sum())), np.ones((self.known.sum(), horizon))
        own, number = seeds
        at_usual, channels = usual_channels(plan), plan.channels.values[:, : length + horizon]
        others = beside_usual(self.response, plan, channels)[self.known]
        apart = self.response if self.response.mixed is None else of_direct(self.response)
        factors = apart.factors(entry, horizon, self.context_length, count, (own + 1) * 7919 + number)[:, :, new]
        factors = factors / apart.usual(at_usual)[new, 0]
        if self.response.mixed is not None:
            taken = self._crossed(entry, new, self.response.inputs(at_usual)[0], count, seeds, new=False)
            factors = factors if taken is None else factors * taken
        if channels_of(self.predictor):
            return factors, others[:, length:]
        # Paths of a model that reads no prices are as sales were on the average of the past, whatever is planned.
        return factors, np.repeat(others[:, :length].mean(1, keepdims=True), horizon, axis=1)

    def write(self, folder: Path) -> None:
        """Write the predictor beneath it into a folder of its own, and what was learnt of descriptors."""
        store_predictor(self.predictor, folder / "predictor")
        if self.response is not None:
            self.response.serialize(folder)
        described = {
            "spec": to_plain(self.spec),
            "known": self.known.tolist(),
            "likeness": to_plain(self.likeness),
            "widths": self.widths,
            "responds": self.response is not None,
            "domain": self.domain,
            "context_length": self.context_length,
            "seed": self.seed,
            "log_linear": to_plain(self.log_linear),
        }
        (folder / "cold_start.json").write_text(json.dumps(described))

    @classmethod
    def read(cls, folder: Path, names: Names, device: str) -> ColdStartPredictor:
        """The fitted model that `write` stored in a folder."""
        described = read_json(folder / "cold_start.json")
        predictor = read_predictor(folder / "predictor", names, device=device)
        response = Response.deserialize(folder) if described.pop("responds") else None
        if response is not None and response.mixed is not None and response.mixed.shape != (5, *response.mean.shape):
            wanted = [5, *response.mean.shape]
            raise ValueError(f"response.safetensors: expected mixed {wanted}, got {list(response.mixed.shape)}")
        spec = part_from_plain(described.pop("spec"), names, SeriesSpec)
        likeness = part_from_plain(described.pop("likeness"), names, Likeness)
        settings = described.pop("log_linear", None)  # those of before have none
        log_linear = None if settings is None else part_from_plain(settings, names, LogLinear)
        known = np.array(described.pop("known"))
        return cls(predictor, spec, known, likeness, response=response, log_linear=log_linear, **described)
