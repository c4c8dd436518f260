"""Lanes: this process, worker processes of this machine, actors on a Ray cluster."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import wait
from typing import Any

from ...runtime.threads import cores, thread_environment
from ..adapters.quiet import quiet_backtest
from ..store.store import Store
from .jobs import Ended, Job, Lane, output_to, perform

Tell = Callable[[str], None]


class Here:
    """This process."""

    lost: tuple[type[Exception], ...] = ()
    ready = True

    def submit(self, job: Job, store: Store | None, tell: Tell) -> Future[Ended]:
        """Do the job before returning, or take what another process has made of it meanwhile."""
        future: Future[Ended] = Future()
        with nullcontext() if store is None else store.held(job.id):
            future.set_result(perform(job, store, tell))
        return future

    def kill(self) -> None:
        """There is no worker to end."""


class WorkerProcess:
    """A worker process, begun anew after its death; it dies with this process.

    A pool of one, because a pool of several loses the work of all if one dies.

    Arguments:
        threads: threads that the libraries of linear algebra may use.
    """

    lost: tuple[type[Exception], ...] = (BrokenProcessPool,)

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._pool: ProcessPoolExecutor | None = None
        self._pid: Future[int] = Future()
        self._warm: Future[None] = Future()

    @property
    def ready(self) -> bool:
        """Whether the process has begun, and has imported what it needs."""
        return self._warm.done()

    def submit(self, job: Job, store: Store | None, tell: Tell) -> Future[Ended]:
        """Send the job to the process."""
        payload = pickle.dumps((job, store))
        try:
            return self._started(payload).submit(work, payload)
        except BrokenProcessPool:  # it was killed while it had nothing to do
            self.kill()
            return self._started(payload).submit(work, payload)

    def kill(self) -> None:
        """End the process."""
        if self._pool is None:
            return
        pool, self._pool = self._pool, None
        if self._pid.exception() is None:
            for child in multiprocessing.active_children():
                if child.pid == self._pid.result():
                    child.kill()
        pool.shutdown(cancel_futures=True)

    def _started(self, payload: bytes) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            # A process begins with the current folder on its path, from which it would import what it needs first.
            with _environment(**thread_environment(self.threads), PYTHONSAFEPATH="1"):
                self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_in_worker)
                self._pid = self._pool.submit(os.getpid)
            self._warm = self._pool.submit(warm_up, payload)
        return self._pool


class RayActor:
    """An actor on the Ray cluster that `on_ray` joined, begun anew after its death.

    Arguments:
        threads: processor cores that it asks for.
        gpus: share of an accelerator that it asks for.
    """

    def __init__(self, threads: int = 1, gpus: float = 0.0) -> None:
        import ray

        self._ray = ray
        dead = ray.exceptions
        self.lost: tuple[type[Exception], ...] = (dead.RayActorError, dead.OutOfMemoryError, dead.NodeDiedError)
        self._made = ray.remote(_Worker).options(num_cpus=threads, num_gpus=gpus, max_restarts=0)
        self._actor: Any = None
        self._warm: Future[None] = Future()

    @property
    def ready(self) -> bool:
        """Whether the actor has found a place, and has imported what it needs."""
        return self._warm.done()

    def submit(self, job: Job, store: Store | None, tell: Tell) -> Future[Ended]:
        """Send the job to the actor."""
        payload = pickle.dumps((job, store))
        if self._actor is None:
            self._actor = self._made.remote()
            self._warm = self._actor.warm_up.remote(payload).future()
        future: Future[Ended] = self._actor.work.remote(payload).future()
        return future

    def kill(self) -> None:
        """End the actor."""
        if self._actor is not None:
            self._ray.kill(self._actor)
            self._actor = None


class _Worker:
    def warm_up(self, payload: bytes) -> None:
        warm_up(payload)

    def work(self, payload: bytes) -> Ended:
        return work(payload)


@contextmanager
def on_ray(workers: int | None, threads: int = 1, address: str | None = None) -> Iterator[list[Lane]]:
    """Actors on a Ray cluster; one started here is stopped at the end.

    Arguments:
        workers: the number of actors; ``None`` for as many as the cluster has cores for.
        threads: cores for each.
        address: of an existing cluster, which has to see the same folders; ``None`` starts one on this machine.

    Returns:
        The lanes, as a context.

    Raises:
        ValueError: Ray is not installed, or is not to be had at the address.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ValueError("ray: expected Ray to be installed, got none; pip install ray") from error
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        lanes = workers or max(1, cores() // threads)
        options |= {"address": "local", "num_cpus": lanes * threads, "include_dashboard": False}
    else:
        options |= {"address": address}
    try:
        ray.init(**options)
    except ConnectionError as error:
        raise ValueError(f"address: expected a Ray cluster, got none at {address}: {error}") from error
    try:
        resources = ray.cluster_resources()
        count = workers or max(1, int(resources.get("CPU", 1)) // threads)
        gpus = min(1.0, resources.get("GPU", 0.0) / count)
        yield [RayActor(threads, gpus) for _ in range(count)]
    finally:
        ray.shutdown()


def warm_up(payload: bytes) -> None:
    """Import in a worker what a job needs, before its time counts.

    Arguments:
        payload: the job and its store, pickled.
    """
    pickle.loads(payload)
    import torch  # noqa: F401


def work(payload: bytes) -> Ended:
    """Do a job in a worker.

    Arguments:
        payload: the job and its store, pickled.

    Returns:
        How it ended; what it printed stands in `Store.output`.
    """
    job, store = pickle.loads(payload)
    with store.held(job.id), output_to(store.output(job.id)), quiet_backtest():
        return perform(job, store)


def _in_worker() -> None:
    """An interrupt is for the one who started the workers, and none outlives it, not even if it was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """What processes begun inside find in their environment."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
