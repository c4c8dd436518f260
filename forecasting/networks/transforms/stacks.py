"""The published stacks of bijections: RealNVP and MAF."""

from __future__ import annotations

from typing import Literal

from .affine_coupling import AffineCoupling
from .base import Base, GaussianBase, StudentTBase
from .batch_norm import BatchNorm
from .bijection import Bijection
from .flow import Flow
from .masked_affine import MaskedAffine
from .permutation import Permutation

BaseName = Literal["gaussian", "student_t"]


def real_nvp(
    features: int,
    context_features: int,
    *,
    blocks: int = 3,
    hidden: int = 100,
    hidden_layers: int = 2,
    batch_norm: bool = False,
    base: BaseName = "gaussian",
) -> Flow:
    """RealNVP: affine couplings that transform the odd and the even series in turn.

    Source: Dinh et al. (2017), arXiv 1605.08803, conditioned as in Rasul et al. (2021), arXiv 2002.06103.

    Arguments:
        features: the number of series D.
        context_features: width C of the context.
        blocks: the number K of couplings.
        hidden: units of a hidden layer of each of the two networks of a coupling.
        hidden_layers: hidden layers of each network.
        batch_norm: normalise between the couplings.
        base: the density of the noise; ``"student_t"`` for heavier tails.

    Returns:
        the flow.

    Raises:
        ValueError: a size below 1, or an unknown base.

    >>> import torch
    >>> real_nvp(8, 40)(torch.zeros(2, 40)).sample().shape
    torch.Size([2, 8])
    """
    interleaved = [*range(0, features, 2), *range(1, features, 2)]
    couplings = [
        AffineCoupling(features, hidden=hidden, hidden_layers=hidden_layers, transform_first=block % 2 == 1)
        for block in range(_blocks(blocks))
    ]
    parts: list[Bijection] = [Permutation(features, interleaved)]
    for block, coupling in enumerate(couplings):
        if block and batch_norm:
            parts.append(BatchNorm(features))
        parts.append(coupling)
    return Flow(parts, _base(base, features), context_features=context_features)


def masked_autoregressive(
    features: int,
    context_features: int,
    *,
    blocks: int = 3,
    hidden: int = 100,
    hidden_layers: int = 2,
    levels: int | None = None,
    batch_norm: bool = False,
    base: BaseName = "gaussian",
) -> Flow:
    """MAF: masked autoregressive maps that take the series in alternating order.

    Source: Papamakarios et al. (2017), arXiv 1705.07057, conditioned as in Rasul et al. (2021), arXiv
    2002.06103.

    Arguments:
        features: the number of series D.
        context_features: width C of the context.
        blocks: the number K of maps.
        hidden: units of a hidden layer.
        hidden_layers: hidden layers.
        levels: how finely each map is autoregressive, 2 (about a coupling) … min(D, hidden) (the default);
            sampling takes this many small steps for each map. See
            :class:`~hemline.forecasting.networks.transforms.MADE`.
        batch_norm: normalise between the maps.
        base: the density of the noise; ``"student_t"`` for heavier tails.

    Returns:
        the flow.

    Raises:
        ValueError: a size below 1, ``levels`` above min(D, hidden), or an unknown base.

    >>> import torch
    >>> masked_autoregressive(8, 40)(torch.zeros(2, 40)).sample().shape
    torch.Size([2, 8])
    """
    parts: list[Bijection] = []
    for block in range(_blocks(blocks)):
        if block and batch_norm:
            parts.append(BatchNorm(features))
        parts.append(
            MaskedAffine(features, hidden=hidden, hidden_layers=hidden_layers, levels=levels, reverse=block % 2 == 1)
        )
    return Flow(parts, _base(base, features), context_features=context_features)


def _blocks(blocks: int) -> int:
    if blocks < 1:
        raise ValueError(f"blocks: expected at least 1, got {blocks}")
    return blocks


def _base(name: str, features: int) -> Base:
    bases: dict[str, type[Base]] = {"gaussian": GaussianBase, "student_t": StudentTBase}
    if name not in bases:
        raise ValueError(f"base: expected one of {', '.join(bases)}, got {name!r}")
    return bases[name](features)
