"""The tables of a studio."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ForeignKey, Index, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


def now() -> datetime:
    """The time in UTC, as the tables hold it: without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


class Base(DeclarativeBase):
    """All tables."""

    metadata = MetaData(
        naming_convention={"uq": "uq_%(table_name)s_%(column_0_N_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"}
    )


class Account(Base):
    """Somebody who may log in, with the digest of the token by which they do."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    role: Mapped[str] = mapped_column(String(10))
    token: Mapped[str] = mapped_column(String(64), unique=True)
    made: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime | None] = mapped_column(default=None)
    language: Mapped[str] = mapped_column(String(5), default="")


class Visit(Base):
    """A login: the digest of a cookie, until when it holds, and the secret that every form of it carries."""

    __tablename__ = "visits"

    cookie: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    secret: Mapped[str] = mapped_column(String(64))
    expires: Mapped[datetime]


class LedgerEntry(Base):
    """One change of the labels of an article; entries are only ever added."""

    __tablename__ = "ledger"
    __table_args__ = (
        UniqueConstraint("task", "item_id", "version"),
        Index("ix_ledger_item", "item_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    who: Mapped[str] = mapped_column(String(80))
    task: Mapped[str] = mapped_column(String(200))
    item_id: Mapped[str] = mapped_column(String(1000))
    version: Mapped[int]
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(String(500), default="")
    undoes: Mapped[int | None] = mapped_column(default=None)


class CurrentLabel(Base):
    """The labels of an article that was ever changed, as the ledger leaves them."""

    __tablename__ = "current_labels"

    task: Mapped[str] = mapped_column(String(200), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(1000), primary_key=True)
    version: Mapped[int]
    labels: Mapped[str] = mapped_column(Text)
    entry: Mapped[int]


class Job(Base):
    """Work that takes longer than a page, and how far it is."""

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(300))
    who: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(10), default="running")
    stage: Mapped[str] = mapped_column(String(200), default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    result: Mapped[str] = mapped_column(Text, default="")
    begun: Mapped[datetime] = mapped_column(default=now)
    ended: Mapped[datetime | None] = mapped_column(default=None)


class SavedScenario(Base):
    """A changed future that somebody kept, for themselves or for all."""

    __tablename__ = "scenarios"
    __table_args__ = (UniqueConstraint("model", "owner", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(String(200))
    owner: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(120))
    changes: Mapped[str] = mapped_column(Text)
    articles: Mapped[str] = mapped_column(Text)
    shared: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(default=now)


class AuditEntry(Base):
    """Who did what beside changes of labels; entries are only ever added."""

    __tablename__ = "audit"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    who: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(60))
    action: Mapped[str] = mapped_column(String(40))
    detail: Mapped[str] = mapped_column(String(500), default="")


class CrowdBatch(Base):
    """Photos about which several people are asked outside the studio: item ids with their versions, as JSON."""

    __tablename__ = "crowd_batches"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    who: Mapped[str] = mapped_column(String(80))
    task: Mapped[str] = mapped_column(String(200))
    question: Mapped[str] = mapped_column(String(300))
    choices: Mapped[str] = mapped_column(Text)
    items: Mapped[str] = mapped_column(Text)
    answers_each: Mapped[int]


class CrowdAnswer(Base):
    """What somebody said of a photo of a batch; rows are only ever added."""

    __tablename__ = "crowd_answers"
    __table_args__ = (UniqueConstraint("batch_id", "item_id", "worker"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("crowd_batches.id"))
    item_id: Mapped[str] = mapped_column(String(1000))
    worker: Mapped[str] = mapped_column(String(100))
    answer: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(default=now)


class Fact(Base):
    """What a studio remembers of itself: the catalogue that it was begun with."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
