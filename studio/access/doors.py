"""Who asks, and whether they may: the first thing every page looks at."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Protocol
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request

from ..database.open import Database
from ..settings import StudioSettings
from .people import Person, name_of, role_of, visitor
from .rates import Rate

COOKIE = "studio"

SAFE = ("GET", "HEAD", "OPTIONS")


class House(Protocol):
    """What a door asks of a studio."""

    settings: StudioSettings
    database: Database
    key: bytes
    changes: Rate


class NotLoggedIn(Exception):
    """Nobody is known to ask."""


def address_of(request: Request) -> str:
    """The address from which a request came."""
    return request.client.host if request.client else ""


def who_asks(request: Request) -> Person:
    """The person who asks.

    Raises:
        NotLoggedIn: it is nobody who may.
    """
    house: House = request.app.state.studio
    told = _by_proxy(request, house)
    if told is None and (cookie := request.cookies.get(COOKIE)):
        with house.database.reading() as session:
            told = visitor(session, cookie)
    if told is None:
        raise NotLoggedIn
    request.state.person = told
    return told


def _by_proxy(request: Request, house: House) -> Person | None:
    """Whom a proxy names that stands at a configured address and knows the secret; else its headers mean nothing."""
    settings, headers = house.settings, request.headers
    given = headers.get("x-studio-secret", "")
    if address_of(request) not in settings.proxies or not settings.proxy_secret:
        return None
    if not hmac.compare_digest(given.encode(), settings.proxy_secret.encode()) or "x-studio-user" not in headers:
        return None
    try:
        name, role = name_of(headers["x-studio-user"]), role_of(headers.get("x-studio-role", "viewer"))
    except ValueError:
        return None
    secret = hmac.new(house.key, name.encode(), hashlib.sha256).hexdigest()
    return Person(name, role, secret)


async def who_changes(request: Request, person: Annotated[Person, Depends(who_asks)]) -> Person:
    """The person who asks, of whom a request that changes something is known to come from a page of the studio.

    Raises:
        HTTPException: 403 where it carries not the secret of this visit, or comes from another site; 429 where there
            are too many.
    """
    if request.method in SAFE:
        return person
    house: House = request.app.state.studio
    origin = request.headers.get("origin")
    if origin not in (None, "null") and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403, "origin: expected a page of this studio")
    given = request.headers.get("x-csrf-token")
    if given is None:
        given = str((await request.form()).get("csrf", ""))
    if not hmac.compare_digest(given.encode(), person.secret.encode()):
        raise HTTPException(403, "csrf: expected the secret of this visit; load the page again")
    if not house.changes.allows(person.name):
        raise HTTPException(429, "too many changes; wait a minute")
    return person


Anybody = Annotated[Person, Depends(who_changes)]
"""Whoever is logged in."""


def _editor(person: Anybody) -> Person:
    if not person.may("editor"):
        raise HTTPException(403, "role: expected an editor; ask an admin of this studio")
    return person


def _admin(person: Anybody) -> Person:
    if not person.may("admin"):
        raise HTTPException(403, "role: expected an admin")
    return person


Editor = Annotated[Person, Depends(_editor)]
Admin = Annotated[Person, Depends(_admin)]
