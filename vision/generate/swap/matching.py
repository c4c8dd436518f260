"""Which pixels of a photo have colours of an article, and the article's colours as they are copied."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

_GRID = 16
"""Places in each direction at which an article is looked at."""

_WHITE = 0.16
"""How far a channel, −1…1, is from white where an article begins: 0.08 of the full range, as for packshots."""

_TOLERANCES = (0.1, 0.3)
"""Distances of colours, −1…1, at which likeness falls to exp(−1/2)."""

LIKENESS_MAPS = len(_TOLERANCES)


def article_shares(articles: Tensor) -> Tensor:
    """Where an article on white is, ``[B, 1, H, W]``, 0 or 1; everywhere where all is white.

    Arguments:
        articles: ``[B, 3, H, W]``, −1…1.
    """
    inside = ((1 - articles).amax(dim=1, keepdim=True) > _WHITE).to(articles.dtype)
    return torch.where(inside.amax(dim=(2, 3), keepdim=True) > 0, inside, torch.ones_like(inside))


def palette(articles: Tensor, grid: int = _GRID) -> tuple[Tensor, Tensor]:
    """The colours of an article at a grid of places, sharp and as the means of ever larger squares.

    The means are those of the article alone: where a pattern is finer than the pixels of a photo, the photo has them.

    Arguments:
        articles: ``[B, 3, H, W]``, −1…1, on white.
        grid: places in each direction.

    Returns:
        Colours ``[B, K, 3]``, and whether the article is at the place, ``[B, K]``, 0 or 1.
    """
    shares = article_shares(articles)
    down, across = (max(side // grid, 1) for side in articles.shape[2:])
    colours = [articles[:, :, down // 2 :: down, across // 2 :: across].flatten(2).transpose(1, 2)]
    found = [shares[:, :, down // 2 :: down, across // 2 :: across].flatten(1)]
    for times in (2, 4):
        means, there = _means(articles, shares, (times * down, times * across))
        colours.append(means)
        found.append(there)
    return torch.cat(colours, dim=1), _somewhere(torch.cat(found, dim=1))


def mean_palette(articles: Tensor, grid: int = _GRID) -> tuple[Tensor, Tensor]:
    """The mean colours of an article in the cells of a grid: unlike points, they do not miss a part of a pattern.

    Arguments:
        articles: ``[B, 3, H, W]``, −1…1, on white.
        grid: cells in each direction.

    Returns:
        As `palette` does, K = H′ W′ for the H′ × W′ cells.
    """
    down, across = (max(side // grid, 1) for side in articles.shape[2:])
    colours, there = _means(articles, article_shares(articles), (down, across))
    return colours, _somewhere(there)


def _means(articles: Tensor, shares: Tensor, cut: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The article's mean colours in rectangles, and whether it fills more than half of them."""
    within = avg_pool2d(shares, cut)
    means = (avg_pool2d(articles * shares, cut) / within.clamp_min(1e-6)).flatten(2).transpose(1, 2)
    return means, (within > 0.5).to(within.dtype).flatten(1)


def _somewhere(there: Tensor) -> Tensor:
    """Everywhere for a thin article that misses every place of the grid."""
    return torch.where(there.amax(dim=1, keepdim=True) == 0, torch.ones_like(there), there)


def likeness(images: Tensor, colours: Tensor, there: Tensor) -> Tensor:
    """How near each pixel is to the nearest colour of an article: ``exp(−d² / 2t²)`` for each tolerance t.

    Arguments:
        images: ``[B, 3, H, W]``, −1…1.
        colours: of `palette`, ``[B, K, 3]``.
        there: likewise, ``[B, K]``.

    Returns:
        ``[B, 2, H, W]``, 0…1.
    """
    pixels = images.float().permute(0, 2, 3, 1).flatten(1, 2)
    colours = colours.float()
    with torch.no_grad(), torch.autocast(images.device.type, enabled=False):  # 16 bits would choose other colours
        # ‖p − c‖² without the ‖p‖² that all colours share, as one product.
        lengths = colours.square().sum(dim=2, keepdim=True) + (1 - there.float())[:, :, None] * 1e4
        asking = torch.cat([pixels, torch.ones_like(pixels[:, :, :1])], dim=2)
        nearest = torch.bmm(asking, torch.cat([-2 * colours, lengths], dim=2).transpose(1, 2)).argmin(dim=2)
    chosen = colours.gather(1, nearest[:, :, None].expand(-1, -1, 3))
    square = (pixels - chosen).square().sum(dim=2)
    maps = torch.stack([torch.exp(square / (-2 * each**2)) for each in _TOLERANCES], dim=1)
    return maps.unflatten(2, images.shape[2:]).to(images.dtype)
