"""Layers of generators and critics."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, one_hot, scaled_dot_product_attention
from torch.nn.utils.parametrizations import spectral_norm

from .network import require_labels

Layer = TypeVar("Layer", bound=nn.Module)


def bounded(layer: Layer, spectral: bool) -> Layer:
    """The layer, its weight divided by its largest singular value where asked (T. Miyato et al., arXiv 1802.05957)."""
    if spectral:
        spectral_norm(layer)  # changed in place
    return layer


class Conditions(nn.Module):
    """Labels to vectors: one-hot, or an embedding that all layers share; no numbers where there are no classes.

    Arguments:
        classes: how many; 0 for none.
        shared: width of the shared embedding; 0 for one-hot.
    """

    def __init__(self, classes: int, shared: int = 0) -> None:
        super().__init__()
        self.classes = classes
        self.embedding = nn.Embedding(classes, shared) if classes and shared else None
        self.width = (shared or classes) if classes else 0

    def forward(self, labels: Tensor | None, like: Tensor) -> Tensor:
        """``[B, width]`` for labels ``[B]``, of the dtype and device of a tensor ``[B, ...]``."""
        labels = require_labels(labels, self.classes)
        if labels is None:
            return like.new_zeros(len(like), 0)
        if self.embedding is not None:
            return self.embedding(labels)
        return one_hot(labels, self.classes).to(like.dtype)


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose gain and bias are linear functions of a condition.

    Arguments:
        channels: of the maps.
        width: of the condition; 0 for a gain and a bias of its own.

    Source: V. Dumoulin et al. (2017), arXiv 1610.07629; H. de Vries et al. (2017), arXiv 1707.00683.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm2d(channels, affine=width == 0)
        self.condition = nn.Linear(width, 2 * channels, bias=False) if width else None
        if self.condition is not None:
            nn.init.normal_(self.condition.weight, std=0.02)

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        """Maps ``[B, C, h, w]`` and conditions ``[B, width]`` to maps of the same shape."""
        maps = self.normalise(maps)
        if self.condition is None:
            return maps
        gain, bias = self.condition(condition)[:, :, None, None].chunk(2, dim=1)
        return maps * (1 + gain) + bias


class SelfAttention(nn.Module):
    """Every place takes from all places what is like it; the share of what it takes begins at 0.

    Arguments:
        channels: of the maps.
        spectral: whether the weights are divided by their largest singular value.

    Source: H. Zhang et al. (2019), arXiv 1805.08318, equations 1 to 3; keys and values of a map of half the side, as
    in the authors' code.
    """

    def __init__(self, channels: int, spectral: bool) -> None:
        super().__init__()
        inner = max(channels // 8, 1)
        self.query, self.key = (bounded(nn.Conv2d(channels, inner, 1, bias=False), spectral) for _ in range(2))
        self.value = bounded(nn.Conv2d(channels, max(channels // 2, 1), 1, bias=False), spectral)
        self.out = bounded(nn.Conv2d(max(channels // 2, 1), channels, 1, bias=False), spectral)
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, maps: Tensor) -> Tensor:
        """Maps ``[B, C, h, w]`` to maps of the same shape."""
        query = self.query(maps).flatten(2).transpose(1, 2).contiguous()
        halved = [max_pool2d(layer(maps), 2) for layer in (self.key, self.value)]
        key, value = (each.flatten(2).transpose(1, 2).contiguous() for each in halved)
        found = scaled_dot_product_attention(query, key, value, scale=1.0)
        return maps + self.share * self.out(found.transpose(1, 2).unflatten(2, maps.shape[2:]))


class BatchSpread(nn.Module):
    """One more map that tells how far the images of a group differ, so that a critic sees when all are alike.

    Arguments:
        group: images of a group at most; a batch is cut into groups of equal size.

    Source: T. Karras et al. (2018), arXiv 1710.10196, §3; by groups as in the authors' code of StyleGAN.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        self.group = group

    def forward(self, maps: Tensor) -> Tensor:
        """Maps ``[B, C, h, w]`` to ``[B, C + 1, h, w]``."""
        size = next(each for each in range(min(self.group, len(maps)), 0, -1) if len(maps) % each == 0)
        grouped = maps.float().unflatten(0, (size, -1))
        spread = (grouped.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))
        told = spread.repeat(size)[:, None, None, None].to(maps.dtype)
        return torch.cat([maps, told.expand(-1, 1, *maps.shape[2:])], dim=1)


class Judgement(nn.Module):
    """Logits of features: a linear function, and where there are classes the product with a vector of the class.

    Arguments:
        features: width of the features.
        classes: how many; 0 for none.
        spectral: whether the weights are divided by their largest singular value.
    """

    def __init__(self, features: int, classes: int, spectral: bool) -> None:
        super().__init__()
        self.classes = classes
        self.linear = bounded(nn.Linear(features, 1), spectral)
        self.embedding = bounded(nn.Embedding(classes, features), spectral) if classes else None

    def forward(self, features: Tensor, labels: Tensor | None) -> Tensor:
        """Logits ``[B]`` of features ``[B, F]``."""
        labels = require_labels(labels, self.classes)
        logits: Tensor = self.linear(features)[:, 0]
        if self.embedding is None:
            return logits
        return logits + (self.embedding(labels) * features).sum(dim=1)


def orthogonal(network: nn.Module) -> None:
    """Give the convolutions, linear layers and embeddings of a network orthogonal weights (A. Saxe, arXiv 1312.6120).

    Arguments:
        network: changed in place; its parametrised weights too.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)):
            weight = getattr(module, "parametrizations", None)
            # Setting a parametrised weight would ask for the inverse of its division.
            nn.init.orthogonal_(module.weight if weight is None else weight.weight.original)
