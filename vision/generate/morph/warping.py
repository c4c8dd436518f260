"""Changes of pose that learn nothing: the photo as it is, and its limbs moved as they are."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ....datasets.pictures.skeletons import Skeleton
from .pose_maps import limb_length, limb_places

REACH = 0.85
"""How far from a limb a pixel is the limb's, in mean lengths of limbs."""


def unchanged(photos: Tensor, source: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
    """The photos as they are."""
    return photos


def warped(photos: Tensor, source: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
    """Photos whose limbs are moved to another pose rigidly: each pixel is taken from beside the limb nearest to it.

    Pixels further from all limbs than `REACH` show the edges of the photo in their row.

    Arguments:
        photos: ``[B, 3, S, S]``.
        source: their joints ``[B, J, 2]``, pixels; NaN where one is missing.
        target: the joints of the other pose.
        skeleton: the layout.

    Returns:
        ``[B, 3, S, S]``.
    """
    size, limbs = photos.shape[-1], skeleton.limbs
    begin, end = (source[:, [limb[part] for limb in limbs]] for part in range(2))
    way = (end - begin) / (end - begin).norm(dim=-1, keepdim=True).clamp_min(1e-6)
    along, beside, apart, _ = limb_places(target, limbs, size)
    there = ~way.isnan().any(dim=-1)[..., None, None] & ~apart.isnan()
    apart = apart.where(there, torch.inf)
    nearest = apart.argmin(dim=1, keepdim=True)
    larger = (limb_length(source, limbs) / limb_length(target, limbs))[:, None, None, None]
    along, beside = (each.gather(1, nearest) * larger for each in (along, beside))

    def of_nearest(numbers: Tensor) -> Tensor:
        """Numbers ``[B, L]`` of the limb that is nearest to each pixel."""
        return numbers[:, :, None, None].expand_as(apart).gather(1, nearest)

    (right, down), (at, below) = (each.unbind(-1) for each in (way, (begin + end) / 2))
    across = of_nearest(at) + along * of_nearest(right) - beside * of_nearest(down)
    below = of_nearest(below) + along * of_nearest(down) + beside * of_nearest(right)
    grid = torch.cat([across, below], dim=1).permute(0, 2, 3, 1).nan_to_num(0.0) * 2 / size - 1
    moved = grid_sample(photos, grid.to(photos.dtype), padding_mode="border", align_corners=False)
    edges = (photos[..., :1] + photos[..., -1:]) / 2
    far = apart.amin(dim=1, keepdim=True) > (REACH * limb_length(target, limbs)[:, None, None, None]).square()
    return torch.where(far, edges.expand_as(photos), moved)
