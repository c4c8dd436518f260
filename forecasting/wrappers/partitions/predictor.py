"""Joint paths of partitions, tied by joint paths of their totals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor

from ....datasets.entries.domain import DataDomain, phases, raised, settled
from ....datasets.entries.entry import Entry
from ....datasets.entries.gluonts_keys import GluontsEntry
from ....datasets.entries.multivariate import as_multivariate
from ....evaluation.adapters.by_name import by_name, drawn_from
from ....evaluation.adapters.fitted import FittedModel
from ....evaluation.adapters.foreign import channels_of, item_ids_of, training_log_of
from ....evaluation.adapters.predictor import asked
from ....evaluation.adapters.predictor_folder import read_predictor, store_predictor
from ....runtime.names import Names
from ....runtime.reading.json_files import read_json
from ...names import NAMES
from ...paths.tied import correction, matched
from ...paths.totals import corrected
from .assignment import Partitions, totals_entry


def seed_of(seed: int, number: int) -> int:
    """The seed of one of many models, which draws like no other: 0 for that of the totals, then the partitions.

    Example:
        >>> seed_of(0, 1) == seed_of(1, 0)
        False
    """
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


class PartitionedPredictor(FittedModel):
    """Joint paths of partitions, tied by joint paths of their totals; see `PartitionedEstimator`.

    Arguments:
        members: joint predictors of the G partitions.
        totals: joint predictor of the partitions' totals, which have their names.
        partitions: which series belong to which.
        strength: the share of the way to its total by which a path is moved, 0 to 1.
    """

    names = NAMES

    def __init__(
        self, members: Sequence[Predictor], totals: Predictor, partitions: Partitions, strength: float
    ) -> None:
        super().__init__(prediction_length=totals.prediction_length)
        if not 0 <= strength <= 1:
            raise ValueError(f"strength: expected from 0 to 1, got {strength}")
        for number, (name, member) in enumerate(zip(partitions.names, members, strict=True)):
            known = item_ids_of(member)
            stranger = next((item for item in partitions.items(number) if known and item not in set(known)), None)
            if stranger is not None:
                raise ValueError(f"partition {name!r}: expected a model of {stranger!r}, got one of other series")
            if member.prediction_length != totals.prediction_length:
                raise ValueError(
                    f"partition {name!r}: expected a horizon of {totals.prediction_length}, "
                    f"got {member.prediction_length}"
                )
        known = item_ids_of(totals)
        missing = next((name for name in partitions.names if known and name not in known), None)
        if missing is not None:
            raise ValueError(f"totals: expected a model of the total of {missing!r}, got one of other totals")
        self.members, self.totals, self.partitions, self.strength = list(members), totals, partitions, strength
        rows = [row for member in (*members, totals) for row in training_log_of(member)]
        self.training_log = [{**row, "epoch": number} for number, row in enumerate(rows)]

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Names of the D series, as trained."""
        return self.partitions.item_ids

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the channels that the models of the partitions read."""
        return tuple(dict.fromkeys(name for member in self.members for name in channels_of(member) or ()))

    @by_name
    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units, drawn from `seed` if given."""
        entries = as_multivariate(dataset, "dataset")
        pieces = self.partitions.cut([entry.of_domain("real") for entry in entries])
        plans = [[piece.planned or piece for piece in told] for told in pieces]
        there = [[not _is_absent(piece) for piece in told] for told in plans]
        changed = any(entry.planned is not None for entry in entries)
        drawn = [self._drawn(number, pieces[number], there[number], num_samples, seed) for number in range(len(pieces))]
        usual = drawn
        if changed:
            usual = [
                self._drawn(number, plans[number], there[number], num_samples, seed) for number in range(len(pieces))
            ]
        sums = as_multivariate([self._above([told[place] for told in plans]) for place in range(len(entries))])
        totals = drawn_from(self.totals, sums, num_samples, asked(None if seed is None else seed_of(seed, 0)))
        places = np.array(self.partitions.places)
        for number, (entry, total) in enumerate(zip(entries, totals, strict=True)):
            told = np.asarray(total.samples, dtype=np.float64)
            told = told if entry.domain == "real" else raised(told)
            samples = np.zeros((num_samples, self.prediction_length, entry.dim), dtype=np.float32)
            forecast = total
            for part in range(len(self.members)):
                if there[part][number]:
                    forecast = next(drawn[part])
                    expected = next(usual[part]) if changed else forecast
                    samples[..., places == part] = self._tied(
                        forecast, expected, told[..., part], entry.domain, pieces[part][number], [seed or 0, number]
                    )
            yield SampleForecast(samples, forecast.start_date, entry.item_id)

    def _drawn(
        self, number: int, pieces: Sequence[Entry], there: Sequence[bool], num_samples: int, seed: int | None
    ) -> Iterator[SampleForecast]:
        """Forecasts of a partition after those entries in which it is there."""
        told = [piece for piece, present in zip(pieces, there, strict=True) if present]
        return drawn_from(
            self.members[number], told, num_samples, asked(None if seed is None else seed_of(seed, number + 1))
        )

    def _above(self, plans: Sequence[Entry]) -> Entry:
        """The entry of the totals; a partition of which nothing is there is absent."""
        found = totals_entry(plans, self.partitions.names, self.prediction_length)
        absent = np.array([_is_absent(plan) for plan in plans])
        return found.with_(absent=absent) if absent.any() else found

    def _tied(
        self,
        forecast: SampleForecast,
        expected: SampleForecast,
        totals: np.ndarray,
        domain: DataDomain,
        piece: Entry,
        seed: list[int],
    ) -> np.ndarray:
        """Paths of a partition ``[S, H, D]`` that go with paths of its total ``[S, H]``."""
        own, usual = (np.asarray(each.samples, dtype=np.float64) for each in (forecast, expected))
        if domain != "real":
            own, usual = raised(own), raised(usual)
        order = matched(usual.sum(-1), totals)
        imposed, planned = _imposed(piece), _imposed(piece.planned or piece)
        usual = usual[order]
        share = correction(usual, totals, self.strength, planned)
        usual = corrected(usual, share, planned)
        moved = corrected(own[order], share, imposed)
        phase = phases(len(moved), piece.item_ids or range(piece.dim), seed)
        return settled(moved, domain, phase, like=usual, fixed=imposed, by="series")

    def write(self, folder: Path) -> None:
        """Write the models into folders of their own, and which series belong to which."""
        store_predictor(self.totals, folder / "totals")
        for number, member in enumerate(self.members):
            store_predictor(member, folder / f"partition-{number}")
        (folder / "partitions.json").write_text(json.dumps({**vars(self.partitions), "strength": self.strength}))

    @classmethod
    def read(cls, folder: Path, names: Names, device: str) -> PartitionedPredictor:
        """The fitted model that `write` stored in a folder."""
        told = read_json(folder / "partitions.json")
        strength = told.pop("strength")
        partitions = Partitions(**{name: tuple(values) for name, values in told.items()})
        members = [
            read_predictor(folder / f"partition-{number}", names, device=device) for number in range(len(partitions))
        ]
        return cls(members, read_predictor(folder / "totals", names, device=device), partitions, float(strength))


def _is_absent(entry: Entry) -> bool:
    """Whether none of its series is there."""
    return entry.absent is not None and bool(entry.absent.all())


def _imposed(entry: Entry) -> np.ndarray | None:
    """Which values ``[H, D]`` are imposed; ``None`` where none can be."""
    return None if entry.imposed is None else ~np.isnan(entry.imposed.T)
