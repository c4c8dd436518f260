"""What a backtest tells while it runs: a line a run, and a bar beneath them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from rich.console import Console

from ...runtime.display.bars import Bar, above_bars
from ..runs.records import RunRecord
from ..tables.table import overall_rows


class Progress:
    """Progress messages of a grid on standard error.

    A bar beneath the lines shows how far the whole is and what is busy, on a terminal and in a notebook.

    Arguments:
        total: the number of runs.
        quiet: whether to say nothing.
    """

    def __init__(self, total: int, quiet: bool = False) -> None:
        self.total, self.ended = total, 0
        self.console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
        self._running: dict[str, str] = {}
        self._last = ""
        self._bar = Bar(total, "runs", quiet=quiet)

    def __enter__(self) -> Progress:
        self._bar.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.__exit__(*error)

    def start(self, record: RunRecord) -> None:
        """A run begins."""
        self._last = self._running[record["run"]] = _label(record)
        self._draw()

    def step(self, what: str) -> None:
        """Say in the bar what the run that began last does now, where runs are in this process."""
        self._bar.busy(f"{self._last}: {what}")

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
            self._say(line, "red")

    def retried(self, record: RunRecord) -> None:
        """The run is begun anew."""
        self._running.pop(record["run"], None)
        self._say(f"{_label(record)}: its worker died, begun anew", "yellow")

    def _end(self, record: RunRecord, text: str, style: str) -> None:
        self.ended += 1
        self._running.pop(record.get("run") or "", None)
        self._say(f"[{self.ended}/{self.total}] {_label(record)}: {text}", style)
        self._draw()

    def _draw(self) -> None:
        self._bar.reach(self.ended)
        self._bar.busy("; ".join(self._running.values()))

    def _say(self, line: str, style: str) -> None:
        with above_bars():
            self.console.print(line, style=style, markup=False)


def _label(record: RunRecord) -> str:
    return f"{record['model']} on {record['dataset']}, seed {record['seed']}"
