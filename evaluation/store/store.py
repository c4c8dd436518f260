"""The folder of a backtest: finished runs, each written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pandas as pd
import pyarrow.parquet

from ...runtime.locks import locked, only_one
from ...runtime.reading.json_files import read_json
from ...runtime.reading.parquet_files import read_parquet
from ...runtime.whole_files import whole_file, whole_folder
from ..runs.records import PlannedCell, RunRecord
from ..runs.rows import SCORE_COLUMNS
from ..runs.run import Result

_RECORD = "run.json"

PLAN = "plan.json"
"""The file of a folder with the cells of a grid."""

_TABLES = ("scores.parquet", "forecasts.parquet", "training.parquet")


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
        """The record of a run, finished or failed; ``None`` if there is none, or the run is not whole on the disk."""
        place = self.folder / "runs" / run
        try:
            record = cast(RunRecord, read_json(place / _RECORD))
        except (FileNotFoundError, ValueError):
            return None
        # A run is called as its folder is: what its record says could lie anywhere.
        record["run"] = run
        needed = [] if record["status"] != "finished" else [place / name for name in _TABLES]
        return record if all(_is_table(path) for path in needed) else None

    def finished(self, run: str) -> bool:
        """Whether a run is done and need not be done again; a failed one is tried again."""
        record = self.record(run)
        return record is not None and record["status"] == "finished"

    def ask(self, run: str) -> RunRecord:
        """Record a repeated request of a finished run, which makes its settings the newest of its model.

        Arguments:
            run: the run.

        Returns:
            Its record.
        """
        record: RunRecord = {**(self.record(run) or RunRecord()), "asked": _now()}
        _write_json(record, self.folder / "runs" / run / _RECORD)
        return record

    def save(self, result: Result) -> None:
        """Store a finished run, replacing a failed one.

        Arguments:
            result: the run.
        """
        with self._kept(result.record) as aside:
            for name, table in zip(_TABLES, (result.scores, result.forecasts, result.training), strict=True):
                table.to_parquet(aside / name, index=False)
        shutil.rmtree(self.checkpoints(result.record["run"]), ignore_errors=True)

    def save_failure(self, record: RunRecord, traceback: str) -> None:
        """Store the record and traceback of a failed run.

        Arguments:
            record: its row of the runs table, ``error`` filled.
            traceback: the traceback, for ``traceback.txt``.
        """
        with self._kept(record) as aside:
            (aside / "traceback.txt").write_text(traceback)

    def save_history(self, dataset: str, history: Callable[[], pd.DataFrame]) -> None:
        """Store the observations that charts show of a dataset, unless stored already.

        Arguments:
            dataset: the dataset's fingerprint.
            history: makes the rows of `rows.history_rows`.
        """
        path = self.folder / "datasets" / f"{dataset}.parquet"
        if not _is_table(path):
            _write_parquet(history(), path)

    def save_plan(self, cells: Sequence[PlannedCell]) -> None:
        """Store the cells of a grid, so that tables can list missing ones.

        Arguments:
            cells: for each model, dataset, seed, run and settings (``None`` if it could not be made), and error; see
                `settings_of`.
        """
        _write_json({"written": _now(), "cells": list(cells)}, self.folder / PLAN)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Context that locks the folder against other grids.

        Raises:
            ValueError: another one is in it.
        """
        refusal = f"out: expected a folder that no other grid is writing to, got {self.folder}"
        with only_one(self.folder / ".lock", refusal):
            yield

    @contextmanager
    def held(self, run: str) -> Iterator[None]:
        """Context that locks a run against other workers, waiting a few seconds for one of a killed grid."""
        with locked(self.checkpoints(run) / ".lock", wait=True):
            yield
            if self.finished(run):
                shutil.rmtree(self.checkpoints(run), ignore_errors=True)

    def scores(self, run: str) -> pd.DataFrame:
        """The rows of a finished run in the long table."""
        return read_parquet(self.folder / "runs" / run / "scores.parquet")

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The long table of all finished runs and the runs table.

        scores.parquet is read where it holds just the finished runs, and else each of them; other backtests may be at
        work in the folder.
        """
        records = self._records()
        finished = [record["run"] for record in records if record["status"] == "finished"]
        written = self.folder / "scores.parquet"
        scores = read_parquet(written) if _is_table(written) else None
        if scores is None or list(scores["run"].unique()) != finished:
            scores = join_scores(self.scores(run) for run in finished)
        return scores, runs_table(records)

    def consolidate(self) -> None:
        """Write scores.parquet and runs.parquet anew from all runs."""
        scores, runs = self.tables()
        _write_parquet(scores, self.folder / "scores.parquet")
        _write_parquet(runs, self.folder / "runs.parquet")

    def _records(self) -> list[RunRecord]:
        paths = sorted((self.folder / "runs").glob(f"*/{_RECORD}"))
        records = [record for path in paths if (record := self.record(path.parent.name)) is not None]
        return sorted(records, key=lambda record: record["started"])

    @contextmanager
    def _kept(self, record: RunRecord) -> Iterator[Path]:
        """A folder to write the tables of a run into; with its record it takes its place among the runs."""
        run = record["run"]
        # Beside the checkpoints, with which it goes if the process dies before it is moved.
        with whole_folder(self.folder / "runs" / run, aside=self.checkpoints(run) / f"result.{os.getpid()}") as aside:
            yield aside
            (aside / _RECORD).write_text(json.dumps(record, indent=2))


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
    with whole_file(path) as aside:
        table.to_parquet(aside, index=False)


def _write_json(data: object, path: Path) -> None:
    with whole_file(path) as aside:
        aside.write_text(json.dumps(data, indent=1))


def _is_table(path: Path) -> bool:
    """Whether a table is there and has its end, which is written last and says what is in it."""
    try:
        pyarrow.parquet.read_metadata(path)
    except (OSError, ValueError):
        return False
    return True
