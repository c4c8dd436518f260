"""The contract of an encoder, and of the plain data that builds one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from torch import Tensor, nn

from ....runtime.arguments.kinds import Checked

if TYPE_CHECKING:
    from ...windows.spec import SeriesSpec

# Any: only the encoder that made a state reads it.
State: TypeAlias = Any
"""What an encoder carries from one step to the next."""


class Encoder(nn.Module, ABC):
    """Causal sequence encoder: inputs to a context vector after each step.

    An encoder is causal: the context vector of step t depends on the inputs up to t alone. Reading one step at a
    time with the carried state gives what reading all at once gives.
    """

    context_size: int

    sample: int | None = None
    """Series drawn for each step of training; ``None`` for all."""

    reads: ClassVar[str] = ""
    """The name of the weights ``[width, I]`` by which the inputs are read; empty where there are none such. A network
    that gets further series keeps those of the inputs that it had."""

    shared: ClassVar[bool] = False
    """Whether every series is read on its own with the same weights, and has a part of the context for itself."""

    @abstractmethod
    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        """Read `x`.

        Arguments:
            x: inputs ``[B, T, I]``.
            state: what an earlier call returned, ``None`` at the start.

        Returns:
            Context vectors ``[B, T, C]`` and the state after the last step.
        """

    def subset(self) -> Tensor | None:
        """The series ``[n]`` to learn from in the next step of training; ``None`` for all, and always where the
        series do not share their weights. `forward` then takes them as its argument ``series``.
        """
        return None

    @abstractmethod
    def repeat(self, state: State, count: int) -> State:
        """The state repeated for B * `count` paths, those of one window adjacent."""


class EncoderConfig(Checked, ABC):
    """The numbers of an encoder; a frozen dataclass that builds the module once the input width is known."""

    @abstractmethod
    def build(self, input_size: int) -> Encoder:
        """Make the encoder for inputs of width `input_size`."""

    def build_for(self, spec: SeriesSpec) -> Encoder:
        """Make the encoder for a problem; one with shared weights has to know which inputs belong to which series."""
        return self.build(spec.input_size)
