"""Works, the lanes on which they run, and the loop that gives each free lane the next one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass
from time import monotonic
from typing import Generic, Protocol, TypeAlias, TypeVar

Tell: TypeAlias = Callable[[str], None]
"""What is told in a few words what is done now."""

Result = TypeVar("Result", covariant=True)
Some = TypeVar("Some")

GRACE = 30.0
"""Seconds over its time budget after which a worker that did not stop by itself is killed."""


class Work(Protocol[Result]):
    """Protocol of what a lane does: something that pickle can send to another process."""

    @property
    def time_budget(self) -> float | None:
        """Seconds that it may take; ``None`` for no limit."""

    def here(self, tell: Tell) -> Result:
        """Do it in this process.

        Arguments:
            tell: is told what is done now.
        """

    def away(self) -> Result:
        """Do it in a worker, whose output nobody sees."""


AnyWork = TypeVar("AnyWork", bound=Work[object])

Ending: TypeAlias = "Future[object]"
"""How a work ends: with a result, which whoever made the works knows, or an error."""


class Lane(Protocol):
    """A worker that does works sequentially: this process, a worker process, or an actor on a cluster."""

    lost: tuple[type[Exception], ...]
    """What a work's future raises if the worker died."""

    @property
    def ready(self) -> bool:
        """Whether the worker has begun, so that time counts."""

    def submit(self, work: Work[Some], tell: Tell) -> Future[Some]:
        """Begin a work."""

    def kill(self) -> None:
        """End the worker at once; the next `submit` begins a new one."""


@dataclass
class Running(Generic[AnyWork]):
    """A work on its lane.

    Arguments:
        work: the work.
        lane: where it runs.
        began: when, in seconds of the clock `monotonic`.
        killed: whether its worker was killed because it took too long.
    """

    work: AnyWork
    lane: Lane
    began: float
    killed: bool = False

    def overdue(self) -> bool:
        """Whether its worker did not stop it though it should have."""
        if not self.lane.ready:
            self.began = monotonic()
        budget = self.work.time_budget
        return budget is not None and not self.killed and monotonic() > self.began + budget + GRACE


def on_lanes(
    works: Iterable[AnyWork],
    lanes: Sequence[Lane],
    *,
    begun: Callable[[AnyWork], bool],
    ended: Callable[[Running[AnyWork], Ending], bool],
    tell: Tell = lambda step: None,
) -> None:
    """Give each free lane the next work until all are done; one whose worker does not stop in time loses it.

    Arguments:
        works: each is asked for when a lane is free, so that it may depend on how others ended.
        lanes: where they run; their workers are ended when all is done, or when there is an error.
        begun: is asked before each whether it is to be done at all.
        ended: takes in how one ended, and says whether it is to be begun anew. Its error ends the loop.
        tell: is told what is done, where that is in this process.
    """
    coming, again, free = iter(works), deque[AnyWork](), deque(lanes)
    running: dict[Ending, Running[AnyWork]] = {}
    with ExitStack() as stack:
        for lane in lanes:
            stack.callback(lane.kill)
        while True:
            while free and (work := again.popleft() if again else next(coming, None)) is not None:
                if begun(work):
                    lane = free.popleft()
                    running[lane.submit(work, tell)] = Running(work, lane, monotonic())
            if not running:
                return
            done, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
            for future in done:
                one = running.pop(future)
                free.append(one.lane)
                if ended(one, future):
                    again.appendleft(one.work)
            for one in running.values():
                if one.overdue():
                    one.killed = True
                    one.lane.kill()
