"""Affine coupling, the map of RealNVP."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from .affine import NEAR_IDENTITY, affine_forward, affine_inverse
from .bijection import Bijection
from .level_solver import Workspace


class AffineCoupling(Bijection):
    r"""Shift and scale one half of the series by functions of the other half and of the context.

    .. math:: z_A = x_A, \qquad z_B = (x_B - t(x_A, c)) \, e^{-s(x_A, c)}

    s and t are two networks of equal shape, evaluated together: each layer is one batched matrix product.
    With D = 1 there is nothing to pass through, and the map is a conditional affine map of the one series.

    Source: Dinh et al. (2017), arXiv 1605.08803, eq. 4-8; context as in Rasul et al. (2021), arXiv
    2002.06103. Where we differ: both networks use ReLU (common code has tanh in s, which costs thirty times
    as much on a CPU), s is bounded by :func:`~hemline.forecasting.networks.transforms.affine.log_scale`, and the
    halves are the first and the last of the series; interleaved halves are had with a
    :class:`~hemline.forecasting.networks.transforms.Permutation` before.

    Arguments:
        features: the number of series D.
        hidden: units of a hidden layer of each network.
        hidden_layers: hidden layers of each network.
        transform_first: whether B is the first half of the series instead of the last. An odd series out
            belongs to the first half.

    Raises:
        ValueError: a size below 1.

    >>> coupling = AffineCoupling(3, hidden=8)
    >>> z, log_det = coupling(torch.zeros(5, 3), torch.zeros(5, coupling.conditioning_features))
    >>> z.shape, log_det.shape
    (torch.Size([5, 3]), torch.Size([5]))
    """

    def __init__(
        self,
        features: int,
        *,
        hidden: int = 100,
        hidden_layers: int = 2,
        transform_first: bool = False,
    ) -> None:
        if hidden < 1 or hidden_layers < 1:
            raise ValueError(f"hidden, hidden_layers: expected at least 1 each, got {hidden} and {hidden_layers}")
        super().__init__(features, conditioning_features=2 * hidden)
        last = features // 2
        self.sizes = [features - last, last]
        self.transform_first = transform_first or last == 0
        changed = features - last if self.transform_first else last
        widths = [features - changed, *[hidden] * hidden_layers, changed]
        self.weights = nn.ParameterList(torch.empty(2, fan_in, fan_out) for fan_in, fan_out in pairwise(widths))
        self.biases = nn.ParameterList(torch.zeros(2, 1, width) for width in widths[2:])
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights; the last layer is drawn small, so that the map starts near the identity."""
        for weight in self.weights:
            bound = max(weight.shape[1], 1) ** -0.5
            nn.init.uniform_(weight, -bound, bound)
        with torch.no_grad():
            self.weights[-1].mul_(NEAR_IDENTITY)

    def forward(self, x: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        """Map data ``[N, D]`` to noise; see :class:`Bijection`."""
        kept, changed = self._halves(x)
        shift, raw = self._networks(kept, conditioning)
        z, log_det = affine_forward(changed, shift, raw)
        return self._join(kept, z), log_det

    def inverse(self, z: Tensor, conditioning: Tensor, workspace: Workspace | None = None) -> Tensor:
        """Map noise ``[N, D]`` to data; see :class:`Bijection`."""
        kept, changed = self._halves(z)
        shift, raw = self._networks(kept, conditioning)
        return self._join(kept, affine_inverse(changed, shift, raw))

    def _halves(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first, last = x.split(self.sizes, dim=1)
        return (last, first) if self.transform_first else (first, last)

    def _join(self, kept: Tensor, changed: Tensor) -> Tensor:
        return torch.cat((changed, kept) if self.transform_first else (kept, changed), dim=1)

    def _networks(self, kept: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        term = conditioning.unflatten(1, (2, -1)).transpose(0, 1)
        hidden = torch.baddbmm(term, kept.expand(2, -1, -1), self.weights[0])
        for weight, bias in zip(list(self.weights)[1:], self.biases, strict=True):
            hidden = torch.baddbmm(bias, hidden.relu_(), weight)
        shift, raw = hidden.unbind(0)
        return shift, raw
