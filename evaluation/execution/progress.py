"""What a backtest tells while it runs: a line a run, and on a terminal what it is busy with."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Column

from ..runs.records import RunRecord
from ..tables.table import overall_rows


class Progress:
    """Writes to standard error, so that tables on standard output stay clean.

    Where models train in this process they draw their own progress bars; the lines stand between those, so that
    nothing has to be redrawn. Where they train in workers, a bar beneath the lines shows how far the whole is.

    Arguments:
        total: the number of runs.
        quiet: whether to say nothing.
        bar: whether the runs are in workers, so that a bar can be drawn; on a terminal only.
    """

    def __init__(self, total: int, quiet: bool = False, bar: bool = False) -> None:
        self.total, self.ended = total, 0
        self.console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
        self._running: dict[str, str] = {}
        self._last = ""
        self._bar: Bar | None = None
        if bar and self.console.is_terminal and not quiet:
            columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
            column = Column(no_wrap=True, overflow="ellipsis", ratio=1)
            running = TextColumn("{task.description}", markup=False, table_column=column)
            self._bar = Bar(*columns, running, console=self.console, transient=True, expand=True)
            self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start(self, record: RunRecord) -> None:
        """A run begins."""
        self._last = self._running[record["run"]] = _label(record)
        self._draw()

    def step(self, what: str) -> None:
        """Say what the run that began last does now; on a terminal only, and where runs are in this process."""
        if self.console.is_terminal:
            self.console.print(f"[{self.ended + 1}/{self.total}] {self._last}: {what} …", style="dim", markup=False)

    def known(self, record: RunRecord) -> None:
        """The run was done before."""
        self._end(record, "already done", "dim")

    def finished(self, record: RunRecord, scores: pd.DataFrame) -> None:
        """The run is done."""
        overall = overall_rows(scores)
        values = dict(zip(overall["metric"], overall["value"], strict=True))
        shown = [
            f"{label} {values[name]:.4g}"
            for name, label in (("crps_sum", "CRPS-sum"), ("crps", "CRPS"))
            if not math.isnan(values.get(name, math.nan))
        ]
        seconds = record["seconds_train"] + record["seconds_predict"] + record["seconds_score"]
        self._end(record, ", ".join([*shown, f"{seconds:.1f} s"]), "green")

    def failed(self, record: RunRecord) -> None:
        """The run failed."""
        self._end(record, f"FAILED, {record['error']}", "red")

    def unmade(self, lines: Sequence[str], count: int) -> None:
        """Some runs could not be made; a line for those with the same reason."""
        self.ended += count
        for line in lines:
            self.console.print(line, style="red", markup=False)

    def retried(self, record: RunRecord) -> None:
        """The run is begun anew."""
        self._running.pop(record["run"], None)
        self.console.print(f"{_label(record)}: its worker died, begun anew", style="yellow", markup=False)

    def _end(self, record: RunRecord, text: str, style: str) -> None:
        self.ended += 1
        self._running.pop(record.get("run") or "", None)
        self.console.print(f"[{self.ended}/{self.total}] {_label(record)}: {text}", style=style, markup=False)
        self._draw()

    def _draw(self) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=self.ended, description="; ".join(self._running.values()))


def _label(record: RunRecord) -> str:
    return f"{record['model']} on {record['dataset']}, seed {record['seed']}"
