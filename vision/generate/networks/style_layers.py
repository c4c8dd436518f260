"""Layers of StyleGAN and StyleGAN2: weights scaled as they are used, noise, styles, and smooth changes of the side."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu, linear

from .layers import Conditions

_GAIN = math.sqrt(2)
"""Keeps the variance behind a leaky rectifier."""


def full(numbers: Tensor) -> Tensor:
    """The numbers with 32 bits at least."""
    return numbers.to(torch.promote_types(numbers.dtype, torch.float32))


def active(maps: Tensor) -> Tensor:
    """A leaky rectifier that keeps the variance."""
    return leaky_relu(maps, 0.2) * _GAIN


class EqualLinear(nn.Module):
    """A linear layer whose weights are drawn with variance 1 and divided as they are used.

    So that an optimiser that normalises its steps changes all layers at one speed (T. Karras et al. (2018),
    arXiv 1710.10196, §4.1).

    Arguments:
        before: numbers in.
        after: numbers out.
        bias: what the biases begin with.
        speed: factor of the speed of learning.
    """

    def __init__(self, before: int, after: int, bias: float = 0.0, speed: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before) / speed)
        self.bias = nn.Parameter(torch.full((after,), bias / speed))
        self.scale, self.speed = speed / math.sqrt(before), speed

    def forward(self, numbers: Tensor) -> Tensor:
        """``[B, before]`` to ``[B, after]``."""
        return linear(numbers, self.weight * self.scale, self.bias * self.speed)


class EqualConv(nn.Module):
    """A convolution whose weights are drawn with variance 1 and divided as they are used, see `EqualLinear`.

    Arguments:
        before: channels in.
        after: channels out.
        side: of the kernel, odd.
        stretch: ``"up"`` for a map of twice the side (with a kernel of 3), ``"down"`` for one of half, both smoothed;
            ``""`` for the same side.
        bias: whether it has one.
    """

    def __init__(self, before: int, after: int, side: int, stretch: str = "", bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, side, side))
        self.bias = nn.Parameter(torch.zeros(after)) if bias else None
        self.scale, self.stretch = 1 / math.sqrt(before * side**2), stretch
        self.smooth = Smooth() if stretch else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """``[B, before, h, w]`` to ``[B, after, h', w']``."""
        return self.convolved(maps, self.weight * self.scale, self.bias)

    def convolved(self, maps: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """The convolution with a weight ``[after, before, side, side]``."""
        side = weight.shape[-1]
        if self.stretch == "up":
            maps = self.smooth(conv_transpose2d(maps, weight.transpose(0, 1), stride=2), gain=4.0)
            return maps if bias is None else maps + bias[:, None, None]
        if self.stretch == "down":
            return conv2d(self.smooth(maps, more=side // 2), weight, bias, stride=2)
        return conv2d(maps, weight, bias, padding=side // 2)


class Smooth(nn.Module):
    """The binomial filter ``[1, 3, 3, 1]`` across and down, so that a change of the side makes no patterns.

    Source: R. Zhang (2019), arXiv 1904.11486; as used in StyleGAN, arXiv 1812.04948, appendix C.
    """

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        line = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.register_buffer("kernel", torch.outer(line, line)[None, None] / 64, persistent=False)

    def forward(self, maps: Tensor, gain: float = 1.0, more: int = 0) -> Tensor:
        """Filtered maps.

        Arguments:
            maps: ``[B, C, h, w]``.
            gain: factor of all numbers.
            more: pixels of 0 around the map, beside the one that an odd side needs to become even.
        """
        channels = maps.shape[1]
        kernel = (self.kernel * gain).to(maps.dtype).expand(channels, 1, 4, 4)
        return conv2d(maps, kernel, padding=1 + more, groups=channels)


class ModulatedConv(nn.Module):
    """A convolution whose input channels a style scales, and whose outputs are brought back to variance 1.

    The weight of each image would be ``w · s / ‖w · s‖``; scaling the maps before and behind one convolution for all
    images gives the same numbers without a weight for each.

    Arguments:
        before: channels in.
        after: channels out.
        side: of the kernel, odd.
        style: width of the style.
        stretch: see `EqualConv`.
        demodulate: whether the outputs are brought back to variance 1.

    Source: T. Karras et al. (2020), arXiv 1912.04958, equations 1 and 3.
    """

    def __init__(
        self, before: int, after: int, side: int, style: int, stretch: str = "", demodulate: bool = True
    ) -> None:
        super().__init__()
        self.convolution = EqualConv(before, after, side, stretch, bias=False)
        self.style = EqualLinear(style, before, bias=1.0)
        self.demodulate = demodulate

    def forward(self, maps: Tensor, styles: Tensor) -> Tensor:
        """Maps ``[B, before, h, w]`` and styles ``[B, W]`` to ``[B, after, h', w']``."""
        weight = self.convolution.weight * self.convolution.scale
        factors = self.style(styles)
        maps = self.convolution.convolved(maps * factors[:, :, None, None].to(maps.dtype), weight)
        if not self.demodulate:
            return maps
        norm = linear(full(factors).square(), full(weight).square().sum(dim=(2, 3))) + 1e-8
        return maps * norm.rsqrt()[:, :, None, None].to(maps.dtype)


class Noise(nn.Module):
    """Noise of one number a pixel, with a strength that is learnt and begins at 0.

    In training it is drawn anew; in evaluation it is always the same, so that an image depends on its latents alone.

    Arguments:
        side: of the maps, pixels.
        channels: a strength for each, or one for all if 1.
    """

    fixed: Tensor

    def __init__(self, side: int, channels: int = 1) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(channels, 1, 1))
        self.register_buffer("fixed", torch.randn(1, 1, side, side))

    def forward(self, maps: Tensor) -> Tensor:
        """Maps ``[B, C, side, side]`` with noise."""
        drawn = torch.randn_like(maps[:, :1]) if self.training else self.fixed.to(maps.dtype)
        return maps + self.strength * drawn


class Mapping(nn.Module):
    """Latents, and the class where there are classes, to a style: dense layers that learn slowly.

    Arguments:
        latent: width of the latents.
        classes: how many; 0 for none.
        width: of the style.
        layers: how many.

    Source: T. Karras et al. (2019), arXiv 1812.04948, §2; the class as in the authors' code of StyleGAN2-ADA.
    """

    def __init__(self, latent: int, classes: int, width: int, layers: int) -> None:
        super().__init__()
        self.conditions = Conditions(classes, width if classes else 0)
        sides = [latent + self.conditions.width, *[width] * layers]
        self.layers = nn.ModuleList(
            EqualLinear(before, after, speed=0.01) for before, after in itertools.pairwise(sides)
        )

    def forward(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        """Latents ``[B, Z]`` to styles ``[B, W]``."""
        told = self.conditions(labels, latents)
        style = torch.cat([part for part in (of_length_one(latents), of_length_one(told)) if part.shape[1]], dim=1)
        for layer in self.layers:
            style = active(layer(style))
        return style


def of_length_one(numbers: Tensor) -> Tensor:
    """Vectors ``[B, n]`` divided by the root of their mean square; as they are where n is 0."""
    if not numbers.shape[1]:
        return numbers
    return numbers * (full(numbers).square().mean(dim=1, keepdim=True) + 1e-8).rsqrt().to(numbers.dtype)
