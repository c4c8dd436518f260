"""The study of a search: its trials, in a file of SQLite that is looked at before it is believed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...runtime.arguments.naming import in_words, naming
from ..store.store import Store

if TYPE_CHECKING:
    from optuna.study import Study

DATABASE = "trials.db"

_OWN = {"alembic_version", "studies", "version_info"}
"""Tables of a file of trials, however early its writer was killed."""


@contextmanager
def opened_study(store: Store | None) -> Iterator[Study]:
    """Context with the study of a folder, or with one in memory.

    Raises:
        ValueError: optuna is not installed, or the file of the folder is none of a search or is spoilt; errors of the
            file within the context are told so too.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise ValueError("tune: expected optuna to be installed, got none; pip install optuna") from error
    from sqlalchemy.engine import URL
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if store is None:
        yield optuna.create_study()
        return
    store.folder.mkdir(parents=True, exist_ok=True)
    place = store.folder / DATABASE
    _require_trials(place)
    try:
        with naming("out", place):
            storage = optuna.storages.RDBStorage(URL.create("sqlite", database=str(place)).render_as_string())
        try:
            with naming("out", place):
                study = optuna.create_study(storage=storage, study_name="tune", load_if_exists=True)
            if study.directions != [optuna.study.StudyDirection.MINIMIZE]:
                raise _refused(place, "one of several scores, or of one that is to be large")
            yield study
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except SQLAlchemyError as error:
        raise _refused(place, in_words(error).partition(" [SQL:")[0]) from error


def _require_trials(place: Path) -> None:
    """Refuse a file that is none of a search, before anything is written to it."""
    if not place.exists() or (place.is_file() and not place.stat().st_size):
        return
    if not place.is_file():
        raise _refused(place, "something else than a file")
    try:
        # To be written to: what a killed search has half written is rolled back.
        with closing(sqlite3.connect(f"{place.absolute().as_uri()}?mode=rw", uri=True)) as opened:
            tables = {name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            (sound,) = opened.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise _refused(place, str(error)) from error
    if tables and not tables & _OWN:
        raise _refused(place, f"a database with the table {min(tables)!r}")
    if sound != "ok":
        raise _refused(place, sound)


def _refused(place: Path, got: str) -> ValueError:
    return ValueError(f"out: expected the trials of a search in {place}, got {got}")
