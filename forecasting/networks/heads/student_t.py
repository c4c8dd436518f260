"""Independent Student-t densities, one a series."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.distributions import StudentT as StudentTDistribution
from torch.nn.functional import softplus

from ....runtime.arguments.kinds import Positive
from ..transforms.base import UncheckedStudentT
from .head import DensityHead, HeadConfig


@dataclass(frozen=True)
class StudentT(HeadConfig):
    """A location-scale Student-t a series, independent given the context.

    Arguments:
        minimum_scale: smallest scale, in scaled units; keeps the density finite on constant series.

    Example:
        >>> import torch
        >>> head = StudentT().build(series=3, context_size=8)
        >>> head.sample(torch.zeros(5, 8), torch.ones(5, 3)).shape
        torch.Size([5, 3])
    """

    minimum_scale: Positive = 1e-3

    def build(self, series: int, context_size: int) -> StudentTHead:
        """Make the head for `series` series on contexts of width `context_size`."""
        return StudentTHead(series, context_size, self.minimum_scale)


class StudentTHead(DensityHead):
    """Degrees of freedom above 2, location and scale of each series, linear in the context."""

    def __init__(self, series: int, context_size: int, minimum_scale: float) -> None:
        super().__init__()
        self.minimum_scale = minimum_scale
        self.parameters_of = nn.Linear(context_size, 3 * series)

    def distribution(self, context: Tensor) -> StudentTDistribution:
        """Batch shape ``[..., D]``, empty event shape."""
        freedom, location, width = self.parameters_of(context).chunk(3, dim=-1)
        return UncheckedStudentT(2 + softplus(freedom), location, self.minimum_scale + softplus(width))

    def draw(self, density: Distribution, generator: torch.Generator | None) -> Tensor:
        """Draw one value a series from two uniform numbers (Bailey 1994, Math. Comp. 62).

        torch draws a Student-t by rejection, so that a draw takes more or fewer random numbers by its degrees of
        freedom; then two scenarios with the same seed would soon have nothing in common.
        """
        assert isinstance(density, StudentTDistribution)
        place = density.loc
        radius, angle = (
            torch.rand(place.shape, dtype=place.dtype, device=place.device, generator=generator) for _ in range(2)
        )
        radius = 1 - radius
        squared = density.df * torch.expm1(-2 / density.df * radius.log())
        return density.loc + density.scale * squared.sqrt() * (2 * torch.pi * angle).cos()
