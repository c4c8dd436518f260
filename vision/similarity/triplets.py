"""A similarity learnt from triplets: an anchor is more like its positive than like its negative, by a margin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ...runtime.arguments.kinds import Checked, Count, Positive, Seed

_POOL = 2048
"""Photos at most among which the negatives of a step are looked for."""


@dataclass(frozen=True)
class TripletConfig(Checked):
    """How a similarity is learnt.

    Arguments:
        steps: steps of Adam; few, so that what is not seen in training keeps the similarity of before.
        lr: its learning rate.
        margin: by how much a positive is to be more similar than a negative.
        batch_size: triplets a step.
        hardest: a negative is one of so many that are most similar to the anchor.
        seed: draws the triplets.
    """

    steps: Count = 60
    lr: Positive = 3e-4
    margin: Positive = 0.2
    batch_size: Count = 256
    hardest: Count = 10
    seed: Seed = 0


def part_scale(parts: Mapping[str, int], weights: Mapping[str, float]) -> Tensor:
    """What the columns of vectors of several parts are multiplied with, so that their products are weighted means.

    Example:
        >>> part_scale({"shape": 1, "colours": 2}, {"shape": 1.0, "colours": 3.0})
        tensor([0.5000, 0.8660, 0.8660])
    """
    amounts = torch.tensor([weights[name] for name in parts])
    return (amounts / amounts.sum()).sqrt().repeat_interleave(torch.tensor(list(parts.values())))


def fit_projection(
    vectors: np.ndarray,
    group: np.ndarray,
    config: TripletConfig,
    *,
    moved: int | None = None,
    triplets: np.ndarray | None = None,
) -> Tensor:
    """Weights ``[m, m]``, identity at the start, whose products bring photos of one group together.

    The loss of a triplet is ``max(0, margin + s(a, n) − s(a, p))``, s the cosine of projected vectors; the mean over
    those above 0 (pytorch-metric-learning). So began TiefVision's DeepRank, with a margin of 0.1.

    Arguments:
        vectors: float32 ``[n, F]``, of length 1.
        group: int64 ``[n]``: photos of one group are each other's positives, those of others negatives.
        config: how to learn.
        moved: m, the first columns of the vectors, which alone are moved and keep their length: the others count in
            every similarity as they are; all F if ``None``.
        triplets: int64 ``[m, 3]``, the rows of curated triplets (anchor, positive, negative); drawn if ``None``.

    Raises:
        ValueError: no group has two photos, or there is one group alone.
    """
    from pytorch_metric_learning.distances import CosineSimilarity
    from pytorch_metric_learning.losses import TripletMarginLoss

    held = torch.from_numpy(vectors)
    draw = _Curated(triplets) if triplets is not None else _Drawn(group, config)
    generator = torch.Generator().manual_seed(config.seed)
    side = held.shape[1] if moved is None else moved
    length = held[:, :side].norm(dim=1, keepdim=True)
    weights = torch.eye(side, requires_grad=True)

    def projected(rows: Tensor, by: Tensor) -> Tensor:
        part = normalize(held[rows, :side] @ by, dim=1) * length[rows]
        return torch.cat([part, held[rows, side:]], dim=1)

    everyone = torch.arange(len(held))
    optimiser = torch.optim.Adam([weights], lr=config.lr)
    loss = TripletMarginLoss(margin=config.margin, distance=CosineSimilarity())
    numbers = torch.arange(3 * config.batch_size)
    for _ in range(config.steps):
        rows = draw(projected(everyone, weights.detach()), generator, config.batch_size)
        count = len(rows)
        indices = (numbers[:count], numbers[count : 2 * count], numbers[2 * count : 3 * count])
        value = loss(projected(rows.T.flatten(), weights), numbers[: 3 * count], indices_tuple=indices)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    return weights.detach()


class _Curated:
    def __init__(self, triplets: np.ndarray) -> None:
        self.triplets = torch.from_numpy(triplets)

    def __call__(self, projected: Tensor, generator: torch.Generator, count: int) -> Tensor:
        return self.triplets[torch.randint(len(self.triplets), (count,), generator=generator)]


class _Drawn:
    """Anchors with a positive of their group, and a hard negative of another one."""

    def __init__(self, group: np.ndarray, config: TripletConfig) -> None:
        self.group, self.config = torch.from_numpy(group), config
        sizes = np.bincount(group)
        # Every pair of a group is as likely as any other one.
        self.partners = torch.from_numpy(sizes[group] - 1.0)
        if not self.partners.any() or (sizes > 0).sum() < 2:
            raise ValueError(
                f"photos: expected groups of at least two photos and other groups, got {int((sizes > 0).sum())} groups "
                f"of {len(group)} photos"
            )
        order = np.argsort(group, kind="stable")
        self.order = torch.from_numpy(order)
        self.first = torch.from_numpy(np.searchsorted(group[order], group))
        self.size = torch.from_numpy(sizes[group])
        spot = np.empty(len(group), dtype=np.int64)
        spot[order] = np.arange(len(group))
        self.spot = torch.from_numpy(spot) - self.first

    def __call__(self, projected: Tensor, generator: torch.Generator, count: int) -> Tensor:
        anchor = torch.multinomial(self.partners, count, replacement=True, generator=generator)
        # Any of the group but itself: so many places further on, around.
        further = 1 + (torch.rand(count, generator=generator) * (self.size[anchor] - 1)).long()
        positive = self.order[self.first[anchor] + (self.spot[anchor] + further) % self.size[anchor]]
        pool = torch.randperm(len(projected), generator=generator)[:_POOL]
        unit = normalize(projected, dim=1)
        alike = unit[anchor] @ unit[pool].T
        alike = alike.masked_fill(self.group[anchor][:, None] == self.group[pool][None], -2.0)
        hardest = alike.topk(min(self.config.hardest, len(pool)), dim=1)
        chosen = torch.randint(hardest.indices.shape[1], (count, 1), generator=generator)
        # Where fewer negatives are than were asked for, the hardest stands in.
        found = torch.where(
            hardest.values.gather(1, chosen) > -2, hardest.indices.gather(1, chosen), hardest.indices[:, :1]
        )
        rows = torch.stack([anchor, positive, pool[found[:, 0]]], dim=1)
        return rows[hardest.values[:, 0] > -2]
