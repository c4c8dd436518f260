"""Labels from a table that was exported, changed elsewhere and brought back."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ...datasets.pictures.catalogue import CatalogueTable, read_catalogue
from ...datasets.pictures.table_rows import read_rows
from .labelling import Labelling, Standing
from .ledger import Wish, require_label

ENDINGS = (".jsonl", ".csv")


def wishes_of(labelling: Labelling, standing: Standing, name: str, content: bytes) -> dict[str, list[Wish]]:
    """What a table wants labels to be, as `hemline.studio.labels.exports` writes it; the rest of it is not looked at.

    Articles and label columns that the table leaves out stay as they are; an empty cell takes labels away.

    Arguments:
        labelling: the catalogue.
        standing: its labels as they stand, which the table may change.
        name: of the file, which says whether it is CSV or JSON lines.
        content: of the file.

    Returns:
        Task -> a wish for each article whose labels would be others.

    Raises:
        ValueError: the file cannot be read, an article is not of the catalogue, or a label is none.
    """
    ending = Path(name).suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(f"file: expected one that ends in {' or '.join(ENDINGS)}, got {name[:100]!r}")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"labels{ending}"
        place.write_bytes(content)
        try:
            known = {column for row in read_rows(str(place)) for column in row}
            tasks = tuple(task for task in labelling.tasks if task in known)
            if not tasks:
                raise ValueError(f"file: expected one of the columns {', '.join(labelling.tasks)}, got none")
            found = read_catalogue(str(place), columns=CatalogueTable(images=None, labels=_told(place, tasks)))
        except ValueError as error:
            raise ValueError(str(error).replace(str(place), name[:100])) from None
    wishes: dict[str, list[Wish]] = {task: [] for task in tasks}
    for article in found.articles:
        before = labelling.article(article.item_id)
        for task in tasks:
            labels = tuple(require_label(label) for label in article.labels.get(task, ()))
            if task not in labelling.source.facets and len(labels) > 1:
                raise ValueError(f"{task}: expected at most one label of {article.item_id!r}, got {len(labels)}")
            if labels != standing.labels(task, before):
                wishes[task].append(Wish(article.item_id, standing.version(task, article.item_id), labels))
    return wishes


def _told(place: Path, tasks: tuple[str, ...]) -> tuple[str, ...]:
    """The label columns with a cell that is not empty, without which a catalogue is not read."""
    return tuple(task for task in tasks if any(row.get(task) not in (None, "", []) for row in read_rows(str(place))))
