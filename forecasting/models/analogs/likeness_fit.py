"""Weights of the kinds of likeness and of the ways to today's level, by the energy score of past forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ....datasets.entries.domain import Domain, phases, settled
from ....evaluation.scores.mixtures import model_distances, path_distances, weighted_energy
from ...paths.shares import as_often
from ...paths.weights import pool_weights
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


@dataclass(frozen=True)
class LearntMoves:
    """The ways to today's level that past forecasts are best mixed from.

    Arguments:
        moves: those with a weight.
        thetas: what likeness counts in each, ``[F]``.
        weights: their shares of the paths, 1 in all.
        score: energy score of those past forecasts, a mean.
    """

    moves: list[Move]
    thetas: list[np.ndarray]
    weights: np.ndarray
    score: float


def learnt_moves(
    pasts: Sequence[Stretches],
    truths: Sequence[np.ndarray],
    moves: Sequence[Move],
    domain: Domain,
    num_samples: int,
    seed: int,
) -> LearntMoves:
    """Which ways to today's level are best, and what likeness counts in each.

    Arguments:
        pasts: what each past forecast could follow.
        truths: what came ``[H, D]``, NaN where missing.
        moves: the ways that are tried.
        domain: the values that a path can take.
        num_samples: paths of each way to weigh them by.
        seed: of the draws.
    """
    found, drawn, came = [], [], np.stack(truths)
    generator = np.random.default_rng(seed)
    phase = phases(num_samples, range(came.shape[-1]), [seed])
    for move in moves:
        theta = best_weights([distances(past, move, truth) for past, truth in zip(pasts, truths, strict=True)])
        found.append(theta)
        paths = [past.moved(move, drawn_stretches(past, theta, num_samples, generator)) for past in pasts]
        drawn.append(np.stack([settled(each, domain, phase) for each in paths]).astype(np.float32))
    weights = pool_weights(drawn, came, smallest=0.02)
    score = float(weighted_energy(*model_distances(drawn, came), weights)) / len(truths)
    kept = np.flatnonzero(weights).tolist()
    return LearntMoves([moves[n] for n in kept], [found[n] for n in kept], weights[kept], score)


def drawn_stretches(past: Stretches, theta: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Numbers of the stretches that paths follow, each as often as its probability says, or once more or less."""
    strength = past.likeness @ theta
    probability = np.exp(strength - strength.max())
    return as_often(probability / probability.sum(), count, generator)
