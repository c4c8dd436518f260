"""One run of a backtest: a model with a seed on a dataset, trained, asked for forecasts and judged."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import torch
from gluonts.model.estimator import Estimator
from gluonts.model.forecast import Forecast, SampleForecast
from gluonts.model.predictor import Predictor

from ...datasets.entries.data import ForecastData, Metadata
from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import written_date
from ...runtime.devices import device_name
from ...runtime.plain import Plain
from ...runtime.seeds import seed_everything
from ...runtime.threads import on_threads, threads_or
from ...runtime.training.curves import curves_named
from ..adapters.foreign import for_run, needs_training, training_log_of
from ..adapters.quiet import quiet_backtest
from . import machine
from .identity import digest
from .levels import hierarchy_of
from .metrics import Outcome
from .records import RunRecord
from .rows import SCORE_COLUMNS, Tally, forecast_rows
from .windows import History, Window, last_steps, training_entry, windows_of

Model: TypeAlias = Estimator | Predictor | Callable[[Metadata], Estimator | Predictor]


@dataclass(frozen=True)
class Protocol:
    """The evaluation protocol of a backtest: windows, samples, metrics, retraining.

    Arguments:
        num_samples: paths S a window.
        refit_every: windows after which a model is trained anew; ``None`` trains once, on the training data.
        history: ``"expanding"``, or the number of steps that a model sees, in training and before a window.
        metrics: names in `metrics.METRICS`.
    """

    num_samples: int
    refit_every: int | None
    history: History
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """One cell of the grid.

    Arguments:
        model_name: the row of the table.
        model: a gluonts estimator or predictor.
        configuration: what `identity.describe` says of it.
        data: the dataset.
        data_fingerprint: what `identity.fingerprint` says of it.
        seed: the seed.
        protocol: how it is trained and judged.
    """

    model_name: str
    model: Estimator | Predictor
    configuration: Mapping[str, Plain]
    data: ForecastData = field(repr=False)
    data_fingerprint: str
    seed: int
    protocol: Protocol

    @property
    def id(self) -> str:
        """The same for the same model, settings, data, seed, protocol and version, and for nothing else."""
        protocol = vars(self.protocol) | {"metrics": list(self.protocol.metrics)}
        identity = {
            "model": self.model_name,
            "configuration": self.configuration,
            "data": self.data_fingerprint,
            "seed": self.seed,
            "protocol": protocol,
            "version": machine.versions()["hemline"],
        }
        return digest(identity)[:16]

    def record(self) -> RunRecord:
        """What is known of the run before it starts, as a row of the runs table."""
        metadata, protocol = self.data.metadata, self.protocol
        configuration = json.dumps(self.configuration, sort_keys=True)
        return {
            "run": self.id,
            "model": self.model_name,
            "dataset": metadata.name,
            "seed": self.seed,
            "status": "running",
            "error": None,
            "configuration": configuration,
            "configuration_hash": digest(self.configuration)[:16],
            "data_fingerprint": self.data_fingerprint[:16],
            "archive": metadata.archive,
            "domain": metadata.domain,
            "freq": metadata.freq,
            "prediction_length": metadata.prediction_length,
            "target_dim": metadata.target_dim,
            "windows": len(self.data.test),
            "num_samples": protocol.num_samples,
            "history": str(protocol.history),
            "refit_every": protocol.refit_every,
            "device": device_name(),
            "versions": json.dumps(machine.versions(), sort_keys=True),
            "started": datetime.now(UTC).isoformat(timespec="microseconds"),
        }


@dataclass(frozen=True)
class Result:
    """The results of a finished run.

    Arguments:
        record: its row of the runs table.
        scores: its rows of the long table.
        forecasts: rows of `rows.forecast_rows`.
        training: a row an epoch: fit, epoch, train_loss, validation_loss, seconds.
    """

    record: RunRecord
    scores: pd.DataFrame
    forecasts: pd.DataFrame
    training: pd.DataFrame


def execute(run: Run, checkpoints: Path | None = None, tell: Callable[[str], None] = lambda step: None) -> Result:
    """Train a model, forecast the test windows and compute the scores.

    Arguments:
        run: the cell.
        checkpoints: folder for a training to go on from, or ``None``.
        tell: is told in a few words what is done now.

    Returns:
        The result.

    Raises:
        ValueError: a forecast is not one: not samples, of another shape or start, not finite, or too few.
    """
    record, metadata, protocol = run.record(), run.data.metadata, run.protocol
    windows = windows_of(run.data.test, metadata.prediction_length, history=protocol.history)
    tally = Tally(protocol.metrics, metadata.item_ids, hierarchy_of(protocol.metrics, metadata))
    seconds = {"seconds_train": 0.0, "seconds_predict": 0.0, "seconds_score": 0.0}
    forecasts, training = [], []
    machine.reset_peak_memory()
    with quiet_backtest(), on_threads(threads_or(1)):
        record["threads"] = torch.get_num_threads()
        for fit, block in enumerate(_blocks(windows, protocol.refit_every)):
            tell(f"training ({fit + 1})" if protocol.refit_every else "training")
            began = time.perf_counter()
            folder = None if checkpoints is None else checkpoints / f"fit_{fit}"
            with curves_named(f"{run.model_name}/seed-{run.seed}/fit-{fit}"):
                predictor = _fitted(run, training_data(run.data, block[0], fit, protocol.history), folder)
            seconds["seconds_train"] += time.perf_counter() - began
            training += [{"fit": fit, **row} for row in training_log_of(predictor)]
            seed_everything(run.seed)
            tell("forecasting")
            began = time.perf_counter()
            for window, samples in _forecasts(predictor, block, metadata, protocol.num_samples):
                seconds["seconds_predict"] += time.perf_counter() - began
                began = time.perf_counter()
                # A seasonal error is one of the data, however much of them a model was shown.
                past = run.data.history(window.number).target
                outcome = Outcome(samples, window.observed, past, metadata.season)
                tally.add(outcome)
                forecasts.append(forecast_rows(window, outcome, metadata.item_ids))
                seconds["seconds_score"] += time.perf_counter() - began
                began = time.perf_counter()
    record["seconds_train"], record["seconds_predict"], record["seconds_score"] = seconds.values()
    record["status"], record["peak_memory_bytes"] = "finished", machine.peak_memory()
    return Result(
        record=record,
        scores=_long(record, tally.table()),
        forecasts=pd.concat(forecasts, ignore_index=True),
        training=pd.DataFrame(training, columns=["fit", "epoch", "train_loss", "validation_loss", "seconds"]),
    )


def training_data(data: ForecastData, window: Window, fit: int, history: History) -> list[Entry]:
    """The training data of a window under the protocol.

    The first fit takes the training data. A later one takes all that lies before its window; where the test
    entries do not go on from the training data (Taxi), it takes both.

    Arguments:
        data: the dataset.
        window: the first window that the fit serves.
        fit: its number, from 0.
        history: ``"expanding"`` or a number of steps.

    Returns:
        Entries, none of which reaches into the window.
    """
    if fit == 0:
        return [last_steps(entry, history) for entry in data.train]
    past = training_entry(window)
    joined = history != "expanding" or past.start == data.train[0].start
    return [past] if joined else [*data.train, past]


def _blocks(windows: list[Window], refit_every: int | None) -> Iterator[list[Window]]:
    size = refit_every or len(windows)
    for first in range(0, len(windows), size):
        yield windows[first : first + size]


def _fitted(run: Run, entries: list[Entry], checkpoints: Path | None) -> Predictor:
    model = for_run(run.model, run.seed, checkpoints)
    if not needs_training(model):
        return model
    seed_everything(run.seed)
    return model.train(entries)


def _forecasts(
    predictor: Predictor, windows: Sequence[Window], metadata: Metadata, num_samples: int
) -> Iterator[tuple[Window, np.ndarray]]:
    """Each window with its checked paths ``[S, H, D]``."""
    forecasts = iter(predictor.predict([window.past for window in windows], num_samples=num_samples))
    for number, window in enumerate(windows):
        forecast = next(forecasts, None)
        if forecast is None:
            raise ValueError(f"forecasts: expected one for each of {len(windows)} windows, got {number}")
        yield window, _paths(forecast, window, metadata)
    if next(forecasts, None) is not None:
        raise ValueError(f"forecasts: expected one for each of {len(windows)} windows, got more")


def _paths(forecast: Forecast, window: Window, metadata: Metadata) -> np.ndarray:
    if not isinstance(forecast, SampleForecast):
        raise ValueError(
            f"forecasts: expected SampleForecast, got {type(forecast).__name__} for window {window.number}"
        )
    samples = np.asarray(forecast.samples)
    if samples.ndim == 2:
        samples = samples[:, :, None]
    expected = (metadata.prediction_length, metadata.target_dim)
    if samples.shape[1:] != expected or not len(samples):
        raise ValueError(
            f"forecasts: expected samples [S, {expected[0]}, {expected[1]}], got {list(samples.shape)} for window "
            f"{window.number}"
        )
    if forecast.start_date != window.start:
        raise ValueError(
            f"forecasts: expected a forecast from {window.start}, got one from {forecast.start_date} for window "
            f"{window.number}"
        )
    finite = np.isfinite(samples).all(0)
    if not finite.all():
        step, series = np.argwhere(~finite)[0]
        raise ValueError(
            f"forecasts: expected finite numbers, got {samples[~np.isfinite(samples)][0]} for series "
            f"{metadata.item_ids[series]!r} on {written_date(window.start, int(step))}"
        )
    return samples


def _long(record: RunRecord, rows: pd.DataFrame) -> pd.DataFrame:
    names = {"run": record["run"], "model": record["model"], "dataset": record["dataset"]}
    for name, value in names.items():
        rows[name] = pd.Series(value, index=rows.index, dtype="string")
    rows["seed"] = record["seed"]
    return rows[list(SCORE_COLUMNS)]
