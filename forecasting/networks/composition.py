"""Compositions: which parts make up a network, for which data; frozen, and stored with the network's weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from ...runtime.arguments.kinds import Checked, Count
from ..units.ranks import Units
from ..units.scaling import Scaling
from ..windows.spec import SeriesSpec
from ..windows.tensor import Statistics
from .cross_fitted import CrossFitted
from .direct import Direct
from .encoders.encoder import EncoderConfig
from .forecaster import Forecaster
from .heads.head import HeadConfig
from .network import JointForecaster


@dataclass(frozen=True)
class Composition(Checked, ABC):
    """All that a network is built from but its weights.

    Arguments:
        spec: the shape of the problem, inferred once from the training data.
        scaling: the units of the data.
        responds: whether the effect of prices is taken out of the data before the network sees them.
    """

    spec: SeriesSpec
    scaling: Units
    responds: bool

    @property
    def units(self) -> Units:
        """The units of the network: counts that were divided by a response are numbers like others."""
        if not self.responds:
            return self.scaling
        if isinstance(self.scaling, Scaling):
            return replace(self.scaling, domain="real")
        return replace(self.scaling, scaling=replace(self.scaling.scaling, domain="real"))

    @abstractmethod
    def network(self, statistics: Statistics) -> JointForecaster:
        """The network with initial weights, drawn from torch's generator.

        Arguments:
            statistics: those of the training span.
        """


@dataclass(frozen=True)
class EncoderAndHead(Composition):
    """The composition of a causal encoder and an emission head.

    Arguments:
        encoder: the numbers of the encoder.
        head: the numbers of the head.
    """

    encoder: EncoderConfig
    head: HeadConfig

    def network(self, statistics: Statistics) -> Forecaster:
        """The network with initial weights; see `Composition.network`.

        Raises:
            ValueError: a head of whole numbers is to work on changes or ranks, or on sales divided by a response.
        """
        encoder = self.encoder.build_for(self.spec)
        head = self.head.build(self.spec.target_dim, encoder.context_size)
        if head.lattice and (self.scaling.change is not None or self.scaling.past):
            raise ValueError(f"scaling: expected of='level' for a head of whole numbers, got {self.scaling}")
        if head.lattice and self.responds:
            raise ValueError(
                f"head: expected one of real numbers for sales divided by a response, got {type(self.head).__name__}"
            )
        return Forecaster(self.spec, self.units, encoder, head, statistics)


@dataclass(frozen=True)
class CrossFitNetworks(Composition):
    """The composition of direct networks, each trained without one block of the past.

    Arguments:
        direct: the numbers of each network.
        folds: number of networks.
        windows: number of past windows whose errors are kept.
        rare: whether articles that sell rarely are told apart, as older versions did not.
    """

    direct: Direct
    folds: Count
    windows: Count
    rare: bool = False

    def network(self, statistics: Statistics) -> CrossFitted:
        """The networks with initial weights; see `Composition.network`."""
        unit = 1.0 if self.scaling.domain == "count" else 0.0
        return CrossFitted(self.spec, self.units, statistics, self.direct, self.folds, self.windows, unit, self.rare)
