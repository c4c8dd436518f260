"""The catalogue with the labels as they stand, in forms that `read_catalogue` and other programs read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from sqlalchemy import select

from ...runtime.texts import spreadsheet_text, toml_value
from ..database.tables import LedgerEntry
from .labelling import Labelling, Standing

SEPARATOR = "|"
"""What stands between several labels of a cell."""

_AT_ONCE = 1000


def catalogue_rows(labelling: Labelling, standing: Standing) -> Iterator[dict[str, object]]:
    """A record for each article: item id, photos, labels, text and side, as `read_catalogue` reads them."""
    for article in labelling.source.catalogue.articles:
        row: dict[str, object] = {"item_id": article.item_id, "images": list(article.images)}
        for task in labelling.tasks:
            labels = list(standing.labels(task, article))
            row[task] = labels if task in labelling.source.facets else labels[0] if labels else None
        row["text"] = article.text
        if article.side is not None:
            row["side"] = article.side
        yield row


def as_jsonl(labelling: Labelling) -> Iterator[str]:
    """The catalogue as JSON lines."""
    for row in catalogue_rows(labelling, labelling.standing):
        yield json.dumps(row, ensure_ascii=False) + "\n"


def as_csv(labelling: Labelling) -> Iterator[str]:
    """The catalogue as CSV, several photos or labels in a cell with ``|`` between."""
    columns = ["item_id", "images", *labelling.tasks, "text"]
    if any(article.side is not None for article in labelling.source.catalogue.articles):
        columns.append("side")
    yield _line(columns)
    for row in catalogue_rows(labelling, labelling.standing):
        yield _line([_cell(row.get(column)) for column in columns])


def description(labelling: Labelling, table: str) -> str:
    """The TOML file by which `hemline vision` reads an exported table.

    Arguments:
        labelling: the catalogue.
        table: the name of the file.
    """
    lines = [f"table = {toml_value(table)}", 'images = "images"', 'text = "text"']
    lines.append(f"labels = {toml_value(list(labelling.tasks))}")
    if labelling.source.facets:
        lines.append(f"facets = {toml_value(list(labelling.source.facets))}")
    if all(article.side is not None for article in labelling.source.catalogue.articles):
        lines.append('side = "side"')
    return "\n".join(lines) + "\n"


def ledger_csv(labelling: Labelling) -> Iterator[str]:
    """All changes of labels, the oldest first, for a spreadsheet."""
    columns = ("id", "at", "who", "task", "item_id", "version", "before", "after", "why", "undoes")
    yield _line(columns)
    last = 0
    while True:
        with labelling.database.reading() as session:
            found = session.scalars(
                select(LedgerEntry).where(LedgerEntry.id > last).order_by(LedgerEntry.id).limit(_AT_ONCE)
            ).all()
        for entry in found:
            yield _line([spreadsheet_text(_cell(getattr(entry, name))) for name in columns])
            last = entry.id
        if len(found) < _AT_ONCE:
            return


def _cell(value: object) -> str:
    if value is None:
        return ""
    return SEPARATOR.join(map(str, value)) if isinstance(value, list) else str(value)


def _line(cells: tuple[str, ...] | list[str]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerow(cells)
    return file.getvalue()
