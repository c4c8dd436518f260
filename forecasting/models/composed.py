"""The estimator of an encoder and an emission head."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from ...runtime.arguments.kinds import Steps
from ...runtime.plain import PlainObject, Space
from ..networks.composition import EncoderAndHead
from ..networks.encoders.encoder import EncoderConfig
from ..networks.encoders.recurrent import Recurrent
from ..networks.encoders.shared import SharedWeights
from ..networks.heads.head import HeadConfig
from ..networks.heads.student_t import StudentT
from ..networks.network import JointForecaster
from ..response.response import LogLinear
from ..training.options import TrainConfig
from ..units.ranks import Units
from ..units.scaling import Scaling
from ..windows.spec import SeriesSpec
from ..windows.tensor import SeriesTensor
from .window_estimator import WindowEstimator


class ForecastEstimator(WindowEstimator):
    """A model of many series, composed of an encoder and an emission head.

    Its data are those of every `WindowEstimator`. The named models are this class with other default parts.

    Arguments:
        freq: pandas frequency alias of the data.
        prediction_length: horizon H, in steps.
        context_length: steps that the encoder reads before the horizon; the horizon if ``None``.
        lags: steps back at which past values enter; by frequency if ``None``.
        scaling: levels or changes, divided by their mean size over the context (`Scaling`) or ranked among
            those of the past (`Copula`).
        encoder: the numbers of the encoder; the model's own if ``None``.
        head: the numbers of the emission head; the model's own if ``None``.
        response: how sales answer to the covariates, fitted before the network, which then models what is left;
            ``None`` leaves the covariates to the network.
        train: the training options; the model's own if ``None``.

    Example:
        >>> from hemline.forecasting import Recurrent, StudentT
        >>> ForecastEstimator("D", 7, encoder=Recurrent("lstm"), head=StudentT()).encoder.cell
        'lstm'
    """

    default_encoder: ClassVar[EncoderConfig] = Recurrent("gru")
    default_head: ClassVar[HeadConfig] = StudentT()
    default_scaling: ClassVar[Units] = Scaling("level")
    default_train: ClassVar[TrainConfig] = TrainConfig()

    def __init__(
        self,
        freq: str,
        prediction_length: Steps,
        *,
        context_length: Steps | None = None,
        lags: tuple[Steps, ...] | None = None,
        scaling: Units | None = None,
        encoder: EncoderConfig | None = None,
        head: HeadConfig | None = None,
        response: LogLinear | None = None,
        train: TrainConfig | None = None,
    ) -> None:
        super().__init__(
            freq,
            prediction_length,
            context_length=context_length,
            lags=lags,
            scaling=scaling or self.default_scaling,
            response=response,
            train=train or self.default_train,
        )
        self.encoder = encoder or self.default_encoder
        self.head = head or self.default_head

    def search_space(self) -> Space:
        """Learning rate, context, and the encoder's width and dropout."""
        encoder = "encoder.each" if isinstance(self.encoder, SharedWeights) else "encoder"
        return {
            **super().search_space(),
            f"{encoder}.size": [16, 32, 40, 64, 128],
            f"{encoder}.dropout": {"low": 0.0, "high": 0.3},
        }

    @property
    def others_answer(self) -> bool:
        """Whether the encoder reads all series at once."""
        return not isinstance(self.encoder, SharedWeights)

    def composition(self, spec: SeriesSpec) -> EncoderAndHead:
        """The encoder and the head, for the data.

        Arguments:
            spec: the shape of the problem.
        """
        return EncoderAndHead(spec, self.scaling, self.response is not None, self.encoder, self.head)

    def _fit(
        self,
        forecaster: JointForecaster,
        series: SeriesTensor,
        validation: SeriesTensor | None,
        ckpt_path: str | Path | None,
        begun: bool = False,
    ) -> list[PlainObject]:
        from ..training.fit import fit, to_watch

        watched = to_watch(self.train_config, series, validation)
        return fit(
            forecaster,
            self.train_config,
            series.windows(series.training_starts(self.train_config.validation_span)),
            watched,
            configuration=self.configuration(),
            ckpt_path=ckpt_path,
            begun=begun,
        )

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {**super().settings(), "encoder": self.encoder, "head": self.head}
