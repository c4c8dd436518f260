"""Templates to pages, with the texts of a language, the menu and the secret of a visit."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ...runtime.display.numbers import figure, percent
from ..access.people import Person
from ..labels.ledger import read
from ..studio import Studio
from ..texts.translations import LANGUAGES, chosen_language, translations

LONGEST_ADDRESS = 8000
"""Characters of an address to which a form leads back."""

_TEMPLATES = Path(__file__).parent.parent / "templates"


def studio_of(request: Request) -> Studio:
    """What the pages of a request work with."""
    studio: Studio = request.app.state.studio
    return studio


def wants_part(request: Request) -> bool:
    """Whether htmx asks, which puts parts of a page in their places."""
    return request.headers.get("hx-request") == "true"


def rendered(request: Request, template: str, /, status: int = 200, **values: object) -> Response:
    """A page.

    Arguments:
        request: what was asked.
        template: the name of a file in ``templates``.
        status: of the answer.
        values: what the template shows.
    """
    person: Person | None = getattr(request.state, "person", None)
    language = language_of(request, person)
    told: dict[str, object] = {
        "person": person,
        "studio": studio_of(request),
        "language": language,
        "languages": LANGUAGES,
        "path": request.url.path,
        "here": _here(request, person),
        **values,
    }
    return HTMLResponse(environment(language).get_template(template).render(told), status)


def _here(request: Request, person: Person | None) -> str:
    """The address of a page with what was asked of it, to which a form leads back.

    What answers a form has no address of its own: its part of the studio stands for it.
    """
    path, query = request.url.path, request.url.query
    if request.method != "GET":
        parts = [] if person is None else studio_of(request).menu(person)
        return next((address for address, _ in parts if path.startswith(address)), "/")
    return f"{path}?{query}" if query and len(path) + len(query) < LONGEST_ADDRESS else path


def language_of(request: Request, person: Person | None) -> str:
    """The language in which somebody reads."""
    asked = request.cookies.get("language") or (person.language if person else "")
    return chosen_language(asked, request.headers.get("accept-language", ""))


@cache
def environment(language: str) -> Environment:
    """The templates in a language."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {
        "query": _query,
        "percent": _percent,
        "key": _key,
        "number": _number,
        "labels": _labels,
        "signed": _signed,
    }
    return made


def back_to(request: Request, address: str) -> Response:
    """What follows a form that was sent: the page at an address of this studio."""
    if not address.startswith("/") or address.startswith(("//", "/\\")):
        address = "/"
    if wants_part(request):
        return Response(headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def _query(values: dict[str, object]) -> str:
    return urlencode({name: value for name, value in values.items() if value not in ("", None)})


def _percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else _spaced(percent(value, digits))


def _number(value: float, digits: int = 0) -> str:
    return _spaced(figure(value, digits))


def _signed(value: float, digits: int = 0) -> str:
    """A change, with its sign."""
    return _spaced(figure(value, digits, sign=True))


def _spaced(text: str) -> str:
    """A number as both languages read it: a narrow space between thousands, and a minus."""
    return text.replace(",", "\u202f").replace("-", "\u2212")


def _labels(text: str) -> str:
    """Labels of the ledger in a cell."""
    return ", ".join(read(text)) or "–"


def _key(text: str) -> str:
    """A name by which a page calls an element, of whatever the text is made."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
