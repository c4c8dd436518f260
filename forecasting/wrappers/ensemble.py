"""Several trainings of one model, each drawing its share of the paths."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import tee
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor

from ...datasets.entries.domain import Domain, phases, raised, settled
from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...evaluation.adapters.by_name import by_name, drawn_from
from ...evaluation.adapters.fitted import FittedModel
from ...evaluation.adapters.foreign import can_be_seeded, channels_of, for_run, item_ids_of, training_log_of, updated
from ...evaluation.adapters.predictor import asked
from ...evaluation.adapters.predictor_folder import read_predictor, store_predictor
from ...runtime.arguments.kinds import Count, Seed
from ...runtime.names import Names
from ...runtime.plain import PlainObject
from ...runtime.reading.json_files import read_json
from ...runtime.training.curves import curves_named
from ..names import NAMES
from ..paths.shares import first_paths, in_turns, shares_of
from ..paths.totals import corrected, corrections, mixed_totals
from ..response.shared import responses_shared
from ..training.members import trained_member
from .rare_demand import rarely_sold
from .wrapper import WrappingEstimator


class EnsembleEstimator(WrappingEstimator):
    """An ensemble over seeds: the mixture of forecasts of one model trained several times.

    Small data leave much of a network to the chance of its seed. A mixture averages that out, and its spread holds
    what the trainings do not agree on (Lakshminarayanan et al. 2017, arXiv 1612.01474).

    Arguments:
        model: an estimator of joint forecasts with a method ``for_run(seed, directory)``.
        members: how often it is trained.
        seed: the members have the seeds ``members * seed`` and on.
        directory: where trained members are kept, so that a killed training goes on behind them; ``None`` keeps none.
            It is no setting of the model.

    Raises:
        ValueError: there are fewer than two members, or the model cannot be seeded.

    Example:
        >>> from hemline.forecasting import GRUMAFEstimator
        >>> EnsembleEstimator(GRUMAFEstimator("D", 7), members=5).members
        5
    """

    def __init__(self, model: Estimator, *, members: Count = 3, seed: Seed = 0, directory: Path | None = None) -> None:
        super().__init__(model)
        if members < 2:
            raise ValueError(f"members: expected at least 2, got {members}")
        if not can_be_seeded(model):
            raise ValueError(f"model: expected an estimator with for_run(seed), got {type(model).__name__}")
        self.members, self.seed, self.directory = members, seed, directory

    @property
    def imposes_sales(self) -> bool:
        """As the model beneath it."""
        return self.model.imposes_sales

    @property
    def others_answer(self) -> bool:
        """As the model beneath it."""
        return self.model.others_answer

    @responses_shared()
    def train(
        self, training_data: Iterable[GluontsEntry], validation_data: Iterable[GluontsEntry] | None = None
    ) -> EnsemblePredictor:
        """Train the members, one after the other.

        Arguments:
            training_data: multivariate gluonts entries (``target`` ``[D, T]``), or univariate ones.
            validation_data: likewise, for the members to watch.

        Returns:
            The predictor.
        """
        entries = as_multivariate(training_data)
        held_out = None if validation_data is None else as_multivariate(validation_data, "validation_data")
        trained = []
        for number in range(self.members):
            folder = None if self.directory is None else self.directory / f"member-{number}"
            seed = self.members * self.seed + number
            with curves_named(f"member-{number}"):
                trained.append(trained_member(self.model, seed, folder, entries, held_out))
        return self.made(EnsemblePredictor(trained))

    @responses_shared()
    def update(
        self, fitted: FittedModel, training_data: Iterable[GluontsEntry], directory: Path | None = None
    ) -> EnsemblePredictor:
        """Update the members, one after the other; see `FittedModel.update`.

        Raises:
            ValueError: `fitted` is no ensemble of as many members.
        """
        if not isinstance(fitted, EnsemblePredictor) or len(fitted.members) != self.members:
            raise ValueError(f"update: expected an ensemble of {self.members} members, got a {type(fitted).__name__}")
        entries = as_multivariate(training_data)
        members = []
        for number, member in enumerate(fitted.members):
            model = for_run(self.model, self.members * self.seed + number)
            folder = None if directory is None else directory / f"member-{number}"
            with curves_named(f"member-{number}"):
                members.append(updated(model, member, entries, folder))
        return self.made(EnsemblePredictor(members))

    def for_run(self, seed: int, directory: Path | None = None) -> EnsembleEstimator:
        """This estimator for one run of a backtest; each member is kept in a folder of its own."""
        return EnsembleEstimator(self.model.for_run(seed), members=self.members, seed=seed, directory=directory)

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {"model": self.model, "members": self.members, "seed": self.seed}


class EnsemblePredictor(FittedModel):
    """A mixture of predictors: each draws a share of the paths.

    Arguments:
        members: predictors of the same problem; their ``predict`` takes ``num_samples`` and ``seed``.
        weights: the members' shares, not negative and 1 in all; equal ones if ``None``.
        names: what the members are called, if they have names.
        domain: the values that a path can take, whatever a member draws; see `settled`.
        total_weights: the members' shares of the forecast of the sum of all series, likewise, to which the paths of
            each member are then reconciled (`mixed_totals`, `corrections`); ``None`` leaves the sum as it is. In a
            changed future a path keeps the correction that it has in the planned one, so that what the change does is
            what the members say it does.
        weighing: those that were trained without the windows by which the weights were found, by name, for an update;
            none where there were no weights to be found.
        rare_weights: the members' shares, likewise, of series that sell at fewer than half of the steps of an entry;
            ``None`` for those of all.
        dropped: why models that were to take part do not, by name; they take no part in an update either.
    """

    names = NAMES

    def __init__(
        self,
        members: list[Predictor],
        weights: Sequence[float] | None = None,
        names: Sequence[str] = (),
        domain: Domain = "real",
        total_weights: Sequence[float] | None = None,
        weighing: Mapping[str, Predictor] | None = None,
        rare_weights: Sequence[float] | None = None,
        dropped: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(prediction_length=members[0].prediction_length)
        self.members, self.member_names, self.domain = members, tuple(names), domain
        self.weights = [1 / len(members)] * len(members) if weights is None else [float(weight) for weight in weights]
        self.total_weights = None if total_weights is None else [float(weight) for weight in total_weights]
        self.weighing, self.dropped = dict(weighing or {}), dict(dropped)
        self.rare_weights = None if rare_weights is None else [float(weight) for weight in rare_weights]
        rows = [row for member in members for row in training_log_of(member)]
        self.training_log = [{**row, "epoch": number} for number, row in enumerate(rows)]

    def _shown(self) -> dict[str, object]:
        """What is said of every fitted model, and which models were dropped."""
        return {**super()._shown(), **({"dropped": tuple(self.dropped)} if self.dropped else {})}

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Names of the D series, as far as a member knows them."""
        return next((found for member in self.members if (found := item_ids_of(member))), ())

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the K channels; none if a member that draws paths reads none: a scenario would change a part."""
        shares = zip(self.members, self.weights, self.rare_weights or self.weights, strict=True)
        drawing = [member for member, weight, of_rare in shares if weight or of_rare]
        known = [channels_of(member) or () for member in drawing]
        return known[0] if all(known) else ()

    @by_name
    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon that follows each entry.

        Arguments:
            dataset: as the members take it. An entry with a changed future may hold the entry of the planned one as
                ``planned``, as `simulate` says it.
            num_samples: paths S an entry; what the shares leave over goes to the members that it is most due to, and
                of fewer paths than members the lightest have none.
            seed: of the draws, another one for each member; the seed of each one's training if ``None``.

        Returns:
            A `SampleForecast` with ``samples`` ``[S, H, D]`` for each entry. The members take turns, so that any first
            paths are a fair share of all of them.

        Raises:
            ValueError: there is not even one path.
        """
        entries, shares = as_multivariate(dataset, "dataset"), shares_of(num_samples, self.weights)
        of_total = self.total_weights or [0.0] * len(self.members)
        of_rare = shares_of(num_samples, self.rare_weights or self.weights)
        needed = [num_samples if weight else max(two) for weight, *two in zip(of_total, shares, of_rare, strict=True)]
        plans, turns = [entry.planned or entry for entry in entries], in_turns(shares)
        drawn, planned = tee(self._drawn(entries, needed, seed))
        if any(entry.planned is not None for entry in entries):
            planned = self._drawn(plans, needed, seed)
        rows = zip(entries, plans, drawn, planned, strict=True)
        for number, (entry, plan, forecasts, expected) in enumerate(rows):
            paths, imposed = self._paths(expected), _imposed(entry)
            samples, usual = first_paths(self._paths(forecasts), shares), first_paths(paths, shares)
            if self.total_weights is not None:
                totals = mixed_totals([each.sum(-1) for each in paths], of_total, num_samples)
                share = corrections(usual, totals, shares, _imposed(plan))
                usual = corrected(usual, share, _imposed(plan))
                samples = corrected(samples, share, imposed)
            # Whole numbers keep the sum of the series, where that was forecast on its own.
            by: Literal["steps", "series"] = "steps" if self.total_weights is None else "series"
            phase = phases(num_samples, entry.item_ids or range(entry.dim), [seed or 0, number])
            samples = settled(samples, self.domain, phase, like=usual, fixed=imposed, by=by)[turns]
            if self.rare_weights is not None:
                own, usual = first_paths(self._paths(forecasts), of_rare), first_paths(paths, of_rare)
                own = settled(own, self.domain, phase, like=usual, fixed=imposed)[in_turns(of_rare)]
                samples = np.where(rarely_sold(entry.target), own, samples)
            yield SampleForecast(samples, start_date=forecasts[0].start_date, item_id=forecasts[0].item_id)

    def price_effects(self, entry: Entry, num_samples: int, seed: int) -> np.ndarray | None:
        """The elasticities of its paths, each those of its member, if all have some; see `FittedModel.price_effects`.

        Those of rare series are read from the same members as all others.
        """
        shares, found = shares_of(num_samples, self.weights), []
        for number, (member, share) in enumerate(zip(self.members, shares, strict=True)):
            told = None
            if share and isinstance(member, FittedModel):
                told = member.price_effects(entry, share, len(self.members) * seed + number)
            if share and told is None:
                return None
            found += [] if told is None else [told]
        return np.concatenate(found, axis=-1)[..., in_turns(shares)]

    def _drawn(
        self, entries: Sequence[Entry], counts: Sequence[int], seed: int | None
    ) -> Iterator[tuple[SampleForecast, ...]]:
        """The members' forecasts of each entry, of at least one path each."""
        seeds = [None if seed is None else len(self.members) * seed + number for number in range(len(self.members))]
        drawn = [
            drawn_from(member, [entry.of_domain("real") for entry in entries], max(count, 1), asked(own))
            for member, count, own in zip(self.members, counts, seeds, strict=True)
        ]
        return zip(*drawn, strict=True)

    def _paths(self, forecasts: Sequence[SampleForecast]) -> list[np.ndarray]:
        """The members' paths of an entry, none of them below 0 where there is nothing below."""
        paths = [np.asarray(forecast.samples) for forecast in forecasts]
        return paths if self.domain == "real" else [raised(each) for each in paths]

    def write(self, folder: Path) -> None:
        """Write each member into a folder of its own, and the weights."""
        for number, member in enumerate(self.members):
            store_predictor(member, folder / f"member-{number}")
        described: PlainObject = {
            "weights": self.weights,
            "names": self.member_names,
            "domain": self.domain,
            "total_weights": self.total_weights,
        }
        if self.rare_weights is not None:
            described["rare_weights"] = self.rare_weights
        if self.dropped:
            described["dropped"] = self.dropped
        if self.weighing:
            described["weighing"] = list(self.weighing)
            for number, predictor in enumerate(self.weighing.values()):
                store_predictor(predictor, folder / f"weighing-{number}")
        (folder / "ensemble.json").write_text(json.dumps(described))

    @classmethod
    def read(cls, folder: Path, names: Names, device: str) -> EnsemblePredictor:
        """The fitted model that `write` stored in a folder."""
        described = read_json(folder / "ensemble.json")
        count = len(described["weights"])
        members = [read_predictor(folder / f"member-{number}", names, device=device) for number in range(count)]
        of = described.pop("weighing", [])
        weighing = {
            name: read_predictor(folder / f"weighing-{number}", names, device=device) for number, name in enumerate(of)
        }
        return cls(members, **described, weighing=weighing)


def _imposed(entry: Entry) -> np.ndarray | None:
    """Which values ``[H, D]`` are imposed; ``None`` where none can be."""
    return None if entry.imposed is None else ~np.isnan(entry.imposed.T)
