"""Changed futures: a form, its answer beside it, and those that were kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import Response
from sqlalchemy import or_, select

from ...forecasting.scenarios.future import BASELINE, some
from ...forecasting.scenarios.notation import Change
from ...forecasting.scenarios.pair_page import pair_rows
from ...runtime.arguments.naming import in_words
from ..access.doors import Anybody, Editor
from ..access.people import name_of
from ..database.tables import SavedScenario, now
from ..forecasts.charts import pair_chart
from ..forecasts.scenarios import NAME, Built, effects, read_changes, whats_of
from ..forecasts.shop import Shop
from ..studio import Studio
from .forecasts import SVG, SVG_POLICY, Model, Name
from .rendering import back_to, rendered, studio_of, wants_part

router = APIRouter(prefix="/scenarios")

Article = Annotated[str, Query(max_length=300)]
Step = Annotated[int, Query(ge=0, le=10_000)]
Changes = Annotated[str, Query(max_length=2000)]


@router.get("")
def builder(
    request: Request,
    person: Anybody,
    model: Model = "",
    window: Name = "",
    what: Annotated[str, Query(max_length=30)] = "",
    article: Article = "",
    value: Annotated[float, Query(ge=-1000, le=1000)] = -20.0,
    first: Step = 1,
    last: Step = 0,
    changes: Changes = "",
    second: Article = "",
    name: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """The form of a changed future, and what it does; only the answer where htmx asks."""
    studio = studio_of(request)
    shop = studio.shop(model)
    window = shop.require_window(window)
    items = shop.history(window).item_ids or shop.data.metadata.item_ids
    whats = whats_of(shop)
    what = what or next(iter(whats), "")
    built = Built(what, article, value, max(first, 1), last) if article else None
    told = (*read_changes(changes), *([built.change()] if built else []))
    answer, refused = None, ""
    try:
        answer = _answer(studio, shop, window, told, article or _first(told), second) if told else None
    except ValueError as error:
        # A kept scenario may name what a model that was trained since does not know: its page stays, to change it.
        if not name or wants_part(request):
            raise
        refused = in_words(error)
    template = "scenario_answer.html" if wants_part(request) else "scenario.html"
    return rendered(
        request,
        template,
        shop=shop,
        window=window,
        windows=[(each, f"{shop.window(each).dates[0]:%Y-%m-%d}") for each in shop.windows],
        whats=whats,
        what=what,
        article=article,
        value=value,
        first=max(first, 1),
        last=last,
        horizon=shop.data.metadata.prediction_length,
        items=items,
        second=second,
        name=name,
        kept_changes=changes,
        all_changes="\n".join(map(str, told)),
        answer=answer,
        refused=refused,
        saved=_saved(studio, shop, person.name),
    )


def _first(changes: tuple[Change, ...]) -> str:
    return next((change.article for change in changes if change.article is not None), "")


def _answer(
    studio: Studio, shop: Shop, window: str, changes: tuple[Change, ...], first: str, second: str
) -> dict[str, object]:
    simulation = studio.simulations.of(shop, window, changes)
    most = effects(simulation)
    others = [each.article for each in most if each.article != first]
    items = simulation.baseline.item_ids
    _require_articles(items, first if first in items else "", second)
    second = second or next(iter(others), "") or next((item for item in items if item != first), "")
    rows = pair_rows(simulation[BASELINE], simulation[NAME], first, second) if first in items and second else ()
    return {
        "words": [change.words() for change in changes],
        "first": first,
        "second": second,
        "rows": rows,
        "effects": most,
        "unseen": simulation.unseen.get(NAME, ()),
        "dates": simulation.baseline.dates,
    }


def _require_articles(items: Sequence[str], first: str, second: str) -> None:
    """Refuse a name that no article has, or one article as both; an empty one leaves the choice to the page.

    Raises:
        ValueError: one of them is.
    """
    for field, article in (("first", first), ("second", second)):
        if article and article not in items:
            raise ValueError(f"{field}: expected one of {some(items)}; got {article[:100]!r}")
    if second and second == first:
        raise ValueError(f"second: expected another article than the first, got {second[:100]!r}")


def _saved(studio: Studio, shop: Shop, person: str) -> list[dict[str, object]]:
    with studio.database.reading() as session:
        found = session.scalars(
            select(SavedScenario)
            .where(SavedScenario.model == shop.name, or_(SavedScenario.owner == person, SavedScenario.shared))
            .order_by(SavedScenario.name)
        ).all()
    told = []
    for each in found:
        articles = json.loads(each.articles)
        query = {"model": shop.name, "changes": each.changes, "second": articles[1], "name": each.name}
        told.append({"row": each, "query": query, "mine": each.owner == person})
    return told


@router.get("/pair.svg")
def pair(
    request: Request,
    person: Anybody,
    changes: Changes,
    first: Article,
    second: Article,
    model: Model = "",
    window: Name = "",
) -> Response:
    """The pictures of the pair view."""
    studio = studio_of(request)
    shop = studio.shop(model)
    simulation = studio.simulations.of(shop, shop.require_window(window), read_changes(changes))
    _require_articles(simulation.baseline.item_ids, first, second)
    return Response(pair_chart(simulation, NAME, first, second), headers=SVG_POLICY, media_type=SVG)


@router.post("/save")
def save(
    request: Request,
    person: Editor,
    model: Annotated[str, Form(max_length=200)],
    name: Annotated[str, Form(max_length=120)],
    changes: Annotated[str, Form(max_length=2000)],
    first: Annotated[str, Form(max_length=300)] = "",
    second: Annotated[str, Form(max_length=300)] = "",
    shared: Annotated[bool, Form()] = False,
) -> Response:
    """Keep a changed future under a name; one of the same name of the same person makes room."""
    studio = studio_of(request)
    shop = studio.shop(model)
    told = read_changes(changes)
    if not told:
        raise ValueError("changes: expected at least one, got none")
    # What cannot be answered is not kept either: an article that the model does not know, a price beyond all sense.
    simulation = studio.simulations.of(shop, shop.require_window(""), told)
    _require_articles(simulation.baseline.item_ids, first, second)
    with studio.database.writing() as session:
        row = session.scalar(
            select(SavedScenario).where(
                SavedScenario.model == shop.name,
                SavedScenario.owner == person.name,
                SavedScenario.name == name_of(name),
            )
        )
        if row is None:
            row = SavedScenario(model=shop.name, owner=person.name, name=name_of(name))
            session.add(row)
        row.changes = "\n".join(map(str, told))
        row.articles, row.shared, row.at = json.dumps([first, second]), shared, now()
    return back_to(request, f"/scenarios?model={shop.name}")


@router.post("/forget")
def forget(request: Request, person: Editor, number: Annotated[int, Form(ge=0, le=10**9)]) -> Response:
    """Remove a kept future of one's own; an admin may remove any."""
    studio = studio_of(request)
    with studio.database.writing() as session:
        row = session.get(SavedScenario, number)
        if row is None:
            raise HTTPException(404, "scenario: expected one that is kept")
        if row.owner != person.name and not person.may("admin"):
            raise HTTPException(403, f"scenario: expected one of your own, got one of {row.owner}")
        model = row.model
        session.delete(row)
    return back_to(request, f"/scenarios?model={model}")
