"""The number of threads of a calculation: one switch, one order of who decides, one record.

Networks for tables of sales are small: two threads of them wait for each other longer than they compute, all the more
where other processes use the cores. So their usual number is one. Who decides, first to last: `on_threads` around the
call, ``--threads`` of a command or ``HEMLINE_THREADS``, ``OMP_NUM_THREADS``, and what is usual for the kind of work.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

SWITCH = "HEMLINE_THREADS"
LIBRARIES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_inside: ContextVar[int | None] = ContextVar("threads", default=None)


def begin_with_threads(asked: str | None, usual: int | None, environ: MutableMapping[str, str] = os.environ) -> None:
    """Tell the numerical libraries of a process how many threads to use, before they are imported.

    Arguments:
        asked: what the user said at the command, a number from 1; ``None`` if nothing.
        usual: the number where the user set none anywhere; ``None`` leaves each library its own.
        environ: the environment to write to.

    Raises:
        ValueError: what was asked for is no number from 1.

    Example:
        >>> environ = {}
        >>> begin_with_threads("2", 1, environ)
        >>> environ["HEMLINE_THREADS"], environ["OPENBLAS_NUM_THREADS"]
        ('2', '2')
    """
    count: int | None
    if asked is not None:
        count = _number("--threads", asked)
        environ[SWITCH] = str(count)
    else:
        count = chosen_threads(environ)
    if environ.get(SWITCH):
        environ.update(thread_environment(_number(SWITCH, environ[SWITCH])))
    elif count is not None or usual is not None:
        for name, value in thread_environment(count or usual or 1).items():
            environ.setdefault(name, value)
    # A thread that waits by turning on the spot takes the core from the process that could work.
    environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def thread_environment(count: int) -> dict[str, str]:
    """Environment variables by which the numerical libraries of a new process use some threads.

    Example:
        >>> thread_environment(1)["MKL_NUM_THREADS"]
        '1'
    """
    return dict.fromkeys(LIBRARIES, str(count))


def chosen_threads(environ: MutableMapping[str, str] = os.environ) -> int | None:
    """The number of threads that the user set for this process, ``None`` if none was set.

    Raises:
        ValueError: ``HEMLINE_THREADS`` is no number from 1.
    """
    if environ.get(SWITCH):
        return _number(SWITCH, environ[SWITCH])
    first = environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()  # OpenMP takes a number a level: "4,2"
    return int(first) if first.isdecimal() and int(first) else None


def threads_or(usual: int | None) -> int | None:
    """The number of threads that was decided on for a calculation, or what is usual for it.

    Arguments:
        usual: the number where nobody decided; ``None`` for that of torch.

    Example:
        >>> with on_threads(2):
        ...     print(threads_or(1))
        2
    """
    return _inside.get() or chosen_threads() or usual


@contextmanager
def on_threads(count: int | None) -> Iterator[None]:
    """Let torch compute with some threads inside; the last digits of a sum can depend on their number.

    The number belongs to the process. So it is changed on the main thread alone: another thread would change it under
    those beside it.

    Arguments:
        count: the number of threads; ``None`` leaves it.
    """
    if count is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    import torch  # here, because what needs no torch should not wait for its import

    before, decided = torch.get_num_threads(), _inside.set(count)
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _inside.reset(decided)


def cores() -> int:
    """The number of cores that this process may use: of the machine, of its affinity, of its container's quota.

    Returns:
        At least 1.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _QUOTA.read_text().split()
        count = min(count, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):  # no control groups, or "max" for no limit
        pass
    return count


def _number(name: str, text: str) -> int:
    if not (text.strip().isdecimal() and int(text)):
        raise ValueError(f"{name}: expected a number of threads from 1, got {text!r}")
    return int(text)
