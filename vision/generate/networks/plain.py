"""The first networks: dense layers, and strided convolutions with batch normalisation (DCGAN)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ....runtime.arguments.kinds import Checked, Count, Dropout
from .layers import Conditions, Judgement
from .network import Critic, CriticForm, Generator, GeneratorForm, ImageSpec, Layers, truncated_normal


@dataclass(frozen=True)
class DenseGeneratorForm(Checked, GeneratorForm):
    """Dense layers from latents to pixels (I. Goodfellow et al. (2014), arXiv 1406.2661).

    Arguments:
        latent: width of the latent vectors.
        width: of the hidden layers.
        layers: hidden ones.
    """

    latent: Count = 100
    width: Count = 512
    layers: Layers = 2

    def build(self, spec: ImageSpec) -> Generator:
        """The network."""
        return _DenseGenerator(spec, self)


class _DenseGenerator(Generator):
    def __init__(self, spec: ImageSpec, form: DenseGeneratorForm) -> None:
        super().__init__(spec, form.latent)
        self.conditions = Conditions(len(spec.classes))
        sides = [form.latent + self.conditions.width, *[form.width] * form.layers]
        hidden = [
            layer
            for before, after in itertools.pairwise(sides)
            for layer in (nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU())
        ]
        self.network = nn.Sequential(*hidden, nn.Linear(form.width, spec.channels * spec.size**2), nn.Tanh())

    def forward(self, latents: Tensor, labels: Tensor | None = None, truncation: float | None = None) -> Tensor:
        latents = truncated_normal(latents, truncation)
        pixels: Tensor = self.network(torch.cat([latents, self.conditions(labels, latents)], dim=1))
        return pixels.unflatten(1, (self.spec.channels, self.spec.size, self.spec.size))


@dataclass(frozen=True)
class DenseCriticForm(Checked, CriticForm):
    """Dense layers from pixels to logits (arXiv 1406.2661); leaky rectifiers instead of maxout.

    Arguments:
        width: of the hidden layers.
        layers: hidden ones.
        dropout: share of hidden outputs left out in training.
    """

    width: Count = 256
    layers: Layers = 2
    dropout: Dropout = 0.3

    def build(self, spec: ImageSpec) -> Critic:
        """The network."""
        return _DenseCritic(spec, self)


class _DenseCritic(Critic):
    def __init__(self, spec: ImageSpec, form: DenseCriticForm) -> None:
        super().__init__()
        sides = [spec.channels * spec.size**2, *[form.width] * form.layers]
        hidden = [
            layer
            for before, after in itertools.pairwise(sides)
            for layer in (nn.Linear(before, after), nn.LeakyReLU(0.2), nn.Dropout(form.dropout))
        ]
        self.network = nn.Sequential(nn.Flatten(), *hidden)
        self.judgement = Judgement(form.width, len(spec.classes), spectral=False)

    def features(self, images: Tensor) -> Tensor:
        found: Tensor = self.network(images)
        return found

    def judged(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        logits: Tensor = self.judgement(features, labels)
        return logits


@dataclass(frozen=True)
class DCGANGeneratorForm(Checked, GeneratorForm):
    """Transposed convolutions of 4×4 with stride 2, batch normalisation and rectifiers.

    Arguments:
        latent: width of the latent vectors.
        width: channels of the last map before the image.
        most: channels of any map, at most.

    Source: A. Radford et al. (2016), arXiv 1511.06434, §3 and figure 1.
    """

    latent: Count = 100
    width: Count = 64
    most: Count = 512

    def build(self, spec: ImageSpec) -> Generator:
        """The network."""
        return _DCGANGenerator(spec, self)


class _DCGANGenerator(Generator):
    def __init__(self, spec: ImageSpec, form: DCGANGeneratorForm) -> None:
        super().__init__(spec, form.latent)
        self.conditions = Conditions(len(spec.classes))
        # The image itself stands at the end of the doublings, so that the last map has half its side.
        widths = spec.widths(form.width, form.most)[1:]
        self.first = nn.ConvTranspose2d(form.latent + self.conditions.width, widths[0], spec.first_side, bias=False)
        self.normalise = nn.BatchNorm2d(widths[0])
        up = [
            layer
            for before, after in itertools.pairwise(widths)
            for layer in (nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())
        ]
        self.up = nn.Sequential(*up, nn.ConvTranspose2d(widths[-1], spec.channels, 4, 2, 1), nn.Tanh())
        _small_normal(self)

    def forward(self, latents: Tensor, labels: Tensor | None = None, truncation: float | None = None) -> Tensor:
        latents = truncated_normal(latents, truncation)
        seen = torch.cat([latents, self.conditions(labels, latents)], dim=1)
        images: Tensor = self.up(self.normalise(self.first(seen[:, :, None, None])).relu())
        return images


@dataclass(frozen=True)
class DCGANCriticForm(Checked, CriticForm):
    """Convolutions of 4×4 with stride 2, batch normalisation and leaky rectifiers (arXiv 1511.06434).

    Arguments:
        width: channels of the first map.
        most: channels of any map, at most.
        normalise: whether maps but the first are normalised over the batch; not beside a gradient penalty.
    """

    width: Count = 64
    most: Count = 512
    normalise: bool = True

    def build(self, spec: ImageSpec) -> Critic:
        """The network."""
        return _DCGANCritic(spec, self)


class _DCGANCritic(Critic):
    def __init__(self, spec: ImageSpec, form: DCGANCriticForm) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        self.normalise = nn.ModuleList()
        before = spec.channels
        for number, after in enumerate(reversed(spec.widths(form.width, form.most)[1:])):
            normalised = form.normalise and number > 0
            self.layers.append(nn.Conv2d(before, after, 4, 2, 1, bias=not normalised))
            self.normalise.append(nn.BatchNorm2d(after) if normalised else nn.Identity())
            before = after
        self.judgement = Judgement(before * spec.first_side**2, len(spec.classes), spectral=False)
        _small_normal(self)

    def features(self, images: Tensor) -> Tensor:
        for layer, normalise in zip(self.layers, self.normalise, strict=True):
            images = leaky_relu(normalise(layer(images)), 0.2)
        return images.flatten(1)

    def judged(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        logits: Tensor = self.judgement(features, labels)
        return logits


def _small_normal(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
