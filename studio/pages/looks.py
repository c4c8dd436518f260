"""Look-alikes: a photo is clicked, and its neighbours stand beside it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ...vision.search.look_alikes import find_similar
from ...vision.similarity.look_encoder import ANY_COLOUR, SAME_COLOUR
from ..access.doors import Anybody
from .rendering import rendered, studio_of

router = APIRouter(prefix="/looks")

_AT_ONCE = 24
_WEIGHTS = {"same": SAME_COLOUR, "any": ANY_COLOUR}


@router.get("")
def looks(
    request: Request,
    person: Anybody,
    item: Annotated[str, Query(max_length=1000)] = "",
    unlike: Annotated[list[str] | None, Query(max_length=10)] = None,
    where: Annotated[str, Query(max_length=400)] = "",
    words: Annotated[str, Query(max_length=200)] = "",
    colours: Annotated[str, Query(max_length=10)] = "same",
) -> Response:
    """The articles that look most like one, less like others, with a label; without one, articles to begin with."""
    studio = studio_of(request)
    index = studio.looks
    if colours not in _WEIGHTS:
        raise ValueError(f"colours: expected one of {', '.join(_WEIGHTS)}; got {colours!r}")
    unlike = unlike or []
    for name in (*([item] if item else []), *unlike):
        # The index also takes paths of photos: nobody is to have a file opened that they name.
        index.place(name)
    hits = []
    if item:
        weights = _WEIGHTS[colours] if set(_WEIGHTS[colours]) == set(index.vectors.parts) else None
        conditions = [where] if where else []
        hits = find_similar(index, [item], k=_AT_ONCE, where=conditions, unlike=unlike, weights=weights)
    wanted = words.casefold()
    begin = [] if item else [each for each in index.item_ids if wanted in studio.text_of(each).casefold()]
    return rendered(
        request,
        "looks.html",
        item=item,
        text=studio.text_of(item) if item else "",
        unlike=unlike,
        where=where,
        words=words,
        colours=colours,
        hits=hits,
        begin=begin[:_AT_ONCE],
        columns=studio.opened.choices,
    )
