"""What a run of `hemline vision classify` answered, beside the labels as they stand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from pathlib import PurePath
from typing import cast

import numpy as np

from ...datasets.pictures.catalogue import Article
from ...datasets.pictures.labels import MISSING, LabelSpace, Task
from ...datasets.pictures.split import SIDES
from ...runtime.digest import sha256_of
from ...runtime.run_folder import RunFolder
from ...vision.classify.classifier import MODEL, stored_labels
from ...vision.classify.judging import PROBABILITIES, SPLIT
from ...vision.classify.scores import Score, score
from .labelling import Labelling, Standing, relabelled

_REMEMBERED = 16


class Answers:
    """The answers of a run in one task, beside what the table of the catalogue says.

    Arguments:
        task: the task and its classes.
        articles: the n articles that were judged.
        sides: ``[n]``, on which side of the split each stands.
        probabilities: float32 ``[n, classes]``.
    """

    def __init__(self, task: Task, articles: Sequence[Article], sides: np.ndarray, probabilities: np.ndarray) -> None:
        if probabilities.shape != (len(articles), len(task.classes)):
            raise ValueError(
                f"probabilities: expected {len(articles)} rows of {len(task.classes)} classes of {task.name!r}, "
                f"got {list(probabilities.shape)}"
            )
        self.task, self.articles, self.sides, self.probabilities = task, articles, sides, probabilities
        self.place = {article.item_id: number for number, article in enumerate(articles)}
        self.told = [article.labels.get(task.name, ()) for article in articles]
        self.codes = self.encode(articles)

    def encode(self, articles: Sequence[Article]) -> np.ndarray:
        """The labels of articles as numbers, see `LabelSpace.encode`."""
        return LabelSpace((self.task,)).encode(articles)[self.task.name]

    @cached_property
    def yes(self) -> np.ndarray:
        """What is answered, bool ``[n, classes]``: of facets all that are likelier than not, else the likeliest."""
        if self.task.facets:
            return cast("np.ndarray", self.probabilities > 0.5)
        return self.probabilities.argmax(axis=1)[:, None] == np.arange(len(self.task.classes))

    @cached_property
    def confidence(self) -> np.ndarray:
        """The probability of each answer, ``[n]``; of facets that of all of them together."""
        shares = self.probabilities
        return np.where(self.yes, shares, 1 - shares).prod(axis=1) if self.task.facets else shares.max(axis=1)

    def answer(self, number: int) -> tuple[str, ...]:
        """What is answered for an article, by its place."""
        return tuple(self.task.classes[column] for column in np.flatnonzero(self.yes[number]))


class Run:
    """A classifier on disk, and what it answered.

    Arguments:
        address: its folder, in which `evaluate_classifier` has written.
        labelling: the catalogue on which it is judged.
        name: by which pages call it; by default that of its folder.

    Raises:
        ValueError: no article that it judged is in the catalogue.
    """

    def __init__(self, address: str, labelling: Labelling, name: str | None = None) -> None:
        self.address, self.labelling = address, labelling
        self.name = name or PurePath(address).name
        folder = RunFolder(address)
        frame = folder.read_frame(PROBABILITIES)
        frame["row"] = frame["item_id"].map(labelling.rows)
        frame = frame.dropna(subset="row").astype({"row": np.int64}).sort_values("row", kind="stable")
        articles = labelling.source.catalogue.articles
        self._folder = folder
        self.answers: dict[str, Answers] = {}
        for task in stored_labels(folder).tasks:
            mine = frame[frame["task"] == task.name]
            if mine.empty or task.name not in labelling.tasks:
                continue
            shares = np.stack(mine["probabilities"].to_list()).astype(np.float32)
            judged = [articles[row] for row in mine["row"]]
            self.answers[task.name] = Answers(task, judged, mine["side"].to_numpy(str), shares)
        if not self.answers:
            raise ValueError(f"run: expected answers to articles of {labelling.data} in {address}, got none")
        self._views: OrderedDict[tuple[str, tuple[int, int]], View] = OrderedDict()

    @cached_property
    def identity(self) -> str:
        """A digest of the classifier, its split and its answers, and of all articles as the catalogue has them.

        What was computed for a run is found again by it, and not by the name of its folder, which another may have.
        """
        files = [self._folder.read_bytes(name) for name in (MODEL, SPLIT, PROBABILITIES)]
        return sha256_of(*files, *map(repr, self.labelling.source.catalogue.articles))

    def require(self, task: str) -> Answers:
        """The answers in a task.

        Raises:
            ValueError: the run has no such task.
        """
        if task not in self.answers:
            raise ValueError(f"task: expected one of {', '.join(self.answers)}; got {task[:100]!r}")
        return self.answers[task]

    def view(self, task: str, standing: Standing | None = None) -> View:
        """The answers in a task beside the labels as they stand, see `require`."""
        answers = self.require(task)
        standing = standing or self.labelling.standing
        key = (task, standing.stamp)
        found = self._views.get(key)
        if found is None:
            found = self._views[key] = View(answers, standing, self.labelling)
            while len(self._views) > _REMEMBERED:
                self._views.popitem(last=False)
        return found


class View:
    """The answers of a run in a task, beside the labels as they stand at a moment.

    Arguments:
        answers: the answers.
        standing: the changed labels.
        labelling: the catalogue, of which a run may not have judged all.
    """

    def __init__(self, answers: Answers, standing: Standing, labelling: Labelling) -> None:
        self.labelling = labelling
        self.answers, self.standing, self.task = answers, standing, answers.task
        self.truth, self.codes = list(answers.told), answers.codes.copy()
        places = [answers.place[item] for item in standing.changed.get(self.task.name, {}) if item in answers.place]
        if places:
            articles = [relabelled(answers.articles[place], labelling.tasks, standing) for place in places]
            self.codes[places] = answers.encode(articles)
            for place, article in zip(places, articles, strict=True):
                self.truth[place] = article.labels[self.task.name]
        self._scores: dict[str, Score] = {}

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides on which articles stand."""
        return tuple(side for side in SIDES if (self.answers.sides == side).any())

    @cached_property
    def is_told(self) -> np.ndarray:
        """Which articles have a label, bool ``[n]``."""
        return ~np.isnan(self.codes).any(axis=1) if self.task.facets else self.codes != MISSING

    @cached_property
    def wrong(self) -> np.ndarray:
        """Which articles are answered otherwise than they are labelled, bool ``[n]``; none without a label."""
        right = self.answers.yes == self._holds
        return cast("np.ndarray", self.is_told & ~right.all(axis=1))

    @cached_property
    def missed(self) -> np.ndarray:
        """Which articles have a label that is a class and not answered, bool ``[n]``."""
        return cast("np.ndarray", self.is_told & (self._holds & ~self.answers.yes).any(axis=1))

    @cached_property
    def claimed(self) -> np.ndarray:
        """Which articles are answered with a label that they do not have, bool ``[n]``; none without a label."""
        return cast("np.ndarray", self.is_told & (self.answers.yes & ~self._holds).any(axis=1))

    @cached_property
    def _holds(self) -> np.ndarray:
        if self.task.facets:
            return cast("np.ndarray", self.codes > 0.5)
        return self.codes[:, None] == np.arange(len(self.task.classes))

    def score(self, side: str) -> Score:
        """How good the answers on a side are, by the labels as they stand."""
        if side not in self._scores:
            chosen = np.flatnonzero(self.answers.sides == side)
            unseen = None
            if self.task.facets:
                known = set(self.task.classes)
                unseen = np.array([len(set(self.truth[place]) - known) for place in chosen])
            self._scores[side] = score(self.task, self.answers.probabilities[chosen], self.codes[chosen], unseen=unseen)
        return self._scores[side]

    def has(self, label: str) -> np.ndarray:
        """Which articles have a label, bool ``[n]``; any may be asked for, also one that the run does not know."""
        if label in self.task.classes:
            return self._holds[:, self.task.classes.index(label)]
        return np.array([label in labels for labels in self.truth], dtype=bool)

    def says(self, label: str) -> np.ndarray:
        """Which articles are answered with a label, bool ``[n]``."""
        if label in self.task.classes:
            return self.answers.yes[:, self.task.classes.index(label)]
        return np.zeros(len(self.truth), dtype=bool)
