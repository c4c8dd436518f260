"""A context in which an interrupt stays an interrupt."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_passed_on() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` where Lightning exits after one, and let the next one interrupt as before.

    Lightning answers an interrupt with ``sys.exit(1)`` and leaves the process deaf to all that follow.

    Raises:
        KeyboardInterrupt: the code inside was interrupted.
    """
    # The main thread alone can set what a signal does; Lightning in another thread never sees one.
    handler = signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None
    try:
        yield
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise
    finally:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
