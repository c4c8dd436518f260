"""The noise that a flow starts from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.distributions import Chi2, Distribution, StudentT
from torch.distributions.utils import broadcast_all
from torch.nn import functional


class UncheckedStudentT(StudentT):
    """Independent Student-t densities whose parameters are not checked, so that NaN ones give a log-density of NaN.

    torch's own checks the degrees of freedom whatever it is told, by the chi-squared variable that it draws from.

    Arguments:
        df: degrees of freedom.
        loc: location.
        scale: scale.
    """

    def __init__(self, df: Tensor, loc: Tensor | float = 0.0, scale: Tensor | float = 1.0) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df, validate_args=False)
        Distribution.__init__(self, self.df.size(), validate_args=False)


class Base(nn.Module, ABC):
    """A density of D independent standardised variables.

    Arguments:
        features: the number of series D.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """The log-density of noise ``[N, D]``, ``[N]``."""

    @abstractmethod
    def rsample(self, rows: int, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw noise ``[rows, D]`` on the device and in the type of ``like``, from torch's generator if ``None``."""


class GaussianBase(Base):
    """Independent standard normal variables.

    >>> round(GaussianBase(1).log_prob(torch.zeros(1, 1)).item(), 4)
    -0.9189
    """

    def log_prob(self, z: Tensor) -> Tensor:
        """The log-density of noise ``[N, D]``, ``[N]``."""
        return -0.5 * (z.square().sum(-1) + self.features * math.log(2 * math.pi))

    def rsample(self, rows: int, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw noise ``[rows, D]``."""
        return torch.randn(rows, self.features, dtype=like.dtype, device=like.device, generator=generator)


class StudentTBase(Base):
    r"""Independent Student-t variables, whose degrees of freedom are learnt for each series.

    Affine flows keep the tails of their base: with a Gaussian base no large jump is ever likely. The degrees
    of freedom are :math:`2 + \mathrm{softplus}(r_i)`, so that variances exist; they start at 10.

    Source: Jaini et al. (2020), arXiv 1907.04481, who show that Lipschitz triangular maps keep the tails of
    their base.

    >>> StudentTBase(2).degrees_of_freedom.tolist()
    [10.0, 10.0]
    """

    def __init__(self, features: int) -> None:
        super().__init__(features)
        self.raw_degrees = nn.Parameter(torch.full((features,), math.log(math.expm1(8.0))))

    @property
    def degrees_of_freedom(self) -> Tensor:
        """The degrees of freedom of each series, ``[D]``, above 2."""
        return 2 + functional.softplus(self.raw_degrees)

    def log_prob(self, z: Tensor) -> Tensor:
        """The log-density of noise ``[N, D]``, ``[N]``."""
        return self._distribution().log_prob(z).sum(-1)

    def rsample(self, rows: int, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw noise ``[rows, D]``: a normal number over the root of a mean square, with gradients of both."""
        freedom = self.degrees_of_freedom.expand(rows, self.features)
        normal = freedom.new_empty(freedom.shape).normal_(generator=generator)
        # As torch's own Student-t draws, which takes no generator.
        gamma = torch._standard_gamma(0.5 * freedom, generator=generator) / 0.5
        squares = gamma.clamp(min=torch.finfo(gamma.dtype).tiny)
        return (normal * torch.rsqrt(squares / freedom)).to(like.dtype)

    def _distribution(self) -> StudentT:
        return UncheckedStudentT(self.degrees_of_freedom)
