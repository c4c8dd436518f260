"""Bijections with tractable Jacobians: the maths under the flow heads."""

from __future__ import annotations

from collections.abc import Callable

from .affine_coupling import AffineCoupling
from .base import Base, GaussianBase, StudentTBase
from .batch_norm import BatchNorm
from .bijection import Bijection
from .flow import Flow, FlowDistribution
from .made import MADE
from .masked_affine import MaskedAffine
from .permutation import Permutation
from .sampler import FlowSampler
from .stacks import masked_autoregressive, real_nvp

BIJECTIONS: dict[str, Callable[..., Bijection]] = {
    "affine_coupling": AffineCoupling,
    "batch_norm": BatchNorm,
    "masked_affine": MaskedAffine,
    "permutation": Permutation,
}
"""Every bijection by name; each takes the number of series D first."""

__all__ = [
    "BIJECTIONS",
    "MADE",
    "AffineCoupling",
    "Base",
    "BatchNorm",
    "Bijection",
    "Flow",
    "FlowDistribution",
    "FlowSampler",
    "GaussianBase",
    "MaskedAffine",
    "Permutation",
    "StudentTBase",
    "masked_autoregressive",
    "real_nvp",
]
