"""What grid partitioned attention leaves out, and where one place looks."""

from __future__ import annotations

import torch
from torch import Tensor

from ...runtime.arguments.kinds import Count, Seed, checked
from .attention import Partition, check_maps, chosen_patches, comparable


@checked
@torch.no_grad()
def captured_mass(query: Tensor, key: Tensor, partition: Partition, *, queries: Count = 256, seed: Seed = 0) -> Tensor:
    """The share of full attention that falls on the patches that were chosen, ``[B, heads]`` between 0 and 1.

    Arguments:
        query: ``[B, heads, d, H, W]``.
        key: ``[B, heads, d, h, w]``.
        partition: how the maps are cut.
        queries: how many places the mean is taken over; they are drawn, the same for all heads.
        seed: draws them.

    Raises:
        ValueError: the maps do not agree.
    """
    check_maps(query, key)
    height, width = query.shape[3:]
    count = min(queries, height * width)
    places = torch.randperm(height * width, generator=torch.Generator().manual_seed(seed))[:count].to(query.device)
    shares, seen = _full_and_seen(query, key, partition, places // width, places % width)
    return (shares * seen).sum(dim=3).mean(dim=2)


@checked
@torch.no_grad()
def attended(query: Tensor, key: Tensor, partition: Partition, row: int, column: int) -> Tensor:
    """How much a place of the queries attends to each key, ``[B, heads, h, w]``; 0 outside the patches of its cell.

    Arguments:
        query: ``[B, heads, d, H, W]``.
        key: ``[B, heads, d, h, w]``.
        partition: how the maps are cut.
        row: of the place, from 0.
        column: of the place, from 0.

    Raises:
        ValueError: the maps do not agree, or have no such place.
    """
    check_maps(query, key)
    for name, place, sides in (("row", row, query.shape[3]), ("column", column, query.shape[4])):
        if not 0 <= place < sides:
            raise ValueError(f"{name}: expected a place from 0 to {sides - 1}, got {place}")
    at = (torch.tensor([place], device=query.device) for place in (row, column))
    shares, seen = _full_and_seen(query, key, partition, *at)
    shares = shares * seen
    return (shares / shares.sum(dim=3, keepdim=True))[:, :, 0].unflatten(2, key.shape[3:])


def _full_and_seen(
    query: Tensor, key: Tensor, partition: Partition, rows: Tensor, columns: Tensor
) -> tuple[Tensor, Tensor]:
    """Full attention of some places, and whether their cells see a key: both ``[B, heads, places, h * w]``."""
    heads, (height, width) = query.shape[:2], key.shape[3:]
    side, cell = partition.patch(height, width), partition.cell(*query.shape[3:])
    compared, keys, scale = comparable(query.flatten(0, 1), key.flatten(0, 1), partition.score)
    scores = torch.matmul(compared[:, :, rows, columns].transpose(1, 2), keys.flatten(2)) * scale
    shares = scores.double().softmax(dim=2).unflatten(0, heads)
    if side == 1:
        return shares, torch.ones_like(shares, dtype=torch.bool)
    chosen = chosen_patches(query, key, partition)[:, :, (rows // cell) * -(-query.shape[4] // cell) + columns // cell]
    down = torch.arange(height, device=key.device)[:, None] // side * -(-width // side)
    patch = down + torch.arange(width, device=key.device) // side
    return shares, (chosen[..., None] == patch.flatten()).any(dim=3)
