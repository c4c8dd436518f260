"""Look-alikes: a photo is clicked or brought, and its neighbours stand beside it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, HTTPException, Query, Request, UploadFile
from fastapi.responses import Response

from ...vision.search.look_alikes import find_similar
from ...vision.similarity.look_encoder import ANY_COLOUR, SAME_COLOUR
from ..access.doors import Anybody, address_of
from ..access.people import note
from ..labels.uploads import LARGEST_BYTES
from .rendering import back_to, rendered, studio_of

router = APIRouter(prefix="/looks")

_AT_ONCE = 24
_WEIGHTS = {"same": SAME_COLOUR, "any": ANY_COLOUR}

Key = Annotated[str, Query(max_length=40)]


@router.get("")
def looks(
    request: Request,
    person: Anybody,
    item: Annotated[str, Query(max_length=1000)] = "",
    photo: Key = "",
    unlike: Annotated[list[str] | None, Query(max_length=10)] = None,
    where: Annotated[str, Query(max_length=400)] = "",
    words: Annotated[str, Query(max_length=200)] = "",
    colours: Annotated[str, Query(max_length=10)] = "same",
) -> Response:
    """The articles that look most like one, or like a photo that was brought; without one, articles to begin with."""
    studio = studio_of(request)
    index = studio.looks
    if colours not in _WEIGHTS:
        raise ValueError(f"colours: expected one of {', '.join(_WEIGHTS)}; got {colours!r}")
    unlike = unlike or []
    for name in (*([item] if item else []), *unlike):
        # The index also takes paths of photos: nobody is to have a file opened that they name.
        index.place(name)
    brought = studio.uploads.kept.of(photo, person.name) if photo else None
    hits = []
    if item or brought:
        weights = _WEIGHTS[colours] if set(_WEIGHTS[colours]) == set(index.vectors.parts) else None
        hits = find_similar(
            index,
            [item] if item else [],
            k=_AT_ONCE,
            where=[where] if where else [],
            unlike=unlike,
            weights=weights,
            photos=None if brought is None else brought.vectors,
        )
    wanted = words.casefold()
    begin = [] if hits else [each for each in index.item_ids if wanted in studio.text_of(each).casefold()]
    return rendered(
        request,
        "looks.html",
        item=item,
        photo=photo,
        name=item or ("" if brought is None else brought.name),
        about={"item": item, "photo": photo, "colours": colours, "where": where},
        unlike=unlike,
        where=where,
        words=words,
        colours=colours,
        hits=hits,
        begin=begin[:_AT_ONCE],
        columns=studio.opened.choices,
    )


@router.post("/upload")
def upload(request: Request, person: Anybody, file: Annotated[UploadFile, File()]) -> Response:
    """Look at a photo that somebody brings, and show what looks like it."""
    studio = studio_of(request)
    name = file.filename or ""
    key = studio.uploads.take(studio.looks, person.name, name, file.file.read(LARGEST_BYTES + 1))
    with studio.database.writing() as session:
        note(session, person.name, address_of(request), "look-alikes of a photo", name[:200])
    return back_to(request, f"/looks?photo={key}")


@router.get("/photo.jpg")
def brought_photo(request: Request, person: Anybody, photo: Key) -> Response:
    """The photo that somebody brought, small."""
    try:
        shown = studio_of(request).uploads.kept.of(photo, person.name)
    except ValueError as error:
        raise HTTPException(404, str(error)) from None
    return Response(shown.jpeg, media_type="image/jpeg")
