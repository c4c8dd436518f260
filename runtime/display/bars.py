"""How far a long work has come: a bar on a terminal and in a notebook, and a line every few seconds elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

FORM = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} UNIT [{elapsed}<{remaining}{postfix}]"

_OPEN: ContextVar[Bar | None] = ContextVar("the innermost bar that is drawn", default=None)

_WORK: ContextVar[Bar | None] = ContextVar("the innermost work that is begun, drawn or not", default=None)

SWITCH = "HEMLINE_PROGRESS"
"""The variable of the environment that is 0 where no line is to be printed."""

_EVERY = 5.0
"""Seconds between two lines, and before the first one of a work."""


class Bar:
    """A bar beneath what is printed; where nobody watches, none is drawn, and lines say how far it is (`tell_line`).

    Bars within a bar are drawn beneath it and go when they end. A training inside draws none of its own, and says in
    the innermost one which epoch it is at (`tell_bar`).

    Arguments:
        total: how much there is to do; ``None`` where that is known later.
        what: the work, in a word or two.
        unit: what is counted, in the plural.
        quiet: whether nothing is to be drawn.
    """

    def __init__(self, total: int | None, what: str, *, unit: str = "runs", quiet: bool = False) -> None:
        self.total, self.what, self.unit = total, what, unit
        self.shown = not quiet and is_watched()
        self.quiet = quiet
        self.done, self.text = 0, ""
        self._began = time.monotonic()
        self._drawn: Any = None
        self._closing = ExitStack()

    def __enter__(self) -> Bar:
        before = _OPEN.set(self if self.shown else _OPEN.get())
        self._closing.callback(_OPEN.reset, before)
        self._closing.callback(_WORK.reset, _WORK.set(self))
        if self.shown:
            # In a row of widgets, or as text where a notebook has none.
            if in_notebook() and find_spec("ipywidgets") is not None:
                from tqdm.notebook import tqdm
            else:
                from tqdm.std import tqdm
            from tqdm.contrib.logging import logging_redirect_tqdm

            self._drawn = tqdm(
                total=self.total,
                desc=self.what,
                bar_format=FORM.replace("UNIT", self.unit),
                file=sys.stderr,
                leave=False,
                dynamic_ncols=True,
            )
            self._closing.callback(self._drawn.close)
            self._closing.enter_context(logging_redirect_tqdm())
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.close()
        self._drawn = None

    def busy(self, text: str) -> None:
        """Say what is done now."""
        self.text = text
        if self._drawn is not None:
            self._drawn.set_postfix_str(text)

    def reach(self, done: int, total: int | None = None) -> None:
        """So much is done, of so much in all; the total stays where it is not given."""
        step, self.done, self.total = done - self.done, done, self.total if total is None else total
        if self._drawn is not None:
            self._drawn.total = self.total
            self._drawn.update(step)
            self._drawn.refresh()
        elif step > 0 and self.total:
            seconds = time.monotonic() - self._began
            tell_line(time_left(seconds * (self.total - done) / done), self._began)

    def words(self) -> str:
        """How far it is, and what is done now.

        Example:
            >>> bar = Bar(8, "pool", unit="trainings")
            >>> bar.reach(3)
            >>> bar.busy("gru-maf to weigh it")
            >>> bar.words()
            'pool 3/8 trainings: gru-maf to weigh it'
        """
        of = "" if self.total is None else f"/{self.total}"
        unit = "" if self.unit == self.what else f" {self.unit}"
        return f"{self.what} {self.done}{of}{unit}" + (f": {self.text}" if self.text else "")

    def counting(self, work: Callable[Concatenate[str, P], T], words: str) -> Callable[Concatenate[str, P], T]:
        """A function of a name that counts as one more when it has returned.

        Arguments:
            work: the function.
            words: what it does, with the name for ``{}``.
        """

        def counted(name: str, /, *args: P.args, **kwargs: P.kwargs) -> T:
            self.busy(words.format(name))
            made = work(name, *args, **kwargs)
            self.reach(self.done + 1)
            return made

        return counted


@contextmanager
def above_bars() -> Iterator[None]:
    """A block that prints; bars are drawn again beneath what it printed."""
    if _OPEN.get() is None:
        yield
        return
    from tqdm.std import tqdm

    with tqdm.external_write_mode(file=sys.stderr):
        yield


def tell_bar(text: str) -> None:
    """Say in the innermost open bar what is done now."""
    if (bar := _OPEN.get()) is not None:
        bar.busy(text)


class _Lines:
    """When the last line was printed, whoever printed it."""

    def __init__(self) -> None:
        self.last = -_EVERY

    def is_time(self, began: float) -> bool:
        """Whether a line of a work that began at a time is due; if so, it is taken to be printed."""
        now = time.monotonic()
        if now - max(self.last, began) < _EVERY:
            return False
        self.last = now
        return True


_LINES = _Lines()


def tell_line(text: str, began: float) -> None:
    """Print how far a work is, on standard error, where no bar shows it: at most a line in five seconds.

    Nothing is printed of a work that is shorter, within one that is quiet, or where ``HEMLINE_PROGRESS`` is 0.

    Arguments:
        text: what is said beside the works that are begun.
        began: when the work began, as `time.monotonic` says it.
    """
    work = _WORK.get()
    if is_watched() or (work is not None and work.quiet) or os.environ.get(SWITCH) == "0" or not _LINES.is_time(began):
        return
    print(", ".join([*([] if work is None else [work.words()]), text]), file=sys.stderr, flush=True)


def time_left(seconds: float) -> str:
    """The time that a work will take, in words.

    Example:
        >>> time_left(8.4), time_left(200), time_left(9000)
        ('8 s left', '3 min left', '2.5 h left')
    """
    if seconds < 90:
        return f"{seconds:.0f} s left"
    return f"{seconds / 60:.0f} min left" if seconds < 5400 else f"{seconds / 3600:.1f} h left"


def is_bar_open() -> bool:
    """Whether this is part of a work whose bar is drawn."""
    return _OPEN.get() is not None


def is_watched() -> bool:
    """Whether somebody sees what is drawn: standard error is a terminal, or this is a notebook."""
    return sys.stderr.isatty() or in_notebook()


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    shell = sys.modules.get("IPython")
    return shell is not None and hasattr(shell.get_ipython(), "kernel")
