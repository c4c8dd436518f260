"""How a product network is trained: the options, which a stored one names, without what trains it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from ...runtime.arguments.kinds import Checked, Count, NotNegative, Positive, Seed, Share, Within
from ...runtime.devices import DEVICES, Precision
from ..networks.augmentation import AugmentConfig
from .task_loss import ClassWeights


@dataclass(frozen=True)
class TrainConfig(Checked):
    """How a product network is trained: AdamW, with a learning rate that rises and then falls to nearly 0.

    Arguments:
        epochs: passes over the training articles; ``None`` for 20, or, where the articles are few, as many as make
            1,500 steps.
        batch_size: articles a step.
        lr: the largest learning rate, that of the heads.
        weight_decay: AdamW's decay of the weights.
        rise: the share of all steps in which the learning rate rises.
        layer_decay: by what factor a stage of the backbone learns slower than the one above it.
        frozen: whether the backbone stays as it is, batch statistics included. The vectors of all photos, and of
            their mirror images, are then computed once, and there are no other changes of the photos.
        class_weights: ``"none"``, ``"inverse"`` or ``"effective"``, see `class_weights`.
        class_beta: the β of the effective number, 0…1; nearer 1 weighs rare classes more.
        smoothing: label smoothing.
        augment: random changes of the photos, or ``None``.
        seed: seeds the weights, the order and the changes.
        precision: Lightning's precision; ``"bf16-mixed"`` is faster on processors that calculate in it.
        device: Lightning's accelerator (``"auto"``, ``"cpu"``, ``"cuda"``).

    Raises:
        ValueError: an argument is out of its range.
    """

    epochs: Count | None = None
    batch_size: Count = 64
    lr: Positive = 3e-3
    weight_decay: NotNegative = 0.05
    rise: Share = 0.2
    layer_decay: Share = 1.0
    frozen: bool = False
    class_weights: ClassWeights = "none"
    class_beta: Annotated[float, Within(0, 1, below=True)] = 0.99
    smoothing: Share = 0.0
    augment: AugmentConfig | None = field(default_factory=AugmentConfig)
    seed: Seed = 0
    precision: Precision = "32-true"
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise ValueError(f"device: expected one of {', '.join(DEVICES)}, got {self.device!r}")
