"""People: tokens by which they log in, visits, and what each role may do."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..database.tables import Account, AuditEntry, Visit, now

Role = Literal["viewer", "editor", "admin"]
"""A viewer reads; an editor changes labels, keeps scenarios and starts trainings; an admin lets people in too."""

ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Person:
    """Somebody who asks for a page.

    Arguments:
        name: their name, under which the ledger keeps what they do.
        role: what they may do.
        secret: what every form of theirs has to carry.
        language: of the pages, empty for that of the browser.
    """

    name: str
    role: Role
    secret: str
    language: str = ""

    def may(self, role: Role) -> bool:
        """Whether they may do what somebody of this role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


def digest(secret: str) -> str:
    """What the database keeps of a token or a cookie: its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def role_of(text: str) -> Role:
    """A role by its name.

    Raises:
        ValueError: there is none.
    """
    if text not in ROLES:
        raise ValueError(f"role: expected one of {', '.join(ROLES)}, got {text!r}")
    return text


def name_of(text: str) -> str:
    """The name of a person without spaces around it.

    Raises:
        ValueError: it is empty, longer than 80 characters, or holds control characters.
    """
    name = text.strip()
    if not 0 < len(name) <= 80 or not name.isprintable():
        raise ValueError(f"name: expected 1 to 80 printable characters, got {text[:100]!r}")
    return name


def invite(session: Session, name: str, role: str, days: float | None = None) -> str:
    """Let somebody in, or give somebody who is in a new token; older ones and open visits end.

    Arguments:
        session: that writes.
        name: of the person.
        role: ``"viewer"``, ``"editor"`` or ``"admin"``.
        days: how long the token holds; for good if ``None``.

    Returns:
        The token, which is kept nowhere.

    Raises:
        ValueError: name or role are none.
    """
    token = secrets.token_urlsafe(24)
    until = None if days is None else now() + timedelta(days=days)
    account = session.scalar(select(Account).where(Account.name == name_of(name)))
    if account is None:
        session.add(Account(name=name_of(name), role=role_of(role), token=digest(token), expires=until))
    else:
        account.role, account.token, account.expires = role_of(role), digest(token), until
        session.execute(delete(Visit).where(Visit.account_id == account.id))
    return token


def shut_out(session: Session, name: str) -> None:
    """End the token and the visits of a person.

    Raises:
        ValueError: there is nobody of this name.
    """
    account = session.scalar(select(Account).where(Account.name == name))
    if account is None:
        raise ValueError(f"name: expected somebody who may log in, got {name!r}")
    session.execute(delete(Visit).where(Visit.account_id == account.id))
    session.delete(account)


def log_in(session: Session, token: str, hours: float) -> tuple[str, str] | None:
    """Open a visit.

    Arguments:
        session: that writes.
        token: what the person gave.
        hours: how long the visit holds.

    Returns:
        The cookie and the name of the person; ``None`` where the token is none, or holds no more.
    """
    account = session.scalar(select(Account).where(Account.token == digest(token)))
    if account is None or _over(account.expires):
        return None
    session.execute(delete(Visit).where(Visit.expires < now()))
    cookie = secrets.token_urlsafe(32)
    until = now() + timedelta(hours=hours)
    if account.expires is not None:
        until = min(until, account.expires)
    session.add(Visit(cookie=digest(cookie), account_id=account.id, secret=secrets.token_urlsafe(24), expires=until))
    return cookie, account.name


def log_out(session: Session, cookie: str) -> None:
    """End a visit."""
    session.execute(delete(Visit).where(Visit.cookie == digest(cookie)))


def visitor(session: Session, cookie: str) -> Person | None:
    """Whose visit a cookie is; ``None`` where it is nobody's, or over."""
    found = session.execute(
        select(Visit, Account).join(Account, Account.id == Visit.account_id).where(Visit.cookie == digest(cookie))
    ).first()
    if found is None:
        return None
    visit, account = found
    if _over(visit.expires) or _over(account.expires):
        return None
    return Person(account.name, role_of(account.role), visit.secret, account.language)


def everybody(session: Session) -> Sequence[Account]:
    """All who may log in, by name."""
    return session.scalars(select(Account).order_by(Account.name)).all()


def note(session: Session, who: str, address: str, action: str, detail: str = "") -> None:
    """Add a line to the audit log."""
    session.add(AuditEntry(who=who[:80], address=address[:60], action=action[:40], detail=detail[:500]))


def _over(until: datetime | None) -> bool:
    return until is not None and until <= now()
