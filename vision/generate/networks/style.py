"""StyleGAN and StyleGAN2: a style for each layer, noise for each pixel, and a critic of their kind."""

from __future__ import annotations

import itertools
import math
from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ....runtime.arguments.kinds import Checked, Count, Share
from .layers import BatchSpread, Judgement
from .network import Critic, CriticForm, Generator, GeneratorForm, ImageSpec, Layers
from .style_layers import EqualConv, EqualLinear, Mapping, ModulatedConv, Noise, active

_MEMORY = 0.995
"""Of the running mean of the styles."""


class StyleGenerator(Generator):
    """A generator whose layers each take a style, which a dense network makes from latents and label.

    Arguments:
        spec: the images.
        latent: width Z of the latents.
        style: width W of the styles.
        mapping: dense layers between both.
        mixing: chance in training that an image has styles of two latents.
    """

    mean_style: Tensor

    def __init__(self, spec: ImageSpec, latent: int, style: int, mapping: int, mixing: float) -> None:
        super().__init__(spec, latent)
        self.mapping = Mapping(latent, len(spec.classes), style, mapping)
        self.mixing = mixing
        self.register_buffer("mean_style", torch.zeros(style))

    @property
    def styled(self) -> bool:
        """Yes."""
        return True

    @property
    @abstractmethod
    def layers(self) -> int:
        """L, how many layers take a style."""

    @abstractmethod
    def drawn(self, styles: Tensor) -> Tensor:
        """Images ``[B, channels, size, size]``, −1…1, of styles ``[B, L, W]``."""

    def styles(self, latents: Tensor, labels: Tensor | None = None, truncation: float | None = None) -> Tensor:
        """The style of each layer, ``[B, L, W]``; the first layers decide the shape, the last the colours.

        In training some images take the styles from some layer on from other latents, and the mean is updated.

        Arguments:
            latents: ``[B, Z]``, standard normal.
            labels: int64 ``[B]`` where there are classes.
            truncation: by which the distance to the mean style is multiplied (arXiv 1812.04948, appendix B).
        """
        style: Tensor = self.mapping(latents, labels)
        if not self.training:
            if truncation is not None:
                style = self.mean_style + truncation * (style - self.mean_style)
            return style[:, None].expand(-1, self.layers, -1)
        self.mean_style.lerp_(style.detach().to(self.mean_style.dtype).mean(dim=0), 1 - _MEMORY)
        other: Tensor = self.mapping(torch.randn_like(latents), labels)
        begins = torch.randint(1, self.layers, (len(latents), 1, 1), device=latents.device)
        mixed = torch.rand(len(latents), 1, 1, device=latents.device) < self.mixing
        layer = torch.arange(self.layers, device=latents.device)[None, :, None]
        return torch.where(mixed & (layer >= begins), other[:, None], style[:, None])

    def forward(self, latents: Tensor, labels: Tensor | None = None, truncation: float | None = None) -> Tensor:
        """Images, −1…1, see `Generator.forward`; the truncation is that of `styles`."""
        return self.drawn(self.styles(latents, labels, truncation))


@dataclass(frozen=True)
class _StyleForm(Checked, GeneratorForm):
    """Sizes of a generator with styles.

    Arguments:
        latent: width of the latents.
        style: width of the styles.
        mapping: dense layers between both.
        width: channels at the full side.
        most: channels of any map, at most.
        mixing: chance in training that an image has styles of two latents.
    """

    latent: Count = 128
    style: Count = 128
    mapping: Layers = 8
    width: Count = 32
    most: Count = 256
    mixing: Share = 0.9


@dataclass(frozen=True)
class StyleGANGeneratorForm(_StyleForm):
    """A constant, convolutions, noise, and styles that set mean and variance of each map (AdaIN).

    Source: T. Karras et al. (2019), arXiv 1812.04948, §2 and appendix C; all sides are trained at once, nothing grows.
    """

    def build(self, spec: ImageSpec) -> Generator:
        """The network."""
        return _StyleGAN(spec, self)


class _StyledMaps(nn.Module):
    """Noise, a rectifier, and the mean and spread that a style gives each map."""

    def __init__(self, channels: int, side: int, style: int) -> None:
        super().__init__()
        self.noise = Noise(side, channels)
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))
        self.normalise = nn.InstanceNorm2d(channels)
        self.style = EqualLinear(style, 2 * channels)

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        maps = self.normalise(active(self.noise(maps) + self.bias))
        gain, bias = self.style(style)[:, :, None, None].chunk(2, dim=1)
        return maps * (1 + gain) + bias


class _StyleGAN(StyleGenerator):
    def __init__(self, spec: ImageSpec, form: StyleGANGeneratorForm) -> None:
        super().__init__(spec, form.latent, form.style, form.mapping, form.mixing)
        widths, side = spec.widths(form.width, form.most), spec.first_side
        self.start = nn.Parameter(torch.ones(1, widths[0], side, side))
        self.convolutions = nn.ModuleList([EqualConv(widths[0], widths[0], 3, bias=False)])
        self.styled_maps = nn.ModuleList([_StyledMaps(widths[0], side, form.style) for _ in range(2)])
        for before, after in itertools.pairwise(widths):
            side *= 2
            self.convolutions.append(EqualConv(before, after, 3, "up", bias=False))
            self.convolutions.append(EqualConv(after, after, 3, bias=False))
            self.styled_maps.extend(_StyledMaps(after, side, form.style) for _ in range(2))
        self.end = EqualConv(widths[-1], spec.channels, 1)

    @property
    def layers(self) -> int:
        """A style before the first convolution and behind each."""
        return len(self.styled_maps)

    def drawn(self, styles: Tensor) -> Tensor:
        maps = self.styled_maps[0](self.start.expand(len(styles), -1, -1, -1), styles[:, 0])
        for number, convolution in enumerate(self.convolutions, start=1):
            maps = self.styled_maps[number](convolution(maps), styles[:, number])
        return torch.tanh(self.end(maps))


@dataclass(frozen=True)
class StyleGAN2GeneratorForm(_StyleForm):
    """Modulated convolutions, and images of all sides summed (arXiv 1912.04958).

    Source: T. Karras et al. (2020), arXiv 1912.04958, §2 and 4, with the skip generator of figure 7; images end in a
    hyperbolic tangent, so that they are −1…1 as those of the other networks.
    """

    def build(self, spec: ImageSpec) -> Generator:
        """The network."""
        return _StyleGAN2(spec, self)


class _ModulatedMaps(nn.Module):
    def __init__(self, before: int, after: int, side: int, style: int, stretch: str = "") -> None:
        super().__init__()
        self.convolution = ModulatedConv(before, after, 3, style, stretch)
        self.noise = Noise(side)
        self.bias = nn.Parameter(torch.zeros(after, 1, 1))

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        return active(self.noise(self.convolution(maps, style)) + self.bias)


class _ToImage(nn.Module):
    def __init__(self, before: int, channels: int, style: int) -> None:
        super().__init__()
        self.convolution = ModulatedConv(before, channels, 1, style, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        image: Tensor = self.convolution(maps, style) + self.bias
        return image


class _StyleGAN2(StyleGenerator):
    def __init__(self, spec: ImageSpec, form: StyleGAN2GeneratorForm) -> None:
        super().__init__(spec, form.latent, form.style, form.mapping, form.mixing)
        widths, side = spec.widths(form.width, form.most), spec.first_side
        self.start = nn.Parameter(torch.randn(1, widths[0], side, side))
        self.convolutions = nn.ModuleList([_ModulatedMaps(widths[0], widths[0], side, form.style)])
        self.images = nn.ModuleList([_ToImage(widths[0], spec.channels, form.style)])
        for before, after in itertools.pairwise(widths):
            side *= 2
            self.convolutions.append(_ModulatedMaps(before, after, side, form.style, "up"))
            self.convolutions.append(_ModulatedMaps(after, after, side, form.style))
            self.images.append(_ToImage(after, spec.channels, form.style))

    @property
    def layers(self) -> int:
        """A style for each convolution, and one for the last image."""
        return len(self.convolutions) + 1

    def drawn(self, styles: Tensor) -> Tensor:
        maps = self.convolutions[0](self.start.expand(len(styles), -1, -1, -1), styles[:, 0])
        image = self.images[0](maps, styles[:, 1])
        for number in range(1, len(self.convolutions), 2):
            maps = self.convolutions[number](maps, styles[:, number])
            maps = self.convolutions[number + 1](maps, styles[:, number + 1])
            larger = interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False)
            image = larger + self.images[(number + 1) // 2](maps, styles[:, number + 2])
        return torch.tanh(image)


@dataclass(frozen=True)
class StyleCriticForm(Checked, CriticForm):
    """Convolutions that halve the side smoothly, and a map of how far the images of a group differ.

    Arguments:
        width: channels at the full side.
        most: channels of any map, at most.
        residual: whether blocks are residual, as in StyleGAN2 (arXiv 1912.04958, figure 7), or not, as in StyleGAN.
        group: images of a group whose spread is told, at most.
    """

    width: Count = 32
    most: Count = 256
    residual: bool = True
    group: Count = 4

    def build(self, spec: ImageSpec) -> Critic:
        """The network."""
        return _StyleCritic(spec, self)


class _HalvingBlock(nn.Module):
    def __init__(self, before: int, after: int, residual: bool) -> None:
        super().__init__()
        self.first = EqualConv(before, before, 3)
        self.second = EqualConv(before, after, 3, "down")
        self.beside = EqualConv(before, after, 1, "down", bias=False) if residual else None

    def forward(self, maps: Tensor) -> Tensor:
        inside = active(self.second(active(self.first(maps))))
        return inside if self.beside is None else (inside + self.beside(maps)) / math.sqrt(2)


class _StyleCritic(Critic):
    def __init__(self, spec: ImageSpec, form: StyleCriticForm) -> None:
        super().__init__()
        widths = list(reversed(spec.widths(form.width, form.most)))
        self.start = EqualConv(spec.channels, widths[0], 1)
        self.blocks = nn.ModuleList(
            _HalvingBlock(before, after, form.residual) for before, after in itertools.pairwise(widths)
        )
        self.spread = BatchSpread(form.group)
        self.last = EqualConv(widths[-1] + 1, widths[-1], 3)
        self.dense = EqualLinear(widths[-1] * spec.first_side**2, widths[-1])
        self.judgement = Judgement(widths[-1], len(spec.classes), spectral=False)

    def features(self, images: Tensor) -> Tensor:
        maps = active(self.start(images))
        for block in self.blocks:
            maps = block(maps)
        return active(self.dense(active(self.last(self.spread(maps))).flatten(1)))

    def judged(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        logits: Tensor = self.judgement(features, labels)
        return logits
