"""The networks of a designer: texture, colour and mask to an image, and a critic that also tells the colour."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu, softplus

from ....runtime.arguments.kinds import Checked, Count, Number
from ..networks.layers import bounded, orthogonal
from ..networks.network import ImageSide, ImageSpec, Layers
from ..networks.style_layers import EqualConv, EqualLinear, Mapping, ModulatedConv, active
from .masks import mean_colours


@dataclass(frozen=True)
class DesignForm(Checked):
    """The form of a designer.

    Arguments:
        size: side of the images, pixels.
        texture: width Z of the latent vectors of textures.
        style: width of the styles that are made of them.
        mapping: dense layers between both.
        width: channels at the full side.
        most: channels of any map, at most.
        waves: plane waves that join the maps of every side, with half as many maps of noise: see `Grain`.
        composed: whether the image is put together of the colour, a pattern with the mean 0 in the mask, and white
            outside; else the network draws every pixel, as published.

    Raises:
        ValueError: an argument is out of its range, or doublings cannot make the size.
    """

    size: ImageSide = 64
    texture: Count = 512
    style: Count = 128
    mapping: Layers = 4
    width: Count = 24
    most: Count = 128
    waves: Number = 8
    composed: bool = True

    def __post_init__(self) -> None:
        ImageSpec(self.size)

    def build(self) -> Designer:
        """The network, with random weights."""
        return Designer(self)

    def critic(self) -> DesignCritic:
        """A critic of its images, with random weights."""
        return DesignCritic(self)


class Designer(nn.Module):
    """Texture, colour and mask to an image.

    Styles of the texture modulate convolutions from the smallest map to the image, and the mask joins the maps of every
    side. Composed, what comes out is a pattern: its mean within the mask is taken off, a matrix that depends on the
    colour says how strong it is in which channel, and the colour that was asked for is added; outside the mask is
    white. So the pattern does not know the colour, and the colour not the pattern but where it is too dark or too
    light for it.

    Source of the conditions: G. Yildirim et al. (2018), arXiv 1806.07819; their network is a progressive GAN's, and
    composes nothing.
    """

    def __init__(self, form: DesignForm) -> None:
        super().__init__()
        spec = ImageSpec(form.size)
        self.form, self.first_side = form, spec.first_side
        widths = spec.widths(form.width, form.most)
        told = form.style if form.composed else form.style + 3
        beside = 1 + form.waves + form.waves // 2
        self.grain = nn.ModuleList([Grain(spec.first_side * 2**place, form.waves) for place in range(len(widths))])
        self.mapping = Mapping(form.texture, 0, form.style, form.mapping)
        self.start = EqualConv(1, widths[0], 3)
        self.first = ModulatedConv(widths[0] + beside, widths[0], 3, told)
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(widths[0], 1, 1))])
        self.up, self.same, self.images = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for before, after in itertools.pairwise(widths):
            self.up.append(ModulatedConv(before, after, 3, told, "up"))
            self.same.append(ModulatedConv(after + beside, after, 3, told))
            self.images.append(ModulatedConv(after, 3, 1, told, demodulate=False))
            self.biases.extend(nn.Parameter(torch.zeros(after, 1, 1)) for _ in range(2))
        # How strong a pattern is on a colour: white garments have fainter shades than those of middle brightness.
        layers = (EqualLinear(3, 32), nn.LeakyReLU(0.2), EqualLinear(32, 9)) if form.composed else ()
        self.strength = nn.Sequential(*layers)

    def forward(self, textures: Tensor, colours: Tensor, masks: Tensor) -> Tensor:
        """Images, −1…1.

        Arguments:
            textures: ``[B, Z]``, standard normal.
            colours: ``[B, 3]``, −1…1.
            masks: the share of the article in each pixel, ``[B, 1, S, S]``, 0…1.

        Returns:
            ``[B, 3, S, S]``.
        """
        drawn = self.pattern(self.mapping(textures, None), colours, masks)
        if not self.form.composed:
            return torch.tanh(drawn)
        drawn = torch.tanh(drawn)
        drawn = drawn - mean_colours(drawn, masks)[:, :, None, None]
        strength = softplus(torch.eye(3, device=drawn.device).flatten() + self.strength(colours)).unflatten(1, (3, 3))
        shades = torch.einsum("bij,bjhw->bihw", strength / 3, drawn)
        inside = _within(colours[:, :, None, None] + shades)
        return masks * inside + (1 - masks)

    def pattern(self, styles: Tensor, colours: Tensor, masks: Tensor) -> Tensor:
        """What the convolutions draw of styles ``[B, W]``, ``[B, 3, S, S]``, without bounds."""
        told = styles if self.form.composed else torch.cat([styles, colours], dim=1)
        places = [masks]
        while places[0].shape[-1] > self.first_side:
            places.insert(0, avg_pool2d(places[0], 2))
        maps = active(self.start(places[0]))
        maps = active(self.first(torch.cat([maps, self.grain[0](places[0])], dim=1), told) + self.biases[0])
        image = maps.new_zeros(len(maps), 3, self.first_side, self.first_side)
        beside = (grain(place) for grain, place in zip(self.grain[1:], places[1:], strict=True))
        layers = zip(beside, self.up, self.same, self.images, strict=True)
        for number, (place, up, same, to_image) in enumerate(layers):
            maps = active(up(maps, told) + self.biases[2 * number + 1])
            maps = active(same(torch.cat([maps, place], dim=1), told) + self.biases[2 * number + 2])
            image = interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False) + to_image(maps, told)
        return image


class Grain(nn.Module):
    """A mask, and beside it waves and noise that are always the same: what a style makes prints and weaves of.

    Without them all that tells one place of a map from another is the mask.

    Arguments:
        side: of the maps, pixels.
        waves: plane waves of 4 to 16 pixels a period, in all directions; with half as many maps of noise.

    Source: the waves are the Fourier features of T. Karras et al. (2021), arXiv 2106.12423, §3; the noise is that of
    StyleGAN, drawn once.
    """

    fixed: Tensor

    def __init__(self, side: int, waves: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(side)
        angles = math.pi * (torch.arange(waves) + torch.rand(waves, generator=generator)) / max(waves, 1)
        periods = 4.0 * 4.0 ** torch.rand(waves, generator=generator)
        phases = 2 * math.pi * torch.rand(waves, generator=generator)
        down, across = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        along = angles.cos()[:, None, None] * across + angles.sin()[:, None, None] * down
        drawn = torch.cos(2 * math.pi * along / periods[:, None, None] + phases[:, None, None]) * 2**0.5
        noise = torch.randn(waves // 2, side, side, generator=generator)
        self.register_buffer("fixed", torch.cat([drawn, noise]))

    def forward(self, masks: Tensor) -> Tensor:
        """Masks ``[B, 1, side, side]`` to ``[B, 1 + waves + waves // 2, side, side]``; 0 outside the mask."""
        return torch.cat([masks, masks * self.fixed.to(masks.dtype)], dim=1)


class DesignCritic(nn.Module):
    """An image with its mask to a logit of being real, and to the colour of the article.

    Residual blocks under spectral norm; the colour is told by a linear function of the same features.

    Arguments:
        form: of the designer.
    """

    def __init__(self, form: DesignForm) -> None:
        super().__init__()
        spec = ImageSpec(form.size)
        widths = list(reversed(spec.widths(form.width, form.most)))
        self.layers, self.halving, self.beside = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        before = 4
        for after in widths[1:]:
            self.layers.append(bounded(nn.Conv2d(before, after, 3, padding=1), True))
            self.halving.append(bounded(nn.Conv2d(after, after, 4, stride=2, padding=1), True))
            self.beside.append(bounded(nn.Conv2d(before, after, 1), True))
            before = after
        self.logit, self.colour = (bounded(nn.Linear(before, out), out == 1) for out in (1, 3))
        orthogonal(self)

    def forward(self, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Logits ``[B]`` and colours ``[B, 3]``."""
        maps = torch.cat([images, 2 * masks - 1], dim=1)
        for layer, halving, beside in zip(self.layers, self.halving, self.beside, strict=True):
            inside = halving(leaky_relu(layer(maps), 0.2))
            maps = leaky_relu(inside + beside(avg_pool2d(maps, 2)), 0.2)
        features = maps.sum(dim=(2, 3))
        return self.logit(features)[:, 0], self.colour(maps.mean(dim=(2, 3)))


def _within(images: Tensor) -> Tensor:
    """Images brought to −1…1, with a small gradient left beyond, so that what is cut off is not forgotten."""
    return images.clamp(-1, 1) + 0.02 * (images - images.detach())
