"""A table of scores, ready to be written."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from .writers import as_csv, as_latex, as_markdown

Format = Literal["markdown", "latex", "csv"]
_WRITERS = {"markdown": as_markdown, "latex": as_latex, "csv": as_csv}


@dataclass(frozen=True)
class Cell:
    """One number of a table.

    Arguments:
        mean: over seeds; NaN where the metric is not defined.
        error: standard error of the mean over seeds; NaN for a single seed.
        seeds: the number of runs behind it, 0 where none finished.
        failed: the number of runs that failed.
        missing: the number of runs that a grid has still to run.
        best: whether it is among the best two of its column.
        share: whether it is a share of observations, written with three places.
        interval: its bounds, written in the place of the error, or ``None``.
    """

    mean: float = math.nan
    error: float = math.nan
    seeds: int = 0
    failed: int = 0
    missing: int = 0
    best: bool = False
    share: bool = False
    interval: tuple[float, float] | None = None

    @property
    def text(self) -> str:
        """Three significant digits (of a share three places) and interval or standard error, or why there are none."""
        if math.isnan(self.mean):
            why = "failed" if self.failed else "missing" if self.missing else "–"
            return "–" if self.seeds else why
        fixed = self.share or self.mean == 0 or math.isinf(self.mean)
        places = 3 if fixed else max(0, 2 - math.floor(math.log10(abs(self.mean))))
        text = f"{self.mean:.{places}f}"
        if self.interval is not None:
            text += f" [{self.interval[0]:.{places}f}, {self.interval[1]:.{places}f}]"
        elif not math.isnan(self.error):
            # What does not depend on the seed differs by rounding at most.
            text += " ± 0" if self.error < 1e-12 * abs(self.mean) or self.error == 0 else f" ± {self.error:.{places}f}"
        lacking = [f"{n} {what}" for n, what in ((self.failed, "failed"), (self.missing, "missing")) if n]
        return f"{text} ({', '.join(lacking)})" if lacking else text


@dataclass(frozen=True)
class ScoreTable:
    """A table of scores, ready to be written; ``str(table)`` is Markdown.

    Arguments:
        title: what the numbers are.
        columns: headings: datasets, metrics, or the models that those of the rows are held against.
        subjects: of each column the dataset and the metric of its numbers; an empty dataset stands for all of them.
        rows: model to its cells, in the order of the columns.
        published: method to its published numbers, in the order of the columns; empty where there are none.
        notes: what a reader has to know.
    """

    title: str
    columns: tuple[str, ...]
    subjects: tuple[tuple[str, str], ...]
    rows: dict[str, tuple[Cell, ...]]
    published: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def render(self, format: Format = "markdown") -> str:
        """The table as text.

        Arguments:
            format: ``"markdown"``, ``"latex"`` (with booktabs) or ``"csv"`` (a row a number, all digits).

        Returns:
            The text, without a newline at its end.

        Raises:
            ValueError: the format is unknown.
        """
        if format not in _WRITERS:
            raise ValueError(f"format: expected one of {', '.join(_WRITERS)}, got {format!r}")
        return _WRITERS[format](self)

    def __str__(self) -> str:
        return self.render()
