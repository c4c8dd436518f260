"""Opening the database of a studio: SQLite with a write-ahead log, or PostgreSQL, brought to the newest tables."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from .tables import Base

_WRITES = "writes"


class Database:
    """The database of a studio.

    Arguments:
        address: an SQLAlchemy address.
    """

    def __init__(self, address: str) -> None:
        self.engine = create_engine(address, pool_size=20, max_overflow=40, pool_timeout=60, pool_pre_ping=True)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # SQLite lets one writer in at a time, and has the others ask again and again: here they wait in turn.
        self._turn = threading.Lock()
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare)
            event.listen(self.engine, "begin", _begin)
        upgrade(self.engine)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Context of a session that only reads."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Context of a session whose changes are on the disk once it is left, or, after an error, not there at all."""
        engine = self.engine.execution_options(**{_WRITES: True})
        if not self.is_sqlite:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
            return
        with self._turn, Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def upgrade(engine: Engine) -> None:
    """Bring the tables of a database to the newest form.

    Arguments:
        engine: of the database.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.execution_options(**{_WRITES: True}).connect() as connection:
        config.attributes["connection"] = connection
        config.attributes["tables"] = Base.metadata
        command.upgrade(config, "head")


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Leave transactions to `_begin`, and have what was acknowledged outlive the machine."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """A writer asks for its turn at once: one that began by reading would be refused, not made to wait."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
