"""The networks of dressed figures: articles and a pose to a photo, and a critic that also tells the colours."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

from ....runtime.arguments.kinds import Checked, Count
from ..networks.layers import bounded, orthogonal
from ..networks.network import ImageSide, ImageSpec, Layers
from ..networks.style_layers import EqualConv, EqualLinear, Mapping, ModulatedConv, Noise, active, of_length_one
from ..swap.matching import article_shares

SLOTS = 6
"""Articles of an outfit at most."""

ARTICLE = 32
"""Side of the packshots that an outfit is read from, pixels."""


@dataclass(frozen=True)
class OutfitForm(Checked):
    """The form of a network of dressed figures.

    Arguments:
        size: side of the photos, pixels.
        joints: J of a pose.
        latent: width Z of the latent vectors: body, background and what else nobody asked for.
        style: width W of the styles.
        told: width of what is read off each article.
        mapping: dense layers between latents and styles.
        width: channels at the full side.
        most: channels of any map, at most.
        spread: of the heatmap of a joint, as a share of the side.
        conditional: whether articles and poses are asked for; else all comes of the latents.

    Raises:
        ValueError: an argument is out of its range, or doublings cannot make the size.
    """

    size: ImageSide = 64
    joints: Count = 16
    latent: Count = 64
    style: Count = 128
    told: Count = 16
    mapping: Layers = 2
    width: Count = 24
    most: Count = 128
    spread: float = 0.03
    conditional: bool = True

    def __post_init__(self) -> None:
        ImageSpec(self.size)
        if not 0 < self.spread <= 1:
            raise ValueError(f"spread: expected a share above 0 and at most 1, got {self.spread}")

    def build(self) -> Dresser:
        """The generator, with random weights."""
        return Dresser(self)

    def critic(self) -> OutfitCritic:
        """The critic, with random weights."""
        return OutfitCritic(self)

    @property
    def layers(self) -> int:
        """L, how many layers take a style."""
        return 2 * ImageSpec(self.size).doublings + 2


def heatmaps(joints: Tensor, size: int, spread: float) -> Tensor:
    """A bell about each joint, ``exp(−d² / 2s²)`` of the distance d in shares of the side; 0 for one that is missing.

    Arguments:
        joints: ``[B, J, 2]``, shares of the side to the right and downwards; NaN where a joint is missing.
        size: side of the maps, pixels.
        spread: s.

    Returns:
        ``[B, J, size, size]``, 0…1.
    """
    middles = (torch.arange(size, device=joints.device) + 0.5) / size
    right, down = ((middles - joints[:, :, axis, None]) ** 2 for axis in range(2))
    maps = torch.exp((right[:, :, None] + down[:, :, :, None]) / (-2 * spread**2))
    return torch.nan_to_num(maps, nan=0.0)


class OutfitEncoder(nn.Module):
    """The packshots of an outfit to a vector: an encoder for each slot, and a vector of its own for an empty one.

    Arguments:
        told: numbers of each slot.
    """

    def __init__(self, told: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *(
                layer
                for before, after in itertools.pairwise((3, 16, 32, 32))
                for layer in (EqualConv(before, after, 3, "down"), nn.LeakyReLU(0.2))
            )
        )
        self.slots = nn.ModuleList([EqualLinear(32 + 3, told) for _ in range(SLOTS)])
        self.empty = nn.Parameter(torch.randn(SLOTS, told))

    def forward(self, articles: Tensor, worn: Tensor) -> Tensor:
        """Packshots ``[B, 6, 3, 32, 32]``, −1…1, and which there are ``[B, 6]`` to ``[B, 6 · told]``."""
        batch = len(articles)
        seen = self.convolutions(articles.flatten(0, 1)).mean(dim=(2, 3))
        seen = torch.cat([seen, article_colours(articles).flatten(0, 1)], dim=1).unflatten(0, (batch, SLOTS))
        read = torch.stack([slot(seen[:, number]) for number, slot in enumerate(self.slots)], dim=1)
        # As strong as the latents beside it; else a short training would not hear it.
        told = torch.where(worn[:, :, None] > 0, read, self.empty.to(read.dtype))
        return of_length_one(told.flatten(0, 1)).unflatten(0, (batch, SLOTS)).flatten(1)


def article_colours(articles: Tensor) -> Tensor:
    """The mean colour of each packshot where the article is, ``[B, 6, 3]``, of ``[B, 6, 3, h, w]`` on white."""
    shots = articles.flatten(0, 1)
    shares = article_shares(shots)
    found = (shots * shares).sum(dim=(2, 3)) / shares.sum(dim=(2, 3))
    return found.unflatten(0, articles.shape[:2])


class Dresser(nn.Module):
    """Latents, articles and a pose to a photo.

    Styles of the latents and of the articles modulate convolutions from the smallest map to the photo (StyleGAN2's skip
    generator); heatmaps of the joints join the maps of every side. So an outfit is a style, which another pose takes
    over. Without conditions it is StyleGAN2: a learnt constant, and styles of the latents alone, mixed by layers.

    Source: G. Yildirim et al. (2019), arXiv 1908.08847, whose network is StyleGAN with an embedding of outfit and pose;
    the convolutions are those of arXiv 1912.04958.
    """

    def __init__(self, form: OutfitForm) -> None:
        super().__init__()
        spec = ImageSpec(form.size)
        self.form = form
        widths = spec.widths(form.width, form.most)
        outfit = SLOTS * form.told if form.conditional else 0
        beside = form.joints if form.conditional else 0
        self.mapping = Mapping(form.latent, 0, form.style, form.mapping)
        self.outfit = OutfitEncoder(form.told) if form.conditional else None
        self.joined = nn.ModuleList([EqualLinear(form.style + more, form.style) for more in (outfit, 0)])
        self.start = nn.Parameter(torch.randn(1, widths[0], spec.first_side, spec.first_side))
        self.convolutions = nn.ModuleList([ModulatedConv(widths[0] + beside, widths[0], 3, form.style)])
        self.images = nn.ModuleList([ModulatedConv(widths[0], 3, 1, form.style, demodulate=False)])
        self.noise = nn.ModuleList([Noise(spec.first_side)])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(widths[0], 1, 1))])
        side = spec.first_side
        for before, after in itertools.pairwise(widths):
            side *= 2
            self.convolutions.append(ModulatedConv(before, after, 3, form.style, "up"))
            self.convolutions.append(ModulatedConv(after + beside, after, 3, form.style))
            self.images.append(ModulatedConv(after, 3, 1, form.style, demodulate=False))
            self.noise.extend(Noise(side) for _ in range(2))
            self.biases.extend(nn.Parameter(torch.zeros(after, 1, 1)) for _ in range(2))

    def styles(self, latents: Tensor, articles: Tensor | None = None, worn: Tensor | None = None) -> Tensor:
        """The style of each layer, ``[B, L, W]``.

        Arguments:
            latents: ``[B, Z]``, standard normal.
            articles: packshots ``[B, 6, 3, 32, 32]``, −1…1, by slot; none for a network without conditions.
            worn: which of them there are, ``[B, 6]``, 0 or 1.
        """
        told = [self.mapping(latents, None)]
        if self.outfit is not None and articles is not None and worn is not None:
            told.append(self.outfit(articles, worn))
        style = torch.cat(told, dim=1)
        for layer in self.joined:
            style = active(layer(style))
        return style[:, None].expand(-1, self.form.layers, -1)

    def drawn(self, styles: Tensor, joints: Tensor | None = None) -> Tensor:
        """Photos ``[B, 3, S, S]``, −1…1, of styles ``[B, L, W]`` and joints ``[B, J, 2]``, shares of the side."""
        maps = self.start.expand(len(styles), -1, -1, -1)
        image = maps.new_zeros(len(maps), 3, *maps.shape[2:])
        for number, convolution in enumerate(self.convolutions):
            if number % 2 == 0:
                maps = self._posed(maps, joints)
            maps = self.noise[number](convolution(maps, styles[:, number]))
            maps = active(maps + self.biases[number])
            if number % 2 == 0:
                if number:
                    image = interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False)
                image = image + self.images[number // 2](maps, styles[:, number + 1])
        return torch.tanh(image)

    def forward(
        self, latents: Tensor, articles: Tensor | None = None, worn: Tensor | None = None, joints: Tensor | None = None
    ) -> Tensor:
        """Photos ``[B, 3, S, S]``, −1…1, see `styles` and `drawn`."""
        return self.drawn(self.styles(latents, articles, worn), joints)

    def _posed(self, maps: Tensor, joints: Tensor | None) -> Tensor:
        if not self.form.conditional or joints is None:
            return maps
        # On a small map a bell has to reach the next pixel.
        spread = max(self.form.spread, 0.5 / maps.shape[-1])
        return torch.cat([maps, heatmaps(joints, maps.shape[-1], spread).to(maps.dtype)], dim=1)


class OutfitCritic(nn.Module):
    """A photo in a pose to the logit of being real with these articles, and to what it tells of each slot.

    Residual blocks under spectral norm, to which the heatmaps are shown; articles enter by a product with the features
    (T. Miyato and M. Koyama (2018), arXiv 1802.05637, equation 3).

    Arguments:
        form: of the network.
    """

    def __init__(self, form: OutfitForm) -> None:
        super().__init__()
        spec = ImageSpec(form.size)
        self.form = form
        widths = list(reversed(spec.widths(form.width, form.most)))
        before = 3 + (form.joints if form.conditional else 0)
        self.layers, self.halving, self.beside = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for after in widths[1:]:
            self.layers.append(bounded(nn.Conv2d(before, after, 3, padding=1), True))
            self.halving.append(bounded(nn.Conv2d(after, after, 4, stride=2, padding=1), True))
            self.beside.append(bounded(nn.Conv2d(before, after, 1), True))
            before = after
        self.logit = bounded(nn.Linear(before, 1), True)
        self.slots = nn.Linear(before, 4 * SLOTS) if form.conditional else None
        self.outfit = OutfitEncoder(form.told) if form.conditional else None
        self.product = bounded(nn.Linear(SLOTS * form.told, before), True) if form.conditional else None
        orthogonal(self)

    def forward(
        self, images: Tensor, articles: Tensor | None = None, worn: Tensor | None = None, joints: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits ``[B]``, and of each slot a logit of being worn and a colour, ``[B, 6, 4]``; 0 without conditions."""
        maps = images
        if self.form.conditional and joints is not None:
            maps = torch.cat([images, heatmaps(joints, self.form.size, self.form.spread).to(images.dtype)], dim=1)
        for layer, halving, beside in zip(self.layers, self.halving, self.beside, strict=True):
            inside = halving(leaky_relu(layer(maps), 0.2))
            maps = leaky_relu(inside + beside(avg_pool2d(maps, 2)), 0.2)
        features = maps.sum(dim=(2, 3))
        logits = self.logit(features)[:, 0]
        if self.outfit is None or self.product is None or self.slots is None or articles is None or worn is None:
            return logits, logits.new_zeros(len(logits), SLOTS, 4)
        product = (self.product(self.outfit(articles, worn)) * features).sum(dim=1)
        return logits + product / features.shape[1] ** 0.5, self.slots(maps.mean(dim=(2, 3))).unflatten(1, (SLOTS, 4))
