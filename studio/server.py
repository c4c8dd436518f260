"""The studio as a web application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as PlainHTTPException

from ..runtime.arguments.naming import in_words
from .access.doors import Anybody, NotLoggedIn, who_changes
from .access.guards import Guards
from .pages import backtests, crowd, decided, forecasts, grid, jobs, labels, looks, people, photos, scenarios
from .pages.rendering import rendered, wants_part
from .studio import Studio


def create_app(studio: Studio) -> FastAPI:
    """The web application of a studio, for any ASGI server.

    Arguments:
        studio: what its pages work with; closed when the server ends.
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        studio.close()

    app = FastAPI(title="hemline studio", openapi_url=None, docs_url=None, redoc_url=None, lifespan=life)
    app.state.studio = studio
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.include_router(people.open_router)
    for each in (people, labels, grid, photos, looks, jobs, forecasts, scenarios, backtests, decided, crowd):
        app.include_router(each.router, dependencies=[Depends(who_changes)])

    @app.get("/")
    def home(person: Anybody) -> Response:
        return RedirectResponse(next(address for address, _ in (*studio.menu(person), ("/jobs", ""))), 303)

    @app.exception_handler(NotLoggedIn)
    async def ask_to_log_in(request: Request, _: Exception) -> Response:
        if wants_part(request):
            return Response(status_code=401, headers={"HX-Redirect": "/login"})
        if request.method != "GET":
            return rendered(request, "error.html", 401, said="login: expected a visit that is not over; log in again")
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse("/login" + ("" if asked == "/" else f"?{urlencode({'next': asked})}"), 303)

    @app.exception_handler(PlainHTTPException)
    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, PlainHTTPException)
        return _error(request, error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def refuse_form(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        # A form without a file has an empty text in its place.
        none = first["type"] == "missing" or "UploadFile" in first["msg"]
        reason = "expected one, got none" if none else first["msg"].lower()
        return _error(request, 422, f"{first['loc'][-1]}: {reason}")

    @app.exception_handler(ValueError)
    async def refuse_value(request: Request, error: Exception) -> Response:
        return _error(request, 400, in_words(error))

    @app.exception_handler(Exception)
    async def tell_fault(request: Request, error: Exception) -> Response:
        return _error(request, 500, f"{type(error).__name__}; the log of the studio says where")

    app.add_middleware(Guards, settings=studio.settings)
    return app


def _error(request: Request, status: int, said: str) -> Response:
    if wants_part(request):
        return Response(said, status, media_type="text/plain; charset=utf-8")
    return rendered(request, "error.html", status, said=said)
