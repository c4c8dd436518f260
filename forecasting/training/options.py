"""How a model is trained: the options, and what stops a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ...runtime.arguments.kinds import Checked, Count, NotNegative, Number, Positive, Seed
from ...runtime.training.further import further_epochs


@dataclass(frozen=True)
class TrainConfig(Checked):
    """Options of a training: epochs, batches, learning rate, early stopping, seed, checkpoints.

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
            ``precision``, ``strategy``, ...). A ``logger`` gets train_loss, validation_loss and learning_rate, a point
            an epoch; where a model has several trainings each curve begins with the name of its own: ``fold-0/``.
    """

    max_epochs: Count = 20
    batches_per_epoch: Count = 100
    batch_size: Count = 64
    learning_rate: Positive = 1e-3
    schedule: Literal["cosine", "constant"] = "cosine"
    weight_decay: NotNegative = 0.0
    gradient_clip: Positive = 10.0
    context_loss: bool = True
    validation_span: Number = 0
    patience: Count | None = None
    seed: Seed = 0
    checkpoints: str | None = None
    compile: bool = False
    trainer: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.trainer.get("enable_checkpointing", True):
            raise ValueError(
                "trainer: expected enable_checkpointing=True, got False; no file is kept unless `checkpoints` is set"
            )

    def further(self, share: float, seed: int, checkpoints: Path | None = None) -> dict[str, object]:
        """What changes in an update: how long it is (`further_epochs`), and half the learning rate.

        Arguments:
            share: of the values that are new, 0 to 1.
            seed: of the windows that it draws.
            checkpoints: folder of this update alone.
        """
        epochs, batches = further_epochs(share, self.max_epochs, self.batches_per_epoch)
        return {
            "max_epochs": epochs,
            "batches_per_epoch": batches,
            "learning_rate": self.learning_rate / 2,
            "seed": seed,
            "checkpoints": None if checkpoints is None else str(checkpoints),
        }


class NonFiniteLoss(FloatingPointError):
    """The training loss became NaN or infinite."""
