"""Small pictures of the photos of articles."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, Response

from .rendering import studio_of

router = APIRouter()


@router.get("/photo")
def photo(request: Request, item: str, number: int = 0, size: str = "small") -> Response:
    """A small picture of a photo of an article."""
    studio = studio_of(request)
    if studio.thumbnails is None:
        raise HTTPException(404, "photo: expected a studio with a catalogue")
    try:
        place = studio.thumbnails.path(item, number, size)
    except (OSError, ValueError) as error:
        raise HTTPException(404, str(error)) from None
    return FileResponse(place, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})
