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
    """

    def __init__(self, source: Source, data: str, database: Database) -> None:
        self.source, self.data, self.database = source, data, database
        self.tasks = source.catalogue.columns
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

    def read_labels(self, task: str, parts: Iterable[Plain], where: str) -> Labels:
        """The labels that a file tells of an article in a column.

        Arguments:
            task: the column.
            parts: what the file has: texts, or finite numbers, which are texts to a catalogue too. Empty texts and
                words that mean "nobody said" are left out.
            where: the place in the file, for the message.

        Raises:
            ValueError: a part is something else or no label, or there are several in a column of one label an article.
        """
        texts = (_text(part, task, where) for part in parts)
        told = (require_label(text, task, f" in {where}") for text in texts if text.strip() not in MISSING_WORDS)
        labels = tuple(dict.fromkeys(told))
        if len(labels) > 1 and task not in self.source.facets:
            raise ValueError(f"{task}: expected at most one label, got {len(labels)} in {where}")
        return labels

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


def _text(part: Plain, task: str, where: str) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, int) and not isinstance(part, bool):
        return str(part)
    if isinstance(part, float) and math.isfinite(part):
        return str(int(part) if part.is_integer() else part)
    raise ValueError(f"{task}: expected a text, got {json.dumps(part, ensure_ascii=False)[:60]} in {where}")


def relabelled(article: Article, tasks: tuple[str, ...], standing: Standing) -> Article:
    """An article with the labels that stand."""
    return replace(article, labels={task: standing.labels(task, article) for task in tasks})
