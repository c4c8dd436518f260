"""The only teacher-forcing and the only decoding loop."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .encoders import Encoder
from .heads import EmissionHead
from .scaling import Scaling
from .spec import SeriesSpec
from .windows import Statistics, Window


class Forecaster(nn.Module):
    """A causal encoder and an emission head, put to one forecasting problem.

    Step t of the encoder reads the values at its lags, all before t, and the features of t; the head turns what
    it says into the density of the values at t. Values are divided by their scale over the context throughout.

    Arguments:
        spec: the shape of the problem.
        scaling: levels or changes, and how their scale is measured.
        encoder: reads inputs of width ``spec.input_size``.
        head: emits the D series.
        statistics: those of the training span; they are saved with the weights.
    """

    usual_scale: Tensor
    covariate_mean: Tensor
    covariate_std: Tensor

    def __init__(
        self,
        spec: SeriesSpec,
        scaling: Scaling,
        encoder: Encoder,
        head: EmissionHead,
        statistics: Statistics,
    ) -> None:
        super().__init__()
        self.spec, self.scaling = spec, scaling
        self.encoder, self.head = encoder, head
        self.register_buffer("usual_scale", statistics.scale)
        self.register_buffer("covariate_mean", statistics.covariate_mean)
        self.register_buffer("covariate_std", statistics.covariate_std)

    @property
    def statistics(self) -> Statistics:
        """What was measured on the training span."""
        return Statistics(self.usual_scale, self.covariate_mean, self.covariate_std)

    def step_losses(self, window: Window, *, context: bool = True) -> tuple[Tensor, Tensor]:
        """Loss of every step under teacher forcing.

        Arguments:
            window: with the values of the horizon, ``[B, M + C + H, D]``.
            context: whether the steps of the context count, or those of the horizon alone.

        Returns:
            The head's loss ``[B, T]`` and the share of series seen at each step ``[B, T]``, with T = C + H or H.
        """
        first, length = self.spec.history, self.spec.context_length
        scale = self._scale(window)
        hidden, _ = self.encoder(self._inputs(window, scale))
        if not context:
            first, hidden = first + length, hidden[:, length:]
        target = window.values[:, first:]
        observed = None if window.observed is None else window.observed[:, first:]
        losses = self.head.loss(hidden, target, scale, observed)
        weights = torch.ones_like(losses) if observed is None else observed.mean(-1)
        return losses, weights

    def loss(self, window: Window, *, context: bool = True) -> Tensor:
        """Mean loss per observed value: nats a series and step for a density head.

        Arguments:
            window: with the values of the horizon.
            context: whether the steps of the context count.

        Returns:
            A scalar.
        """
        losses, weights = self.step_losses(window, context=context)
        return (losses * weights).sum() / weights.sum().clamp_min(1e-8) / self.spec.target_dim

    @torch.no_grad()
    def sample(self, window: Window, paths: int) -> Tensor:
        """Draw joint sample paths over the horizon, each step fed back into the next.

        Arguments:
            window: the past, ``[B, M + C, D]``, with the features of context and horizon.
            paths: number of paths S a window.

        Returns:
            ``[B, S, H, D]``, levels or changes in data units.
        """
        spec = self.spec
        batch, past = window.values.shape[0], spec.history + spec.context_length
        scale = self._scale(window)
        warm = Window(window.values, window.observed, window.features[:, : spec.context_length])
        _, state = self.encoder(self._inputs(warm, scale))
        state = self.encoder.repeat(state, paths)

        rows, horizon, dim = batch * paths, spec.prediction_length, spec.target_dim
        scale = scale.repeat_interleave(paths, 0)
        features = window.features[:, spec.context_length :].repeat_interleave(paths, 0)
        # Scaled values: the lags' reach into the past, then the horizon as it is drawn.
        reach = spec.history
        drawn = window.values.new_empty(rows, reach + horizon, dim)
        drawn[:, :reach] = window.values[:, past - reach :].repeat_interleave(paths, 0) / scale[:, None]
        seen = None
        if spec.missing:
            seen = drawn.new_ones(rows, reach + horizon, dim)
            if window.observed is not None:
                seen[:, :reach] = window.observed[:, past - reach :].repeat_interleave(paths, 0)
        inputs = drawn.new_empty(rows, 1, spec.input_size)
        ones = torch.ones_like(scale)
        for step in range(horizon):
            parts = [drawn[:, reach + step - lag] for lag in spec.lags]
            if seen is not None:
                parts.append(seen[:, reach + step - 1])
            parts.append(features[:, step])
            torch.cat(parts, dim=1, out=inputs[:, 0])
            hidden, state = self.encoder(inputs, state)
            drawn[:, reach + step] = self.head.sample(hidden[:, 0], ones)
        return (drawn[:, reach:] * scale[:, None]).view(batch, paths, horizon, dim)

    def _scale(self, window: Window) -> Tensor:
        first = self.spec.history
        part = slice(first, first + self.spec.context_length)
        observed = None if window.observed is None else window.observed[:, part]
        return self.scaling.scale(window.values[:, part], observed, self.usual_scale)

    def _inputs(self, window: Window, scale: Tensor) -> Tensor:
        """Inputs ``[B, T, I]`` of the T steps that the features cover."""
        first, length = self.spec.history, window.features.shape[1]
        parts = [window.values[:, first - lag : first - lag + length] / scale[:, None] for lag in self.spec.lags]
        if self.spec.missing:
            before = slice(first - 1, first - 1 + length)
            seen = window.observed
            parts.append(torch.ones_like(parts[0]) if seen is None else seen[:, before])
        parts.append(window.features)
        return torch.cat(parts, dim=2)
