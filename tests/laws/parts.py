"""The encoders and heads that the laws run over: all of the table of names, as small as their defaults allow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Literal, get_args, get_origin, get_type_hints

from hemline.forecasting.names import NAMES, PLACES
from hemline.forecasting.networks.encoders.encoder import EncoderConfig
from hemline.forecasting.networks.heads.head import HeadConfig


def registered(contract: type) -> list[type]:
    """The classes of the table of names that keep a contract, from the folder in which the contract stands."""
    folder = contract.__module__.rpartition(".")[0]
    found = [NAMES.find(name) for name, place in PLACES.items() if place.startswith(f"{folder}.")]
    return [part for part in found if issubclass(part, contract)]


def small(head: type[HeadConfig]) -> HeadConfig:
    """A head with the square root of every default that is a whole number: layers, widths, ranks, noise levels."""
    counts = {field.name: field.default for field in fields(head) if type(field.default) is int}
    return head(**{name: round(math.sqrt(count)) for name, count in counts.items()})


def kinds(encoder: type[EncoderConfig]) -> Iterator[tuple[str, EncoderConfig]]:
    """An encoder with its defaults, once for each choice that its first fields offer by name."""
    hints = get_type_hints(encoder)
    choices = {
        field.name: get_args(hints[field.name])
        for field in fields(encoder)
        if get_origin(hints[field.name]) is Literal and field.default is not MISSING
    }
    for chosen in itertools.product(*choices.values()):
        yield "-".join([encoder.__name__, *chosen]), encoder(**dict(zip(choices, chosen, strict=True)))


HEADS = {head.__name__: small(head) for head in registered(HeadConfig)}
ENCODERS = dict(pair for encoder in registered(EncoderConfig) for pair in kinds(encoder))
