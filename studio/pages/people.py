"""Logging in and out, languages, and who may log in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import select

from ..access.doors import COOKIE, Admin, Anybody, address_of
from ..access.people import ROLES, everybody, invite, log_in, log_out, note, shut_out
from ..database.tables import AuditEntry
from ..texts.translations import LANGUAGES
from .rendering import LONGEST_ADDRESS, back_to, rendered, studio_of

open_router = APIRouter()
"""Pages that nobody has to be logged in for."""

router = APIRouter()

_SHOWN = 200


@open_router.get("/login")
def login_page(request: Request, next: str = "/") -> Response:
    """Where somebody gives their token."""
    return rendered(request, "login.html", next=next, failed=False)


@open_router.post("/login")
def login(
    request: Request, token: Annotated[str, Form(max_length=200)], next: Annotated[str, Form(max_length=2000)] = "/"
) -> Response:
    """Open a visit, or ask again."""
    studio, address = studio_of(request), address_of(request)
    origin = request.headers.get("origin")
    if origin not in (None, "null") and origin.partition("://")[2] != request.headers.get("host"):
        raise HTTPException(403, "origin: expected a page of this studio")
    if not studio.logins.allows(address):
        raise HTTPException(429, "too many tries to log in; wait a minute")
    with studio.database.writing() as session:
        opened = log_in(session, token.strip(), studio.settings.hours)
        note(session, opened[1] if opened else "?", address, "login" if opened else "login refused")
    if opened is None:
        return rendered(request, "login.html", 401, next=next, failed=True)
    answer = back_to(request, next)
    answer.set_cookie(
        COOKIE,
        opened[0],
        max_age=int(3600 * studio.settings.hours),
        httponly=True,
        samesite="lax",
        secure=studio.settings.https,
    )
    return answer


@router.post("/logout")
def logout(request: Request, person: Anybody) -> Response:
    """End the visit."""
    with studio_of(request).database.writing() as session:
        log_out(session, request.cookies.get(COOKIE, ""))
        note(session, person.name, address_of(request), "logout")
    answer = back_to(request, "/login")
    answer.delete_cookie(COOKIE)
    return answer


@router.post("/language")
def language(
    request: Request,
    person: Anybody,
    language: Annotated[str, Form(max_length=5)],
    next: Annotated[str, Form(max_length=LONGEST_ADDRESS)] = "/",
) -> Response:
    """Show pages in a language from now on."""
    if language not in LANGUAGES:
        raise ValueError(f"language: expected one of {', '.join(LANGUAGES)}; got {language!r}")
    answer = back_to(request, next)
    answer.set_cookie(
        "language", language, max_age=365 * 86400, samesite="lax", secure=studio_of(request).settings.https
    )
    return answer


@router.get("/people")
def people(request: Request, person: Admin) -> Response:
    """Who may log in, and what was done beside changes of labels."""
    return _people(request)


@router.post("/people/invite")
def let_in(
    request: Request,
    person: Admin,
    name: Annotated[str, Form(max_length=80)],
    role: Annotated[str, Form(max_length=10)],
    days: Annotated[float, Form(gt=0, le=3650)] = 90,
) -> Response:
    """Let somebody in, and show their token once."""
    if name.strip() == person.name and role != "admin":
        raise ValueError("name: expected somebody else, got yourself, who would be no admin then")
    with studio_of(request).database.writing() as session:
        token = invite(session, name, role, days)
        note(session, person.name, address_of(request), "invite", f"{name} as {role} for {days:g} days")
    return _people(request, name=name, token=token)


@router.post("/people/out")
def let_out(request: Request, person: Admin, name: Annotated[str, Form(max_length=80)]) -> Response:
    """End the token and visits of somebody."""
    if name == person.name:
        raise ValueError("name: expected somebody else, got yourself")
    with studio_of(request).database.writing() as session:
        shut_out(session, name)
        note(session, person.name, address_of(request), "shut out", name)
    return back_to(request, "/people")


def _people(request: Request, name: str = "", token: str = "") -> Response:
    with studio_of(request).database.reading() as session:
        accounts = everybody(session)
        audit = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(_SHOWN)).all()
    return rendered(request, "people.html", accounts=accounts, audit=audit, roles=ROLES, name=name, token=token)
