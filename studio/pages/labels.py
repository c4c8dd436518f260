"""Tasks by F1, the classes of a task, training again, and exports."""

from __future__ import annotations

import math
from pathlib import PurePath
from typing import Annotated

import numpy as np
from fastapi import APIRouter, File, Form, HTTPException, Query, Request, UploadFile
from fastapi.responses import Response, StreamingResponse

from ..access.doors import Anybody, Editor, address_of
from ..access.people import Person, note
from ..labels.answers import View
from ..labels.exports import as_csv, as_jsonl, description, ledger_csv
from ..labels.fiftyone import fiftyone_archive
from ..labels.imports import BroughtFile, near, new_labels, told_by, wishes_of
from ..labels.label_studio import label_studio_config, label_studio_tasks
from ..labels.ledger import change_all
from ..labels.training import TrainOrder, judge_out_of_fold, train_again
from ..studio import Studio
from .rendering import back_to, rendered, studio_of

router = APIRouter(prefix="/labels")

_LARGEST_MATRIX = 24
"""Classes at most whose confusions are shown as a whole; of more the worst pairs stand in a list."""

_WORST = 30

_NAMED = 50
"""New labels of a column at most that a page names: to look for those that are spelt alike takes time."""


@router.get("")
def tasks(request: Request, person: Anybody) -> Response:
    """All tasks of all runs by F1."""
    studio = studio_of(request)
    standing = studio.opened.standing
    rows = []
    for task in studio.opened.tasks:
        first = None
        for run in studio.runs.values():
            if task not in run.answers:
                continue
            view = run.view(task, standing)
            scores = {side: view.score(side) for side in view.sides}
            test = scores.get("test", {}).get("macro_f1")
            rows.append(
                {
                    "task": task,
                    "run": run.name,
                    "scores": scores,
                    "wrong": int((view.wrong & (view.answers.sides == "test")).sum()),
                    "gain": None if first is None or test is None else test - first,
                    "again": first is not None,
                }
            )
            first = test if first is None else first
    weakest = {row["task"]: _f1(row) for row in reversed(rows)}
    rows.sort(key=lambda row: weakest[row["task"]])
    return rendered(
        request,
        "tasks.html",
        rows=rows,
        changes=standing.stamp[0],
        changed={task: len(items) for task, items in standing.changed.items()},
    )


def _f1(row: dict[str, object]) -> float:
    scores = row["scores"]
    assert isinstance(scores, dict)
    value = scores.get("test", {}).get("macro_f1")
    return math.inf if value is None else float(value)


@router.get("/task")
def task(request: Request, person: Anybody, run: str, task: str, side: str = "") -> Response:
    """The classes of a task: precision, recall, what is missed and what is claimed, and which are confused."""
    studio = studio_of(request)
    chosen = studio.run(run)
    view = chosen.view(task)
    side = side or ("test" if "test" in view.sides else view.sides[-1])
    if side not in view.sides:
        raise ValueError(f"side: expected one of {', '.join(view.sides)}; got {side[:40]!r}")
    score = view.score(side)
    # A class without a photo on this side has no F1, and nothing to correct.
    per_class = sorted(score.get("per_class", []), key=lambda row: (row["support"] == 0, row["f1"]))
    beside = {
        other.name: other.view(task, view.standing).score(side).get("macro_f1")
        for other in studio.runs.values()
        if task in other.answers and side in other.view(task, view.standing).sides
    }
    return rendered(
        request,
        "task.html",
        run=chosen,
        task=task,
        facets=view.task.facets,
        side=side,
        sides=view.sides,
        score=score,
        per_class=per_class,
        matrix=_matrix(view, score.get("confusion")),
        pairs=_pairs(view, score.get("confusion")),
        beside=beside,
        judged=studio.folds(chosen) is not None,
    )


def _matrix(view: View, counts: list[list[int]] | None) -> list[tuple[str, list[tuple[str, int, int]]]] | None:
    """Rows of a confusion matrix: the label, and for each answer its name, how often, and how dark (0 to 6)."""
    classes = view.task.classes
    if counts is None or len(classes) > _LARGEST_MATRIX:
        return None
    rows = []
    for label, row in zip((*classes, ""), counts, strict=True):
        total = sum(row)
        if label or total:
            shades = [0 if not count else 1 + round(5 * count / total) for count in row]
            rows.append((label, list(zip(classes, row, shades, strict=True))))
    return rows


def _pairs(view: View, counts: list[list[int]] | None) -> list[tuple[str, str, int]]:
    """The most frequent confusions: label, answer, how often."""
    if counts is None:
        return []
    table = np.array(counts)[: len(view.task.classes)].copy()
    np.fill_diagonal(table, 0)
    order = np.argsort(-table, axis=None, kind="stable")[:_WORST]
    rows, columns = np.unravel_index(order, table.shape)
    classes = view.task.classes
    return [
        (classes[row], classes[column], int(table[row, column]))
        for row, column in zip(rows, columns, strict=True)
        if table[row, column]
    ]


@router.post("/retrain")
def retrain(request: Request, person: Editor, run: Annotated[str, Form(max_length=300)]) -> Response:
    """Train a run anew with the labels as they stand; the new one is shown beside it."""
    studio = studio_of(request)
    order = _order(studio, run, studio.new_run())
    number = studio.jobs.start("train", run, person.name, train_again, order, studio.add_run)
    with studio.database.writing() as session:
        note(session, person.name, address_of(request), "train", f"job {number}: {run} as {order.out}")
    return back_to(request, "/jobs")


@router.post("/judge")
def judge(request: Request, person: Editor, run: Annotated[str, Form(max_length=300)]) -> Response:
    """Judge the labels of the training side by networks that did not learn them."""
    studio = studio_of(request)
    order = _order(studio, run, studio.folds_at(studio.run(run)))
    number = studio.jobs.start("judge", run, person.name, judge_out_of_fold, order, lambda _: None)
    with studio.database.writing() as session:
        note(session, person.name, address_of(request), "judge", f"job {number}: {run}")
    return back_to(request, "/jobs")


def _order(studio: Studio, run: str, out: str) -> TrainOrder:
    labelling = studio.opened
    changed = {
        task: {item: labels for item, (_, labels) in items.items()}
        for task, items in labelling.standing.changed.items()
    }
    return TrainOrder(labelling.data, studio.run(run).address, out, changed, str(studio.settings.folder / "vectors"))


@router.post("/import")
def take_in(
    request: Request,
    person: Editor,
    file: Annotated[UploadFile, File()],
    task: Annotated[str, Form(max_length=200)] = "",
    why: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """Change labels to what a file says that was exported and changed elsewhere: all of them, or none.

    Where it brings labels that no article has, nothing changes yet: they are named, and `take_in_new` takes them.
    """
    studio, name = studio_of(request), (file.filename or "")[:200]
    labelling, standing = studio.opened, studio.opened.standing
    told = told_by(labelling, standing, name, file.file.read(), task)
    fresh = new_labels(labelling, standing, told)
    brought = BroughtFile(name, why, wishes_of(labelling, standing, told), fresh)
    if not fresh:
        return _taken(request, person, brought)
    shown = {}
    for column, some in fresh.items():
        known = labelling.known_labels(column, standing)
        shown[column] = [(each, near(each.label, known), each.signs(known)) for each in some[:_NAMED]]
    return rendered(
        request,
        "import_new.html",
        name=name,
        key=studio.waiting.put(person.name, brought),
        shown=shown,
        more={column: len(some) - len(shown[column]) for column, some in fresh.items()},
        counts={column: len(some) for column, some in brought.wishes.items() if some},
    )


@router.post("/import/new")
def take_in_new(request: Request, person: Editor, key: Annotated[str, Form(max_length=40)]) -> Response:
    """Change labels to what a file says whose new labels somebody was shown, and meant.

    What others changed since it was shown stays. Sent twice, the second time changes nothing.
    """
    return _taken(request, person, studio_of(request).waiting.of(key, person.name))


def _taken(request: Request, person: Person, brought: BroughtFile) -> Response:
    studio, name = studio_of(request), brought.name
    reason = f"{name[:80]}: {brought.why}" if brought.why else name[:80]
    outcome = change_all(studio.database, brought.wishes, who=person.name, why=reason, told=studio.opened.told)
    fresh = {column: [each.label for each in some] for column, some in brought.fresh.items()}
    named = f", new: {', '.join(label for some in fresh.values() for label in some)}" if fresh else ""
    with studio.database.writing() as session:
        detail = f"{name}: {len(outcome.entries)} labels{named}"
        note(session, person.name, address_of(request), "import", detail[:500])
    return rendered(request, "imported.html", name=name, outcome=outcome, columns=list(brought.wishes), fresh=fresh)


@router.get("/export/{name}")
def export(request: Request, person: Anybody, name: str, task: Annotated[str, Query(max_length=200)] = "") -> Response:
    """The catalogue with the labels as they stand, its description, forms for other programs, or the ledger."""
    labelling = studio_of(request).opened
    makers = {
        "catalogue.jsonl": as_jsonl,
        "catalogue.csv": as_csv,
        "ledger.csv": ledger_csv,
        "label_studio.json": label_studio_tasks,
    }
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    if name in ("catalogue.jsonl.toml", "catalogue.csv.toml"):
        return Response(
            description(labelling, name.removesuffix(".toml")), media_type="text/plain", headers=disposition
        )
    if name == "label_studio.xml":
        return Response(label_studio_config(labelling), media_type="text/plain", headers=disposition)
    if name == "fiftyone.zip":
        return Response(fiftyone_archive(labelling, task), media_type="application/zip", headers=disposition)
    if name not in makers:
        raise HTTPException(404, f"export: expected one of {', '.join(makers)}; got {name[:40]!r}")
    kinds = {".csv": "text/csv; charset=utf-8", ".json": "application/json"}
    kind = kinds.get(PurePath(name).suffix, "application/jsonl; charset=utf-8")
    return StreamingResponse(makers[name](labelling), media_type=kind, headers=disposition)
