"""Trainings that are counted in steps, told as epochs of equal length."""

from __future__ import annotations


class InSteps:
    """What options of a training have in common that is counted in steps; dataclasses below it have both fields.

    Attributes:
        steps: of the training.
        log_steps: of an epoch, of which the last may be shorter.
    """

    steps: int
    log_steps: int

    @property
    def epochs(self) -> int:
        """Rows of the log."""
        return -(-self.steps // self.log_steps)

    def steps_of(self, epoch: int) -> int:
        """The steps of an epoch, the first of which is 0."""
        return min(self.log_steps, self.steps - epoch * self.log_steps)
