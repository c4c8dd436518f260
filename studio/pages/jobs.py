"""Work that takes longer than a page, and how far it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from ..access.doors import Anybody, Editor, address_of
from ..access.people import note
from ..jobs.jobs import OPEN
from .rendering import back_to, rendered, studio_of, wants_part

router = APIRouter(prefix="/jobs")


@router.get("")
def jobs(request: Request, person: Anybody) -> Response:
    """All jobs, the newest first; only their table where htmx asks for it again."""
    found = studio_of(request).jobs.latest()
    template = "jobs_table.html" if wants_part(request) else "jobs.html"
    return rendered(request, template, jobs=found, busy=any(job.state in OPEN for job in found))


@router.post("/stop")
def stop(request: Request, person: Editor, number: Annotated[int, Form(ge=0, le=10**9)]) -> Response:
    """End a job."""
    studio = studio_of(request)
    studio.jobs.stop(number)
    with studio.database.writing() as session:
        note(session, person.name, address_of(request), "stop job", str(number))
    return back_to(request, "/jobs")
