"""A trained model behind the gluonts Predictor."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gluonts.model.forecast import SampleForecast
from safetensors.torch import save

from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...datasets.entries.unseen import warn_of_unseen
from ...evaluation.adapters.by_name import by_name
from ...evaluation.adapters.fitted import FittedModel
from ...runtime.arguments.kinds import Count, Seed, checked
from ...runtime.devices import drawing_device
from ...runtime.names import Names
from ...runtime.plain import Plain, PlainObject, from_plain, object_in, part_from_plain, to_plain
from ...runtime.reading.json_files import read_json
from ...runtime.reading.weights import network_with_weights, read_tensors
from ...runtime.threads import on_threads, threads_or
from ..names import NAMES
from ..networks.composition import Composition
from ..networks.network import JointForecaster
from ..response.response import Response
from ..units.feedback import Feedback
from ..units.scaling import restore
from ..windows.gaps import last_season, previous_values
from ..windows.spec import SeriesSpec
from ..windows.tensor import SeriesTensor, Statistics
from .architecture import Architecture

MEMORY_OF_A_GPU = 8
"""How many times the bytes of a chunk are held on a GPU, whose time is that of a chunk, whatever its size."""


class ForecastPredictor(FittedModel):
    """Joint sample paths of a trained network.

    Arguments:
        composition: what the network was built from.
        forecaster: the trained network.
        training_log: a row an epoch.
        max_bytes: bound on the memory of a chunk of paths, in bytes; on a GPU of eight times as many.
        seed: of the draws where `predict` is given none.
        response: how sales answer to the covariates, where the network models what is left.
    """

    names = NAMES

    @checked
    def __init__(
        self,
        composition: Composition,
        forecaster: JointForecaster,
        training_log: list[PlainObject] | None = None,
        max_bytes: Count = 512 * 2**20,
        seed: Seed = 0,
        response: Response | None = None,
    ) -> None:
        super().__init__(prediction_length=composition.spec.prediction_length)
        self.composition, self.forecaster = composition, forecaster.eval()
        self.training_log = training_log or []
        self.max_bytes, self.seed = max_bytes, seed
        self.response = response
        self._chooses_device = False

    @property
    def spec(self) -> SeriesSpec:
        """The shape of the problem that was trained on."""
        return self.composition.spec

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Names of the D series."""
        return self.spec.item_ids

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the K channels."""
        return self.spec.covariate_names if self.response is None else self.response.names

    def to(self, device: str | torch.device) -> ForecastPredictor:
        """Move the network to `device`, where paths are drawn from then on.

        ``"auto"`` leaves it on the processor, and has many paths drawn by a copy of it on a GPU; see `drawing_device`.
        """
        self._chooses_device = device == "auto"
        self.forecaster.to("cpu" if self._chooses_device else device)
        return self

    @by_name
    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon that follows each entry.

        Arguments:
            dataset: multivariate entries, or univariate ones that are grouped to one; the target ends where the
                forecast begins, channels known of the future cover the horizon, those of the past alone are read as
                far as the target reaches. Values in ``imposed`` are set on every path and fed back. An entry with a
                changed future holds that of the planned one as ``planned``, as `simulate` says it.
            num_samples: paths S an entry.
            seed: of the draws; the training seed if ``None``. The same seed gives the same paths on the same device.

        Returns:
            A `SampleForecast` with ``samples`` ``[S, H, D]`` in data units for each entry, in order.

        Raises:
            ValueError: an entry has another number of series or covariates than the training data, or
                covariates do not cover the horizon.
        """
        entries = as_multivariate(dataset, "dataset")
        asked = self.spec
        if self.response is not None:
            asked = replace(asked, covariates=len(self.response.names), covariate_names=self.response.names)
        for number, entry in enumerate(entries):
            asked.require(entry, number)
            if self.response is None:
                warn_of_unseen(entry, self.prediction_length)
            else:
                self.response.warn_of_unseen(entry, self.prediction_length)
        forecaster = self._drawing(len(entries) * num_samples)
        generator = _chunks(entries, self._rows_at_once(forecaster) // num_samples or 1)
        seed = self.seed if seed is None else seed
        for number, group in enumerate(generator):
            with on_threads(threads_or(1)):
                samples = self._sample(forecaster, group, num_samples, (seed + 1) * 7919 + number)
            for entry, paths in zip(group, samples, strict=True):
                yield SampleForecast(
                    samples=paths,
                    start_date=entry.forecast_start,
                    item_id=entry.item_id,
                )

    def price_effects(self, entry: Entry, num_samples: int, seed: int) -> np.ndarray | None:
        """The elasticities of its paths where it has a response; see `FittedModel.price_effects`."""
        if self.response is None or entry.item_ids != self.item_ids:
            return None
        horizon, context = self.prediction_length, self.spec.context_length
        return self.response.price_effects(entry, horizon, context, num_samples, (seed + 1) * 7919)

    def write(self, folder: Path) -> None:
        """Write the predictor as JSON and safetensors."""
        described = {
            "composition": to_plain(self.composition),
            "seed": self.seed,
            "training_log": self.training_log,
            "max_bytes": self.max_bytes,
        }
        if self.forecaster.borders:
            described["borders"] = list(self.forecaster.borders)
        (folder / "predictor.json").write_text(json.dumps(described, indent=2))
        (folder / "weights.safetensors").write_bytes(save(self.forecaster.state_dict()))
        if self.response is not None:
            self.response.serialize(folder)

    def settings_of_training(self) -> PlainObject | None:
        """The settings of the model that trained this one, but for what Lightning's trainer was given as objects."""
        model = self.trained_by
        if not isinstance(model, Architecture):
            return super().settings_of_training()
        given = model.train_config
        options = {name: value for name, value in given.trainer.items() if _is_plain(to_plain(value))}
        return {**model.configuration(), "train": to_plain(replace(given, trainer=options))}

    @classmethod
    def read(cls, folder: Path, names: Names, device: str) -> ForecastPredictor:
        """The fitted model that `write` stored in a folder.

        Raises:
            FileNotFoundError: the folder holds no predictor.
            ValueError: an older version wrote it.
        """
        described, model = read_json(folder / "predictor.json"), None
        if "composition" not in described:
            model = _model_of_before(described, folder, names)
            spec = part_from_plain(described["spec"], names, SeriesSpec)
            composed = object_in({"composition": to_plain(model.composition(spec))}, "composition")
            # Networks of then did not tell rare articles apart, which is the default.
            described["composition"] = {key: value for key, value in composed.items() if key != "rare"}
            described["seed"] = model.train_config.seed
        composition = part_from_plain(described["composition"], names, Composition)  # type: ignore[type-abstract]
        weights = folder / "weights.safetensors"
        known = read_tensors(weights)
        statistics = Statistics(*(known[name] for name in ("usual_scale", "covariate_mean", "covariate_std")))
        forecaster = network_with_weights(
            lambda: composition.network(statistics), weights, object_in(described, "composition")
        )
        forecaster.borders = tuple(int(border) for border in described.get("borders", ()))
        response = Response.deserialize(folder) if composition.responds else None
        predictor = cls(
            composition, forecaster, described["training_log"], described["max_bytes"], described["seed"], response
        )
        predictor.trained_by = model
        return predictor.to(device)

    def _drawing(self, rows: int) -> JointForecaster:
        """The network that draws a number of paths: this one, or a copy on a GPU, which other threads do not see."""
        if not self._chooses_device or drawing_device("auto", rows) == "cpu":
            return self.forecaster
        return copy.deepcopy(self.forecaster).to("cuda")

    def _sample(self, forecaster: JointForecaster, group: list[Entry], paths: int, seed: int) -> np.ndarray:
        """Paths ``[N, S, H, D]`` of a group of entries, drawn in chunks that keep to the memory bound."""
        device = forecaster.usual_scale.device
        change, said = forecaster.scaling.change, {}
        if self.response is not None:
            said = self._response_to(group, paths, seed)
            group = [self.response.history(entry) for entry in group]
        # Only the steps that a window reads are turned into tensors.
        reach = self.spec.history + self.spec.context_length + (change or 0)
        recent = [_tail(entry, reach, self.spec.prediction_length, change or 0) for entry in group]
        series = SeriesTensor(recent, self.spec, change=change, statistics=forecaster.statistics, future=True).to(
            device
        )
        window = series.gather(series.forecast_starts(), horizon=False)
        last = None if change is None else torch.from_numpy(self._last_values(group, change)).to(device)
        imposed = self._imposed(group)
        at_once = max(1, self._rows_at_once(forecaster) // len(group))
        drawn = []
        sample = forecaster.sampler(torch.Generator(device).manual_seed(seed))
        for first in range(0, paths, at_once):
            count = min(at_once, paths - first)
            feedback = Feedback(
                self.composition.scaling.domain,
                lattice=forecaster.lattice,
                last=last,
                imposed=None if imposed is None else imposed.to(device),
                spread=self.response is not None and self.response.spread,
                least=None if self.response is None else torch.from_numpy(self.response.least).to(device),
                **{name: values[:, first : first + count].to(device) for name, values in said.items()},
            )
            sampled = sample(window, count, None if feedback.idle else feedback)
            levels = sampled if last is None else restore(sampled, last)
            drawn.append((levels if feedback.idle else feedback.finish(levels)).cpu().numpy())
        return np.concatenate(drawn, axis=1)

    def _response_to(self, group: list[Entry], paths: int, seed: int) -> dict[str, torch.Tensor]:
        """What the channels of a group do to its sales ``[N, S, H, D]``, and what counts are then rounded by."""
        response, horizon = self.response, self.spec.prediction_length
        if response is None:
            return {}
        drawn = [response.factors(entry, horizon, self.spec.context_length, paths, seed) for entry in group]
        said = {"factor": torch.from_numpy(np.stack(drawn))}
        rounding = response.roundings(paths, horizon, seed)
        if rounding is not None:
            said["rounding"] = torch.from_numpy(rounding).expand(len(group), *rounding.shape)
        return said

    def _imposed(self, group: list[Entry]) -> torch.Tensor | None:
        """The imposed values ``[N, H, D]`` of a group, NaN where free; ``None`` where all are."""
        if all(entry.imposed is None for entry in group):
            return None
        free = np.full((self.spec.target_dim, self.spec.prediction_length), np.nan)
        imposed = [free if entry.imposed is None else entry.imposed for entry in group]
        return torch.from_numpy(np.stack([values.T for values in imposed]).astype(np.float32))

    def _last_values(self, group: list[Entry], lag: int) -> np.ndarray:
        """The values ``[N, lag, D]`` that changes over the horizon are added to."""
        return np.stack([last_season(entry.target, lag).T for entry in group]).astype(np.float32)

    def _rows_at_once(self, forecaster: JointForecaster) -> int:
        spec, bound = self.spec, self.max_bytes * (MEMORY_OF_A_GPU if forecaster.usual_scale.is_cuda else 1)
        # The path itself, its copy on return, and what the network holds meanwhile.
        floats = 3 * spec.target_dim * (spec.history + spec.prediction_length) + forecaster.width
        return max(1, bound // (4 * floats))


def _model_of_before(described: Mapping[str, Plain], folder: Path, names: Names) -> Architecture:
    """The model that trained a predictor, of a folder that holds it instead of the composition."""
    if "responds" not in described:
        raise ValueError(
            f"predictor: expected one that this version wrote, got an older one in {folder}; train it again"
        )
    model = from_plain(described["estimator"], names, allowed=Architecture)
    if not isinstance(model, Architecture):
        raise ValueError(f"estimator: expected the settings of a network, got {described['estimator']!r} in {folder}")
    return model


def _tail(entry: Entry, reach: int, horizon: int, change: int) -> Entry:
    skip = max(0, entry.length - reach)
    tail = entry.since(skip).until(entry.length - skip, horizon)
    if not skip or not change:
        return tail
    # A change after a gap is measured from the last value before it, which may lie before the tail.
    before = previous_values(entry.target[:, : skip + change], change, steps=change)[:, -change:]
    return tail.with_(target=np.concatenate([before, tail.target[:, change:]], axis=1))


def _is_plain(value: Any) -> bool:
    """Whether JSON can hold a value; a callback and its like it cannot."""
    if isinstance(value, dict):
        return _is_plain(list(value.values()))
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, (str, int, float))


def _chunks(entries: list[Entry], size: int) -> Iterator[list[Entry]]:
    iterator = iter(entries)
    while group := list(islice(iterator, size)):
        yield group
