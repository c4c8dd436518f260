"""The folder of a backtest: finished runs, each written whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pandas as pd

from ..runs.records import PlannedCell, RunRecord
from ..runs.rows import SCORE_COLUMNS
from ..runs.run import Result

_RECORD = "run.json"

PLAN = "plan.json"
"""The file of a folder with the cells of a grid."""

_HELD: set[IO[str]] = set()
"""The files of the locks that this process has."""


class Store:
    """A folder with one sub-folder a run, and the tables put together from all of them.

    ``runs/<run>/`` holds scores.parquet, forecasts.parquet, training.parquet and run.json; ``datasets/`` what a chart
    shows of the data; ``checkpoints/`` what an interrupted training goes on from; scores.parquet and runs.parquet
    are the tables of all runs. A run is written beside its checkpoints and moved to its place when it is whole.

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

    def record(self, run: str) -> RunRecord | None:
        """The record of a run, finished or failed; ``None`` if there is none, or none that the disk kept whole."""
        try:
            record: RunRecord = json.loads((self.folder / "runs" / run / _RECORD).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        # A run is called as its folder is: what its record says could lie anywhere.
        record["run"] = run
        return record

    def finished(self, run: str) -> bool:
        """Whether a run is done and need not be done again; a failed one is tried again."""
        record = self.record(run)
        return record is not None and record["status"] == "finished"

    def ask(self, run: str) -> RunRecord:
        """Note that a finished run was asked for again, which makes its settings the newest of its model.

        Arguments:
            run: the run.

        Returns:
            Its record.
        """
        record: RunRecord = {**(self.record(run) or RunRecord()), "asked": _now()}
        with _written(self.folder / "runs" / run / _RECORD) as partial:
            partial.write_text(json.dumps(record, indent=2))
        return record

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

    def save_failure(self, record: RunRecord, traceback: str) -> None:
        """Keep the record of a failed run and where it failed.

        Arguments:
            record: its row of the runs table, ``error`` filled.
            traceback: the traceback, for ``traceback.txt``.
        """
        partial = self._partial(record["run"])
        (partial / "traceback.txt").write_text(traceback)
        self._finish(partial, record)

    def save_history(self, dataset: str, history: Callable[[], pd.DataFrame]) -> None:
        """Keep what a chart shows of a dataset, unless it is kept already.

        Arguments:
            dataset: the dataset's fingerprint.
            history: makes the rows of `rows.history_rows`.
        """
        path = self.folder / "datasets" / f"{dataset}.parquet"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_parquet(history(), path)

    def save_plan(self, cells: Sequence[PlannedCell]) -> None:
        """Keep which cells a grid has, so that a table can say which are missing.

        Arguments:
            cells: for each model, dataset, seed, run and settings (``None`` if it could not be made), and error; see
                `settings_of`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with _written(self.folder / PLAN) as partial:
            partial.write_text(json.dumps({"written": _now(), "cells": list(cells)}, indent=1))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other grids out of the folder; a lock that the system takes back when the process ends.

        Raises:
            ValueError: another one is in it.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(_locked(self.folder / ".lock", fcntl.LOCK_EX | fcntl.LOCK_NB))
            except BlockingIOError as error:
                got = f"got {self.folder}"
                raise ValueError(f"out: expected a folder that no other grid is writing to, {got}") from error
            yield

    @contextmanager
    def held(self, run: str) -> Iterator[None]:
        """Keep other workers from a run; waits for one that outlived a killed grid by a few seconds."""
        with _locked(self.checkpoints(run) / ".lock", fcntl.LOCK_EX):
            yield
            if self.finished(run):
                shutil.rmtree(self.checkpoints(run), ignore_errors=True)

    def scores(self, run: str) -> pd.DataFrame:
        """The rows of a finished run in the long table."""
        return pd.read_parquet(self.folder / "runs" / run / "scores.parquet")

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The long table of all finished runs and the runs table.

        scores.parquet is read where it holds just the finished runs, and else each of them; other backtests may be at
        work in the folder.
        """
        records = self._records()
        finished = [record["run"] for record in records if record["status"] == "finished"]
        written = self.folder / "scores.parquet"
        scores = pd.read_parquet(written) if written.exists() else None
        if scores is None or list(scores["run"].unique()) != finished:
            scores = join_scores(self.scores(run) for run in finished)
        return scores, runs_table(records)

    def consolidate(self) -> None:
        """Write scores.parquet and runs.parquet anew from all runs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        scores, runs = self.tables()
        _write_parquet(scores, self.folder / "scores.parquet")
        _write_parquet(runs, self.folder / "runs.parquet")

    def _records(self) -> list[RunRecord]:
        paths = sorted((self.folder / "runs").glob(f"*/{_RECORD}"))
        records = [record for path in paths if (record := self.record(path.parent.name)) is not None]
        return sorted(records, key=lambda record: record["started"])

    def _partial(self, run: str) -> Path:
        """A folder of this process, gone with the checkpoints if the process dies before it is moved."""
        partial = self.checkpoints(run) / f"result.{os.getpid()}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        return partial

    def _finish(self, partial: Path, record: RunRecord) -> None:
        """Write the record last and move the whole folder to its place, when its files are on the disk."""
        (partial / _RECORD).write_text(json.dumps(record, indent=2))
        for path in partial.iterdir():
            with path.open("rb") as written:
                os.fsync(written.fileno())  # else a machine that dies keeps the new place and not what is in it
        place = self.folder / "runs" / record["run"]
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            shutil.rmtree(place)
        os.replace(partial, place)


def join_scores(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put long tables one under the other; an empty one has all columns."""
    tables = list(tables)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(SCORE_COLUMNS))


def runs_table(records: Iterable[RunRecord]) -> pd.DataFrame:
    """The runs table of records: a row a run."""
    return pd.DataFrame(list(records))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    with _written(path) as partial:
        table.to_parquet(partial, index=False)


@contextmanager
def _written(path: Path) -> Iterator[Path]:
    """A file of this process to write to, which then takes the place of another."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    yield partial
    os.replace(partial, path)


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with _opened(path) as lock:
        fcntl.flock(lock, how)
        _HELD.add(lock)
        try:
            yield
        finally:
            _HELD.discard(lock)


def _let_go() -> None:
    """A lock is its process's own: a child that a model left behind would keep it after the death of its parent."""
    for lock in _HELD:
        lock.close()


os.register_at_fork(after_in_child=_let_go)


def _opened(path: Path) -> IO[str]:
    """A file in a folder that another process may remove between being made and being used."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            return path.open("w")
