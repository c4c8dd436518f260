"""What a network sees of an article at several depths, in colour and without."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ..networks.backbone import Backbone
from ..networks.colours import foreground
from ..networks.preprocessing import Prepare

_GREY = (0.299, 0.587, 0.114)
"""Luma, Recommendation ITU-R BT.601."""

_AT_ONCE = 4


def photo_features(backbone: Backbone, pixels: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """Means and spreads over the article of the network's maps: middle depths see it in grey, the last ones in colour.

    Shape and cut are to be found again in another colour, and what a network sees at middle depths changes most with
    the colour. What is seen where the ground is does not count.

    Arguments:
        backbone: a network in evaluation mode, see `Backbone.maps`.
        pixels: uint8 ``[N, 1 or 3, S, S]``.

    Returns:
        ``[N, F]``, and the width of each block: a mean for each of ``grey_maps``, a mean and a standard deviation for
        each of ``colour_maps``.
    """
    prepare = Prepare(backbone.preprocessing).to(next(backbone.parameters()).device)
    found: list[Tensor] = []
    widths: tuple[int, ...] = ()
    for some in pixels.split(_AT_ONCE):
        bright = prepare.bright(some.to(prepare.mean.device))
        blocks = _blocks(backbone, prepare, bright)
        found.append(torch.cat(blocks, dim=1).float().cpu())
        widths = tuple(block.shape[1] for block in blocks)
    return torch.cat(found), widths


def _blocks(backbone: Backbone, prepare: Prepare, bright: Tensor) -> list[Tensor]:
    shown = bright.expand(-1, 3, -1, -1)
    article = foreground(shown).to(bright.dtype)[:, None]
    blocks = []
    if backbone.grey_maps:
        grey = (shown * shown.new_tensor(_GREY)[None, :, None, None]).sum(dim=1, keepdim=True).expand_as(bright)
        maps = backbone.maps(prepare.normalise(grey), last=max(backbone.grey_maps))
        blocks += [_mean_and_spread(maps[depth], article)[0] for depth in backbone.grey_maps]
    maps = backbone.maps(prepare.normalise(bright))
    for depth in backbone.colour_maps:
        blocks += _mean_and_spread(maps[depth], article)
    return blocks


def _mean_and_spread(maps: Tensor, article: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation ``[N, C]`` of maps ``[N, C, h, w]`` over the article ``[N, 1, H, W]``."""
    share = adaptive_avg_pool2d(article, (maps.shape[2], maps.shape[3]))
    weight = share / share.sum(dim=(2, 3), keepdim=True)
    mean = (maps * weight).sum(dim=(2, 3), keepdim=True)
    spread = ((maps - mean) ** 2 * weight).sum(dim=(2, 3)).sqrt()
    return mean[:, :, 0, 0], spread
