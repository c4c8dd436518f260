"""How far a training is, told to the job that it is."""

from __future__ import annotations

from collections.abc import Mapping

from lightning.pytorch.loggers import Logger

from .jobs import Tell


def epochs_told(tell: Tell, stage: str, epochs: int) -> Logger:
    """A logger of a training that tells a job each epoch.

    Arguments:
        tell: is told how far it is.
        stage: what is done.
        epochs: all of them, 0 where that is not known.
    """
    return _Epochs(tell, stage, epochs)


class _Epochs(Logger):
    """Tells a job each epoch of a training."""

    def __init__(self, tell: Tell, stage: str, epochs: int) -> None:
        super().__init__()
        self.tell, self.stage, self.epochs = tell, stage, epochs

    @property
    def name(self) -> str:
        """Of the logger."""
        return "studio"

    @property
    def version(self) -> str:
        """Of the logger."""
        return ""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Tell the epoch."""
        self.tell(self.stage, int(metrics.get("epoch", 0)) + 1, self.epochs)

    def log_hyperparams(self, *_: object, **__: object) -> None:
        """Nothing to keep."""
