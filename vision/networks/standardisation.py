"""Features brought to mean 0 and standard deviation 1, by statistics of the training photos."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Standardisation(nn.Module):
    """(x − mean) / standard deviation, by statistics that are fitted once and stored with the weights.

    Arguments:
        features: the width F of the vectors.
        least: ``[F]``, deviations below which a feature is not divided by its own; 1e-6 if ``None``.

    Example:
        >>> scale = Standardisation(1)
        >>> scale.fit(torch.tensor([[1.0], [3.0]]))
        >>> scale(torch.tensor([[5.0]]))
        tensor([[3.]])
    """

    mean: Tensor
    spread: Tensor

    least: Tensor

    def __init__(self, features: int, least: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("least", torch.full((features,), 1e-6) if least is None else least, persistent=False)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))

    def fit(self, vectors: Tensor) -> None:
        """Take the statistics of vectors ``[N, F]``; a feature that does not vary stays what it is, less its mean."""
        spread = vectors.std(dim=0, correction=0)
        self.mean.copy_(vectors.mean(dim=0))
        self.spread.copy_(torch.where(spread > 1e-6, spread.maximum(self.least), 1.0))

    def forward(self, vectors: Tensor) -> Tensor:
        """Vectors ``[N, F]`` standardised."""
        return (vectors - self.mean) / self.spread
