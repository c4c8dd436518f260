"""Weights of the kinds of likeness, fitted by the energy score of past forecasts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...evaluation.scores.mixtures import path_distances, weighted_energy
from .past_stretches import Move, Stretches

PENALTY = 0.01
"""L2 penalty on the weights of likeness, on the scale of the relative energy score of one forecast."""


def distances(past: Stretches, move: Move, truth: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Similarities ``[K, F]`` and distances to the truth ``[K]`` and between analogs ``[K, K]``, summed over steps."""
    distance, between = path_distances(past.moved(move), truth)
    return torch.from_numpy(past.likeness), torch.from_numpy(distance), torch.from_numpy(between)


def best_weights(parts: Sequence[tuple[Tensor, Tensor, Tensor]]) -> np.ndarray:
    """Similarity weights ``[F]`` that minimise the energy score of past forecasts."""
    scale = max(sum(float(distance.mean()) for _, distance, _ in parts), 1e-12)
    theta = torch.zeros(parts[0][0].shape[1], dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([theta], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        total = PENALTY * (theta**2).sum() / len(parts)
        for likeness, distance, between in parts:
            weights = torch.softmax(likeness @ theta, dim=0)
            total = total + weighted_energy(distance, between, weights) / scale
        total.backward()
        return total

    search.step(loss)
    return theta.detach().numpy()
