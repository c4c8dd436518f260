"""Jobs: the cells of a grid, each run once, apart from the others, here or in workers."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pandas as pd

from ...runtime.threads import on_threads
from ..adapters.quiet import quiet_backtest
from ..runs.records import RunRecord
from ..runs.run import Run, execute
from ..store.store import Store
from .lanes import Ending, Lane, Running, Tell, on_lanes
from .limits import TimeBudgetError, within
from .progress import Progress


class BacktestError(ValueError):
    """A run failed and nothing else is left to return, or the caller wanted to stop at once."""


@dataclass(frozen=True)
class Job:
    """A run of a grid before its execution: its record, and how to build it.

    Arguments:
        record: what `Run.record` says of it; ``record["run"]`` is its name everywhere.
        make: makes the run; for workers something that pickle can send, such as a ``partial`` of a function of a
            module.
        time_budget: seconds that it may take; ``None`` for no limit.
        threads: threads that torch may use; ``None`` leaves it.
    """

    record: RunRecord
    make: Callable[[], Run]
    time_budget: float | None = None
    threads: int | None = None

    @property
    def id(self) -> str:
        """The run's id."""
        return str(self.record["run"])


@dataclass(frozen=True)
class Ended:
    """A finished or failed job.

    Arguments:
        record: its row of the runs table; ``status`` is ``"finished"`` or ``"failed"``.
        scores: its rows of the long table; ``None`` if it failed.
    """

    record: RunRecord
    scores: pd.DataFrame | None


@dataclass(frozen=True)
class JobWork:
    """A job as the work of a lane.

    Arguments:
        job: the job.
        store: the folder that keeps finished runs, or ``None``.
    """

    job: Job
    store: Store | None

    @property
    def time_budget(self) -> float | None:
        """That of the job."""
        return self.job.time_budget

    def here(self, tell: Tell) -> Ended:
        """Do the job, or take what another process has made of it meanwhile."""
        with nullcontext() if self.store is None else self.store.held(self.job.id):
            return perform(self.job, self.store, tell)

    def away(self) -> Ended:
        """Likewise; what it prints stands in `Store.output`."""
        if self.store is None:
            with quiet_backtest():
                return perform(self.job, None)
        with self.store.held(self.job.id), output_to(self.store.output(self.job.id)), quiet_backtest():
            return perform(self.job, self.store)


def perform(job: Job, store: Store | None, tell: Tell = lambda step: None) -> Ended:
    """Run a job unless its result is stored, and store the result.

    Arguments:
        job: the job.
        store: the folder that keeps finished runs, or ``None``.
        tell: is told in a few words what is done now.

    Returns:
        How it ended; any error is a reason in the record, and its traceback in the store.

    Raises:
        KeyboardInterrupt: it was interrupted, which is no failure of the job.
    """
    if store is not None and store.finished(job.id):
        return Ended(store.ask(job.id), store.scores(job.id))
    try:
        with within(job.time_budget), on_threads(job.threads):
            run = job.make()
            if run.id != job.id:
                raise ValueError(
                    f"run: expected {job.id} as planned, got {run.id}; settings, data or version differ here"
                )
            result = execute(run, None if store is None else store.checkpoints(run.id), tell)
        if store is not None:
            store.save(result)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of compiled code is no Exception, and no reason to end the other cells
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error  # Lightning makes an exit of an interrupt
        return failed(job, one_line(error), store, traceback.format_exc())
    return Ended(result.record, result.scores)


def failed(job: Job, reason: str, store: Store | None, trace: str) -> Ended:
    """Record that a job failed.

    Arguments:
        job: the job.
        reason: why, in one line.
        store: the folder that keeps the record, or ``None``.
        trace: the traceback.
    """
    record: RunRecord = {**job.record, "status": "failed", "error": reason}
    if store is not None:
        store.save_failure(record, trace)
    return Ended(record, None)


def one_line(error: BaseException) -> str:
    r"""The type of an error and the first line of what it says.

    Example:
        >>> one_line(ValueError("lags: expected numbers\nas a list"))
        'ValueError: lags: expected numbers'
    """
    return f"{type(error).__name__}: {error}".splitlines()[0]


def run_jobs(
    jobs: Iterable[Job],
    store: Store | None,
    lanes: Sequence[Lane],
    progress: Progress,
    *,
    retries: int = 0,
    stop_on_failure: bool = False,
    told: Callable[[Ended], None] = lambda ended: None,
) -> list[Ended]:
    """Run jobs on workers, each as soon as one is free; stored results are not recomputed.

    Arguments:
        jobs: the jobs; each is asked for when a lane is free, so that it may depend on how others ended.
        store: the folder that keeps finished runs, or ``None``.
        lanes: where they run; their workers are ended when all is done.
        progress: is told what begins and ends.
        retries: how often a job is begun anew whose worker died.
        stop_on_failure: whether the first failure ends it all.
        told: is told how each job ended.

    Returns:
        How each job ended, in the order in which they began.

    Raises:
        BacktestError: a job failed and ``stop_on_failure``.
    """
    with ExitStack() as stack:
        if store is not None:
            stack.callback(store.consolidate)
        return _Driver(store, progress, retries, stop_on_failure, told).run(jobs, lanes)


class _Driver:
    """Gives jobs to free lanes and takes in how they end."""

    def __init__(
        self,
        store: Store | None,
        progress: Progress,
        retries: int,
        stop_on_failure: bool,
        told: Callable[[Ended], None],
    ) -> None:
        self.told = told
        self.store, self.progress, self.retries, self.stop = store, progress, retries, stop_on_failure
        self.ended: dict[str, Ended] = {}
        self.lost: dict[str, int] = {}

    def run(self, jobs: Iterable[Job], lanes: Sequence[Lane]) -> list[Ended]:
        order: dict[str, None] = {}

        def begun(work: JobWork) -> bool:
            job = work.job
            order[job.id] = None
            if self.store is not None and self.store.finished(job.id):
                self.ended[job.id] = perform(job, self.store)
                self.told(self.ended[job.id])
                self.progress.known(job.record)
                return False
            self.progress.start(job.record)
            return True

        works = (JobWork(job, self.store) for job in jobs)
        on_lanes(works, lanes, begun=begun, ended=self._again, tell=self.progress.step)
        return [self.ended[name] for name in order]

    def _again(self, one: Running[JobWork], future: Ending) -> bool:
        """Take in how a job ended; whether it has to be begun anew."""
        job = one.work.job
        try:
            ended = cast(Ended, future.result())
        except one.lane.lost:
            one.lane.kill()
            lost = self.lost[job.id] = self.lost.get(job.id, 0) + 1
            done = self.store is not None and self.store.finished(job.id)  # it died between its work and its answer
            if not done and not one.killed and lost <= self.retries:
                self.progress.retried(job.record)
                return True
            ended = perform(job, self.store) if done else self._gone(job, lost, one.killed)
        self.ended[job.id] = ended
        self.told(ended)
        if ended.scores is None:
            self.progress.failed(ended.record)
            if self.stop:
                raise BacktestError(reason(ended.record))
        else:
            self.progress.finished(ended.record, ended.scores)
        return False

    def _gone(self, job: Job, lost: int, killed: bool) -> Ended:
        """The record of a job whose worker is dead: who did it, and where its last words are."""
        why = f"WorkerDied: its worker died {lost} time(s), killed by the system or a crash of compiled code"
        if killed:
            budget = f"took longer than its time budget of {job.time_budget:g} s"
            why = f"{TimeBudgetError.__name__}: {budget} and did not stop; its worker was killed"
        words = "" if self.store is None else f"\nWhat it printed: {self.store.output(job.id)}\n"
        return failed(job, why, self.store, why + words)


def reason(record: RunRecord) -> str:
    """The failed run and its error, in one line."""
    return f"{record['model']} on {record['dataset']}, seed {record['seed']}: {record['error']}"


@contextmanager
def output_to(path: Path) -> Iterator[None]:
    """Write what is printed inside to a file instead, what compiled code prints included.

    Arguments:
        path: the file; it is appended to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Text that is no text, such as a file's name in another encoding, is no reason to fail.
    with path.open("a", 1, "utf-8", "backslashreplace") as log, redirect_stdout(log), redirect_stderr(log):
        kept = [os.dup(number) for number in (1, 2)]
        for number in (1, 2):
            os.dup2(log.fileno(), number)
        try:
            yield
        finally:
            for number, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, number)
                os.close(copy)
