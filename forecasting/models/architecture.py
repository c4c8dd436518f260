"""What a predictor remembers of the estimator that trained it: all that it takes to build the network again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from ...runtime.names import Names
from ...runtime.plain import Configured, Plain, from_plain
from ..networks.network import JointForecaster
from ..response.response import LogLinear
from ..training.options import TrainConfig
from ..units.ranks import Units
from ..windows.spec import SeriesSpec
from ..windows.tensor import Statistics


class Architecture(Configured, ABC):
    """Settings from which a network is built for the data that it is to be trained on.

    Attributes:
        scaling: the units in which the network works.
        response: the price response that is taken out before the network; ``None`` for none.
        train_config: the training options.
    """

    scaling: Units
    response: LogLinear | None
    train_config: TrainConfig

    @abstractmethod
    def network(self, spec: SeriesSpec, statistics: Statistics) -> JointForecaster:
        """The network with initial weights, drawn from torch's generator.

        Arguments:
            spec: the shape of the problem.
            statistics: those of the training span.
        """


def architecture_of(configuration: Mapping[str, Plain], names: Names) -> Architecture:
    """The settings that `Configured.configuration` described.

    Arguments:
        configuration: plain data.
        names: the classes that it may name.

    Raises:
        ValueError: the configuration is of something else.
    """
    found = from_plain(dict(configuration), names, allowed=Architecture)
    if not isinstance(found, Architecture):
        raise ValueError(f"configuration: expected the settings of a network, got {configuration.get('type')!r}")
    return found
