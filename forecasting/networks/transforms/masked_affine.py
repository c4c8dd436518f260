"""Masked autoregressive affine map, the map of MAF."""

from __future__ import annotations

import torch
from torch import Tensor

from .affine import affine_forward, affine_inverse
from .bijection import Bijection
from .fused.trial import fused_inverse, may_be_fused
from .level_solver import Workspace, solve_levels
from .made import MADE


class MaskedAffine(Bijection):
    r"""Shift and scale each series by functions of the context and of the series before it.

    .. math:: z_i = (x_i - \mu_i(x_{<i}, c)) \, e^{-\alpha_i(x_{<i}, c)}

    ``forward`` is one pass of the network. ``inverse`` solves the series group by group; without gradients
    each unit is evaluated once, which costs about as much arithmetic as one pass
    (:func:`~hemline.forecasting.networks.transforms.level_solver.solve_levels`; on a GPU one kernel does the same where
    it fits, :func:`~hemline.forecasting.networks.transforms.fused.launch.solve_on_chip`). With gradients it takes one
    full pass per level instead, the price of a differentiable sample.

    Source: Papamakarios et al. (2017), arXiv 1705.07057, eq. 3-4; context as in Rasul et al. (2021), arXiv
    2002.06103. Where we differ: α is bounded by :func:`~hemline.forecasting.networks.transforms.affine.log_scale`, and
    the masks are those of :class:`~hemline.forecasting.networks.transforms.MADE`.

    Arguments:
        features: the number of series D.
        hidden: units of a hidden layer.
        hidden_layers: hidden layers.
        levels: the number of levels; see :class:`~hemline.forecasting.networks.transforms.MADE`.
        reverse: take the series in reversed order, the last one first.

    Raises:
        ValueError: a size below 1, or ``levels`` not in 1 … min(features, hidden).

    >>> masked = MaskedAffine(3, hidden=8)
    >>> x, conditioning = torch.randn(5, 3), torch.randn(5, masked.conditioning_features)
    >>> z, log_det = masked(x, conditioning)
    >>> torch.allclose(masked.inverse(z, conditioning), x, atol=1e-5)
    True
    """

    def __init__(
        self,
        features: int,
        *,
        hidden: int = 100,
        hidden_layers: int = 2,
        levels: int | None = None,
        reverse: bool = False,
    ) -> None:
        super().__init__(features, conditioning_features=hidden)
        self.made = MADE(features, hidden=hidden, hidden_layers=hidden_layers, levels=levels, reverse=reverse)

    def forward(self, x: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        """Map data ``[N, D]`` to noise; see :class:`Bijection`."""
        shift, raw = self.made(x, conditioning)
        return affine_forward(x, shift, raw)

    def inverse(self, z: Tensor, conditioning: Tensor, workspace: Workspace | None = None) -> Tensor:
        """Map noise ``[N, D]`` to data; see :class:`Bijection`."""
        if torch.is_grad_enabled():
            return self._inverse_by_passes(z, conditioning)
        if may_be_fused(self.made, z):
            x = fused_inverse(self.made, z, conditioning)
            if x is not None:
                return x
        return solve_levels(self.made, z, conditioning, workspace or Workspace())

    def _inverse_by_passes(self, z: Tensor, conditioning: Tensor) -> Tensor:
        x = torch.zeros_like(z)
        for _ in range(self.made.levels):
            shift, raw = self.made(x, conditioning)
            x = affine_inverse(z, shift, raw)
        return x
