"""Poses as maps: how near each pixel is to each joint and each limb, and where along and beside the limb it is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

SPREAD, NARROW = 0.5, 0.2
"""Of the heat about joints and the body, and of what tells the limbs from each other, in mean lengths of limbs."""

_FAR = 3.0
"""Coordinates of limbs end there, in mean lengths of limbs."""


def pose_maps(joints: Tensor, limbs: Sequence[tuple[int, int]], size: int) -> Tensor:
    """Heatmaps of the joints, and for each limb a heatmap with the place along and beside it.

    With d the distance to a joint, in mean lengths of limbs, its heat is ``exp(−d² / 2 SPREAD²)``. That of the nearest
    limb is shared among the limbs as ``softmax(−d² / 2 NARROW²)``; places along each limb, from its middle, and beside
    it are in mean lengths, times its share. Pixels of two photos that show the same place of a body therefore have
    nearly the same values, whatever the pose.

    Arguments:
        joints: ``[B, J, 2]``, pixels to the right and downwards; NaN where a joint is missing.
        limbs: pairs of joints.
        size: side S of the maps, pixels.

    Returns:
        ``[B, J + 3 L, S, S]``; 0 for joints and limbs that are missing.
    """
    middles = torch.arange(size, device=joints.device, dtype=joints.dtype) + 0.5
    unit = limb_length(joints, limbs)[:, None, None, None]
    near = torch.exp(-(middles - joints[..., None]).square() / (2 * (SPREAD * unit).square()))
    heat = near[:, :, 1, :, None] * near[:, :, 0, None, :]
    along, beside, apart, _ = limb_places(joints, limbs, size)
    apart = (apart / unit.square()).nan_to_num(torch.inf)  # of limbs that are missing
    heated = torch.exp(-apart.amin(dim=1, keepdim=True) / (2 * SPREAD**2))
    warm = heated * torch.softmax(-apart / (2 * NARROW**2), dim=1)
    told = [warm, *(warm * (each / unit).clamp_(-_FAR, _FAR) for each in (along, beside))]
    return torch.cat([heat, *told], dim=1).nan_to_num_(0.0)


def limb_places(joints: Tensor, limbs: Sequence[tuple[int, int]], size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Where pixels are as each limb sees it: along it from its middle, beside it, and the squared distance.

    Arguments:
        joints: ``[B, J, 2]``, pixels.
        limbs: L pairs of joints.
        size: side S of the square of pixels.

    Returns:
        Three times ``[B, L, S, S]``, in pixels, and the lengths ``[B, L, 1, 1]``; NaN for limbs that are missing.
    """
    begin, end = (joints[:, [limb[part] for limb in limbs]] for part in range(2))
    length = (end - begin).norm(dim=-1, keepdim=True)
    across, down = ((end - begin) / length.clamp_min(1e-6)).unbind(-1)
    middle, places = (begin + end) / 2, torch.arange(size, device=joints.device, dtype=joints.dtype) + 0.5
    right, below = places - middle[:, :, :1], places - middle[:, :, 1:]
    along = (right * across[..., None])[:, :, None] + (below * down[..., None])[..., None]
    beside = (below * across[..., None])[..., None] - (right * down[..., None])[:, :, None]
    length = length[..., None]
    beyond = (along.abs() - length / 2).clamp_min_(0)
    return along, beside, beyond.square_() + beside.square(), length


def limb_length(joints: Tensor, limbs: Sequence[tuple[int, int]]) -> Tensor:
    """The mean length of the limbs that are there, ``[B]`` in pixels; 1 where none is."""
    begin, end = (joints[:, [limb[part] for limb in limbs]] for part in range(2))
    return (end - begin).norm(dim=-1).nanmean(dim=1).nan_to_num(1.0).clamp_min(1.0)
