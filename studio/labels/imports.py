"""Labels from a file that was exported, changed elsewhere and brought back: a table, or JSON of other programs."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from ...datasets.pictures.catalogue import CatalogueTable, read_catalogue
from ...datasets.pictures.table_rows import read_rows
from ...runtime.reading.json_files import parsed_json
from .fiftyone import read_fiftyone
from .label_studio import read_label_studio
from .labelling import Labelling, Standing
from .ledger import Labels, Wish, require_label

ENDINGS = (".jsonl", ".csv", ".json")


def wishes_of(
    labelling: Labelling, standing: Standing, name: str, content: bytes, task: str = "", new: bool = False
) -> dict[str, list[Wish]]:
    """What a file wants labels to be; the rest of it is not looked at.

    A table is as `hemline.studio.labels.exports` writes it: articles and label columns that it leaves out stay as they
    are, an empty cell takes labels away. Of JSON, a list is of Label Studio, see `read_label_studio`, and an object of
    FiftyOne, see `read_fiftyone`.

    Arguments:
        labelling: the catalogue.
        standing: its labels as they stand, which the file may change.
        name: of the file, which says what it is.
        content: of the file.
        task: the label column of which a file of FiftyOne is.
        new: whether labels may be new ones; a label that no article has is more often a slip of the pen.

    Returns:
        Task -> a wish for each article whose labels would be others.

    Raises:
        ValueError: the file cannot be read, an article is not of the catalogue, a label is none, or one is new.
    """
    ending = Path(name).suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(f"file: expected one that ends in {', '.join(ENDINGS)}; got {name[:100]!r}")
    if ending == ".json":
        read = parsed_json(content, name[:100])
        if not isinstance(read, (list, dict)):
            raise ValueError(f"file: expected JSON of Label Studio or FiftyOne in {name[:100]!r}, got something else")
        found = read_label_studio(labelling, read) if isinstance(read, list) else read_fiftyone(labelling, read, task)
    else:
        found = _table(labelling, name, content, ending)
    if not new:
        _require_known(labelling, standing, found)
    wishes: dict[str, list[Wish]] = {}
    for column, told in found.items():
        wishes[column] = []
        for item, labels in told.items():
            if column not in labelling.source.facets and len(labels) > 1:
                raise ValueError(f"{column}: expected at most one label of {item!r}, got {len(labels)}")
            if labels != standing.labels(column, labelling.article(item)):
                wishes[column].append(Wish(item, standing.version(column, item), labels))
    return wishes


def new_labels(labelling: Labelling, standing: Standing, told: dict[str, dict[str, Labels]]) -> dict[str, list[str]]:
    """The labels that no article has, by column, in alphabetical order.

    Arguments:
        labelling: the catalogue.
        standing: its labels as they stand.
        told: task -> item id -> labels.
    """
    found = {}
    for column, of_items in told.items():
        some = {label for labels in of_items.values() for label in labels} - labelling.known_labels(column, standing)
        if some:
            found[column] = sorted(some)
    return found


def _require_known(labelling: Labelling, standing: Standing, found: dict[str, dict[str, Labels]]) -> None:
    for column, some in new_labels(labelling, standing, found).items():
        first = next(item for item, labels in found[column].items() if some[0] in labels)
        names = ", ".join(repr(label[:100]) for label in some[:5])
        raise ValueError(
            f"{column}: expected labels that articles have, got {len(some)} new: {names} (such as of {first[:100]!r}); "
            "say that new labels are meant to take them"
        )


def _table(labelling: Labelling, name: str, content: bytes, ending: str) -> dict[str, dict[str, Labels]]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"labels{ending}"
        place.write_bytes(content)
        if ending == ".csv":
            _require_whole_lines(content, name)
        try:
            known = {column for row in read_rows(str(place)) for column in row}
            _require_texts(read_rows(str(place)), labelling.tasks)
            tasks = tuple(task for task in labelling.tasks if task in known)
            if not tasks:
                raise ValueError(f"file: expected one of the columns {', '.join(labelling.tasks)}, got none")
            read = read_catalogue(str(place), columns=CatalogueTable(images=None, labels=_told(place, tasks)))
        except ValueError as error:
            raise ValueError(str(error).replace(str(place), name[:100])) from None
    return {
        task: {
            article.item_id: tuple(require_label(label) for label in article.labels.get(task, ()))
            for article in read.articles
        }
        for task in tasks
    }


def _require_whole_lines(content: bytes, name: str) -> None:
    """Refuse a table whose lines are cut off: a cell that is missing would be read as one that is empty."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"file: expected CSV in UTF-8, got {name[:100]!r}: {error}") from None
    width = len(lines[0]) if lines else 0
    for number, line in enumerate(lines, start=1):
        if line and len(line) != width:
            raise ValueError(f"file: expected {width} cells in each line, got {len(line)} in line {number}")
        if any("\0" in cell for cell in line):
            raise ValueError(f"file: expected text without NUL, got some in line {number}")


def _require_texts(rows: list[dict[str, object]], tasks: tuple[str, ...]) -> None:
    """Refuse yes and no of JSON where labels are expected: a label is a word."""
    for number, row in enumerate(rows, start=1):
        for task in tasks:
            cell = row.get(task)
            if any(isinstance(part, bool) for part in (cell if isinstance(cell, list) else [cell])):
                raise ValueError(f"{task}: expected a text, got {str(cell)[:60]} in row {number}")


def _told(place: Path, tasks: tuple[str, ...]) -> tuple[str, ...]:
    """The label columns with a cell that is not empty, without which a catalogue is not read."""
    return tuple(task for task in tasks if any(row.get(task) not in (None, "", []) for row in read_rows(str(place))))
