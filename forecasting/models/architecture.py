"""What a model with a network says of it before the data are known."""

from __future__ import annotations

from abc import abstractmethod

from ...evaluation.adapters.model import ForecastModel
from ..networks.composition import Composition
from ..training.options import TrainConfig
from ..windows.spec import SeriesSpec


class Architecture(ForecastModel):
    """Base class of models whose fitted form is a network.

    Attributes:
        train_config: the training options.
    """

    train_config: TrainConfig

    @abstractmethod
    def composition(self, spec: SeriesSpec) -> Composition:
        """The parts of the network.

        Arguments:
            spec: the shape of the problem.
        """
