"""Grid partitioned attention: every place attends to those parts of a map that its neighbourhood attends to most.

Source: N. Jetchev, G. Yildirim, C. Bracher and R. Vollgraf (2021), Grid Partitioned Attention, arXiv 2107.03742.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pad, scaled_dot_product_attention

from ...runtime.arguments.kinds import Checked, Count

_AT_A_TIME = 2**18
"""Numbers that are scored, or gathered, for one group of cells: they bound the memory, not what comes out."""

_WITH_GRADIENT = 2**23
"""Likewise, where what was gathered is kept for the gradient in any case, and each group costs one more sum."""

_NEVER = -1e4
"""Score of a place beyond the border, before the division by the root of the channels; half precision holds it."""


@dataclass(frozen=True)
class Partition(Checked):
    """How maps are cut for grid partitioned attention: plain numbers.

    Arguments:
        patches: patches of the keys that a cell of queries attends to (kappa in the paper); with all of them it is
            full attention, which they are raised to where a map has fewer.
        base: the shorter side, in pixels, of the small maps that decide which patches; a patch is what becomes one of
            these pixels. Keys up to that side get full attention.
        cells: cells along the shorter side of the small map of queries; those of a cell attend to the same patches.
        score: ``euclid``, minus the squared distance, or ``dot``, the product; both over the root of the channels.

    Cost: N places need N^2 scores in full attention. Here they need n^2 + patches N^2 / n, for n = base^2 places of the
    small maps: at 256 x 256, with 4 patches, 21 million in place of 4,295 million; and each key is gathered by
    patches / s^2 cells, where a cell has s x s pixels of the small map. With a fixed base this still grows with N^2.
    What patches leave out is lost: few hold most of the attention only where it is peaked (`captured_mass`).
    """

    patches: Count = 4
    base: Count = 64
    cells: Count = 32
    score: Literal["euclid", "dot"] = "euclid"

    def patch(self, height: int, width: int) -> int:
        """Side of a patch of a map, in pixels."""
        return -(-min(height, width) // self.base)

    def cell(self, height: int, width: int) -> int:
        """Side of a cell of a map of queries, in pixels: whole patches."""
        side = self.patch(height, width)
        return max(1, -(-min(height, width) // side) // self.cells) * side


def grid_partitioned_attention(query: Tensor, key: Tensor, value: Tensor, partition: Partition | None = None) -> Tensor:
    """Attention of each query to the keys of the patches that its cell attends to most.

    Arguments:
        query: ``[B, heads, d, H, W]``.
        key: ``[B, heads, d, h, w]``; another size and shape than the queries' is possible.
        value: ``[B, heads, e, h, w]``.
        partition: how the maps are cut.

    Returns:
        ``[B, heads, e, H, W]``. Each head chooses patches of its own; no gradient goes through the choice.

    Raises:
        ValueError: the batches, heads, channels or sides do not agree.

    Differs from the authors' code: maps of any size, where places beyond the border have no part; distances are
    taken from the mean of the keys, which changes none of them and is exacter in half precision; scores and keys are
    there for some cells at a time.
    """
    partition = partition or Partition()
    check_maps(query, key, value)
    side = partition.patch(*key.shape[3:])
    shape = (*query.shape[:2], value.shape[2], *query.shape[3:])
    chosen = chosen_patches(query, key, partition).flatten(0, 1) if side > 1 else None
    query, key, value = (each.flatten(0, 1) for each in (query, key, value))
    query, key, scale = comparable(query, key, partition.score)
    if chosen is None:
        query, key, value = (each.flatten(2).transpose(1, 2).contiguous() for each in (query, key, value))
        found = _attend(query, key, value, scale)
        return found.transpose(1, 2).reshape(shape)
    cell = partition.cell(*shape[3:])
    queries, keys, values = _blocks(query, cell), _blocks(key, side), _blocks(value, side)
    if key.shape[2] % side or key.shape[3] % side:  # one more channel tells what lies beyond the border
        there = _blocks(key.new_zeros(1, 1, *key.shape[2:]), side, _NEVER).expand(len(keys), -1, -1, -1)
        keys = torch.cat([keys, there], dim=3)
        queries = torch.cat([queries, queries.new_ones(*queries.shape[:3], 1)], dim=3)
    bound = _WITH_GRADIENT if keys.requires_grad or values.requires_grad else _AT_A_TIME
    size = max(1, bound // (chosen.shape[2] * side**2 * (keys.shape[3] + values.shape[3]) * len(keys)))
    parts = []
    for some, patches in zip(queries.split(size, dim=1), chosen.split(size, dim=1), strict=True):
        of_cells = _gathered(keys, patches), _gathered(values, patches)
        parts.append(_attend(some.flatten(0, 1), *of_cells, scale).unflatten(0, (len(keys), -1)))
    del queries, keys, values, some
    joined = torch.cat(parts, dim=1)
    del parts
    return _whole(joined, cell, *shape[3:]).reshape(shape)


@torch.no_grad()
def chosen_patches(query: Tensor, key: Tensor, partition: Partition) -> Tensor:
    """The patches that each cell of queries attends to most, int64 ``[B, heads, cells, patches]``, most first.

    Arguments:
        query: ``[B, heads, d, H, W]``.
        key: ``[B, heads, d, h, w]``.
        partition: how the maps are cut.

    Queries and keys are averaged over their patches; what a cell gives to a patch of the keys is the mean attention of
    its small queries (phase 1 of the paper). Cells and patches are counted row by row.
    """
    batch, (height, width), side = query.shape[:2], query.shape[3:], partition.patch(*key.shape[3:])
    own = partition.patch(height, width)
    query, key = _small(query.flatten(0, 1), own), _small(key.flatten(0, 1), side)
    query, key, scale = comparable(query, key, partition.score)
    within = partition.cell(height, width) // own
    queries, keys = _blocks(query, within), key.flatten(2)
    patches = min(partition.patches, keys.shape[2])
    found = []
    size = max(1, _AT_A_TIME // (within**2 * keys.shape[2] * len(keys)))
    for some in queries.split(size, dim=1):
        # Places beyond the border have the score 0 with all keys, and so favour none.
        scores = torch.matmul(some.flatten(1, 2), keys).float() * scale
        shares = scores.softmax(dim=2).unflatten(1, (-1, within**2))
        found.append(shares.sum(dim=2).topk(patches, dim=2).indices)
    return torch.cat(found, dim=1).unflatten(0, batch)


def check_maps(query: Tensor, key: Tensor, value: Tensor | None = None) -> None:
    """Refuse maps that do not belong together.

    Raises:
        ValueError: names the argument, its shape and the shape that was expected.
    """
    for name, maps in (("query", query), ("key", key), ("value", value)):
        if maps is not None and (maps.dim() != 5 or not all(maps.shape)):
            raise ValueError(f"{name}: expected maps [B, heads, channels, height, width], got {list(maps.shape)}")
    if key.shape[:3] != query.shape[:3]:
        expected = f"{list(query.shape[:3])}, as the queries have"
        raise ValueError(f"key: expected batch, heads and channels {expected}, got {list(key.shape[:3])}")
    if value is not None and (value.shape[:2], value.shape[3:]) != (key.shape[:2], key.shape[3:]):
        raise ValueError(
            f"value: expected the batch, heads and sides of the keys {list(key.shape)}, got {list(value.shape)}"
        )


class GridPartitionedAttention(nn.Module):
    """A layer whose places attend to places of the same maps or of others, several heads side by side.

    Arguments:
        channels: of the maps that ask.
        source: channels of the maps that are asked; those of the maps that ask by default.
        values: channels of the maps that answer; those of the maps that are asked by default.
        heads: each with queries, keys, values and patches of its own; they divide the channels.
        partition: how the maps are cut.
        output: ``join`` adds a 1 x 1 convolution of the maps and of what was found to the maps; ``add`` adds what was
            found times a learnt share, 0.1 at first; ``plain`` is what was found alone.

    Raises:
        ValueError: `channels` is not divisible by `heads`.
    """

    def __init__(
        self,
        channels: int,
        source: int | None = None,
        values: int | None = None,
        *,
        heads: int = 1,
        partition: Partition | None = None,
        output: Literal["join", "add", "plain"] = "join",
    ) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"heads: expected a divisor of {channels} channels, got {heads}")
        source = source or channels
        self.heads, self.partition, self.output = heads, partition or Partition(), output
        self.query = nn.Conv2d(channels, channels, 1, bias=False)
        self.key = nn.Conv2d(source, channels, 1, bias=False)
        self.value = nn.Conv2d(values or source, channels, 1)
        self.join = nn.Conv2d(2 * channels, channels, 1) if output == "join" else None
        self.share = nn.Parameter(torch.tensor(0.1)) if output == "add" else None

    def forward(self, maps: Tensor, source: Tensor | None = None, values: Tensor | None = None) -> Tensor:
        """What each place of the maps finds.

        Arguments:
            maps: those that ask, ``[B, C, H, W]``.
            source: those that are asked, ``[B, source, h, w]``; the maps themselves by default.
            values: those that answer, ``[B, values, h, w]``; the ones that are asked by default.

        Returns:
            ``[B, C, H, W]``.
        """
        source = maps if source is None else source
        query, key = self.queries_and_keys(maps, source)
        value = self._headed(self.value(source if values is None else values))
        found = grid_partitioned_attention(query, key, value, self.partition).flatten(1, 2)
        if self.join is not None:
            return maps + self.join(torch.cat([maps, found], dim=1))
        return found if self.share is None else maps + self.share * found

    def queries_and_keys(self, maps: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
        """Both ``[B, heads, C / heads, ...]``: for `chosen_patches` and the diagnostics."""
        return self._headed(self.query(maps)), self._headed(self.key(source))

    def _headed(self, maps: Tensor) -> Tensor:
        return maps.unflatten(1, (self.heads, -1))


def comparable(query: Tensor, key: Tensor, score: str) -> tuple[Tensor, Tensor, float]:
    """Queries and keys ``[n, d', ...]`` whose products times a scale are the scores, up to a constant of each query."""
    scale = query.shape[1] ** -0.5
    if score == "dot":
        return query, key, scale
    middle = key.detach().mean(dim=(2, 3), keepdim=True)
    query, key = query - middle, key - middle
    sizes = key.square().sum(dim=1, keepdim=True)
    return torch.cat([2 * query, torch.ones_like(query[:, :1])], dim=1), torch.cat([key, -sizes], dim=1), scale


def _attend(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """Softmax attention ``[n, queries, e]``, all with as many channels as the widest: fused calculations ask for it."""
    width = value.shape[2]
    most = -(-max(query.shape[2], width) // 8) * 8
    query, key, value = (pad(each, (0, most - each.shape[2])) for each in (query, key, value))
    # Without a dimension of heads the fused calculation is not taken.
    return scaled_dot_product_attention(query[:, None], key[:, None], value[:, None], scale=scale)[:, 0, :, :width]


def _small(maps: Tensor, side: int) -> Tensor:
    """Means ``[n, d, ...]`` over patches; those at the border over what there is of them."""
    return avg_pool2d(maps, side, ceil_mode=True, count_include_pad=False) if side > 1 else maps


def _blocks(maps: Tensor, side: int, beyond: float = 0.0) -> Tensor:
    """Maps ``[n, d, h, w]`` as blocks ``[n, blocks, side^2, d]``, row by row, with a value beyond the border."""
    maps = pad(maps, (0, -maps.shape[3] % side, 0, -maps.shape[2] % side), value=beyond)
    cut = maps.unflatten(3, (-1, side)).unflatten(2, (-1, side))  # n d rows side columns side
    return cut.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(1, 2)


def _whole(blocks: Tensor, side: int, height: int, width: int) -> Tensor:
    """Blocks ``[n, blocks, side^2, d]`` as maps ``[n, d, height, width]``: the inverse of `_blocks`."""
    cut = blocks.unflatten(2, (side, side)).unflatten(1, (-1, -(-width // side)))  # n rows columns side side d
    return cut.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)[:, :, :height, :width]


def _gathered(blocks: Tensor, chosen: Tensor) -> Tensor:
    """Blocks ``[n, blocks, places, d]`` that were chosen ``[n, cells, k]``, as ``[n * cells, k * places, d]``."""
    first = torch.arange(len(blocks), device=chosen.device)[:, None, None] * blocks.shape[1]
    return blocks.flatten(0, 1)[(chosen + first).flatten(0, 1)].flatten(1, 2)
