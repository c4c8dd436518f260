"""Paths of series, moved so that their totals are those that a second model forecasts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import tee
from pathlib import Path
from typing import cast

import numpy as np
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor
from safetensors.numpy import save

from ...datasets.entries.domain import Domain, phases, settled
from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...datasets.hierarchies.hierarchy import By, Hierarchy
from ...datasets.hierarchies.totals import totals_of
from ...evaluation.adapters.by_name import by_name, drawn_from
from ...evaluation.adapters.fitted import FittedModel
from ...evaluation.adapters.foreign import channels_of, item_ids_of, training_log_of
from ...evaluation.adapters.predictor import asked
from ...evaluation.adapters.predictor_folder import read_predictor, store_predictor
from ...runtime.names import Names
from ...runtime.plain import from_plain, to_plain
from ...runtime.reading.json_files import read_json
from ...runtime.reading.weights import read_arrays
from ..names import NAMES
from ..paths.reconciliation import moves, ranked_totals


class ReconciledPredictor(FittedModel):
    """Paths of series, moved so that their totals are those that a second model forecasts.

    Arguments:
        series: joint predictor of the D series.
        totals: joint predictor of the A totals.
        hierarchy: of the D series, in their order.
        gain: ``[D, A]``, by how much a series moves for what a total's draw differs from the path's own sum.
        levels: the levels of the totals; ``None`` for the total and every attribute.
        domain: the values that a path can take.
    """

    names = NAMES

    def __init__(
        self,
        series: Predictor,
        totals: Predictor,
        hierarchy: Hierarchy,
        gain: np.ndarray,
        *,
        levels: Sequence[By] | None = None,
        domain: Domain = "real",
    ) -> None:
        super().__init__(prediction_length=series.prediction_length)
        self.total_names, self.matrix = hierarchy.aggregates(levels)
        if gain.shape != self.matrix.T.shape:
            raise ValueError(f"gain: expected {list(self.matrix.T.shape)}, got {list(gain.shape)}")
        self.series, self.totals, self.hierarchy, self.gain = series, totals, hierarchy, gain
        self.levels, self.domain = levels, domain
        rows = [row for member in (series, totals) for row in training_log_of(member)]
        self.training_log = [{**row, "epoch": number} for number, row in enumerate(rows)]

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Names of the D series, as trained."""
        return item_ids_of(self.series)

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the channels that the model of the series reads."""
        return tuple(channels_of(self.series) or ())

    @by_name
    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units, drawn from `seed` if given."""
        # Whole numbers are made of what is reconciled, not of what is to be.
        entries = [entry.of_domain("real") for entry in as_multivariate(dataset, "dataset")]
        plans = [entry.planned or entry for entry in entries]
        drawn, planned = tee(drawn_from(self.series, entries, num_samples, asked(seed)))
        if any(entry.planned is not None for entry in entries):
            planned = drawn_from(self.series, plans, num_samples, asked(seed))
        sums = above(plans, self.total_names, self.matrix, self.prediction_length)
        totals = drawn_from(self.totals, sums, num_samples, asked(seed))
        rows = zip(entries, drawn, planned, totals, strict=True)
        for number, (entry, forecast, usual, total) in enumerate(rows):
            expected = np.asarray(usual.samples, dtype=np.float64)
            ranked = ranked_totals(expected, np.asarray(total.samples), self.matrix)
            change = moves(expected, ranked, self.matrix, self.gain)
            if entry.imposed is not None:
                change = np.where(np.isnan(entry.imposed.T), change, 0.0)
            samples = np.asarray(forecast.samples)
            # What is rounded up or down is rounded so in a changed future as well.
            phase = phases(len(samples), entry.item_ids or range(entry.dim), [seed or 0, number])
            told = settled(samples + change, self.domain, phase, like=expected + change, by="series")
            yield SampleForecast(told.astype(samples.dtype), forecast.start_date, forecast.item_id, forecast.info)

    def write(self, folder: Path) -> None:
        """Write both predictors into folders of their own, the hierarchy and the gain."""
        store_predictor(self.series, folder / "series")
        store_predictor(self.totals, folder / "totals")
        (folder / "gain.safetensors").write_bytes(save({"gain": np.ascontiguousarray(self.gain)}))
        described = {"hierarchy": to_plain(self.hierarchy), "levels": self.levels, "domain": self.domain}
        (folder / "reconciled.json").write_text(json.dumps(described))

    @classmethod
    def read(cls, folder: Path, names: Names, device: str) -> ReconciledPredictor:
        """The fitted model that `write` stored in a folder."""
        described = read_json(folder / "reconciled.json")
        hierarchy = cast(Hierarchy, from_plain(described["hierarchy"], names, allowed=Hierarchy))
        levels = described["levels"]
        return cls(
            read_predictor(folder / "series", names, device=device),
            read_predictor(folder / "totals", names, device=device),
            hierarchy,
            read_arrays(folder / "gain.safetensors")["gain"],
            levels=None if levels is None else [by if isinstance(by, str) else tuple(by) for by in levels],
            domain=described["domain"],
        )


def above(entries: Sequence[Entry], names: Sequence[str], matrix: np.ndarray, horizon: int) -> list[Entry]:
    """The entries of the totals, as models take them; see `totals_of`."""
    return as_multivariate([totals_of(entry, names, matrix, horizon) for entry in entries])
