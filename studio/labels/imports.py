"""Labels from a file that was exported, changed elsewhere and brought back: a table, or JSON of other programs."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from ...runtime.plain import PlainObject
from ...runtime.reading.json_files import parsed_json
from ...runtime.reading.records import csv_records, json_records
from .fiftyone import read_fiftyone
from .label_studio import read_label_studio
from .labelling import ITEM_ID, Labelling, LabelReader, Standing
from .ledger import Labels, Wish

ENDINGS = (".jsonl", ".csv", ".json")

Told = dict[str, dict[str, Labels]]
"""Label column -> item id -> labels."""


_NEW = 1000
"""New labels of a column that a file may bring; one with more has other things in that column."""

_HIDDEN = str.maketrans("", "", "\ufeff\u200b\u200c\u200d\u2060")
"""Signs that nobody sees in the name of a column."""


@dataclass(frozen=True, eq=False)
class BroughtFile:
    """A file that waits until somebody says that its new labels are meant.

    Arguments:
        name: of the file.
        why: labels are to change, in the words of who brought it.
        wishes: what it wants labels to be, by column; what others change meanwhile is in conflict with it.
        fresh: its new labels, by column.
    """

    name: str
    why: str
    wishes: dict[str, list[Wish]]
    fresh: dict[str, list[NewLabel]]


@dataclass(frozen=True)
class NewLabel:
    """A label that a file brings and no article has.

    Arguments:
        label: it.
        articles: how many of the file have it.
    """

    label: str
    articles: int

    def signs(self, known: Iterable[str]) -> tuple[str, ...]:
        """The names of its signs beyond ASCII that no known label has: they may look like others.

        Example:
            >>> NewLabel("r\u0435d", 1).signs({"red"})
            ('CYRILLIC SMALL LETTER IE',)
        """
        usual = {sign for label in known for sign in label}
        own = [sign for sign in dict.fromkeys(self.label) if sign > "~" and sign not in usual]
        return tuple(unicodedata.name(sign, f"U+{ord(sign):04X}") for sign in own)


def told_by(labelling: Labelling, standing: Standing, name: str, content: bytes, task: str = "") -> Told:
    """What a file says of labels; the rest of it is not looked at.

    A table is as `hemline.studio.labels.exports` writes it. Of JSON, a list is of Label Studio, see
    `read_label_studio`, and an object of FiftyOne, see `read_fiftyone`.

    Arguments:
        labelling: the catalogue.
        standing: its labels as they stand.
        name: of the file, which says what it is.
        content: of the file.
        task: the label column of which a file of FiftyOne is.

    Raises:
        ValueError: the file cannot be read, an article is not of the catalogue or stands there twice, or a label is
            none; the message names the line and the column.
    """
    ending, reader = Path(name).suffix.lower(), LabelReader(labelling, standing)
    if ending not in ENDINGS:
        raise ValueError(f"file: expected one that ends in {', '.join(ENDINGS)}; got {name[:100]!r}")
    if ending != ".json":
        return _table(reader, name, content, ending)
    read = parsed_json(content, name[:100])
    if not isinstance(read, (list, dict)):
        raise ValueError(f"file: expected JSON of Label Studio or FiftyOne in {name[:100]!r}, got something else")
    try:
        return read_label_studio(reader, read) if isinstance(read, list) else read_fiftyone(reader, read, task)
    except ValueError as error:
        raise ValueError(f"{error}; file {name[:100]!r}") from None


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

    Raises:
        ValueError: a column has more than 1,000 of them.
    """
    found = {}
    for column, of_items in told.items():
        counts = Counter(label for labels in of_items.values() for label in labels)
        fresh = sorted(set(counts) - labelling.known_labels(column, standing))
        if len(fresh) > _NEW:
            raise ValueError(
                f"{column}: expected at most {_NEW} labels that no article has, got {len(fresh)}, such as {fresh[0]!r}"
            )
        if fresh:
            found[column] = [NewLabel(label, counts[label]) for label in fresh]
    return found


def near(label: str, known: Iterable[str]) -> tuple[str, ...]:
    """Known labels that are spelt like one, the nearest first.

    Example:
        >>> near("rde", ["red", "blue"])
        ('red',)
    """
    folded = {each.casefold(): each for each in known}
    return tuple(folded[each] for each in get_close_matches(label.casefold(), folded, n=3, cutoff=0.6))


def _table(reader: LabelReader, name: str, content: bytes, ending: str) -> Told:
    labelling = reader.labelling
    columns, records = _records(name, content, ending)
    tasks = [task for task in labelling.tasks if task in columns]
    alike = {_plain(task): task for task in (ITEM_ID, *labelling.tasks)}
    for column in columns:
        meant = alike.get(_plain(column), column)
        if meant not in columns:
            raise ValueError(f"file: expected the column {meant!r}, got {column[:100]!r} in {name[:100]!r}")
    if ITEM_ID not in columns:
        got = ", ".join(each[:40] for each in list(columns)[:6])
        raise ValueError(f"file: expected the column {ITEM_ID}, got {got or 'none'} in {name[:100]!r}")
    if not tasks:
        wanted = ", ".join(labelling.tasks)
        raise ValueError(f"file: expected one of the columns {wanted}, got none in {name[:100]!r}")
    found: Told = {task: {} for task in tasks}
    lines: dict[str, int] = {}
    for number, record in records:
        where = f"line {number} of {name[:100]!r}"
        item = _item(record.get(ITEM_ID), where)
        if item not in labelling.rows:
            raise ValueError(f"{ITEM_ID}: expected an article of the catalogue, got {item[:100]!r} in {where}")
        if lines.setdefault(item, number) != number:
            raise ValueError(f"{ITEM_ID}: expected each once, got {item[:100]!r} in line {lines[item]} and in {where}")
        for task in tasks:
            if task in record:
                found[task][item] = reader.of_cell(task, item, record[task], where)
    return found


def _plain(column: str) -> str:
    """The name of a column as people see it."""
    return column.translate(_HIDDEN).strip().casefold()


def _records(name: str, content: bytes, ending: str) -> tuple[Mapping[str, None], list[tuple[int, PlainObject]]]:
    """The columns in their order, and the records."""
    if ending == ".csv":
        columns, rows = csv_records(content, name)
        return dict.fromkeys(columns), [(number, dict(record)) for number, record in rows]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        wrong = f"a byte {content[error.start]:#04x} in line {line} of {name[:100]!r}"
        raise ValueError(f"file: expected JSON lines in UTF-8, got {wrong}") from None
    read = json_records(text, f"file: expected a JSON record in each line of {name[:100]!r}")
    fields = dict.fromkeys(field for _, record in read for field in record)
    return fields, [(number, cast("PlainObject", record)) for number, record in read]


def _item(cell: object, where: str) -> str:
    """The item id of a cell: a text, or a whole number of JSON."""
    if isinstance(cell, str) or (isinstance(cell, int) and not isinstance(cell, bool)):
        return str(cell)
    raise ValueError(f"{ITEM_ID}: expected a text, got {str(cell)[:60]} in {where}")
