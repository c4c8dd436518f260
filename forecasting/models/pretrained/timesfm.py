"""TimesFM 2.5: a pretrained forecaster of the package ``timesfm``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....datasets.entries.entry import Entry
from ....runtime.arguments.kinds import Count, Seed, Steps
from .quantile_paths import PretrainedPredictor, missing_package

_LEVELS = tuple(round(0.1 * number, 1) for number in range(1, 10))

_CONTEXT = 1024
"""Steps that are read unless told otherwise; the model takes up to 16,384."""


class TimesFMPredictor(PretrainedPredictor):
    """The pretrained TimesFM 2.5 for each series.

    It reads no channels; `RespondingEstimator` around it answers to prices. A gap is bridged by a straight line.

    Source: Das et al. (2024), A decoder-only foundation model for time-series forecasting, arXiv 2310.10688.

    Arguments:
        prediction_length: horizon H, in steps.
        weights: a folder with ``model.safetensors``, or the name of a model of the hub.
        context_length: the last steps that are read, at most; 1024 if ``None``.
        seed: of the draws.

    Example:
        >>> TimesFMPredictor(12).weights
        'google/timesfm-2.5-200m-pytorch'
    """

    def __init__(
        self,
        prediction_length: Steps,
        weights: str = "google/timesfm-2.5-200m-pytorch",
        context_length: Count | None = None,
        seed: Seed = 0,
    ) -> None:
        super().__init__(prediction_length, weights, context_length, seed)

    def quantiles(self, entry: Entry) -> tuple[np.ndarray, np.ndarray]:
        """Levels ``[Q]`` and quantiles ``[H, D, Q]`` of the horizon after an entry, data units."""
        series = [each.astype(np.float64) for each in entry.target]
        _, found = self._model().forecast(horizon=self.prediction_length, inputs=series)
        # The first of the ten is the mean.
        return np.array(_LEVELS), np.asarray(found, dtype=np.float64)[..., 1:].swapaxes(0, 1)

    def _model(self) -> Any:
        """The model with its weights, made ready for this horizon."""
        if self._loaded is None:
            try:
                import timesfm
            except ModuleNotFoundError as error:
                raise missing_package("timesfm[torch]") from error
            try:
                model = timesfm.TimesFM_2p5_200M_torch.from_pretrained(self.weights, torch_compile=False)
                model.compile(
                    timesfm.ForecastConfig(
                        max_context=self.context_length or _CONTEXT,
                        max_horizon=self.prediction_length,
                        normalize_inputs=True,
                        per_core_batch_size=16,
                        use_continuous_quantile_head=self.prediction_length <= 1024,
                        force_flip_invariance=True,
                        infer_is_positive=False,
                        fix_quantile_crossing=True,
                    )
                )
            except (OSError, ValueError, RuntimeError) as error:
                reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
                raise ValueError(
                    f"weights: expected a folder or a model of the hub with TimesFM 2.5, got {self.weights!r}: {reason}"
                ) from error
            self._loaded = model
        return self._loaded
