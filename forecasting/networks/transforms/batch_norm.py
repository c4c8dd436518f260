"""Batch normalisation as a bijection."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .bijection import Bijection
from .level_solver import Workspace


class BatchNorm(Bijection):
    r"""Batch normalisation of each series, :math:`z = e^{g} (x - m) / \sqrt{v + \epsilon} + b`.

    In training mode ``forward`` takes the mean m and variance v over the rows it is given (all windows and
    steps of a batch) and moves the running statistics towards them. In evaluation mode it takes the running
    statistics and changes nothing. ``inverse`` always takes the running statistics: paths are drawn one step
    at a time, from batches that have no statistics of their own. A round trip is therefore exact in
    evaluation mode only.

    There is no mask argument: rows reach a flow with missing values imputed, and an imputed value is drawn
    from, or close to, the density being learnt, so that statistics over all rows are those which
    evaluation meets. A row that is pure padding should not be passed at all.

    Source: Papamakarios et al. (2017), arXiv 1705.07057, eq. 19-22. We store log(gain) in ``log_gain`` and
    use the biased variance throughout.

    Arguments:
        features: the number of series D.
        momentum: the weight of a new batch in the running statistics, in (0, 1].
        epsilon: added to variances, in squared data units.

    Raises:
        ValueError: ``momentum`` outside (0, 1] or ``epsilon`` not positive; in training mode, fewer than two
            rows.

    >>> norm = BatchNorm(1)
    >>> norm(torch.tensor([[1.0], [3.0]]), torch.empty(2, 0))[0].round(decimals=3)
    tensor([[-1.],
            [ 1.]], grad_fn=<RoundBackward1>)
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, features: int, *, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        super().__init__(features)
        if not 0 < momentum <= 1:
            raise ValueError(f"momentum: expected above 0 and at most 1, got {momentum}")
        if not epsilon > 0:
            raise ValueError(f"epsilon: expected above 0, got {epsilon}")
        self.momentum = momentum
        self.epsilon = epsilon
        self.log_gain = nn.Parameter(torch.zeros(features))
        self.bias = nn.Parameter(torch.zeros(features))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))

    def forward(self, x: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        """Map data ``[N, D]`` to noise; see :class:`Bijection`."""
        if self.training:
            if x.shape[0] < 2:
                raise ValueError(
                    f"x: expected at least 2 rows for batch normalisation in training mode, got {x.shape[0]}; "
                    "call .eval() to use the running statistics"
                )
            var, mean = torch.var_mean(x, 0, correction=0)
            with torch.no_grad():
                self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
                self.running_var.lerp_(var.to(self.running_var.dtype), self.momentum)
        else:
            mean, var = self.running_mean, self.running_var
        log_factor = self.log_gain - 0.5 * torch.log(var + self.epsilon)
        z = torch.addcmul(self.bias, x - mean, torch.exp(log_factor))
        return z, log_factor.sum().expand(x.shape[0])

    def inverse(self, z: Tensor, conditioning: Tensor, workspace: Workspace | None = None) -> Tensor:
        """Map noise ``[N, D]`` to data; see :class:`Bijection`."""
        factor = torch.exp(-self.log_gain) * torch.sqrt(self.running_var + self.epsilon)
        return torch.addcmul(self.running_mean, z - self.bias, factor)
