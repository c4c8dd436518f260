"""How a table of scores is written: Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

from .published import SOURCES

if TYPE_CHECKING:
    from .score_table import Cell, ScoreTable

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
    lines = [[text.replace("|", r"\|") for text in line] for line in lines]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = ["| " + " | ".join(text.ljust(widths[i]) for i, text in enumerate(line)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (width + 1) + (":" if i else "-") for i, width in enumerate(widths)) + "|"
    notes = [""] * bool(table.notes) + [f"{note}  " for note in table.notes]
    return "\n".join([table.title, "", rows[0], rule, *rows[1:], *notes]).rstrip()


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
    return "\n".join([f"% {table.title}", *lines, *(f"% {note}" for note in table.notes)])


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
            writer.writerow([dataset, metric, model, column, *numbers, cell.seeds, cell.failed, cell.missing, ""])
    for model, values in table.published.items():
        for subject, column, text in zip(table.subjects, table.columns, values, strict=True):
            if text != "–":
                value, _, key = text.rstrip("]").partition(" [")
                mean, _, error = value.partition(" ± ")
                writer.writerow([*subject, model, column, mean, error, *[""] * 5, SOURCES[key]])
    return stream.getvalue().rstrip("\n")


def _markdown(cell: Cell) -> str:
    return f"**{cell.text}**" if cell.best else cell.text


def _latex_row(texts: list[str]) -> str:
    return " & ".join(_escape(text) for text in texts) + r" \\"


def _escape(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
