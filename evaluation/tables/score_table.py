"""A table of scores, ready to be written."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from ...runtime.display.numbers import figure
from ...runtime.display.showing import html_table
from ...runtime.texts import markdown_cell, markdown_text, spreadsheet_text
from .published import SOURCES

_LATEX = {
    "\\": r"\textbackslash{}",
    "±": r"$\pm$",
    "–": "--",
    "Σ": r"$\Sigma$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
} | {character: f"\\{character}" for character in "_%&#${}"}


def as_markdown(table: ScoreTable) -> str:
    """A Markdown table, best numbers bold, published rows in italics beneath.

    Arguments:
        table: the table.

    Returns:
        Lines joined by newlines; columns are padded, so that it reads well unrendered too.
    """
    lines = [["model", *table.columns]]
    lines += [[model, *(_markdown(cell) for cell in cells)] for model, cells in table.rows.items()]
    lines += [[f"*{model}, published*", *values] for model, values in table.published.items()]
    lines = [[markdown_cell(text) for text in line] for line in lines]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = ["| " + " | ".join(text.ljust(widths[i]) for i, text in enumerate(line)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (width + 1) + (":" if i else "-") for i, width in enumerate(widths)) + "|"
    notes = [""] * bool(table.notes) + [f"{markdown_text(note)}  " for note in table.notes]
    return "\n".join([markdown_text(table.title), "", rows[0], rule, *rows[1:], *notes]).rstrip()


def as_latex(table: ScoreTable) -> str:
    """A LaTeX table for the package booktabs, best numbers bold.

    Arguments:
        table: the table.

    Returns:
        A ``tabular`` environment and the notes as comments.
    """
    lines = [
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        _latex_row(["model", *table.columns]),
        r"\midrule",
    ]
    for model, cells in table.rows.items():
        texts = [rf"\textbf{{{_escape(cell.text)}}}" if cell.best else _escape(cell.text) for cell in cells]
        lines.append(" & ".join([_escape(model), *texts]) + r" \\")
    if table.published:
        lines.append(r"\midrule")
        lines += [_latex_row([f"{model}, published", *cells]) for model, cells in table.published.items()]
    lines += [r"\bottomrule", r"\end{tabular}"]
    title, *notes = (f"% {' '.join(text.split())}" for text in (table.title, *table.notes))
    return "\n".join([title, *lines, *notes])


def as_csv(table: ScoreTable) -> str:
    """A row a number, with all digits.

    Arguments:
        table: the table.

    Returns:
        Columns dataset (empty: over all), metric, model, column, mean, standard_error, low and high (ends of the
        interval, where there is one), seeds, failed, missing, source (empty for our own numbers). Where models are
        held against models there is no row of a model against itself.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    names = ["dataset", "metric", "model", "column", "mean", "standard_error", "low", "high", "seeds", "failed"]
    writer.writerow([*names, "missing", "source"])
    for model, cells in table.rows.items():
        for (dataset, metric), column, cell in zip(table.subjects, table.columns, cells, strict=True):
            if not dataset and model == column:
                continue
            ends = cell.interval or (math.nan, math.nan)
            numbers = ["" if math.isnan(number) else number for number in (cell.mean, cell.error, *ends)]
            place = map(spreadsheet_text, (dataset, metric, model, column))
            writer.writerow([*place, *numbers, cell.seeds, cell.failed, cell.missing, ""])
    for model, values in table.published.items():
        for subject, column, text in zip(table.subjects, table.columns, values, strict=True):
            if text != "–":
                value, _, key = text.rstrip("]").partition(" [")
                mean, _, error = value.partition(" ± ")
                place = map(spreadsheet_text, (*subject, model, column))
                writer.writerow([*place, mean, error, *[""] * 5, SOURCES[key]])
    return stream.getvalue().rstrip("\n")


def _markdown(cell: Cell) -> str:
    return f"**{cell.text}**" if cell.best else cell.text


def _latex_row(texts: list[str]) -> str:
    return " & ".join(_escape(text) for text in texts) + r" \\"


def _escape(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


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
        text = figure(self.mean, places, apart=(0.0, 1.0)) if self.share else f"{self.mean:.{places}f}"
        if self.interval is not None:
            text += f" [{self.interval[0]:.{places}f}, {self.interval[1]:.{places}f}]"
        elif not math.isnan(self.error):
            # What does not depend on the seed differs by rounding at most.
            text += " ± 0" if self.error < 1e-12 * abs(self.mean) or self.error == 0 else f" ± {self.error:.{places}f}"
        lacking = [f"{n} {what}" for n, what in ((self.failed, "failed"), (self.missing, "missing")) if n]
        return f"{text} ({', '.join(lacking)})" if lacking else text


@dataclass(frozen=True, repr=False)
class ScoreTable:
    """A table of scores, ready to be written; ``str(table)`` is Markdown, as is what a shell shows of it.

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

    def __repr__(self) -> str:
        return self.render()

    def _repr_html_(self) -> str:
        """The table in a notebook."""
        rows = [[model, *(cell.text for cell in cells)] for model, cells in self.rows.items()]
        best = {
            (row, 1 + column)
            for row, cells in enumerate(self.rows.values())
            for column, cell in enumerate(cells)
            if cell.best
        }
        rows += [[f"{model}, published", *cells] for model, cells in self.published.items()]
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return html_table(rows, self.title, ("model", *self.columns), bold=best) + notes
