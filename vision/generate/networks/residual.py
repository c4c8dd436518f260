"""Residual networks: SN-GAN, with self-attention SAGAN, with shared classes and latents at each depth BigGAN."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from ....runtime.arguments.kinds import Checked, Count, Number, Within
from .layers import ConditionalBatchNorm, Conditions, Judgement, SelfAttention, bounded, orthogonal
from .network import Critic, CriticForm, Generator, GeneratorForm, ImageSpec, truncated_normal


@dataclass(frozen=True)
class ResidualGeneratorForm(Checked, GeneratorForm):
    """Residual blocks that double the side, with batch normalisation that knows the class.

    Arguments:
        latent: width of the latent vectors.
        width: channels at the full side.
        most: channels of any map, at most.
        spectral: whether the weights are divided by their largest singular value.
        attention: side in pixels of the map with self-attention, the first of at least this side; 0 for none.
        shared: width of an embedding of the class that all layers share; 0 for one-hot classes.
        by_depth: whether each block has a part of the latents of its own.

    Source: T. Miyato et al. (2018), arXiv 1802.05957, appendix B.4; attention: arXiv 1805.08318; shared embedding and
    latents by depth: A. Brock et al. (2019), arXiv 1809.11096, §3.
    """

    latent: Count = 128
    width: Count = 64
    most: Count = 256
    spectral: bool = False
    attention: Number = 0
    shared: Number = 0
    by_depth: bool = False

    def build(self, spec: ImageSpec) -> Generator:
        """The network."""
        return _ResidualGenerator(spec, self)


class _UpBlock(nn.Module):
    def __init__(self, before: int, after: int, condition: int, spectral: bool) -> None:
        super().__init__()
        self.norms = nn.ModuleList([ConditionalBatchNorm(before, condition), ConditionalBatchNorm(after, condition)])
        self.first = bounded(nn.Conv2d(before, after, 3, padding=1), spectral)
        self.second = bounded(nn.Conv2d(after, after, 3, padding=1), spectral)
        self.beside = bounded(nn.Conv2d(before, after, 1), spectral)

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        inside = interpolate(relu(self.norms[0](maps, condition)), scale_factor=2.0)
        inside = self.second(relu(self.norms[1](self.first(inside), condition)))
        # A 1×1 convolution and a doubling may change places, and this order is four times cheaper.
        return inside + interpolate(self.beside(maps), scale_factor=2.0)


class _ResidualGenerator(Generator):
    def __init__(self, spec: ImageSpec, form: ResidualGeneratorForm) -> None:
        super().__init__(spec, form.latent)
        self.conditions = Conditions(len(spec.classes), form.shared)
        parts = spec.doublings + 1 if form.by_depth else 1
        if form.latent < parts:
            raise ValueError(f"latent: expected at least {parts}, one for each depth, got {form.latent}")
        self.parts = [form.latent // parts + (number < form.latent % parts) for number in range(parts)]
        widths = spec.widths(form.width, form.most)
        self.start = bounded(nn.Linear(self.parts[0], widths[0] * spec.first_side**2), form.spectral)
        self.blocks, self.attention = nn.ModuleList(), nn.ModuleList()
        side, attended = spec.first_side, form.attention == 0
        for number, (before, after) in enumerate(itertools.pairwise(widths)):
            condition = self.conditions.width + (self.parts[number + 1] if form.by_depth else 0)
            self.blocks.append(_UpBlock(before, after, condition, form.spectral))
            side *= 2
            here = not attended and side >= min(form.attention, spec.size)
            self.attention.append(SelfAttention(after, form.spectral) if here else nn.Identity())
            attended = attended or here
        self.normalise = nn.BatchNorm2d(widths[-1])
        self.end = bounded(nn.Conv2d(widths[-1], spec.channels, 3, padding=1), form.spectral)
        orthogonal(self)

    def forward(self, latents: Tensor, labels: Tensor | None = None, truncation: float | None = None) -> Tensor:
        first, *rest = truncated_normal(latents, truncation).split(self.parts, dim=1)
        told = self.conditions(labels, latents)
        maps = self.start(first).unflatten(1, (-1, self.spec.first_side, self.spec.first_side))
        for number, (block, attention) in enumerate(zip(self.blocks, self.attention, strict=True)):
            maps = attention(block(maps, torch.cat([told, rest[number]], dim=1) if rest else told))
        return torch.tanh(self.end(relu(self.normalise(maps))))


@dataclass(frozen=True)
class ResidualCriticForm(Checked, CriticForm):
    """Residual blocks that halve the side, and the sum over the last map.

    Arguments:
        width: channels at the full side.
        most: channels of any map, at most.
        spectral: whether the weights are divided by their largest singular value.
        attention: side in pixels of the map with self-attention, the first of at most this side; 0 for none.
        further: blocks at the smallest side.
    """

    width: Count = 64
    most: Count = 256
    spectral: bool = True
    attention: Number = 0
    further: Annotated[int, Within(0, 64)] = 1

    def build(self, spec: ImageSpec) -> Critic:
        """The network."""
        return _ResidualCritic(spec, self)


class _DownBlock(nn.Module):
    def __init__(self, before: int, after: int, spectral: bool, *, first: bool, halve: bool) -> None:
        super().__init__()
        self.begins, self.halve = first, halve
        self.first = bounded(nn.Conv2d(before, after, 3, padding=1), spectral)
        self.second = bounded(nn.Conv2d(after, after, 3, padding=1), spectral)
        # Where nothing changes in shape, what came is added as it is.
        self.beside = bounded(nn.Conv2d(before, after, 1), spectral) if halve or before != after else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        # An image has no sign that a rectifier may take.
        inside = self.second(relu(self.first(maps if self.begins else relu(maps))))
        beside = avg_pool2d(maps, 2) if self.halve else maps
        return (avg_pool2d(inside, 2) if self.halve else inside) + self.beside(beside)


class _ResidualCritic(Critic):
    def __init__(self, spec: ImageSpec, form: ResidualCriticForm) -> None:
        super().__init__()
        widths = list(reversed(spec.widths(form.width, form.most)))
        self.blocks = nn.ModuleList()
        before, side, attended = spec.channels, spec.size, form.attention == 0
        for number, after in enumerate(widths[:-1]):
            self.blocks.append(_DownBlock(before, after, form.spectral, first=number == 0, halve=True))
            before, side = after, side // 2
            if not attended and side <= max(form.attention, spec.first_side):
                self.blocks.append(SelfAttention(after, form.spectral))
                attended = True
        for _ in range(form.further):
            self.blocks.append(_DownBlock(before, widths[-1], form.spectral, first=False, halve=False))
            before = widths[-1]
        self.judgement = Judgement(before, len(spec.classes), form.spectral)
        orthogonal(self)

    def features(self, images: Tensor) -> Tensor:
        for block in self.blocks:
            images = block(images)
        return relu(images).sum(dim=(2, 3))

    def judged(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        logits: Tensor = self.judgement(features, labels)
        return logits
