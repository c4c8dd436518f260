"""Work that takes longer than a page: one after the other, each in a process of its own, with its progress."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from sqlalchemy import select, update

from ..database.open import Database
from ..database.tables import Job, now

OPEN = ("waiting", "running")
"""States of work that is not over."""

Order = TypeVar("Order")

Tell = Callable[[str, int, int], None]
"""How work says its stage, and how much of how much of it is done."""


class Jobs:
    """Work in processes of its own.

    Arguments:
        database: where each is noted.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._turn = threading.Condition()
        self._waiting: list[tuple[int, Callable[..., str], Any, Callable[[str], None]]] = []
        self._running: tuple[int, Any] | None = None
        self._stopped: set[int] = set()
        self._closed = False
        with database.writing() as session:
            # Of a studio that ended: its processes ended with it.
            session.execute(
                update(Job).where(Job.state.in_(OPEN)).values(state="stopped", stage="the studio ended", ended=now())
            )
        self._worker = threading.Thread(target=self._work, name="studio jobs", daemon=True)
        self._worker.start()

    def start(
        self,
        kind: str,
        subject: str,
        who: str,
        work: Callable[[Order, Tell], str],
        order: Order,
        then: Callable[[str], None],
    ) -> int:
        """Have some work done after all that waits already.

        Arguments:
            kind: what it is, in a word.
            subject: of what.
            who: who asked for it.
            work: a function of a module, called in another process with `order` and a way to tell progress.
            order: what is to be done, of a kind that a process can be given.
            then: called here with what the work returned.

        Returns:
            The number of the job.

        Raises:
            ValueError: the same is waiting or running already.
        """
        with self.database.writing() as session:
            same = select(Job.id).where(Job.kind == kind, Job.subject == subject, Job.state.in_(OPEN))
            if (number := session.scalar(same)) is not None:
                raise ValueError(f"{kind}: expected one at a time of {subject}, got another; see job {number}")
            job = Job(kind=kind, subject=subject, who=who, state="waiting")
            session.add(job)
            session.flush()
            number = job.id
        with self._turn:
            self._waiting.append((number, work, order, then))
            self._turn.notify()
        return number

    def stop(self, number: int) -> None:
        """End a job that waits or runs; what it wrote so far stays."""
        with self._turn:
            self._stopped.add(number)
            if self._running is not None and self._running[0] == number:
                self._running[1].terminate()

    def latest(self, most: int = 50) -> Sequence[Job]:
        """The latest jobs, the newest first."""
        with self.database.reading() as session:
            return session.scalars(select(Job).order_by(Job.id.desc()).limit(most)).all()

    def close(self) -> None:
        """End all work."""
        with self._turn:
            self._closed = True
            self._waiting.clear()
            if self._running is not None:
                self._running[1].terminate()
            self._turn.notify()
        self._worker.join(10)

    def _work(self) -> None:
        while True:
            with self._turn:
                while not self._waiting and not self._closed:
                    self._turn.wait()
                if self._closed:
                    return
                number, work, order, then = self._waiting.pop(0)
            self._run(number, work, order, then)

    def _run(self, number: int, work: Callable[..., str], order: Any, then: Callable[[str], None]) -> None:
        if number in self._stopped:
            self._note(number, state="stopped", ended=now())
            return
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_apart, args=(there, work, order), daemon=True)
        self._note(number, state="running", stage="starting")
        process.start()
        there.close()
        with self._turn:
            self._running = (number, process)
            if self._closed or number in self._stopped:
                process.terminate()
        result: tuple[str, str] = ("failed", "the process ended without a word")
        while True:
            try:
                told = here.recv()
            except EOFError:
                break
            if told[0] == "progress":
                self._note(number, stage=told[1][:200], done=told[2], total=told[3])
            else:
                result = told
        process.join()
        with self._turn:
            self._running = None
        if number in self._stopped or self._closed:
            self._note(number, state="stopped", ended=now())
            return
        state, text = result
        if state == "finished":
            try:
                then(text)
            except Exception as error:  # what a page would show; the studio goes on
                state, text = "failed", f"{type(error).__name__}: {error}"
        self._note(number, state=state, result=text, ended=now())

    def _note(self, number: int, **values: object) -> None:
        with self.database.writing() as session:
            session.execute(update(Job).where(Job.id == number).values(**values))


def _apart(pipe: Connection, work: Callable[..., str], order: Any) -> None:
    def tell(stage: str, done: int, total: int) -> None:
        pipe.send(("progress", stage, done, total))

    try:
        pipe.send(("finished", work(order, tell)))
    except Exception as error:
        pipe.send(("failed", " ".join(f"{type(error).__name__}: {error}".split())[:2000]))
    finally:
        pipe.close()
