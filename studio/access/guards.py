"""What stands before every page: names of the host, sizes of requests, and headers of answers."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..settings import StudioSettings
from .rates import Rate

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Content security policy: nothing but files of the studio itself, and no script inside a page."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

UPLOADS = ("/labels/import", "/labels/crowd/answers", "/looks/upload")
"""Pages that take files."""


class Guards:
    """Refuses requests under another host's name, too many of one address, and too large ones.

    Arguments:
        app: what stands behind.
        settings: of the studio.
    """

    def __init__(self, app: ASGIApp, settings: StudioSettings) -> None:
        self.app, self.settings = app, settings
        self.rate = Rate(settings.requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    told.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    told.setdefault("Cache-Control", "no-store")
            await send(message)

        refused = self._refusal(scope, headers)
        if refused is not None:
            await refused(scope, receive, safely)
            return
        most = self.settings.upload_bytes if scope["path"] in UPLOADS else self.settings.form_bytes
        await _Bounded(self.app, most)(scope, receive, safely)

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> PlainTextResponse | None:
        name = headers.get("host", "").rpartition(":")[0] if _has_port(headers.get("host", "")) else headers.get("host")
        if name not in self.settings.hosts:
            return PlainTextResponse("host: expected a name under which this studio is known; see --name", 400)
        if not self.rate.allows((scope.get("client") or ("",))[0]):
            return PlainTextResponse("too many requests from this address; wait a minute", 429)
        return None


class _Bounded:
    """Refuses bodies of more bytes than a form or an upload may have, whatever their header says."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = dict(scope["headers"]).get(b"content-length", b"0")
        refusal = PlainTextResponse(f"body: expected at most {self.most} bytes", 413)
        if not told.isdigit() or int(told) > self.most:
            await refusal(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.most:
                # Of this kind, which whoever reads a form lets through to whoever answers.
                raise HTTPException(413, f"body: expected at most {self.most} bytes")
            return message

        await self.app(scope, counted, send)


def _has_port(host: str) -> bool:
    return ":" in host and not host.endswith("]")
