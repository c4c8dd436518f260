"""The catalogue with the labels as they stand, in forms that `read_catalogue` and other programs read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from sqlalchemy import select

from ...runtime.texts import spreadsheet_text, toml_value
from ..database.tables import LedgerEntry
from .labelling import ITEM_ID, SEPARATOR, Labelling, Standing

_AT_ONCE = 1000


def other_columns(labelling: Labelling) -> dict[str, str]:
    """How tables call the columns beside the labels: ``images``, ``text`` and ``side``, unless a label is called so."""
    found = {}
    for name in ("images", "text", "side"):
        column = name
        while column in labelling.tasks:
            column += "_"
        found[name] = column
    return found


def catalogue_rows(labelling: Labelling, standing: Standing) -> Iterator[dict[str, object]]:
    """A record for each article: item id, photos, labels, text and side, as `read_catalogue` reads them."""
    columns = other_columns(labelling)
    for article in labelling.source.catalogue.articles:
        row: dict[str, object] = {ITEM_ID: article.item_id, columns["images"]: list(article.images)}
        for task in labelling.tasks:
            labels = list(standing.labels(task, article))
            # A text is cut at the sign between labels, a list is not.
            several = task in labelling.source.facets or len(labels) > 1 or any(SEPARATOR in each for each in labels)
            row[task] = labels if several else labels[0] if labels else None
        row[columns["text"]] = article.text
        if article.side is not None:
            row[columns["side"]] = article.side
        yield row


def as_jsonl(labelling: Labelling) -> Iterator[str]:
    """The catalogue as JSON lines."""
    for row in catalogue_rows(labelling, labelling.standing):
        yield json.dumps(row, ensure_ascii=False) + "\n"


def as_csv(labelling: Labelling) -> Iterator[str]:
    """The catalogue as CSV, several photos or labels in a cell with ``|`` between.

    Raises:
        ValueError: a label or the name of a photo holds that sign, so that a cell would be read as others.
    """
    standing = labelling.standing
    for article in labelling.source.catalogue.articles:
        cells = {"images": article.images, **{task: standing.labels(task, article) for task in labelling.tasks}}
        for column, texts in cells.items():
            if wrong := [text for text in texts if SEPARATOR in text]:
                raise ValueError(
                    f"{column}: expected none with {SEPARATOR!r} for CSV, got {wrong[0][:100]!r} of "
                    f"{article.item_id[:100]!r}; catalogue.jsonl takes it"
                )
    return _csv_lines(labelling, standing)


def _csv_lines(labelling: Labelling, standing: Standing) -> Iterator[str]:
    others = other_columns(labelling)
    columns = [ITEM_ID, others["images"], *labelling.tasks, others["text"]]
    if any(article.side is not None for article in labelling.source.catalogue.articles):
        columns.append(others["side"])
    yield _line(columns)
    for row in catalogue_rows(labelling, standing):
        yield _line([_cell(row.get(column)) for column in columns])


def description(labelling: Labelling, table: str) -> str:
    """The TOML file by which `hemline vision` reads an exported table.

    Arguments:
        labelling: the catalogue.
        table: the name of the file.
    """
    others = other_columns(labelling)
    lines = [f"table = {toml_value(table)}", *(f"{key} = {toml_value(others[key])}" for key in ("images", "text"))]
    lines.append(f"labels = {toml_value(list(labelling.tasks))}")
    if labelling.source.facets:
        lines.append(f"facets = {toml_value(list(labelling.source.facets))}")
    if all(article.side is not None for article in labelling.source.catalogue.articles):
        lines.append(f"side = {toml_value(others['side'])}")
    # An article without a label has an empty cell, and a label may be called as other tables call "nobody said".
    lines.append("missing = []")
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
    # By this end of a line both of its signs are quoted in a cell.
    csv.writer(file, lineterminator="\r\n").writerow(cells)
    return file.getvalue().removesuffix("\r\n") + "\n"
