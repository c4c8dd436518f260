"""Labels from a file that was exported, changed elsewhere and brought back: a table, or JSON of other programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from ...runtime.plain import Plain, PlainObject
from ...runtime.reading.json_files import parsed_json
from ...runtime.reading.records import csv_records, json_records
from .exports import SEPARATOR
from .fiftyone import read_fiftyone
from .label_studio import read_label_studio
from .labelling import Labelling, Standing
from .ledger import Labels, Wish

ENDINGS = (".jsonl", ".csv", ".json")

Told = dict[str, dict[str, Labels]]
"""Label column -> item id -> labels."""


@dataclass(frozen=True, eq=False)
class BroughtFile:
    """A file that waits until somebody says that its new labels are meant.

    Arguments:
        name: of the file.
        content: of the file.
        task: the label column of which a file of FiftyOne is.
        why: labels are to change, in the words of who brought it.
    """

    name: str
    content: bytes
    task: str
    why: str


@dataclass(frozen=True)
class NewLabel:
    """A label that a file brings and no article has.

    Arguments:
        label: it.
        articles: how many of the file have it.
        near: known labels that are spelt alike, of which it may be a slip of the pen.
    """

    label: str
    articles: int
    near: tuple[str, ...]


def told_by(labelling: Labelling, name: str, content: bytes, task: str = "") -> Told:
    """What a file says of labels; the rest of it is not looked at.

    A table is as `hemline.studio.labels.exports` writes it. Of JSON, a list is of Label Studio, see
    `read_label_studio`, and an object of FiftyOne, see `read_fiftyone`.

    Arguments:
        labelling: the catalogue.
        name: of the file, which says what it is.
        content: of the file.
        task: the label column of which a file of FiftyOne is.

    Raises:
        ValueError: the file cannot be read, an article is not of the catalogue or stands there twice, or a label is
            none; the message names the line and the column.
    """
    ending = Path(name).suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(f"file: expected one that ends in {', '.join(ENDINGS)}; got {name[:100]!r}")
    if ending != ".json":
        return _table(labelling, name, content, ending)
    read = parsed_json(content, name[:100])
    if not isinstance(read, (list, dict)):
        raise ValueError(f"file: expected JSON of Label Studio or FiftyOne in {name[:100]!r}, got something else")
    return read_label_studio(labelling, read) if isinstance(read, list) else read_fiftyone(labelling, read, task)


def wishes_of(labelling: Labelling, standing: Standing, told: Told) -> dict[str, list[Wish]]:
    """A wish for each article whose labels would be others, by label column.

    Articles and columns that are left out stay as they are; an article without labels loses those that it has.

    Arguments:
        labelling: the catalogue.
        standing: its labels as they stand, which may change.
        told: what a file says.
    """
    return {
        column: [
            Wish(item, standing.version(column, item), labels)
            for item, labels in of_items.items()
            if set(labels) != set(standing.labels(column, labelling.article(item)))
        ]
        for column, of_items in told.items()
    }


def new_labels(labelling: Labelling, standing: Standing, told: Told) -> dict[str, list[NewLabel]]:
    """The labels that no article has, by column, in alphabetical order: more often than not slips of the pen.

    Arguments:
        labelling: the catalogue.
        standing: its labels as they stand.
        told: what a file says.
    """
    found = {}
    for column, of_items in told.items():
        counts = Counter(label for labels in of_items.values() for label in labels)
        known = labelling.known_labels(column, standing)
        some = [NewLabel(label, counts[label], near(label, known)) for label in sorted(set(counts) - known)]
        if some:
            found[column] = some
    return found


def near(label: str, known: Iterable[str]) -> tuple[str, ...]:
    """Known labels that are spelt like one, the nearest first.

    Example:
        >>> near("rde", ["red", "blue"])
        ('red',)
    """
    folded = {each.casefold(): each for each in known}
    return tuple(folded[each] for each in get_close_matches(label.casefold(), folded, n=3, cutoff=0.6))


def _table(labelling: Labelling, name: str, content: bytes, ending: str) -> Told:
    records = _records(name, content, ending)
    columns = {column for _, record in records for column in record}
    tasks = [task for task in labelling.tasks if task in columns]
    if "item_id" not in columns:
        raise ValueError(f"file: expected the column item_id, got none in {name[:100]!r}")
    if not tasks:
        wanted = ", ".join(labelling.tasks)
        raise ValueError(f"file: expected one of the columns {wanted}, got none in {name[:100]!r}")
    found: Told = {task: {} for task in tasks}
    lines: dict[str, int] = {}
    for number, record in records:
        where = f"line {number} of {name[:100]!r}"
        item = _item(record.get("item_id"), where)
        if item not in labelling.rows:
            raise ValueError(f"item_id: expected an article of the catalogue, got {item[:100]!r} in {where}")
        if lines.setdefault(item, number) != number:
            raise ValueError(f"item_id: expected each once, got {item[:100]!r} in line {lines[item]} and in {where}")
        for task in tasks:
            if task in record:
                found[task][item] = labelling.read_labels(task, _parts(record[task]), where)
    return found


def _records(name: str, content: bytes, ending: str) -> list[tuple[int, PlainObject]]:
    if ending == ".csv":
        return [(number, dict(record)) for number, record in csv_records(content, name)[1]]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"file: expected JSON lines in UTF-8, got {name[:100]!r}: {error}") from None
    read = json_records(text, f"file: expected a JSON record in each line of {name[:100]!r}")
    return [(number, cast("PlainObject", record)) for number, record in read]


def _item(cell: object, where: str) -> str:
    """The item id of a cell: a text, or a whole number of JSON."""
    if isinstance(cell, str) or (isinstance(cell, int) and not isinstance(cell, bool)):
        return str(cell)
    raise ValueError(f"item_id: expected a text, got {str(cell)[:60]} in {where}")


def _parts(cell: Plain) -> Sequence[Plain]:
    """The labels of a cell, which reads them: several in a text have ``|`` between them, none is ``null``."""
    if isinstance(cell, str):
        return cell.split(SEPARATOR)
    return cell if isinstance(cell, list) else [] if cell is None else [cell]
