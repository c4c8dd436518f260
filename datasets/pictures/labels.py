"""The classes of every task, in an order chosen once and stored with the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .catalogue import Article

MISSING = -1
"""Code of an article whose label nobody said: left out of the loss and of every score."""

UNSEEN = -2
"""Code of a label that no training article had: left out of the loss, counted as an error in a score."""


@dataclass(frozen=True)
class Task:
    """A classification task: a label column and its classes.

    Arguments:
        name: the label column.
        classes: the possible labels, in the order of the outputs.
        facets: any number of the labels can hold at once (several yes/no answers), instead of just one.

    Raises:
        ValueError: there is no class, or one occurs twice.
    """

    name: str
    classes: tuple[str, ...]
    facets: bool = False

    def __post_init__(self) -> None:
        if not self.classes:
            raise ValueError(f"classes: expected at least one label of task {self.name!r}, got none")
        if twice := [name for name, count in Counter(self.classes).items() if count > 1]:
            raise ValueError(f"classes: expected each label of task {self.name!r} once, got {twice[0]!r} twice")


@dataclass(frozen=True)
class LabelSpace:
    """The tasks of a model and the order of their classes.

    Arguments:
        tasks: the tasks, in the order of the heads.

    Example:
        >>> articles = [Article("a", labels={"colour": ("red",)}), Article("b", labels={"colour": ()})]
        >>> space = LabelSpace.of(articles, ["colour"])
        >>> space.encode(articles)["colour"]
        array([ 0, -1])
        >>> from hemline.runtime.plain import made_of, to_plain
        >>> made_of(to_plain(space), LabelSpace) == space
        True
    """

    tasks: tuple[Task, ...]

    @classmethod
    def of(
        cls,
        articles: Sequence[Article],
        columns: Sequence[str],
        *,
        facets: Collection[str] = (),
        order: Mapping[str, Sequence[str]] | None = None,
    ) -> LabelSpace:
        """Collect the classes that occur, sorted by name unless an order is given.

        Arguments:
            articles: the training articles.
            columns: the label columns to learn.
            facets: those of the columns in which several labels can hold at once.
            order: column -> its classes in the wished order; may name classes that do not occur.

        Raises:
            ValueError: a column has no label at all, an ordinary column has two labels for one article, or
                an order leaves out a class that occurs.
        """
        order = dict(order or {})
        for name in (*facets, *order):
            if name not in columns:
                raise ValueError(f"columns: expected {name!r} among the tasks, got {list(columns)}")
        tasks = []
        for column in columns:
            if column not in facets:
                _refuse_several(column, articles)
            found = {label for article in articles for label in article.labels.get(column, ())}
            if not found:
                raise ValueError(f"columns: expected labels in column {column!r}, got none in any training article")
            classes = tuple(order.get(column, sorted(found)))
            if left_out := sorted(found - set(classes)):
                raise ValueError(f"order: expected all classes of {column!r}, got none for {left_out[0]!r}")
            tasks.append(Task(column, classes, column in facets))
        return cls(tuple(tasks))

    def __getitem__(self, name: str) -> Task:
        for task in self.tasks:
            if task.name == name:
                return task
        raise ValueError(f"task: expected one of {[task.name for task in self.tasks]}, got {name!r}")

    def encode(self, articles: Sequence[Article]) -> dict[str, np.ndarray]:
        """The labels as numbers.

        Arguments:
            articles: n articles.

        A facet that this space does not know leaves no trace here: `count_unseen` counts them.

        Returns:
            For each task int64 ``[n]``: the number of the class, `MISSING` or `UNSEEN`; for a task of facets
            float32 ``[n, classes]`` of 0 and 1, NaN in the whole row where nobody said.

        Raises:
            ValueError: an ordinary column has two labels for one article.
        """
        return {task.name: _encode(task, articles) for task in self.tasks}

    def count_unseen(self, articles: Sequence[Article]) -> dict[str, np.ndarray]:
        """Task -> int64 ``[n]``, how many labels of each article this space does not know."""
        return {
            task.name: np.array(
                [len(set(article.labels.get(task.name, ())) - set(task.classes)) for article in articles],
                dtype=np.int64,
            )
            for task in self.tasks
        }

    def unseen(self, articles: Sequence[Article]) -> dict[str, dict[str, int]]:
        """Task -> label -> how many of the articles have a label that this space does not know."""
        found = {
            task.name: Counter(
                label
                for article in articles
                for label in article.labels.get(task.name, ())
                if label not in task.classes
            )
            for task in self.tasks
        }
        return {name: dict(sorted(counts.items())) for name, counts in found.items() if counts}


def _refuse_several(column: str, articles: Sequence[Article]) -> None:
    for article in articles:
        if len(labels := article.labels.get(column, ())) > 1:
            raise ValueError(
                f"labels: expected at most one {column!r} of item {article.item_id!r}, got {list(labels)}; "
                "name the column among the facets if several can hold"
            )


def _encode(task: Task, articles: Sequence[Article]) -> np.ndarray:
    number = {label: index for index, label in enumerate(task.classes)}
    if not task.facets:
        _refuse_several(task.name, articles)
        firsts = [(article.labels.get(task.name, ()) or (None,))[0] for article in articles]
        codes = [MISSING if label is None else number.get(label, UNSEEN) for label in firsts]
        return np.array(codes, dtype=np.int64)
    answers = np.full((len(articles), len(task.classes)), np.nan, dtype=np.float32)
    for row, article in zip(answers, articles, strict=True):
        if labels := article.labels.get(task.name, ()):
            row[:] = 0.0
            row[[number[label] for label in labels if label in number]] = 1.0
    return answers
