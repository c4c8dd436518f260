"""From models, data and seeds to runs: what a backtest is asked for, checked before anything runs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ...datasets.entries.data import ForecastData, Metadata
from ...datasets.entries.frequency import written_date
from ...runtime.arguments.kinds import check_kind
from ..adapters.door import require_paths
from ..adapters.estimator import grouped
from ..adapters.foreign import horizon_of, is_model
from .identity import describe, fingerprint
from .levels import hierarchy_of, metric_named
from .metrics import USUAL
from .repeats import RepeatedDataWarning, describe_repeats
from .run import Model, Protocol, Run
from .windows import History, last_steps, windows_of

LARGEST_SEED = 2**32 - 1
"""The largest seed; numpy's generators take no larger one."""

MOST_SEEDS = 10_000
"""The most runs of one model on one dataset."""

LARGEST = 2**31 - 1
"""The largest number of paths, windows or steps."""


def plan_runs(
    models: Mapping[str, Model],
    data: ForecastData,
    seeds: Sequence[int],
    protocol: Protocol,
    *,
    stored: bool,
    data_fingerprint: str | None = None,
) -> list[Run]:
    """Models × seeds on a dataset.

    Arguments:
        models: names to gluonts estimators, predictors, or functions that make one from the `Metadata`.
        data: the dataset.
        seeds: the seeds.
        protocol: how every model is trained and judged.
        stored: whether the runs are kept in a folder, where models have to be told apart.
        data_fingerprint: what `identity.fingerprint` says of the data, if it is known.

    Returns:
        The runs, those of a model together.

    Raises:
        ValueError: there is no model, one is none, or cannot be told apart from another.
    """
    if not models:
        raise ValueError("models: expected at least one model, got none")
    data_fingerprint = data_fingerprint or fingerprint(data)
    runs = []
    for name, model in models.items():
        made = _made(name, model, data.metadata)
        try:
            configuration = describe(made)
        except ValueError as error:
            if stored:
                raise ValueError(f"models[{name!r}]: cannot be told apart in a folder, {error}") from error
            configuration = {"type": f"{type(made).__module__}:{type(made).__qualname__}"}
        runs += [Run(name, made, configuration, data, data_fingerprint, seed, protocol) for seed in seeds]
    return runs


def _made(name: str, model: Model, metadata: Metadata) -> Estimator | Predictor:
    made: Any = model
    if not isinstance(model, type) and not is_model(model):
        if not callable(model):
            raise ValueError(
                f"models[{name!r}]: expected a gluonts estimator, a predictor or a function of the metadata, got "
                f"{type(model).__name__}"
            )
        made = model(metadata)
    if not is_model(made):
        got = f"the class {made.__name__}" if isinstance(made, type) else type(made).__name__
        raise ValueError(f"models[{name!r}]: expected a gluonts estimator or predictor, got {got}")
    try:
        made = grouped(made)
    except ValueError as error:
        raise ValueError(f"models[{name!r}]: {error}") from error
    horizon = horizon_of(made, metadata.prediction_length)
    if horizon != metadata.prediction_length:
        raise ValueError(
            f"models[{name!r}]: expected a horizon of {metadata.prediction_length} steps as in {metadata.name}, "
            f"got {horizon}"
        )
    return made


def make_protocol(
    num_samples: int, refit_every: int | None, history: History, metrics: str | Sequence[str] | None
) -> Protocol:
    """The protocol of these arguments of `backtest`; numbers may be numpy's.

    Raises:
        ValueError: one of them makes no sense.
    """
    check_kind("num_samples", num_samples, int)
    if num_samples < 1:
        raise ValueError(f"num_samples: expected at least 1 path, got {num_samples}")
    # Else they are found to be too large for a table when a run has begun, whose folder then has no tables for ever.
    for name, number in (("num_samples", num_samples), ("refit_every", refit_every), ("history", history)):
        if isinstance(number, (int, np.integer)) and number > LARGEST:
            raise ValueError(f"{name}: expected at most {LARGEST}, got {number}")
    if refit_every is not None and refit_every < 1:
        raise ValueError(f"refit_every: expected at least 1 window or None, got {refit_every}")
    chosen = (metrics,) if isinstance(metrics, str) else tuple(USUAL if metrics is None else metrics)
    for name in chosen:
        metric_named(name, "metrics")
    if not chosen:
        raise ValueError("metrics: expected at least one metric, got none")
    return Protocol(
        int(num_samples),
        None if refit_every is None else int(refit_every),
        int(history) if isinstance(history, np.integer) else history,
        chosen,
    )


def check_seeds(seeds: Sequence[int]) -> list[int]:
    """The seeds as a list.

    Raises:
        ValueError: there is none, one twice, or one below 0 or above `LARGEST_SEED`.
    """
    for seed in seeds:
        check_kind("seeds", seed, int)
    chosen = [int(seed) for seed in seeds]
    if not chosen:
        raise ValueError("seeds: expected at least one seed, got none")
    if len(set(chosen)) < len(chosen) or min(chosen) < 0:
        raise ValueError(f"seeds: expected different numbers, at least 0, got {chosen}")
    if max(chosen) > LARGEST_SEED:
        raise ValueError(f"seeds: expected numbers up to {LARGEST_SEED}, got {max(chosen)}")
    return chosen


def first_seeds(count: int) -> list[int]:
    """So many seeds, from 0.

    Raises:
        ValueError: there is none, or more than `MOST_SEEDS`.
    """
    if not 1 <= count <= MOST_SEEDS:
        raise ValueError(f"seeds: expected a number of seeds from 1 to {MOST_SEEDS}, got {count}")
    return list(range(count))


def check_data(data: ForecastData, protocol: Protocol) -> None:
    """Check that a dataset can be backtested; warn of test windows repeated from training data (`RepeatedDataWarning`).

    Raises:
        ValueError: something to train on or to forecast is not there, or not finite, or there is no memory for so many
            paths of so many series.
    """
    metadata = data.metadata
    if not data.train:
        raise ValueError(f"data.train: expected an entry to train on, got none in {metadata.name!r}")
    require_paths(protocol.num_samples, metadata.prediction_length, metadata.target_dim)
    hierarchy_of(protocol.metrics, metadata)
    windows = windows_of(data.test, metadata.prediction_length, history=protocol.history)
    for entry in data.train:
        last_steps(entry, protocol.history)
    for window in windows:
        series = window.observed.shape[1]
        if series != metadata.target_dim:
            raise ValueError(
                f"data.test: expected {metadata.target_dim} series as in item_ids, got {series} in "
                f"window {window.number}"
            )
        if np.isinf(window.observed).any():
            step, place = np.argwhere(np.isinf(window.observed))[0]
            raise ValueError(
                f"data.test: expected finite numbers or NaN, got {window.observed[step, place]} for series "
                f"{metadata.item_ids[place]!r} on {written_date(window.start, int(step))}"
            )
    if all(np.isnan(window.observed).all() for window in windows):
        raise ValueError(f"data.test: expected something observed, got only NaN in the windows of {metadata.name!r}")
    if repeats := describe_repeats(metadata.name, windows):
        warnings.warn(repeats, RepeatedDataWarning, stacklevel=3)
