"""How an encoder, a head and units become one network."""

from __future__ import annotations

from dataclasses import replace

from ..response.response import LogLinear
from ..units.ranks import Units
from ..units.scaling import Scaling


def response_units(scaling: Units, response: LogLinear | None) -> Units:
    """The units of a network: counts that were divided by a response are numbers like others."""
    if response is None:
        return scaling
    if isinstance(scaling, Scaling):
        return replace(scaling, domain="real")
    return replace(scaling, scaling=replace(scaling.scaling, domain="real"))
