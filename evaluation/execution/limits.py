"""What a run may take of its machine: seconds and threads."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

AGAIN = 10.0
"""Seconds after which the alarm rings again, for code that goes on after any error, this one too."""


class TimeBudgetError(TimeoutError):
    """A run took longer than its time budget."""


class _Overtime(BaseException):
    """No `Exception`, so that a model which goes on after errors does not go on after this one."""


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Stop what runs inside after some seconds.

    A call into compiled code is stopped when it returns. What could not be stopped and is done too late counts as not
    done.

    Arguments:
        seconds: the time budget; ``None`` for no limit.

    Raises:
        TimeBudgetError: it took longer.
        ValueError: this is not the main thread, which alone the system can interrupt.

    Example:
        >>> with within(0.01):
        ...     while True:
        ...         pass
        Traceback (most recent call last):
        ...
        hemline.evaluation.execution.limits.TimeBudgetError: took longer than its time budget of 0.01 s
    """
    if seconds is None:
        yield
        return
    if threading.current_thread() is not threading.main_thread():
        raise ValueError("time_budget: expected to run in the main thread of a process, got another thread")

    def ring(number: int, frame: FrameType | None) -> None:
        raise _Overtime

    late = TimeBudgetError(f"took longer than its time budget of {seconds:g} s")
    began = monotonic()
    handler = signal.signal(signal.SIGALRM, ring)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
        if monotonic() > began + seconds:
            raise late
    except _Overtime as overtime:
        raise late from overtime
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        # Whoever else had set an alarm (a test runner) still gets it.
        signal.setitimer(signal.ITIMER_REAL, *timer)
