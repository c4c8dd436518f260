"""How long a further training is, and how long the one before it was of use."""

from __future__ import annotations

import math

from ..plain import PlainObject

MORE = 2
"""Steps of an update over those that a training takes over as many values: new ones are in few of the windows drawn."""


def further_epochs(share: float, epochs: int, batches: int) -> tuple[int, int]:
    """The epochs of an update, and the batches of each: `MORE` times those of a training over as many values.

    So all updates of a year together are about twice as long as the part of a training that its values have, however
    many there are: each over a fixed share of the epochs, those of every week would be several trainings.

    Arguments:
        share: of the values that are new, 0 to 1.
        epochs: of a training.
        batches: of each of its epochs.

    Example:
        >>> further_epochs(0.01, 20, 100), further_epochs(0.1, 20, 100)
        ((1, 40), (4, 100))
    """
    steps = max(1, math.ceil(MORE * share * epochs * batches))
    needed = min(math.ceil(steps / batches), epochs)
    return needed, min(math.ceil(steps / needed), batches)


def best_epoch(log: list[PlainObject]) -> int | None:
    """How many epochs there were up to the one with the least loss on what was watched; ``None`` if nothing was."""
    told = [row.get("validation_loss") for row in log]
    losses = [loss if isinstance(loss, float) else math.inf for loss in told]
    return 1 + losses.index(min(losses)) if losses and min(losses) < math.inf else None
