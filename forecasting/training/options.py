"""How a model is trained: the options, and what stops a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Literal


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained.

    Arguments:
        max_epochs: epochs, each of `batches_per_epoch` optimiser steps.
        batches_per_epoch: steps an epoch.
        batch_size: windows a step (and device).
        learning_rate: Adam's learning rate at the first step.
        schedule: ``"cosine"`` lets it fall to 0 over all epochs, ``"constant"`` leaves it.
        weight_decay: Adam's L2 penalty.
        gradient_clip: largest norm of the gradient.
        context_loss: whether the steps of the context count in the loss, or those of the horizon alone.
        validation_span: steps at the END of the training data that are held out and watched, 0 for none.
        patience: epochs without a better validation loss after which training stops; ``None`` never stops. With
            a validation span, or validation data, the weights of the best epoch are kept.
        seed: seeds the weights, the windows and every later draw.
        checkpoints: folder, local or at any fsspec address, that keeps a full checkpoint after every epoch; training
            goes on from there.
        compile: whether `torch.compile` compiles the head's loss, which is where a step spends its time.
        trainer: options passed to `lightning.pytorch.Trainer` as they are (``devices``, ``accelerator``,
            ``precision``, ``strategy``, ...).
    """

    max_epochs: int = 20
    batches_per_epoch: int = 100
    batch_size: int = 64
    learning_rate: float = 1e-3
    schedule: Literal["cosine", "constant"] = "cosine"
    weight_decay: float = 0.0
    gradient_clip: float = 10.0
    context_loss: bool = True
    validation_span: int = 0
    patience: int | None = None
    seed: int = 0
    checkpoints: str | None = None
    compile: bool = False
    trainer: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("max_epochs", "batches_per_epoch", "batch_size", "learning_rate", "gradient_clip"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")
        for name in ("max_epochs", "batches_per_epoch", "batch_size", "validation_span"):
            if not isinstance(getattr(self, name), Integral):
                raise ValueError(f"{name}: expected a whole number, got {getattr(self, name)}")
        if self.schedule not in ("cosine", "constant"):
            raise ValueError(f"schedule: expected 'cosine' or 'constant', got {self.schedule!r}")
        if self.validation_span < 0:
            raise ValueError(f"validation_span: expected at least 0 steps, got {self.validation_span}")
        if not self.weight_decay >= 0:
            raise ValueError(f"weight_decay: expected at least 0, got {self.weight_decay}")
        if self.patience is not None and not self.patience >= 1:
            raise ValueError(f"patience: expected at least 1 epoch, got {self.patience}")
        if not self.trainer.get("enable_checkpointing", True):
            raise ValueError(
                "trainer: expected enable_checkpointing=True, got False; no file is kept unless `checkpoints` is set"
            )


class NonFiniteLoss(FloatingPointError):
    """The training loss became NaN or infinite."""
