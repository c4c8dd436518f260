"""Contexts that silence the log lines and warnings of libraries."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_FILTERS = threading.RLock()


@contextmanager
def own_filters() -> Iterator[None]:
    """A short block with warning filters of its own, in which no other thread changes them.

    Filters belong to the process, and who leaves puts back what was there as he came: of two threads at once, the one
    that leaves last would bring back what the other one had set, for good.

    Example:
        >>> with own_filters():
        ...     warnings.simplefilter("ignore")
        ...     warnings.warn("not seen", stacklevel=1)
    """
    with _FILTERS, warnings.catch_warnings():
        yield


@contextmanager
def lasting_filters() -> Iterator[None]:
    """`own_filters` for a block that lasts, such as a training, for which others need not wait with short ones.

    Lasting blocks of several threads must not overlap; those within `seeded` do not.
    """
    filters = warnings.catch_warnings()
    with _FILTERS:
        filters.__enter__()
    try:
        yield
    finally:
        with _FILTERS:
            filters.__exit__(None, None, None)


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Context without Lightning's banners and advice."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [each.level for each in loggers]
    with lasting_filters():
        # Lightning advises workers for data loaders; batches here are row numbers, made in no time.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        # A user's logger is told the losses of an epoch, not those of some steps.
        warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")
        # A network of which a part stays as it is has that part in evaluation mode, as it should.
        warnings.filterwarnings("ignore", message=".*in eval mode at the start of training.*")
        # Nor where no article is to be watched.
        warnings.filterwarnings("ignore", message=".*Total length of `list` across ranks is zero.*")
        # Without a validation span there is nothing to validate on, which is as it should be.
        warnings.filterwarnings("ignore", message=".*have no `val_dataloader`.*")
        warnings.filterwarnings("ignore", message=".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*")
        for each in loggers:
            each.setLevel(logging.WARNING)
        try:
            yield
        finally:
            for each, level in zip(loggers, levels, strict=True):
                each.setLevel(level)
