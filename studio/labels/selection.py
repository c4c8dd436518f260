"""Which photos of a task are shown, in which order, and how many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal, cast, get_args
from urllib.parse import urlencode

import numpy as np

from .answers import View

Kind = Literal["all", "wrong", "right", "missed", "claimed", "changed", "unlabelled"]
Order = Literal["errors", "confident", "unsure", "table"]

KINDS: tuple[Kind, ...] = get_args(Kind)
ORDERS: tuple[Order, ...] = get_args(Order)

AT_ONCE = 60


@dataclass(frozen=True)
class Selection:
    """Some photos of a task.

    Arguments:
        run: the run whose answers are shown.
        task: the label column.
        side: of the split, empty for all.
        truth: a label that they have, empty for any.
        answer: a label that they are answered with, empty for any.
        kind: all, those answered wrongly or rightly, those whose label `truth` is not answered or whose answer `answer`
            is not their label (any label or answer where none is given), those that people changed, or those without a
            label.
        order: the likeliest label errors first, the most confident or the least confident answers first, or as in the
            table.
        where: ``column=label`` in another label column, empty for any.
        words: what item id or title hold, empty for any.
        page: from 1.

    Raises:
        ValueError: kind, order, page or where are none.
    """

    run: str
    task: str
    side: str = ""
    truth: str = ""
    answer: str = ""
    kind: str = "all"
    order: str = "errors"
    where: str = ""
    words: str = ""
    page: int = 1

    def __post_init__(self) -> None:
        for name, known in (("kind", KINDS), ("order", ORDERS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: expected one of {', '.join(known)}; got {getattr(self, name)[:40]!r}")
        if self.page < 1:
            raise ValueError(f"page: expected 1 or more, got {self.page}")
        if self.where and not self.where.partition("=")[2]:
            raise ValueError(f"where: expected column=label, got {self.where[:100]!r}")

    def query(self, **changed: str | int) -> str:
        """The words of an address that asks for it, with some of them changed."""
        told = {field.name: getattr(self, field.name) for field in fields(self)} | {"page": 1} | changed
        usual = {field.name: field.default for field in fields(self)}
        return urlencode({name: value for name, value in told.items() if value != usual[name]})

    def places(self, view: View, quality: np.ndarray | None = None) -> np.ndarray:
        """The places of the articles in the view, in order.

        Arguments:
            view: the answers beside the labels as they stand.
            quality: ``[n]``, how well each label goes with its photo, NaN where that is not known; see
                `label_quality`.

        Raises:
            ValueError: side, label or column are none that the view knows.
        """
        self._require_known(view)
        chosen = view.answers.sides == self.side if self.side else np.ones(len(view.truth), dtype=bool)
        if self.truth:
            chosen = chosen & view.has(self.truth)
        if self.answer:
            chosen = chosen & view.says(self.answer)
        chosen = chosen & self._kind(view)
        if self.where:
            column, _, label = self.where.partition("=")
            standing = view.standing
            chosen &= np.array([label in standing.labels(column, article) for article in view.answers.articles])
        if self.words:
            words = self.words.casefold()
            chosen &= np.array([words in f"{each.item_id} {each.text}".casefold() for each in view.answers.articles])
        places = np.flatnonzero(chosen)
        confidence = view.answers.confidence
        if self.order == "errors":
            # Where labels were not judged, and after those that were, a confident answer against the label comes first.
            against = np.where(view.wrong, -confidence - 1, -confidence)
            first = np.full(len(confidence), np.inf) if quality is None else np.nan_to_num(quality, nan=np.inf)
            return cast("np.ndarray", places[np.lexsort((against[places], first[places]))])
        if self.order == "confident":
            return cast("np.ndarray", places[np.argsort(-confidence[places], kind="stable")])
        if self.order == "unsure":
            return cast("np.ndarray", places[np.argsort(confidence[places], kind="stable")])
        return places

    def _require_known(self, view: View) -> None:
        """Refuse what no photo can have: "0 photos" would say that all is well."""
        labelling, standing = view.labelling, view.standing
        if self.side and self.side not in view.sides:
            raise ValueError(f"side: expected one of {', '.join(view.sides)}; got {self.side[:40]!r}")
        for name in ("truth", "answer"):
            label = getattr(self, name)
            if label and label not in view.task.classes and label not in labelling.known_labels(self.task, standing):
                raise ValueError(f"{name}: expected a label of {self.task}, got {label[:100]!r}")
        column, _, label = self.where.partition("=")
        if column and column not in labelling.tasks:
            columns = ", ".join(sorted(labelling.tasks))
            raise ValueError(f"where: expected one of the columns {columns}; got {column[:100]!r}")
        if column and label not in labelling.known_labels(column, standing):
            raise ValueError(f"where: expected a label of {column}, got {label[:100]!r}")

    def _kind(self, view: View) -> np.ndarray:
        if self.kind == "wrong":
            return view.wrong
        if self.kind == "right":
            return cast("np.ndarray", view.is_told & ~view.wrong)
        if self.kind == "missed":
            return view.has(self.truth) & ~view.says(self.truth) if self.truth else view.missed
        if self.kind == "claimed":
            if not self.answer:
                return view.claimed
            return view.is_told & view.says(self.answer) & ~view.has(self.answer)
        if self.kind == "changed":
            changed = view.standing.changed.get(self.task, {})
            return np.array([article.item_id in changed for article in view.answers.articles], dtype=bool)
        if self.kind == "unlabelled":
            return ~view.is_told
        return np.ones(len(view.truth), dtype=bool)


@dataclass(frozen=True)
class Shown:
    """What a page shows of a selection.

    Arguments:
        places: of the articles in the view.
        count: how many there are in all.
        page: which page it is.
        pages: how many there are.
    """

    places: Sequence[int]
    count: int
    page: int
    pages: int


def paged(places: np.ndarray, page: int, at_once: int = AT_ONCE) -> Shown:
    """A page of some places; the last one where there are not so many.

    Example:
        >>> paged(np.arange(5), 9, at_once=2)
        Shown(places=[4], count=5, page=3, pages=3)
    """
    pages = max(1, -(-len(places) // at_once))
    page = min(page, pages)
    return Shown(places[(page - 1) * at_once : page * at_once].tolist(), len(places), page, pages)
