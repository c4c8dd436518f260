"""Photos of a task side by side: filters, changes of labels, undo, and the page of an article."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import Response

from ..access.doors import Anybody, Editor
from ..labels.answers import Run, View
from ..labels.imports import near
from ..labels.ledger import Conflict, Labels, Outcome, Wish, change, history, undo
from ..labels.selection import KINDS, ORDERS, Selection, paged
from ..studio import Studio
from .rendering import back_to, rendered, studio_of, wants_part

router = APIRouter(prefix="/labels")

KEYS = "123456789"
_MOST = 500
"""Photos at most that are changed at once."""


@dataclass(frozen=True)
class Card:
    """A photo as a page of many shows it: its labels and answer, and what came of the last change of it."""

    item_id: str
    text: str
    side: str
    truth: Labels
    answer: Labels
    confidence: float
    wrong: bool
    likely: bool
    version: int
    entry: int | None = None
    conflict: Conflict | None = None

    @property
    def chosen(self) -> str:
        """What a form says of it: which article, and as of which version it was seen."""
        return json.dumps([self.item_id, self.version])


def selection_asked(
    run: Annotated[str, Query(max_length=300)],
    task: Annotated[str, Query(max_length=200)],
    side: Annotated[str, Query(max_length=20)] = "",
    truth: Annotated[str, Query(max_length=200)] = "",
    answer: Annotated[str, Query(max_length=200)] = "",
    kind: Annotated[str, Query(max_length=20)] = "all",
    order: Annotated[str, Query(max_length=20)] = "errors",
    where: Annotated[str, Query(max_length=400)] = "",
    words: Annotated[str, Query(max_length=200)] = "",
    page: Annotated[int, Query(ge=1, le=10**7)] = 1,
) -> Selection:
    """The selection that an address asks for."""
    return Selection(run, task, side, truth, answer, kind, order, where, words, page)


@router.get("/photos")
def photos(request: Request, person: Anybody, selection: Annotated[Selection, Depends(selection_asked)]) -> Response:
    """The photos of a selection, a page at a time."""
    studio = studio_of(request)
    run = studio.run(selection.run)
    view = run.view(selection.task)
    judgement = studio.judge.of(run.name, view, studio.folds(run))
    shown = paged(selection.places(view, judgement.quality), selection.page)
    cards = [_card(view, place, bool(judgement.likely[place])) for place in shown.places]
    return rendered(
        request,
        "photos.html",
        selection=selection,
        shown=shown,
        cards=cards,
        sides=view.sides,
        classes=view.task.classes,
        facets=view.task.facets,
        palette=_palette(view, cards),
        kinds=KINDS,
        orders=ORDERS,
        columns={name: some for name, some in studio.opened.choices.items() if name != selection.task},
        train_judged=judgement.trained,
        total=len(view.truth),
    )


def _card(view: View, place: int, likely: bool, conflict: Conflict | None = None, entry: int | None = None) -> Card:
    article = view.answers.articles[place]
    return Card(
        article.item_id,
        article.text,
        str(view.answers.sides[place]),
        view.truth[place],
        view.answers.answer(place),
        float(view.answers.confidence[place]),
        bool(view.wrong[place]),
        likely,
        view.standing.version(view.task.name, article.item_id),
        entry,
        conflict,
    )


def _palette(view: View, cards: list[Card]) -> list[tuple[str, str]]:
    """Keys and labels: all classes where keys suffice, else those that these photos are answered or labelled with."""
    classes = view.task.classes
    if len(classes) > len(KEYS):
        counts = Counter(label for card in cards for label in (*card.answer, *card.truth) if label in classes)
        often = [label for label, _ in counts.most_common(len(KEYS))]
        classes = tuple(sorted(often, key=classes.index))
    return list(zip(KEYS, classes, strict=False))


@router.post("/retag")
def retag(
    request: Request,
    person: Editor,
    selection: Annotated[Selection, Depends(selection_asked)],
    chosen: Annotated[list[str], Form(max_length=_MOST)],
    to: Annotated[str, Form(max_length=400)] = "",
    other: Annotated[str, Form(max_length=400)] = "",
    clear: Annotated[Literal["yes", ""], Form()] = "",
    how: Annotated[Literal["set", "add", "remove"], Form()] = "set",
    new: Annotated[Literal["yes", ""], Form()] = "",
    why: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Change the labels of some photos; what others changed since they were shown is shown instead.

    A label that no article has is taken where the form says that it is meant.
    """
    studio = studio_of(request)
    run = studio.run(selection.run)
    view = run.view(selection.task)
    if to and other.strip() and other.strip() != to:
        raise ValueError(f"label: expected one, got {to[:100]!r} and {other[:100]!r}")
    taken = clear and how == "set"
    label = "" if taken else studio.opened.typed_label(selection.task, view.standing, to or other)
    if label and how != "remove" and not new:
        _require_known(studio.opened.known_labels(selection.task, view.standing), label, view)
    wishes = []
    for text in chosen:
        item_id, version = _seen(text)
        studio.opened.article(item_id)
        now = view.truth[view.answers.place[item_id]] if item_id in view.answers.place else ()
        wishes.append(Wish(item_id, version, _wanted(now, label, how)))
    outcome = change(
        studio.database,
        selection.task,
        wishes,
        who=person.name,
        why=why,
        told=lambda item: studio.opened.told(selection.task, item),
    )
    return _changed(request, studio, run, selection, [wish.item_id for wish in wishes], outcome)


@router.post("/undo")
def take_back(
    request: Request,
    person: Editor,
    selection: Annotated[Selection, Depends(selection_asked)],
    entry: Annotated[int, Form(ge=0, le=10**9)],
) -> Response:
    """Take back a change."""
    studio = studio_of(request)
    outcome = undo(
        studio.database,
        entry,
        who=person.name,
        told=lambda item: studio.opened.told(selection.task, item),
    )
    items = [each.item_id for each in outcome.entries] + [each.wish.item_id for each in outcome.conflicts]
    return _changed(request, studio, studio.run(selection.run), selection, items, outcome)


def _require_known(labels: set[str], label: str, view: View) -> None:
    """Refuse a slip of the pen, which would be a class of its own."""
    if label not in labels and label not in view.task.classes:
        alike = f", spelt like {', '.join(found)}" if (found := near(label, labels)) else ""
        raise HTTPException(
            409,
            f"label: expected one that articles have in {view.task.name}, got {label[:100]!r}{alike}; say that a new "
            "label is meant to take it",
        )


def _seen(text: str) -> tuple[str, int]:
    try:
        item_id, version = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        raise ValueError(f"chosen: expected an article and its version, got {text[:100]!r}") from None
    if not isinstance(item_id, str) or not isinstance(version, int) or version < 0:
        raise ValueError(f"chosen: expected an article and its version, got {text[:100]!r}")
    return item_id, version


def _wanted(now: Labels, label: str, how: str) -> Labels:
    if how == "add":
        return now if label in now else (*now, label)
    if how == "remove":
        return tuple(each for each in now if each != label)
    return (label,) if label else ()


def _changed(
    request: Request, studio: Studio, run: Run, selection: Selection, items: list[str], outcome: Outcome
) -> Response:
    if not wants_part(request):
        if outcome.conflicts:
            names = ", ".join(repr(each.wish.item_id) for each in outcome.conflicts[:5])
            raise HTTPException(
                409,
                f"chosen: {len(outcome.conflicts)} photos were changed by others since this page was made and stay as "
                f"they are now ({names}); {len(outcome.entries)} were changed as asked; go back and reload the page",
            )
        return back_to(request, f"/labels/photos?{selection.query(page=selection.page)}")
    view = run.view(selection.task)
    conflicts = {each.wish.item_id: each for each in outcome.conflicts}
    entries = {each.item_id: each.id for each in outcome.entries}
    cards = [
        _card(view, view.answers.place[item], False, conflicts.get(item), entries.get(item))
        for item in dict.fromkeys(items)
        if item in view.answers.place
    ]
    return rendered(
        request,
        "changed.html",
        selection=selection,
        cards=cards,
        facets=view.task.facets,
        count=len(outcome.entries),
        conflicts=len(outcome.conflicts),
    )


@router.get("/article")
def article(
    request: Request,
    person: Anybody,
    run: Annotated[str, Query(max_length=300)],
    task: Annotated[str, Query(max_length=200)],
    item: Annotated[str, Query(max_length=1000)],
) -> Response:
    """An article: its photos, what the run says of it, and all changes of its labels."""
    studio = studio_of(request)
    chosen = studio.run(run)
    view = chosen.view(task)
    shown = studio.opened.article(item)
    if item not in view.answers.place:
        raise ValueError(f"item: expected an article that {run} has judged, got {item[:100]!r}")
    place = view.answers.place[item]
    judgement = studio.judge.of(run, view, studio.folds(chosen))
    with studio.database.reading() as session:
        entries = history(session, item)
    shares = view.answers.probabilities[place]
    order = np.argsort(-shares, kind="stable")[:12]
    return rendered(
        request,
        "article.html",
        selection=Selection(run, task),
        card_of=_card(view, place, bool(judgement.likely[place])),
        article=shown,
        labels={each: view.standing.labels(each, shown) for each in studio.opened.tasks},
        shares=[(view.task.classes[each], float(shares[each])) for each in order],
        classes=view.task.classes,
        facets=view.task.facets,
        entries=entries,
    )
