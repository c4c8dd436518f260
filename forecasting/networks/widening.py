"""The weights of a network for one for more series."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from ..windows.spec import SeriesSpec
from .direct import FIRST_LAYER, DirectNetwork, inputs_of
from .encoders.shared import SharedEncoder
from .forecaster import Forecaster
from .network import Learner

MEASURED = (
    "usual_scale",
    "usual_change",
    "covariate_mean",
    "covariate_std",
    "errors",
    "trust",
    "usual",
    "order",
    "undo",
)
"""What is measured on the data, or follows from the number of series: a network for more series has its own."""


@torch.no_grad()
def take_over(network: Learner, weights: Mapping[str, Tensor], before: SeriesSpec) -> None:
    """Give a network the weights of one for fewer series, in place.

    Old series keep their places, in front. What the network reads of new series and channels has no weight at first, so
    that what it says of the old ones is what it said; of layers that say something of each series, the rows of new
    ones stay as they were drawn. In a flow, where series stand in each other's masks, what is said of old ones changes
    a little.

    Arguments:
        network: for the series that there are now.
        weights: those of the other one, by name.
        before: what that one was built for.
    """
    after, own = network.spec, dict(network.state_dict())
    read = _read_by(network)
    direct = dict(_direct(network, before))
    for name, old in weights.items():
        if name.rpartition(".")[2] in MEASURED:
            continue
        new = own[name]
        if name == read:
            shared = isinstance(network, Forecaster) and isinstance(network.encoder, SharedEncoder)
            direct[name] = _columns(before, after, shared, old.shape[1], new.shape[1])
        if columns := direct.get(name):
            new.zero_()
            new[:, columns[1]] = old[:, columns[0]]
            continue
        by_series = isinstance(network, Forecaster) and network.head.by_series
        places = [
            _places(*sizes, before.target_dim, after.target_dim, by_series)
            for sizes in zip(old.shape, new.shape, strict=True)
        ]
        new[torch.meshgrid(*places, indexing="ij") if places else ...] = old
    network.load_state_dict(own)


def _read_by(network: Learner) -> str:
    """The name of the weights ``[width, inputs]`` by which a network reads all series; empty if it reads each alone."""
    if not isinstance(network, Forecaster):
        return ""
    encoder = network.encoder
    name, inner = ("encoder.each", encoder.each) if isinstance(encoder, SharedEncoder) else ("encoder", encoder)
    if not inner.reads:
        raise ValueError(
            f"update: expected an encoder that says what reads its inputs (Encoder.reads), got {type(inner).__name__}; "
            "train the model anew"
        )
    return f"{name}.{inner.reads}"


def _direct(network: Learner, before: SeriesSpec) -> Iterator[tuple[str, tuple[list[int], list[int]]]]:
    """The columns, of the old network and of the new one, that mean the same to the first layer of direct networks."""
    for place, each in network.named_modules():
        if isinstance(each, DirectNetwork):
            columns = _matched(inputs_of(before, each.config), inputs_of(each.spec, each.config))
            yield f"{place}.{FIRST_LAYER}".lstrip("."), columns


def _columns(before: SeriesSpec, after: SeriesSpec, shared: bool, old: int, new: int) -> tuple[list[int], list[int]]:
    """The columns of what an encoder reads, of an old network and of a new one, that mean the same."""
    first, second = _inputs(before, shared), _inputs(after, shared)
    # What stands behind is the embedding of a series.
    first += [("behind", number) for number in range(old - len(first))]
    second += [("behind", number) for number in range(new - len(second))]
    return _matched(first, second)


def _matched(first: Sequence[Hashable], second: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    """The numbers of the keys that both have, in the one and in the other."""
    place = {key: number for number, key in enumerate(second)}
    kept = [(number, place[key]) for number, key in enumerate(first) if key in place]
    return [number for number, _ in kept], [number for _, number in kept]


def _inputs(spec: SeriesSpec, shared: bool) -> list[Hashable]:
    """What each column of the input of an encoder is."""
    series: tuple[Hashable, ...] = ("own",) if shared else tuple(range(spec.target_dim))
    columns: list[Hashable] = [("lag", lag, each) for lag in spec.lags for each in series]
    columns += [("seen", each) for each in series if spec.missing]
    columns += [("calendar", number) for number in range(spec.calendar)]
    columns += [("known", name) for name in spec.covariate_names or range(spec.covariates)]
    columns += [("past", name) for name in spec.past_covariate_names or range(spec.past_covariates)]
    return columns + [("end of the past",)] * (spec.past_covariates > 0)


def _places(old: int, new: int, before: int, after: int, by_series: bool) -> Tensor:
    """Where the entries of an axis go that has some for each series, and perhaps others behind."""
    if old == new:
        return torch.arange(old)
    each, left = divmod(new - old, after - before) if after > before else (0, 1)
    if after > before and (by_series or each <= 1):
        return torch.arange(old)
    if left:  # numbers that belong to no series: where they go nobody can say
        raise ValueError(
            f"update: expected layers that grow with the series, got {new} for {old}; train the model anew"
        )
    place = torch.arange(old)
    return torch.where(place < each * before, place // before * after + place % before, place + new - old)
