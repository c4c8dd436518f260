"""Learning rates that fall to nothing over the last steps of a training."""

from __future__ import annotations

from collections.abc import Sequence

from lightning.pytorch.core.optimizer import LightningOptimizer


def rate_left(step: int, steps: int, decay: float) -> float:
    """The share of a learning rate that is left after `step` of `steps`; it falls along a line over the last ones.

    Arguments:
        step: how many steps are done.
        steps: of the training.
        decay: the share of the steps over which the rate falls; 0 for a rate that stays.

    Example:
        >>> [rate_left(step, 8, 0.5) for step in (0, 4, 6, 7)]
        [1.0, 1.0, 0.5, 0.25]
    """
    falling = decay * steps
    return min(1.0, (steps - step) / falling) if falling else 1.0


def set_rates(optimizers: Sequence[LightningOptimizer], rates: Sequence[float], left: float) -> None:
    """Have each optimiser go on with a share of its learning rate."""
    for optimizer, rate in zip(optimizers, rates, strict=True):
        for group in optimizer.param_groups:
            group["lr"] = rate * left
