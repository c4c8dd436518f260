"""The folder of a backtest: finished runs, each written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from .rows import SCORE_COLUMNS
from .run import Result

_RECORD = "run.json"


class Store:
    """A folder with one sub-folder a run, and the tables put together from all of them.

    ``runs/<run>/`` holds scores.parquet, forecasts.parquet, training.parquet and run.json; ``datasets/`` what a chart
    shows of the data; ``checkpoints/`` what an interrupted training goes on from; scores.parquet and runs.parquet
    are the tables of all runs. Everything is written under ``partial/`` and moved to its place when it is whole.

    Arguments:
        folder: the folder; made if need be.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def checkpoints(self, run: str) -> Path:
        """The folder from which the training of a run goes on."""
        return self.folder / "checkpoints" / run

    def output(self, run: str) -> Path:
        """The file with what a run prints in a worker; gone with the checkpoints when the run has finished."""
        return self.checkpoints(run) / "output.log"

    def record(self, run: str) -> dict[str, Any] | None:
        """The record of a run, finished or failed; ``None`` if there is none."""
        path = self.folder / "runs" / run / _RECORD
        if not path.exists():
            return None
        record: dict[str, Any] = json.loads(path.read_text())
        return record

    def finished(self, run: str) -> bool:
        """Whether a run is done and need not be done again; a failed one is tried again."""
        record = self.record(run)
        return record is not None and record["status"] == "finished"

    def save(self, result: Result) -> None:
        """Keep a finished run, in place of a failed one if there was one.

        Arguments:
            result: the run.
        """
        partial = self._partial(result.record["run"])
        result.scores.to_parquet(partial / "scores.parquet", index=False)
        result.forecasts.to_parquet(partial / "forecasts.parquet", index=False)
        result.training.to_parquet(partial / "training.parquet", index=False)
        self._finish(partial, result.record)
        shutil.rmtree(self.checkpoints(result.record["run"]), ignore_errors=True)

    def save_failure(self, record: dict[str, Any], traceback: str) -> None:
        """Keep the record of a failed run and where it failed.

        Arguments:
            record: its row of the runs table, ``error`` filled.
            traceback: the traceback, for ``traceback.txt``.
        """
        partial = self._partial(record["run"])
        (partial / "traceback.txt").write_text(traceback)
        self._finish(partial, record)

    def save_history(self, dataset: str, history: pd.DataFrame) -> None:
        """Keep what a chart shows of a dataset.

        Arguments:
            dataset: the dataset's fingerprint.
            history: rows of `rows.history_rows`.
        """
        path = self.folder / "datasets" / f"{dataset}.parquet"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_parquet(history, path)

    def scores(self, run: str) -> pd.DataFrame:
        """The rows of a finished run in the long table."""
        return pd.read_parquet(self.folder / "runs" / run / "scores.parquet")

    def consolidate(self) -> None:
        """Write scores.parquet and runs.parquet anew from all runs."""
        records = self._records()
        self.folder.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # not there, or not empty: workers of another backtest are at it
            (self.folder / "partial").rmdir()
        finished = [record["run"] for record in records if record["status"] == "finished"]
        _write_parquet(join_scores(self.scores(run) for run in finished), self.folder / "scores.parquet")
        _write_parquet(runs_table(records), self.folder / "runs.parquet")

    def _records(self) -> list[dict[str, Any]]:
        paths = sorted((self.folder / "runs").glob(f"*/{_RECORD}"))
        records = [json.loads(path.read_text()) for path in paths]
        return sorted(records, key=lambda record: record["started"])

    def _partial(self, run: str) -> Path:
        partial = self.folder / "partial" / run
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        return partial

    def _finish(self, partial: Path, record: dict[str, Any]) -> None:
        """Write the record last and move the whole folder to its place."""
        (partial / _RECORD).write_text(json.dumps(record, indent=2))
        place = self.folder / "runs" / record["run"]
        place.parent.mkdir(exist_ok=True)
        if place.exists():
            shutil.rmtree(place)
        os.replace(partial, place)


@dataclass(frozen=True)
class Backtest:
    """A backtest read from its folder.

    Arguments:
        folder: where it lies.
        scores: the long table of all finished runs.
        runs: the runs table, failed ones included.
    """

    folder: Path
    scores: pd.DataFrame
    runs: pd.DataFrame

    def forecasts(self, run: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Stored forecasts of a run, some columns or all: see `rows.forecast_rows`."""
        path = self.folder / "runs" / run / "forecasts.parquet"
        return pd.read_parquet(path, columns=None if columns is None else list(columns))

    def training(self, run: str) -> pd.DataFrame:
        """The training log of a run: a row an epoch, none for what is not trained."""
        return pd.read_parquet(self.folder / "runs" / run / "training.parquet")

    def history(self, data_fingerprint: str) -> pd.DataFrame:
        """Observations around the windows of a dataset: see `rows.history_rows`."""
        return pd.read_parquet(self.folder / "datasets" / f"{data_fingerprint}.parquet")


def load_backtest(folder: str | os.PathLike[str]) -> Backtest:
    """Read the folder that `backtest(..., out=folder)` or ``hemline backtest --out`` wrote.

    Arguments:
        folder: the folder.

    Returns:
        The backtest.

    Raises:
        FileNotFoundError: there is no such folder, or no backtest in it.
        ValueError: no run of it has finished.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; expected one written by 'hemline backtest --out'")
    if not (folder / "runs.parquet").exists():
        if (folder / "runs").is_dir():
            Store(folder).consolidate()
        else:
            raise FileNotFoundError(f"{folder}: no backtest in this folder; 'hemline backtest --out' writes one")
    found = Backtest(folder, pd.read_parquet(folder / "scores.parquet"), pd.read_parquet(folder / "runs.parquet"))
    if found.scores.empty:
        reasons = "; ".join(sorted(set(found.runs["error"].dropna()))) or "none was started"
        raise ValueError(f"{folder}: no run of this backtest has finished ({reasons})")
    return found


def join_scores(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put long tables one under the other; an empty one has all columns."""
    tables = list(tables)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(SCORE_COLUMNS))


def runs_table(records: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """The runs table of records: a row a run."""
    return pd.DataFrame(list(records))


def current_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """Of the runs of each model on each dataset, those with the settings of the one started last.

    Arguments:
        runs: the runs table.

    Returns:
        The rows that count, so that a mean over seeds never mixes settings, numbers of the data or versions.
    """
    settings = ["configuration_hash", "data_fingerprint", "num_samples", "history", "refit_every"]
    if runs.empty:
        return runs
    version = runs["versions"].map(lambda text: json.loads(text)["hemline"])
    key = runs[settings].assign(version=version).astype("string").fillna("").agg("|".join, axis=1)
    newest = runs.groupby(["model", "dataset"])["started"].transform("max")
    latest = pd.DataFrame({"model": runs["model"], "dataset": runs["dataset"], "key": key})
    latest = latest[runs["started"] == newest].drop_duplicates(["model", "dataset"])
    chosen = {(model, dataset): value for model, dataset, value in latest.itertuples(index=False)}
    counts = [
        chosen[model, dataset] == value
        for model, dataset, value in zip(runs["model"], runs["dataset"], key, strict=True)
    ]
    return runs[counts]


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    partial = path.with_name(path.name + ".partial")
    table.to_parquet(partial, index=False)
    os.replace(partial, path)
