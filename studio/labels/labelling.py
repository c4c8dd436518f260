"""The labels of a catalogue as they stand: what its table says, and what people changed since."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy import func, select

from ...datasets.pictures.catalogue import MISSING_WORDS, Article, Catalogue
from ...datasets.pictures.source import Source
from ...runtime.plain import Plain
from ..database.open import Database
from ..database.tables import CurrentLabel, LedgerEntry
from .ledger import Labels, read, require_label

ITEM_ID = "item_id"
"""The column of item ids in tables that are exported and brought back."""

SEPARATOR = "|"
"""What stands between several labels of a cell."""

_CHOICES = 60
"""Labels at most of a column that a form offers as a filter."""


@dataclass(frozen=True)
class Standing:
    """The changed labels at a moment.

    Arguments:
        stamp: tells one moment from another.
        changed: task -> item id -> version and labels.
    """

    stamp: tuple[int, int]
    changed: dict[str, dict[str, tuple[int, Labels]]]

    def labels(self, task: str, article: Article) -> Labels:
        """The labels of an article in a task."""
        found = self.changed.get(task, {}).get(article.item_id)
        return article.labels.get(task, ()) if found is None else found[1]

    def version(self, task: str, item_id: str) -> int:
        """How often the labels of an article were changed in a task."""
        return self.changed.get(task, {}).get(item_id, (0, ()))[0]


class Labelling:
    """The labels of a catalogue, and where they are changed.

    Arguments:
        source: the catalogue.
        data: by what name it was opened.
        database: of the studio.

    Raises:
        ValueError: a label column is called like that of item ids.
    """

    def __init__(self, source: Source, data: str, database: Database) -> None:
        self.source, self.data, self.database = source, data, database
        self.tasks = source.catalogue.columns
        if ITEM_ID in self.tasks:
            raise ValueError(f"labels: expected columns of other names than {ITEM_ID!r}, by which articles are found")
        self._lock = threading.Lock()
        self._standing = Standing((-1, -1), {})

    @cached_property
    def rows(self) -> dict[str, int]:
        """Item id -> its number in the catalogue."""
        return {item: row for row, item in enumerate(self.source.catalogue.item_ids)}

    def article(self, item_id: str) -> Article:
        """An article of the catalogue, as its table has it.

        Raises:
            ValueError: there is none of this name.
        """
        if item_id not in self.rows:
            raise ValueError(f"item: expected an article of the catalogue, got {item_id[:100]!r}")
        return self.source.catalogue.articles[self.rows[item_id]]

    def require_task(self, task: str) -> str:
        """A label column of the catalogue.

        Raises:
            ValueError: there is none of this name.
        """
        if task not in self.tasks:
            raise ValueError(f"task: expected one of {', '.join(self.tasks)}; got {task[:100]!r}")
        return task

    def told(self, task: str, item_id: str) -> Labels:
        """What the table says of an article in a task."""
        return self.article(item_id).labels.get(task, ())

    @cached_property
    def choices(self) -> dict[str, list[str]]:
        """Label columns of few labels and these, as the table has them: by them photos can be filtered."""
        return {task: sorted(labels) for task, labels in self._told_labels.items() if 1 < len(labels) <= _CHOICES}

    def known_labels(self, task: str, standing: Standing) -> set[str]:
        """The labels of a column: those of the table, and those that people have given."""
        changed = standing.changed.get(task, {}).values()
        return {*self._told_labels[task], *(label for _, labels in changed for label in labels)}

    def typed_label(self, task: str, standing: Standing, text: str) -> str:
        """A label that somebody typed: one that the column has, or one that tables can hold, see `require_label`.

        Raises:
            ValueError: it is neither.
        """
        known = self.known_labels(task, standing)
        return next((each for each in (text, text.strip()) if each in known), None) or require_label(text)

    @cached_property
    def _told_labels(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {task: set() for task in self.tasks}
        for article in self.source.catalogue.articles:
            for task, labels in article.labels.items():
                found[task].update(labels)
        return found

    @property
    def standing(self) -> Standing:
        """What stands now; read from the database where somebody has changed something since it was last asked."""
        with self.database.reading() as session:
            # The number of entries too: of two that are written at once the later number may be seen first.
            count, last = session.execute(select(func.count(LedgerEntry.id), func.max(LedgerEntry.id))).one()
            stamp = (int(count), int(last or 0))
            with self._lock:
                if self._standing.stamp == stamp:
                    return self._standing
            changed: dict[str, dict[str, tuple[int, Labels]]] = {}
            for task, item_id, version, labels in session.execute(
                select(CurrentLabel.task, CurrentLabel.item_id, CurrentLabel.version, CurrentLabel.labels)
            ):
                changed.setdefault(task, {})[item_id] = (version, read(labels))
        found = Standing(stamp, changed)
        with self._lock:
            if found.stamp > self._standing.stamp:
                self._standing = found
        return found

    def catalogue(self, standing: Standing | None = None) -> Catalogue:
        """The catalogue with the labels that stand."""
        standing = standing or self.standing
        touched = {item for of_task in standing.changed.values() for item in of_task}
        if not touched:
            return self.source.catalogue
        return replace(
            self.source.catalogue,
            articles=tuple(
                article if article.item_id not in touched else relabelled(article, self.tasks, standing)
                for article in self.source.catalogue.articles
            ),
        )


class LabelReader:
    """Labels as files tell them.

    What the catalogue has, or somebody gave, is always a label: an export that is brought back unchanged changes
    nothing, be a label called ``NA`` or hold signs that nobody could type.

    Arguments:
        labelling: the catalogue.
        standing: its labels as they stand.
    """

    def __init__(self, labelling: Labelling, standing: Standing) -> None:
        self.labelling, self.standing = labelling, standing
        self._known: dict[str, set[str]] = {}

    def of_cell(self, task: str, item: str, cell: Plain, where: str) -> Labels:
        """The labels of a cell: several in a text have ``|`` between them, none is ``null``, see `of_parts`."""
        if isinstance(cell, str):
            return self.of_parts(task, item, [cell] if cell in self._labels(task) else cell.split(SEPARATOR), where)
        return self.of_parts(task, item, cell if isinstance(cell, list) else [] if cell is None else [cell], where)

    def of_parts(self, task: str, item: str, parts: Iterable[Plain], where: str) -> Labels:
        """The labels of an article in a column.

        Arguments:
            task: the column.
            item: the article.
            parts: what the file has: texts, or finite numbers, which are texts to a catalogue too. Empty texts and
                words that mean "nobody said" are left out, unless the column has such a label.
            where: the place in the file, for the message.

        Raises:
            ValueError: a part is something else or no label, or there are several in a column of one label an article
                that does not have these.
        """
        labels = tuple(dict.fromkeys(label for part in parts for label in self._label(task, part, where)))
        several = len(labels) > 1 and task not in self.labelling.source.facets
        if several and set(labels) != set(self.standing.labels(task, self.labelling.article(item))):
            raise ValueError(f"{task}: expected at most one label, got {len(labels)} in {where}")
        return labels

    def _label(self, task: str, part: Plain, where: str) -> Labels:
        texts = _texts(part, task, where)
        if known := [text for text in texts if text in self._labels(task)]:
            return (known[0],)
        return () if texts[-1] in MISSING_WORDS else (require_label(texts[-1], task, f" in {where}"),)

    def _labels(self, task: str) -> set[str]:
        if task not in self._known:
            self._known[task] = self.labelling.known_labels(task, self.standing)
        return self._known[task]


def _texts(part: Plain, task: str, where: str) -> tuple[str, ...]:
    """The texts that a part may stand for; the last is what it stands for where no label is known."""
    if isinstance(part, str):
        return (part, part.strip())
    if isinstance(part, int) and not isinstance(part, bool):
        return (str(part),)
    if isinstance(part, float) and math.isfinite(part):
        return (str(part), str(int(part))) if part.is_integer() else (str(part),)
    shown = json.dumps(part, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()[:60]
    raise ValueError(f"{task}: expected a text, got {shown} in {where}")


def relabelled(article: Article, tasks: tuple[str, ...], standing: Standing) -> Article:
    """An article with the labels that stand."""
    return replace(article, labels={task: standing.labels(task, article) for task in tasks})
