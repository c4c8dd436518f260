"""How far a command has come: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

logger = logging.getLogger(__name__)


@contextmanager
def shown_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show the progress of a step that knows how much is done of how much.

    Arguments:
        what: the step, in a word or two.

    Yields:
        A function of the things done and all things.
    """
    if sys.stderr.isatty():
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return

    def tell(done: int, total: int) -> None:
        quarter = max(total // 4, 1)
        if done == total or done % quarter == 0:
            logger.info("%s: %d of %d", what, done, total)

    yield tell
