"""The ledger of labels: who changed what, when, from what, to what and why; entries are only ever added."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...datasets.pictures.catalogue import MISSING_WORDS
from ..database.open import Database
from ..database.tables import CurrentLabel, LedgerEntry

Labels = tuple[str, ...]

_TRIES = 5
_LONGEST = 200


@dataclass(frozen=True)
class Wish:
    """What somebody wants the labels of an article to be.

    Arguments:
        item_id: the article.
        version: how often its labels had been changed when it was shown to them.
        labels: what they are to be, none for "nobody said".
    """

    item_id: str
    version: int
    labels: Labels


@dataclass(frozen=True)
class Conflict:
    """A wish that came too late: somebody else had changed the article since it was shown.

    Arguments:
        wish: what was wanted.
        entry: the change that stands.
    """

    wish: Wish
    entry: LedgerEntry


@dataclass(frozen=True)
class Outcome:
    """What became of some wishes: the changes, and the conflicts; what was so already is in neither."""

    entries: tuple[LedgerEntry, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def written(labels: Iterable[str]) -> str:
    """Labels as the tables hold them, each once.

    Example:
        >>> written(("red", "blue", "red"))
        '["red", "blue"]'
    """
    return json.dumps(list(dict.fromkeys(labels)), ensure_ascii=False)


def read(text: str) -> Labels:
    """Labels from what `written` gave."""
    return tuple(json.loads(text))


def require_label(text: str, name: str = "label", where: str = "") -> str:
    """A label without spaces around it.

    Arguments:
        text: what may be one.
        name: of what it is, for the message.
        where: it stands, for the message.

    Raises:
        ValueError: it is empty, longer than 200 characters, holds control characters or the sign between labels, or is
            a word by which catalogues say that there is none.
    """
    label = text.strip()
    if not 0 < len(label) <= _LONGEST or not label.isprintable() or "|" in label:
        raise ValueError(
            f"{name}: expected a label of 1 to {_LONGEST} printable characters without '|', got {text[:50]!r}{where}"
        )
    if label in MISSING_WORDS:
        raise ValueError(f"{name}: expected a label, got {label!r}{where}, by which catalogues say that there is none")
    return label


def change(
    database: Database,
    task: str,
    wishes: Sequence[Wish],
    *,
    who: str,
    why: str,
    told: Callable[[str], Labels],
    undoes: Mapping[str, int] | None = None,
) -> Outcome:
    """Change the labels of some articles in one task, see `change_all`.

    Arguments:
        database: of the studio.
        task: the label column.
        wishes: what is wanted.
        who: by whom.
        why: in their words, may be empty.
        told: what the catalogue says of an article, for one that was never changed.
        undoes: item id -> the entry that a wish takes back.
    """
    return change_all(database, {task: wishes}, who=who, why=why, told=lambda _, item: told(item), undoes=undoes)


def change_all(
    database: Database,
    wishes: Mapping[str, Sequence[Wish]],
    *,
    who: str,
    why: str,
    told: Callable[[str, str], Labels],
    undoes: Mapping[str, int] | None = None,
) -> Outcome:
    """Change the labels of some articles, all that are not in conflict in one transaction.

    Arguments:
        database: of the studio.
        wishes: label column -> what is wanted in it.
        who: by whom.
        why: in their words, may be empty.
        told: what the catalogue says in a column of an article, for one that was never changed.
        undoes: item id -> the entry that a wish takes back.

    Returns:
        The entries that were added, in the order of the wishes, and the conflicts.

    Raises:
        ValueError: a wish names a version of an article that nobody has changed; nothing is changed.
        TimeoutError: others change the same articles at the same time.
    """
    for _ in range(_TRIES):
        try:
            with database.writing() as session:
                done = [
                    _changed(session, task, some, who, why, partial(told, task), undoes or {})
                    for task, some in wishes.items()
                ]
            return Outcome(
                tuple(entry for each in done for entry in each.entries),
                tuple(conflict for each in done for conflict in each.conflicts),
            )
        except IntegrityError:
            continue  # another process was first: now it is a conflict
    raise TimeoutError(f"{', '.join(wishes)}: others change the same articles; try again")


def _changed(
    session: Session,
    task: str,
    wishes: Sequence[Wish],
    who: str,
    why: str,
    told: Callable[[str], Labels],
    undoes: Mapping[str, int],
) -> Outcome:
    wanted = [wish.item_id for wish in wishes]
    rows: dict[str, CurrentLabel] = {}
    for first in range(0, len(wanted), 500):
        asked = select(CurrentLabel).where(
            CurrentLabel.task == task, CurrentLabel.item_id.in_(wanted[first : first + 500])
        )
        rows |= {row.item_id: row for row in session.scalars(asked.with_for_update())}
    entries, conflicts = [], []
    for wish in wishes:
        row = rows.get(wish.item_id)
        if row is not None and row.version != wish.version:
            standing = session.get(LedgerEntry, row.entry)
            assert standing is not None
            if read(row.labels) != wish.labels:
                conflicts.append(Conflict(wish, standing))
            continue
        if row is None and wish.version:
            raise ValueError(f"version: expected 0 of {wish.item_id!r}, which nobody has changed, got {wish.version}")
        before = told(wish.item_id) if row is None else read(row.labels)
        if before == wish.labels:
            continue
        entry = LedgerEntry(
            who=who,
            task=task,
            item_id=wish.item_id,
            version=wish.version + 1,
            before=written(before),
            after=written(wish.labels),
            why=why[:500],
            undoes=undoes.get(wish.item_id),
        )
        session.add(entry)
        session.flush()
        if row is None:
            row = CurrentLabel(task=task, item_id=wish.item_id)
            session.add(row)
            rows[wish.item_id] = row
        row.version, row.labels, row.entry = entry.version, entry.after, entry.id
        session.flush()
        entries.append(entry)
    return Outcome(tuple(entries), tuple(conflicts))


def undo(database: Database, number: int, *, who: str, told: Callable[[str], Labels]) -> Outcome:
    """Take back a change, by an entry that says so.

    Arguments:
        database: of the studio.
        number: of the entry that is taken back.
        who: by whom.
        told: what the catalogue says of an article.

    Returns:
        The entry, or the conflict where the article was changed again since.

    Raises:
        ValueError: there is no such entry.
    """
    with database.reading() as session:
        entry = session.get(LedgerEntry, number)
    if entry is None:
        raise ValueError(f"entry: expected one of the ledger, got {number}")
    wish = Wish(entry.item_id, entry.version, read(entry.before))
    return change(database, entry.task, [wish], who=who, why="", told=told, undoes={entry.item_id: number})


def history(session: Session, item_id: str) -> Sequence[LedgerEntry]:
    """All changes of an article, the latest first."""
    return session.scalars(
        select(LedgerEntry).where(LedgerEntry.item_id == item_id).order_by(LedgerEntry.id.desc())
    ).all()


def replayed(entries: Iterable[LedgerEntry]) -> dict[tuple[str, str], tuple[int, Labels]]:
    """What the entries of a ledger come to, the way a studio is checked.

    Arguments:
        entries: all of them.

    Returns:
        Task and item id -> version and labels.

    Raises:
        ValueError: an entry does not go on from the one before it.
    """
    found: dict[tuple[str, str], tuple[int, Labels]] = {}
    for entry in sorted(entries, key=lambda each: each.version):
        place = (entry.task, entry.item_id)
        version, labels = found.get(place, (0, read(entry.before)))
        if entry.version != version + 1 or read(entry.before) != labels:
            raise ValueError(
                f"ledger: expected {place[1]!r} to go on from version {version} and {labels}, "
                f"got entry {entry.id} of version {entry.version} from {entry.before}"
            )
        found[place] = (entry.version, read(entry.after))
    return found
