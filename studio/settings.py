"""How a studio is run."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from ..runtime.arguments.kinds import Checked, Count, Positive


@dataclass(frozen=True)
class StudioSettings(Checked):
    """How a studio is run.

    Arguments:
        folder: where it keeps its database, thumbnails and what is trained again.
        database: an SQLAlchemy address such as ``postgresql+psycopg://...``; a file of SQLite in `folder` if ``None``.
        host: the address of the machine at which it answers.
        port: the port; 0 for any that is free.
        names: host names under which browsers ask for it, beside ``localhost``, ``127.0.0.1``, ``[::1]`` and `host`.
        https: whether a proxy in front speaks TLS: cookies are then sent over it alone.
        hours: how long a login holds.
        proxies: addresses of proxies whose headers say who asks; none are believed by default.
        proxy_secret: what such a proxy has to say in ``X-Studio-Secret``.
        form_bytes: the largest form, in bytes.
        upload_bytes: the largest file, in bytes.
        logins: tries to log in a minute from one address.
        changes: requests a minute that change something, of one person.
        requests: requests a minute from one address.

    Raises:
        ValueError: a proxy is no address, or proxies are named without a secret of at least 16 characters.
    """

    folder: Path
    database: str | None = None
    host: str = "127.0.0.1"
    port: int = 8765
    names: tuple[str, ...] = ()
    https: bool = False
    hours: Positive = 12.0
    proxies: tuple[str, ...] = ()
    proxy_secret: str = ""
    form_bytes: Count = 2**20
    upload_bytes: Count = 16 * 2**20
    logins: Count = 10
    changes: Count = 600
    requests: Count = 3000

    def __post_init__(self) -> None:
        if not 0 <= self.port < 2**16:
            raise ValueError(f"port: expected 0 to 65535, got {self.port}")
        for each in self.proxies:
            try:
                ipaddress.ip_address(each)
            except ValueError:
                raise ValueError(f"proxies: expected addresses such as 10.0.0.7, got {each!r}") from None
        if self.proxies and len(self.proxy_secret) < 16:
            raise ValueError("proxy_secret: expected at least 16 characters beside proxies, got fewer")

    @property
    def address(self) -> str:
        """The SQLAlchemy address of the database."""
        return self.database or f"sqlite:///{(self.folder / 'studio.db').absolute()}"

    @property
    def hosts(self) -> frozenset[str]:
        """The names that the ``Host`` of a request may have, without a port."""
        return frozenset({"localhost", "127.0.0.1", "[::1]", self.host, *self.names})
