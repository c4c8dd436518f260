"""Backtests: models × seeds on the rolling windows of a dataset."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ..datasets.data import ForecastData, Metadata
from .identity import describe, fingerprint
from .metrics import METRICS
from .progress import Progress
from .rows import history_rows
from .run import Model, Protocol, Run, execute
from .store import Store, join_scores
from .windows import History, last_steps, windows_of


class RunFailedWarning(UserWarning):
    """Some runs of a backtest failed; the others are in the table."""


class BacktestError(ValueError):
    """A run failed and nothing else is left to return, or the caller wanted to stop at once."""


def backtest(
    models: Mapping[str, Model],
    data: ForecastData,
    *,
    seeds: Sequence[int] = (0,),
    num_samples: int = 100,
    refit_every: int | None = None,
    history: History = "expanding",
    metrics: Sequence[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    stop_on_failure: bool = False,
    quiet: bool = False,
) -> pd.DataFrame:
    """Train models, forecast the test windows of a dataset and score the forecasts.

    A model is trained on ``data.train`` once for all windows, as in the published benchmarks, or anew every few
    windows on all that lies before. Before training and again before forecasting, the generators of Python, numpy
    and torch are seeded, so that the same call gives the same numbers. Models may offer, and need not:

    * ``for_run(seed: int, directory: Path | None)``: a copy with its own seed, that keeps checkpoints in a
      folder and goes on from there;
    * ``configuration() -> dict``: all settings, as JSON can hold them;
    * a predictor's ``training_log``: a list of dicts with epoch, train_loss, validation_loss and seconds.

    A run that fails is recorded with its reason and the rest goes on; at the end a `RunFailedWarning` names the
    failures. An interrupt always stops.

    Arguments:
        models: names to gluonts estimators, predictors, or functions that make one from the `Metadata`.
        data: the dataset; each entry of its ``test`` is a window.
        seeds: seeds, each a run of every model.
        num_samples: sample paths S a window.
        refit_every: windows after which a model is trained anew; ``None`` trains once.
        history: ``"expanding"`` shows a model all that lies before, a number only that many steps, in training as
            before a window.
        metrics: names from `METRICS`; ``None`` for all.
        out: a folder that keeps every finished run, so that none is repeated; see `Store`.
        stop_on_failure: whether the first failure ends the backtest.
        quiet: whether to print nothing.

    Returns:
        The long table of this call's runs: ``run, model, dataset, seed, window, item_id, step, metric, value``. Each
        metric stands there pooled over everything (window, item_id and step null), for each window, for each step
        (from 1) and, if it belongs to single series, for each of them. Forecasts point by point lie in ``out``.
        ``.attrs["runs"]`` is the runs table, as a list of dicts.

    Raises:
        ValueError: an argument or the dataset is not what was expected, or a model cannot be told apart from
            another one in ``out``.
        BacktestError: every run failed, or one did and ``stop_on_failure``.

    Example:
        >>> from gluonts.model.seasonal_naive import SeasonalNaivePredictor
        >>> target = np.arange(40.0, dtype=np.float32)[None]
        >>> entry = {"start": pd.Period("2024-01-01", "D"), "target": target}
        >>> metadata = Metadata("line", "D", 2, item_ids=("a",))
        >>> data = ForecastData(metadata, train=[entry | {"target": target[:, :38]}], test=[entry])
        >>> class Line(SeasonalNaivePredictor):
        ...     def predict_item(self, item):
        ...         return super().predict_item(item | {"target": item["target"][0]})
        >>> table = backtest({"last": Line(2, season_length=1)}, data, quiet=True)
        >>> table.query("metric == 'nd' and window.isna() and step.isna() and item_id.isna()").value.round(4).item()
        0.039
    """
    protocol = _protocol(num_samples, refit_every, history, metrics)
    _check_data(data, protocol)
    runs = _grid(models, data, _check_seeds(seeds), protocol, stored=out is not None)
    store = None if out is None else Store(out)
    if store is not None:
        windows = windows_of(data.test, data.metadata.prediction_length)
        store.save_history(runs[0].record()["data_fingerprint"], history_rows(windows, data.metadata.item_ids))
    progress = Progress(len(runs), quiet)
    records, tables = [], []
    try:
        for run in runs:
            progress.start(run)
            record, table = _one(run, store, progress)
            records.append(record)
            if table is not None:
                tables.append(table)
            elif stop_on_failure:
                raise BacktestError(_reason(record))
    finally:
        if store is not None:
            store.consolidate()
    failures = failure_reasons(records)
    if not tables:
        raise BacktestError(f"all {len(runs)} runs failed: {'; '.join(failures)}")
    if failures:
        warnings.warn(
            f"{len(failures)} of {len(runs)} runs failed: {'; '.join(failures)}",
            RunFailedWarning,
            stacklevel=2,
        )
    scores = join_scores(tables)
    scores.attrs["runs"] = records
    return scores


def _one(run: Run, store: Store | None, progress: Progress) -> tuple[dict[str, Any], pd.DataFrame | None]:
    """The record of a run, done now or before, and its scores unless it failed."""
    if store is not None and store.finished(run.id):
        progress.known()
        return store.record(run.id) or {}, store.scores(run.id)
    try:
        result = execute(run, None if store is None else store.checkpoints(run.id), progress.step)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        record = run.record() | {"status": "failed", "error": reason}
        if store is not None:
            store.save_failure(record, traceback.format_exc())
        progress.failed(reason)
        return record, None
    if store is not None:
        store.save(result)
    progress.finished(result)
    return result.record, result.scores


def _grid(
    models: Mapping[str, Model], data: ForecastData, seeds: list[int], protocol: Protocol, stored: bool
) -> list[Run]:
    if not models:
        raise ValueError("models: expected at least one model, got none")
    data_fingerprint = fingerprint(data)
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
    if not isinstance(model, type) and not (hasattr(model, "train") or hasattr(model, "predict")):
        if not callable(model):
            raise ValueError(
                f"models[{name!r}]: expected a gluonts estimator, a predictor or a function of the metadata, got "
                f"{type(model).__name__}"
            )
        made = model(metadata)
    if isinstance(made, type) or not (hasattr(made, "train") or hasattr(made, "predict")):
        got = f"the class {made.__name__}" if isinstance(made, type) else type(made).__name__
        raise ValueError(f"models[{name!r}]: expected a gluonts estimator or predictor, got {got}")
    horizon = getattr(made, "prediction_length", metadata.prediction_length)
    if horizon != metadata.prediction_length:
        raise ValueError(
            f"models[{name!r}]: expected a horizon of {metadata.prediction_length} steps as in {metadata.name}, "
            f"got {horizon}"
        )
    return made


def _protocol(num_samples: int, refit_every: int | None, history: History, metrics: Sequence[str] | None) -> Protocol:
    if num_samples < 1:
        raise ValueError(f"num_samples: expected at least 1 path, got {num_samples}")
    if refit_every is not None and refit_every < 1:
        raise ValueError(f"refit_every: expected at least 1 window or None, got {refit_every}")
    chosen = tuple(METRICS if metrics is None else metrics)
    for name in chosen:
        if name not in METRICS:
            raise ValueError(f"metrics: unknown metric {name!r}, expected some of {', '.join(METRICS)}")
    if not chosen:
        raise ValueError("metrics: expected at least one metric, got none")
    return Protocol(num_samples, refit_every, history, chosen)


def _check_seeds(seeds: Sequence[int]) -> list[int]:
    chosen = [int(seed) for seed in seeds]
    if not chosen:
        raise ValueError("seeds: expected at least one seed, got none")
    if len(set(chosen)) < len(chosen) or min(chosen) < 0:
        raise ValueError(f"seeds: expected different numbers, at least 0, got {chosen}")
    return chosen


def _check_data(data: ForecastData, protocol: Protocol) -> None:
    metadata = data.metadata
    if not data.train:
        raise ValueError(f"data.train: expected an entry to train on, {metadata.name!r} has none")
    windows = windows_of(data.test, metadata.prediction_length, history=protocol.history)
    for entry in data.train:
        last_steps(entry, protocol.history)
    for window in windows:
        series = window.observed.shape[1]
        if series != metadata.target_dim:
            raise ValueError(
                f"data.test: expected {metadata.target_dim} series as in item_ids, window {window.number} has {series}"
            )
        if np.isinf(window.observed).any():
            step, place = np.argwhere(np.isinf(window.observed))[0]
            raise ValueError(
                f"data.test: expected finite numbers or NaN, got {window.observed[step, place]} for series "
                f"{metadata.item_ids[place]!r}, step {step + 1} of window {window.number}"
            )
    if all(np.isnan(window.observed).all() for window in windows):
        raise ValueError(f"data.test: expected something observed, all windows of {metadata.name!r} are NaN")


def failure_reasons(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """What failed and why, a line a failed run.

    Arguments:
        records: the runs table, as a list of dicts.

    Returns:
        A line for each failed run.
    """
    return [_reason(record) for record in records if record["status"] == "failed"]


def _reason(record: Mapping[str, Any]) -> str:
    return f"{record['model']} on {record['dataset']}, seed {record['seed']}: {record['error']}"
