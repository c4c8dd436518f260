"""What a backtest tells while it runs: a line a run, and on a terminal what it is busy with."""

from __future__ import annotations

import math

from rich.console import Console

from .run import Result, Run


class Progress:
    """Writes to standard error, so that tables on standard output stay clean.

    Models draw their own progress bars while they train; the lines stand between those, so that nothing has to
    be redrawn.

    Arguments:
        total: the number of runs.
        quiet: whether to say nothing.
    """

    def __init__(self, total: int, quiet: bool = False) -> None:
        self.total, self.number = total, 0
        self.console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
        self._label = ""

    def start(self, run: Run) -> None:
        """Announce a run."""
        self.number += 1
        dataset = run.data.metadata.name
        self._label = f"[{self.number}/{self.total}] {run.model_name} on {dataset}, seed {run.seed}"

    def step(self, what: str) -> None:
        """Say what the run does now; on a terminal only."""
        if self.console.is_terminal:
            self.console.print(f"{self._label}: {what} …", style="dim", markup=False)

    def known(self) -> None:
        """The run was done before."""
        self._line("already done", "dim")

    def finished(self, result: Result) -> None:
        """The run is done."""
        overall = result.scores[result.scores[["window", "item_id", "step"]].isna().all(axis=1)]
        values = dict(zip(overall["metric"], overall["value"], strict=True))
        shown = [
            f"{label} {values[name]:.4g}"
            for name, label in (("crps_sum", "CRPS-sum"), ("crps", "CRPS"))
            if not math.isnan(values.get(name, math.nan))
        ]
        seconds = sum(result.record[f"seconds_{part}"] for part in ("train", "predict", "score"))
        self._line(", ".join([*shown, f"{seconds:.1f} s"]), "green")

    def failed(self, error: str) -> None:
        """The run failed."""
        self._line(f"FAILED, {error}", "red")

    def _line(self, text: str, style: str) -> None:
        self.console.print(f"{self._label}: {text}", style=style, markup=False)
