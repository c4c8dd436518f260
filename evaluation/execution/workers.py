"""Lanes: this process, worker processes of this machine, actors on a Ray cluster."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import socket
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any

from ...runtime.threads import cores, thread_environment
from .lanes import Lane, Some, Tell, Work


class Here:
    """This process."""

    lost: tuple[type[Exception], ...] = ()
    ready = True

    def submit(self, work: Work[Some], tell: Tell) -> Future[Some]:
        """Do the work before returning."""
        future: Future[Some] = Future()
        future.set_result(work.here(tell))
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

    def submit(self, work: Work[Some], tell: Tell) -> Future[Some]:
        """Send the work to the process."""
        payload = pickle.dumps(work)
        try:
            return self._started(payload).submit(_away, payload)
        except BrokenProcessPool:  # it was killed while it had nothing to do
            self.kill()
            return self._started(payload).submit(_away, payload)

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

    def submit(self, work: Work[Some], tell: Tell) -> Future[Some]:
        """Send the work to the actor."""
        payload = pickle.dumps(work)
        if self._actor is None:
            self._actor = self._made.remote()
            self._warm = self._actor.warm_up.remote(payload).future()
        future: Future[Some] = self._actor.work.remote(payload).future()
        return future

    def kill(self) -> None:
        """End the actor."""
        if self._actor is not None:
            self._ray.kill(self._actor)
            self._actor = None


class _Worker:
    def warm_up(self, payload: bytes) -> None:
        warm_up(payload)

    def work(self, payload: bytes) -> Any:
        return _away(payload)


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
        require_cluster(address)
        options |= {"address": address}
    try:
        ray.init(**options)
    except (ConnectionError, ValueError) as error:
        raise ValueError(f"address: expected a Ray cluster, got none at {address}: {error}") from error
    try:
        resources = ray.cluster_resources()
        count = workers or max(1, int(resources.get("CPU", 1)) // threads)
        gpus = min(1.0, resources.get("GPU", 0.0) / count)
        yield [RayActor(threads, gpus) for _ in range(count)]
    finally:
        ray.shutdown()


def require_cluster(address: str) -> None:
    """Refuse an address at which nobody answers, for which Ray itself would wait five minutes and then exit.

    Arguments:
        address: host and port, ``ray://`` before them or not; ``"auto"`` is left to Ray.

    Raises:
        ValueError: nobody answers there.
    """
    if address in ("auto", "local"):
        return
    host, _, port = address.rpartition("://")[2].rpartition(":")
    try:
        if not (host and port.isdecimal()):
            raise OSError("expected host:port")
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise ValueError(f"address: expected a Ray cluster, got none at {address!r}: {error}") from error


@contextmanager
def lanes_for(
    workers: int | None, works: int, threads: int = 1, *, ray: bool = False, address: str | None = None
) -> Iterator[Sequence[Lane]]:
    """The lanes for some works: this process for one worker, worker processes for several, or actors on Ray.

    Arguments:
        workers: how many, no more than works; ``None`` for one a core.
        works: how many there are to do.
        threads: of each.
        ray: whether they are actors on Ray, on this machine if there is no address.
        address: of a Ray cluster; implies `ray`.

    Returns:
        The lanes, as a context; `on_lanes` ends their workers.

    Raises:
        ValueError: Ray is not installed, or is not to be had at the address.
    """
    wanted = workers if workers is None else min(workers, max(1, works))
    if ray or address is not None:
        with on_ray(wanted, threads, address) as actors:
            yield actors
        return
    lanes: list[Lane] = [Here()]
    if workers != 1:
        most = max(1, cores() // threads)
        if wanted is not None and wanted > most:
            warnings.warn(
                f"workers: {wanted} of {threads} threads are more than the {cores()} cores that may be used; "
                f"{most} begin",
                stacklevel=3,
            )
        lanes = [WorkerProcess(threads) for _ in range(min(wanted or most, most, max(1, works)))]
    yield lanes


def warm_up(payload: bytes) -> None:
    """Import in a worker what a work needs, before its time counts.

    Arguments:
        payload: the work, pickled.
    """
    pickle.loads(payload)
    import torch  # noqa: F401


def _away(payload: bytes) -> Any:
    return pickle.loads(payload).away()


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
