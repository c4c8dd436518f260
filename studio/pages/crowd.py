"""Batches for a crowd: made of a selection of photos, out and in as CSV, agreement, and the majority as labels."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import Response, StreamingResponse

from ..access.doors import Anybody, Editor, address_of
from ..access.people import note
from ..labels.crowd import (
    MOST,
    MOST_ANSWERS,
    batch_csv,
    batch_of,
    batches,
    make_batch,
    read_answers,
    take_answers,
    tally,
    wishes_of_majority,
)
from ..labels.ledger import change
from ..labels.selection import Selection
from .grid import selection_asked
from .rendering import back_to, rendered, studio_of

router = APIRouter(prefix="/labels/crowd")

_SHOWN = 60

Number = Annotated[int, Query(ge=1, le=10**9)]


@router.get("")
def crowd(request: Request, person: Anybody) -> Response:
    """All batches."""
    studio = studio_of(request)
    with studio.database.reading() as session:
        told = [(each, tally(session, each)) for each in batches(session)]
    return rendered(request, "crowd.html", told=told)


@router.post("/make")
def make(
    request: Request,
    person: Editor,
    selection: Annotated[Selection, Depends(selection_asked)],
    question: Annotated[str, Form(max_length=400)],
    most: Annotated[int, Form(ge=1, le=MOST)] = 100,
    each: Annotated[int, Form(ge=1, le=MOST_ANSWERS)] = 3,
) -> Response:
    """Make a batch of the first photos of a selection."""
    studio = studio_of(request)
    run = studio.run(selection.run)
    view = run.view(selection.task)
    places = selection.places(view, studio.judge.of(run.name, view, studio.folds(run)).quality)[:most]
    items = [view.answers.articles[place].item_id for place in places]
    number = make_batch(studio.database, studio.opened, person.name, selection.task, question, items, each)
    with studio.database.writing() as session:
        note(
            session,
            person.name,
            address_of(request),
            "crowd batch",
            f"{number}: {len(items)} photos, {each} answers each",
        )
    return back_to(request, f"/labels/crowd/batch?number={number}")


@router.get("/batch")
def batch(request: Request, person: Anybody, number: Number, brought: int = -1) -> Response:
    """A batch: what came back, how far people agree, and what the most of them say."""
    studio = studio_of(request)
    with studio.database.reading() as session:
        shown = batch_of(session, number)
        told = tally(session, shown)
    standing = studio.opened.standing
    labels = {
        each.item_id: standing.labels(shown.task, studio.opened.article(each.item_id)) for each in told.photos[:_SHOWN]
    }
    return rendered(
        request,
        "crowd_batch.html",
        batch=shown,
        told=told,
        photos=told.photos[:_SHOWN],
        labels=labels,
        wishes=len(wishes_of_majority(studio.opened, shown, told)),
        brought=brought,
    )


@router.get("/batch.csv")
def batch_table(request: Request, person: Anybody, number: Number) -> Response:
    """A batch as CSV."""
    studio = studio_of(request)
    with studio.database.reading() as session:
        shown = batch_of(session, number)
    disposition = {"Content-Disposition": f'attachment; filename="batch-{number}.csv"'}
    return StreamingResponse(batch_csv(studio.opened, shown), media_type="text/csv; charset=utf-8", headers=disposition)


@router.post("/answers")
def answers(
    request: Request, person: Editor, file: Annotated[UploadFile, File()], number: Annotated[int, Form(ge=0, le=10**9)]
) -> Response:
    """Take in answers; the labels stay as they are."""
    studio = studio_of(request)
    with studio.database.reading() as session:
        shown = batch_of(session, number)
    name = file.filename or ""
    new = take_answers(studio.database, shown, read_answers(shown, name, file.file.read()))
    with studio.database.writing() as session:
        note(session, person.name, address_of(request), "crowd answers", f"batch {number}: {new} of {name[:200]}")
    return back_to(request, f"/labels/crowd/batch?number={number}&brought={new}")


@router.post("/apply")
def apply(request: Request, person: Editor, number: Annotated[int, Form(ge=0, le=10**9)]) -> Response:
    """Make the majority's answers labels; ties stay open, and what others changed since stays as they left it."""
    studio = studio_of(request)
    with studio.database.reading() as session:
        shown = batch_of(session, number)
        told = tally(session, shown)
    wishes = wishes_of_majority(studio.opened, shown, told)
    outcome = change(
        studio.database,
        shown.task,
        wishes,
        who=person.name,
        why=f"crowd batch {number}: majority of {shown.each} answers each",
        told=lambda item: studio.opened.told(shown.task, item),
    )
    with studio.database.writing() as session:
        note(
            session,
            person.name,
            address_of(request),
            "crowd majority",
            f"batch {number}: {len(outcome.entries)} labels",
        )
    return rendered(request, "imported.html", name=shown.question, outcome=outcome, columns=[shown.task], fresh={})
