"""The networks of an article swap: a generator that says where and what to draw, and a critic of patches."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Annotated, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu, pad, scaled_dot_product_attention

from ....runtime.arguments.kinds import Checked, Count, Within
from ..networks.layers import bounded, orthogonal
from .matching import LIKENESS_MAPS, likeness, mean_palette, palette

Side = Annotated[int, Within(16, 1024)]


@dataclass(frozen=True)
class SwapForm(Checked):
    """The form of a swap.

    Arguments:
        height: of the photos, pixels.
        width: of the photos, pixels.
        channels: of the maps at the full side; twice as many after each halving.
        most: channels of any map, at most.
        halvings: how often the maps are halved.
        middle: residual blocks at the smallest side, of dilations 1, 2, 4 and again 1.
        reinjected: whether photo and articles join the maps of every side, as published; else of the full side alone.

    Raises:
        ValueError: the sides are no multiples of what is halved.
    """

    height: Side = 64
    width: Side = 64
    channels: Count = 16
    most: Count = 96
    halvings: Annotated[int, Within(1, 8)] = 3
    middle: Annotated[int, Within(0, 64)] = 4
    reinjected: bool = True

    def __post_init__(self) -> None:
        step = 2**self.halvings
        for name, side in (("height", self.height), ("width", self.width)):
            if side % step:
                raise ValueError(f"{name}: expected a multiple of {step} for {self.halvings} halvings, got {side}")

    def build(self) -> Swapper:
        """The generator, with random weights."""
        return Swapper(self)

    def critic(self) -> PairCritic:
        """The critic, with random weights."""
        return PairCritic(self)

    @property
    def widths(self) -> list[int]:
        """Channels of the maps, from the full side to the smallest."""
        return [min(self.most, self.channels << times) for times in range(self.halvings + 1)]


class Swapper(nn.Module):
    """A photo, the article that is worn and the one that is wanted, to where and what to draw.

    Source: N. Jetchev and U. Bergmann (2017), arXiv 1709.04695, §2: a U-Net that gets its inputs again at every side,
    ``x_ij = α x̃ + (1 − α) x_i``. Ours are the maps of likeness (which pixels have colours of the articles), dilated
    blocks at the smallest side, that x̃ is made of colours of the wanted article, chosen by attention, times light, and
    that the logit of α stays within 4 of what likeness says.
    """

    def __init__(self, form: SwapForm) -> None:
        super().__init__()
        self.form = form
        widths, told = form.widths, 9 + 2 * LIKENESS_MAPS
        beside = told if form.reinjected else 0
        self.down = nn.ModuleList([_Block(told, widths[0])])
        for before, after in itertools.pairwise(widths):
            self.down.append(_Block(before + beside, after))
        self.middle = nn.ModuleList([_Dilated(widths[-1], 2 ** (number % 3)) for number in range(form.middle)])
        self.up = nn.ModuleList()
        for before, after in itertools.pairwise(reversed(widths)):
            self.up.append(_Block(before + after + beside, after))
        self.query = nn.Conv2d(widths[0], _WIDE, 1)
        self.key = nn.Sequential(nn.Linear(3, _WIDE), nn.LeakyReLU(0.2), nn.Linear(_WIDE, _WIDE))
        self.out = nn.Conv2d(widths[0], 2, 3, padding=1)
        nn.init.normal_(self.out.weight, std=0.01)
        nn.init.constant_(cast("Tensor", self.out.bias), 0.0)

    def forward(self, images: Tensor, worn: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """α ``[B, 1, H, W]``, 0…1, and x̃ ``[B, 3, H, W]``, −1…1.

        Arguments:
            images: photos, ``[B, 3, H, W]``, −1…1.
            worn: the article that each person wears, on white, likewise.
            wanted: the article to be worn in its place, likewise.
        """
        alike = [likeness(images, *palette(article)) for article in (worn, wanted)]
        told = [torch.cat([images, worn, wanted, *alike], dim=1)]
        for _ in range(self.form.halvings):
            told.append(avg_pool2d(told[-1], 2))
        maps, left = self.down[0](told[0]), []
        for block, again in zip(list(self.down)[1:], told[1:], strict=True):
            left.append(maps)
            maps = block(self._with(avg_pool2d(maps, 2), again))
        for block in self.middle:
            maps = block(maps)
        for block, before, again in zip(self.up, reversed(left), reversed(told[:-1]), strict=True):
            maps = block(self._with(torch.cat([interpolate(maps, scale_factor=2.0), before], dim=1), again))
        drawn = self.out(maps).float()
        # The network moves what likeness says and never overrules it; else α may shrink to a spot.
        moved = _MOVED * torch.tanh(drawn[:, :1] / _MOVED)
        alpha = torch.sigmoid(_logits_of(alike[0][:, :1].float()) + moved)
        # Light is one factor of all channels: the hue stays that of the article.
        light = 1 + _LIGHT * torch.tanh(drawn[:, 1:])
        return alpha, ((self._copied(maps, *mean_palette(wanted)) + 1) * light - 1).clamp(-1, 1)

    def _with(self, maps: Tensor, told: Tensor) -> Tensor:
        return torch.cat([maps, told], dim=1) if self.form.reinjected else maps

    def _copied(self, maps: Tensor, colours: Tensor, there: Tensor) -> Tensor:
        """Colours of the wanted article, mixed by attention: ``[B, 3, H, W]``."""
        query = self.query(maps).flatten(2).transpose(1, 2)[:, None]
        key = self.key(colours).to(query.dtype)[:, None]
        # Values as wide as keys, which is faster on processors than the whole matrix of choices.
        value = pad(colours, (0, _WIDE - 3)).to(query.dtype)[:, None]
        found = scaled_dot_product_attention(query, key, value, there[:, None, None] > 0)
        return found[:, 0, :, :3].float().transpose(1, 2).unflatten(2, maps.shape[2:])


_WIDE, _LIGHT, _MOVED = 16, 0.25, 4.0
"""Width of the vectors by which colours are chosen, by how much light differs from that of the packshot at most, and
how far the network moves the logit of α from what likeness says."""


def _logits_of(alike: Tensor) -> Tensor:
    """What α begins with: 3 where a pixel has a colour of the worn article, 0 where likeness is 0.3, −5 far from it."""
    return 3 + 2.5 * torch.log(alike + math.exp(-3.2))


class _Block(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(after)
        self.second = nn.Conv2d(after, after, 3, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        return leaky_relu(self.second(leaky_relu(self.norm(self.first(maps)), 0.2)), 0.2)


class _Dilated(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(channels, channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.second(leaky_relu(self.first(leaky_relu(self.norm(maps), 0.2)), 0.2))


class PairCritic(nn.Module):
    """A photo and an article to logits of patches: whether the photo is real and its person wears the article.

    Strided convolutions under spectral norm, to which the inputs are given at every side; like the generator it sees
    which pixels have colours of the article.

    Arguments:
        form: of the swap.
    """

    def __init__(self, form: SwapForm) -> None:
        super().__init__()
        told = 6 + LIKENESS_MAPS
        self.layers, self.halving = nn.ModuleList(), nn.ModuleList()
        before = 0
        for after in form.widths[:-1]:
            self.layers.append(bounded(nn.Conv2d(before + told, after, 3, padding=1), True))
            self.halving.append(bounded(nn.Conv2d(after, 2 * after, 4, stride=2, padding=1), True))
            before = 2 * after
        self.last = bounded(nn.Conv2d(before + told, before, 3, padding=1), True)
        self.logit = nn.Conv2d(before, 1, 3, padding=1)
        orthogonal(self)

    def forward(self, images: Tensor, articles: Tensor) -> Tensor:
        """Logits ``[B, 1, h, w]`` of patches."""
        told = torch.cat([images, articles, likeness(images, *palette(articles))], dim=1)
        maps = told[:, :0]
        for layer, halving in zip(self.layers, self.halving, strict=True):
            maps = leaky_relu(layer(torch.cat([maps, told], dim=1)), 0.2)
            maps, told = leaky_relu(halving(maps), 0.2), avg_pool2d(told, 2)
        logits: Tensor = self.logit(leaky_relu(self.last(torch.cat([maps, told], dim=1)), 0.2))
        return logits
