"""Batches of photos about which several people are asked, outside the studio, and what the most of them say."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...evaluation.scores.agreement import krippendorff_alpha, percent_agreement
from ...runtime.reading.records import csv_records
from ...runtime.texts import spreadsheet_text
from ..database.open import Database
from ..database.tables import CrowdAnswer, CrowdBatch
from .labelling import Labelling
from .ledger import Wish

MOST, MOST_ANSWERS = 5000, 20
"""Photos of a batch, and answers asked for each, at most."""

COLUMNS = ("batch", "item_id", "image", "question", "choices", "worker", "answer")
_LONGEST = 100


@dataclass(frozen=True)
class Batch:
    """Photos about which people are asked.

    Arguments:
        number: by which it is called.
        at: when it was made.
        who: by whom.
        task: the label column.
        question: what is asked of each.
        choices: the answers that may be given.
        items: item id -> how often its labels had been changed when the batch was made.
        each: how many answers are asked for each photo.
    """

    number: int
    at: datetime
    who: str
    task: str
    question: str
    choices: tuple[str, ...]
    items: dict[str, int]
    each: int


@dataclass(frozen=True)
class Judged:
    """What people said of a photo.

    Arguments:
        item_id: the article.
        votes: answer -> how many gave it, the most frequent first.
        majority: the answer of more than half of those asked; ``None`` where there is none (yet): it stays open.
    """

    item_id: str
    votes: dict[str, int]
    majority: str | None

    @property
    def count(self) -> int:
        """How many answers there are."""
        return sum(self.votes.values())


@dataclass(frozen=True)
class Tally:
    """What came back of a batch.

    Arguments:
        photos: all of its photos, those on which people agree least first.
        agreement: share of pairs of answers to a photo that are equal.
        alpha: Krippendorff's alpha.
        workers: how many people answered.
    """

    photos: tuple[Judged, ...]
    agreement: float
    alpha: float
    workers: int

    @property
    def answers(self) -> int:
        """How many answers there are."""
        return sum(each.count for each in self.photos)

    @property
    def decided(self) -> int:
        """Photos with a majority."""
        return sum(each.majority is not None for each in self.photos)


def make_batch(
    database: Database, labelling: Labelling, who: str, task: str, question: str, items: Sequence[str], each: int
) -> int:
    """Make a batch, whose number is returned.

    Arguments:
        database: of the studio.
        labelling: the catalogue.
        who: by whom.
        task: the label column; its choices are all labels that it has.
        question: what is asked of each photo.
        items: the articles.
        each: answers asked for each.

    Raises:
        ValueError: the column has several labels an article, or numbers or the question are out of their range.
    """
    if labelling.require_task(task) in labelling.source.facets:
        raise ValueError(f"task: expected a column of one label an article, got the facets {task!r}")
    if not 1 <= len(items) <= MOST:
        raise ValueError(f"photos: expected 1 to {MOST}, got {len(items)}")
    if not 1 <= each <= MOST_ANSWERS:
        raise ValueError(f"answers: expected 1 to {MOST_ANSWERS} of each photo, got {each}")
    asked = question.strip()
    if not 0 < len(asked) <= 300 or not asked.isprintable():
        raise ValueError(f"question: expected 1 to 300 printable characters, got {question[:50]!r}")
    standing = labelling.standing
    seen = [(item, standing.version(task, item)) for item in items]
    with database.writing() as session:
        row = CrowdBatch(
            who=who,
            task=task,
            question=asked,
            choices=json.dumps(sorted(labelling.known_labels(task, standing)), ensure_ascii=False),
            items=json.dumps(seen, ensure_ascii=False),
            answers_each=each,
        )
        session.add(row)
        session.flush()
        return row.id


def batches(session: Session) -> list[Batch]:
    """All batches, the latest first."""
    return [_batch(row) for row in session.scalars(select(CrowdBatch).order_by(CrowdBatch.id.desc()))]


def batch_of(session: Session, number: int) -> Batch:
    """A batch by its number.

    Raises:
        ValueError: there is none.
    """
    row = session.get(CrowdBatch, number)
    if row is None:
        raise ValueError(f"batch: expected the number of one, got {number}")
    return _batch(row)


def _batch(row: CrowdBatch) -> Batch:
    items = dict(json.loads(row.items))
    return Batch(
        row.id, row.at, row.who, row.task, row.question, tuple(json.loads(row.choices)), items, row.answers_each
    )


def batch_csv(labelling: Labelling, batch: Batch) -> Iterator[str]:
    """A batch as CSV: as many rows a photo as answers are asked, with places for worker and answer.

    Names that a spreadsheet would take for formulas have an apostrophe before them, which `read_answers` knows.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    choices = "|".join(batch.choices)
    for item in batch.items:
        images = labelling.article(item).images
        cells = (str(batch.number), item, images[0] if images else "", batch.question, choices, "", "")
        for _ in range(batch.each):
            writer.writerow([spreadsheet_text(cell) for cell in cells])
        yield file.getvalue()
        file.seek(0)
        file.truncate()


def read_answers(batch: Batch, name: str, content: bytes) -> list[tuple[str, str, str]]:
    """Item id, worker and answer of each row that has an answer.

    Raises:
        ValueError: the file is no such table, is of another batch, or names a photo or an answer that is not of it.
    """
    columns, rows = csv_records(content, name)
    for column in ("batch", "item_id", "worker", "answer"):
        if column not in columns:
            raise ValueError(f"file: expected the columns batch, item_id, worker and answer, got none named {column}")
    items = {spreadsheet_text(item): item for item in batch.items} | {item: item for item in batch.items}
    choices = {spreadsheet_text(one): one for one in batch.choices} | {one: one for one in batch.choices}
    found: dict[tuple[str, str], str] = {}
    for number, row in rows:
        item, worker, answer = (str(row[column]).strip() for column in ("item_id", "worker", "answer"))
        if str(row["batch"]).strip() != str(batch.number):
            raise ValueError(f"batch: expected {batch.number} in each line, got {row['batch'][:20]!r} in line {number}")
        if item not in items:
            raise ValueError(f"item_id: expected a photo of batch {batch.number}, got {item[:100]!r} in line {number}")
        if not answer:
            continue
        if answer not in choices:
            known = ", ".join(batch.choices[:5])
            raise ValueError(f"answer: expected a choice such as {known}; got {answer[:100]!r} in line {number}")
        if not 0 < len(worker) <= _LONGEST or not worker.isprintable():
            raise ValueError(f"worker: expected a name beside each answer, got {worker[:50]!r} in line {number}")
        key = (items[item], worker)
        if found.setdefault(key, choices[answer]) != choices[answer]:
            raise ValueError(
                f"worker: expected one answer of {worker!r} to {item[:50]!r}, got another in line {number}"
            )
    return [(item, worker, answer) for (item, worker), answer in found.items()]


def take_answers(database: Database, batch: Batch, answers: Sequence[tuple[str, str, str]]) -> int:
    """Keep answers, all or none; how many of them are new is returned.

    Raises:
        ValueError: a worker has given another answer to a photo before.
    """
    try:
        with database.writing() as session:
            held = select(CrowdAnswer).where(CrowdAnswer.batch_id == batch.number)
            known = {(row.item_id, row.worker): row.answer for row in session.scalars(held)}
            new = []
            for item, worker, answer in answers:
                before = known.get((item, worker))
                if before is not None and before != answer:
                    raise ValueError(
                        f"worker: expected {before!r} of {worker!r} to {item[:50]!r}, as before; got {answer!r}"
                    )
                if before is None:
                    new.append(CrowdAnswer(batch_id=batch.number, item_id=item, worker=worker, answer=answer))
            session.add_all(new)
        return len(new)
    except IntegrityError:
        raise ValueError("file: expected answers that nobody else brings at the same time; bring it again") from None


def tally(session: Session, batch: Batch) -> Tally:
    """What came back of a batch so far."""
    given: dict[str, list[str]] = {item: [] for item in batch.items}
    workers = set()
    for row in session.scalars(
        select(CrowdAnswer).where(CrowdAnswer.batch_id == batch.number).order_by(CrowdAnswer.id)
    ):
        given[row.item_id].append(row.answer)
        workers.add(row.worker)
    photos = []
    for item, answers in given.items():
        votes = dict(Counter(answers).most_common())
        first = next(iter(votes), None)
        enough = first is not None and 2 * votes[first] > max(batch.each, len(answers))
        photos.append(Judged(item, votes, first if enough else None))
    photos.sort(key=lambda each: (each.majority is not None, -len(each.votes), each.count))
    told = list(given.values())
    return Tally(tuple(photos), percent_agreement(told), krippendorff_alpha(told), len(workers))


def wishes_of_majority(labelling: Labelling, batch: Batch, told: Tally) -> list[Wish]:
    """What the majority wants labels to be, seen as they were when the batch was made; open photos stay as they are."""
    standing = labelling.standing
    return [
        Wish(each.item_id, batch.items[each.item_id], (each.majority,))
        for each in told.photos
        if each.majority is not None
        and standing.labels(batch.task, labelling.article(each.item_id)) != (each.majority,)
    ]
