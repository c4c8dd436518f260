"""A head over the maps of a network that says where the article is: ground or article, and the sides of its box."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..networks.backbone import Backbone
from ..networks.preprocessing import Prepare

SCALES = (224, 320)
"""Sides in pixels at which a photo is seen; the answers of all are averaged."""

_AT_ONCE = 4


def location_maps(backbone: Backbone, pixels: Tensor, size: int, depths: Sequence[int]) -> Tensor:
    """What a network sees at each place of the finest of some depths, side by side; and where the place is.

    Arguments:
        backbone: a network of maps, in evaluation mode.
        pixels: uint8 ``[N, 3, S, S]``, photos padded to squares.
        size: side at which they are seen, pixels.
        depths: numbers of `Backbone.maps`, the finest first.

    Returns:
        ``[N, C + 2, h, w]``; the last two are the place, −1…1 from left to right and from top to bottom.
    """
    prepare = Prepare(backbone.preprocessing)
    found = []
    with torch.inference_mode():
        for some in pixels.split(_AT_ONCE):
            shown = interpolate(some.float() / 255, (size, size), mode="bilinear", antialias=True, align_corners=False)
            maps = backbone.maps(prepare.normalise(shown))
            chosen = [maps[depth] for depth in depths]
            place = chosen[0].shape[-2:]
            found.append(torch.cat([each if each.shape[-2:] == place else _to(each, place) for each in chosen], dim=1))
    seen = torch.cat(found)
    down, across = (torch.linspace(-1 + 1 / side, 1 - 1 / side, side) for side in seen.shape[-2:])
    places = torch.stack([across.expand(len(down), -1), down[:, None].expand(-1, len(across))])
    return torch.cat([seen, places.expand(len(seen), -1, -1, -1)], dim=1).clone()


def _to(maps: Tensor, place: Sequence[int]) -> Tensor:
    return interpolate(maps, tuple(place), mode="bilinear", align_corners=False)


class LocatorHead(nn.Module):
    """Place by place: the logit that the article is there, and how far the sides of its box are.

    TiefVision's two heads, a classifier of ground and article and regressors of the box, as one network that is the
    same at every place, with distances to the four sides as in FCOS (Z. Tian et al., arXiv 1904.01355). The box of a
    photo is the mean of the boxes of its places, weighted by how surely the article is there.

    Arguments:
        channels: C + 2 of `location_maps`.
        width: channels inside.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, channels: int, width: int = 96) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("spread", torch.ones(channels, 1, 1))
        self.inside = nn.Sequential(
            nn.Dropout2d(0.2),
            nn.Conv2d(channels, width, 1),
            nn.ReLU(),
            nn.Conv2d(width, width, 5, padding=2, groups=width),
            nn.Conv2d(width, width, 1),
            nn.ReLU(),
            nn.Dropout(0.2),
        )
        self.article = nn.Conv2d(width, 1, 1)
        self.sides = nn.Conv2d(width, 4, 1)

    def fit_scale(self, maps: Sequence[Tensor]) -> None:
        """Take mean and standard deviation of each channel from the maps of the training photos."""
        flat = torch.cat([each.transpose(0, 1).flatten(1) for each in maps], dim=1)
        self.mean.copy_(flat.mean(dim=1)[:, None, None])
        spread = flat.std(dim=1, correction=0)[:, None, None]
        self.spread.copy_(torch.where(spread > 1e-6, spread, 1.0))

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps ``[N, C + 2, h, w]`` to logits ``[N, h, w]`` and boxes ``[N, 4, h, w]``, shares of the square."""
        inside = self.inside((maps - self.mean) / self.spread)
        places = (maps[:, -2:] + 1) / 2
        apart = nn.functional.softplus(self.sides(inside)) / 4
        boxes = torch.cat([places - apart[:, :2], places + apart[:, 2:]], dim=1)
        return self.article(inside)[:, 0], boxes

    def located(self, maps: Tensor) -> Tensor:
        """The box on each photo, ``[N, 4]``."""
        return mean_box(*self(maps))


def mean_box(logits: Tensor, boxes: Tensor) -> Tensor:
    """The mean box of the places of a photo, ``[N, 4]``; a place counts by the square of its odds.

    Arguments:
        logits: ``[N, h, w]``.
        boxes: ``[N, 4, h, w]``.
    """
    weight = logits.flatten(1).mul(2).softmax(dim=1)
    return (boxes.flatten(2) * weight[:, None]).sum(dim=2)
