"""What estimators that are made of another model share."""

from __future__ import annotations

from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ...evaluation.adapters.estimator import grouped
from ...evaluation.adapters.fitted import PlainModel
from ...evaluation.adapters.foreign import reads_channels
from ...evaluation.adapters.model import ForecastModel
from ...runtime.plain import Space


class WrappingEstimator(ForecastModel):
    """An estimator made of another model, whose horizon is its own.

    Arguments:
        model: an estimator of joint forecasts, or a predictor that needs no training; gluonts' own of single series
            are grouped.
    """

    def __init__(self, model: Estimator | Predictor) -> None:
        super().__init__()
        self.model = grouped(model)

    def beside(self, argument: str, other: Estimator | Predictor) -> Estimator | Predictor:
        """A second model, as joint as the first and with its horizon.

        Raises:
            ValueError: the horizons differ.
        """
        found = grouped(other)
        if int(found.prediction_length) != self.prediction_length:
            raise ValueError(
                f"{argument}: expected a model with a horizon of {self.prediction_length}, got one of "
                f"{found.prediction_length}"
            )
        return found

    @property
    def reads_channels(self) -> bool:
        """As the model beneath it."""
        return reads_channels(self.model)

    def search_space(self) -> Space:
        """That of the model beneath it."""
        inner = self.model.search_space() if isinstance(self.model, ForecastModel | PlainModel) else {}
        return {f"model.{name}": given for name, given in inner.items()}

    @property
    def prediction_length(self) -> int:
        """The horizon H, in steps."""
        return int(self.model.prediction_length)
