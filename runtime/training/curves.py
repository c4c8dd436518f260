"""The curves of trainings in the loggers of the user: a point an epoch, each training under its own name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import lightning.pytorch as pl

_NAMES: ContextVar[tuple[str, ...]] = ContextVar("names of the trainings that this one is part of", default=())


@contextmanager
def curves_named(name: str) -> Iterator[None]:
    """Name the trainings of a block for loggers: of many trainings with one logger each has curves of its own.

    Arguments:
        name: what tells these trainings from the others, such as ``"fold-0"``; names of blocks within blocks are joined
            by ``/``.

    Example:
        >>> with curves_named("member-1"), curves_named("fold-0"):
        ...     print(curve("train_loss"))
        member-1/fold-0/train_loss
    """
    before = _NAMES.set((*_NAMES.get(), name))
    try:
        yield
    finally:
        _NAMES.reset(before)


def are_curves_named() -> bool:
    """Whether the training that runs here is one of several."""
    return bool(_NAMES.get())


def curve(name: str) -> str:
    """The name of a curve of the training that runs here."""
    return "/".join((*_NAMES.get(), name))


def tell_loggers(trainer: pl.Trainer, values: Mapping[str, float]) -> None:
    """Give each logger of a trainer a point of each curve, at the optimiser steps that were taken, with the epoch.

    Lightning's own way would give all trainings the same names, and leave curves empty where an epoch has fewer steps
    than ``log_every_n_steps``.

    Arguments:
        trainer: at the end of an epoch.
        values: one for each curve.
    """
    named = {curve(name): value for name, value in values.items()}
    for logger in trainer.loggers:
        logger.log_metrics({"epoch": float(trainer.current_epoch), **named}, step=trainer.global_step)
        logger.save()


def learning_rates(trainer: pl.Trainer) -> dict[str, float]:
    """The learning rate of the next step, that of the fastest part of a network; of several optimisers each its own."""
    rates = [max(float(group["lr"]) for group in optimizer.param_groups) for optimizer in trainer.optimizers]
    if len(rates) == 1:
        return {"learning_rate": rates[0]}
    return {f"learning_rate_{number}": rate for number, rate in enumerate(rates)}


def require_loggers(given: object) -> None:
    """Raise where a trainer's option ``logger`` is none.

    Raises:
        ValueError: it is neither a logger of Lightning, nor several, nor yes or no.
    """
    if given is None or isinstance(given, bool):
        return
    from lightning.pytorch.loggers import Logger  # here: who names curves waits for no Lightning

    for logger in given if isinstance(given, list | tuple) else (given,):
        if not isinstance(logger, Logger):
            raise ValueError(f"logger: expected loggers of lightning.pytorch.loggers, got {logger!r}")
