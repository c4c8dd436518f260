"""How far a command has come: a bar where it is watched, plain lines elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...runtime.display.bars import Bar, is_watched

logger = logging.getLogger(__name__)


@contextmanager
def shown_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show the progress of a step that knows how much is done of how much.

    Arguments:
        what: the step, in a word or two.

    Yields:
        A function of the things done and all things.
    """
    if is_watched():
        with Bar(None, what, unit="photos") as bar:
            yield bar.reach
        return

    def tell(done: int, total: int) -> None:
        quarter = max(total // 4, 1)
        if done == total or done % quarter == 0:
            logger.info("%s: %d of %d", what, done, total)

    yield tell
