"""What the estimators, the training and the predictor ask of a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from ..units.feedback import Feedback
from ..units.ranks import Units
from ..windows.spec import SeriesSpec
from ..windows.tensor import Statistics, Window


class WindowLoss(Protocol):
    """A window, and whether the steps of its context count, to the mean loss per observed value."""

    def __call__(self, window: Window, *, context: bool = True) -> Tensor:
        """The loss, a scalar."""


PathSampler = Callable[[Window, int, Feedback | None], Tensor]
"""A window, a number of paths S and what becomes of a drawn value to paths ``[B, S, H, D]``."""


class Learner(nn.Module, ABC):
    """A network that learns from windows.

    Arguments:
        spec: the shape of the problem.
        scaling: levels or changes, and how their scale or their distribution is measured.
        statistics: those of the training span; they are saved with the weights.
    """

    usual_scale: Tensor
    covariate_mean: Tensor
    covariate_std: Tensor

    def __init__(self, spec: SeriesSpec, scaling: Units, statistics: Statistics) -> None:
        super().__init__()
        self.spec, self.scaling = spec, scaling
        # Copies, because networks within a network are saved with it.
        self.register_buffer("usual_scale", statistics.scale.clone())
        self.register_buffer("covariate_mean", statistics.covariate_mean.clone())
        self.register_buffer("covariate_std", statistics.covariate_std.clone())

    @property
    def statistics(self) -> Statistics:
        """The statistics of the training span."""
        return Statistics(self.usual_scale, self.covariate_mean, self.covariate_std)

    @abstractmethod
    def loss(self, window: Window, *, context: bool = True) -> Tensor:
        """Mean loss per observed value, a scalar.

        Arguments:
            window: with the values of the horizon.
            context: whether the steps of the context count, for a network that forecasts them too.
        """

    def compiled_loss(self) -> WindowLoss:
        """`loss` by a compiled graph; the network stays as it is.

        Raises:
            ValueError: the network has nothing that can be traced.
        """
        raise ValueError(f"compile: expected a model with an emission head, got {type(self).__name__}")

    def spread(self, counts: Tensor) -> Tensor:
        """Counts spread over [y, y + 1), so that a density is finite on them; the middle outside of training."""
        if self.scaling.domain != "count":
            return counts
        return counts + (torch.rand_like(counts) if self.training else 0.5)


class JointForecaster(Learner):
    """A network that draws joint sample paths, and stays as it is: several threads may draw from it.

    Attributes:
        borders: of one whose parts are trained without one block of the past each, the ordinals of the periods in which
            the blocks of its first training began, and the one after the last; none if it has no such parts.
    """

    borders: tuple[int, ...] = ()

    @abstractmethod
    def sample(
        self,
        window: Window,
        paths: int,
        feedback: Feedback | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw joint sample paths over the horizon.

        Arguments:
            window: the past, ``[B, M + C, D]``, with the features of context and horizon.
            paths: number of paths S a window.
            feedback: what becomes of a drawn value: counts, imposed values.
            generator: of the draws, on the device of the network; torch's own if ``None``.

        Returns:
            ``[B, S, H, D]``, levels or changes in data units.
        """

    @property
    def lattice(self) -> bool:
        """Whether paths are whole numbers as they are drawn."""
        return False

    @property
    def width(self) -> int:
        """The floats that a path needs beside its own values, for the bound on memory."""
        return 4096

    def sampler(self, generator: torch.Generator | None) -> PathSampler:
        """`sample` for the parts of one forecast, each of which goes on drawing where the last one stopped.

        What is kept from one part to the next, such as memory, belongs here, not to the network.

        Arguments:
            generator: of the draws, on the device of the network; torch's own if ``None``.
        """
        return partial(self.sample, generator=generator)
