"""What every bijection of a flow promises."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from .level_solver import Workspace


class Bijection(nn.Module, ABC):
    r"""A conditional invertible map of D series, :math:`z = f(x; c)`, with a tractable Jacobian.

    ``forward`` runs from data to noise, the direction of the density; ``inverse`` from noise to data, the
    direction of sampling. Both work on **rows**: the axes of windows, steps and paths are flattened by the
    caller, which keeps every bijection to plain matrix products.

    The conditioning term is not the context itself but what the bijection's first layer adds for it, a linear
    function of the context of width ``conditioning_features``. A :class:`~hemline.forecasting.networks.transforms.Flow`
    computes the terms of all its bijections once for a context, however many densities and samples follow.

    Arguments:
        features: the number of series D.
        conditioning_features: width of the conditioning term, 0 for a map that takes none.
    """

    def __init__(self, features: int, conditioning_features: int = 0) -> None:
        super().__init__()
        if features < 1:
            raise ValueError(f"features: expected at least 1 series, got {features}")
        self.features = features
        self.conditioning_features = conditioning_features

    @abstractmethod
    def forward(self, x: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        """Map data to noise.

        Arguments:
            x: data, ``[N, D]``.
            conditioning: the conditioning term, ``[N, conditioning_features]``.

        Returns:
            the noise ``[N, D]`` and the log of the absolute Jacobian determinant ``[N]``.
        """

    @abstractmethod
    def inverse(self, z: Tensor, conditioning: Tensor, workspace: Workspace | None = None) -> Tensor:
        """Map noise to data.

        Arguments:
            z: noise, ``[N, D]``.
            conditioning: the conditioning term, ``[N, conditioning_features]``.
            workspace: memory that the inverses of one decode share, for a map that needs much of it.

        Returns:
            the data ``[N, D]`` which ``forward`` maps to ``z``.
        """

    def extra_repr(self) -> str:
        """The sizes, shown by ``repr``."""
        return f"features={self.features}, conditioning_features={self.conditioning_features}"
