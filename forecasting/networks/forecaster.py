"""The only teacher-forcing and the only decoding loop."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from ..units.feedback import Feedback
from ..units.ranks import Marginals, Units
from ..windows.spec import SeriesSpec
from ..windows.tensor import Statistics, Window
from .encoders.encoder import Encoder
from .gaps import filled
from .heads.head import EmissionHead, HeadLoss, Sampler
from .network import JointForecaster, PathSampler, WindowLoss


class Forecaster(JointForecaster):
    """A causal encoder and an emission head, put to one forecasting problem.

    Step t of the encoder reads the values at its lags, all before t, and the features of t; the head turns what
    it says into the density of the values at t. Values are divided by their scale over the context throughout, or
    ranked among those of the past.

    Arguments:
        spec: the shape of the problem.
        scaling: levels or changes, and how their scale or their distribution is measured.
        encoder: reads inputs of width ``spec.input_size``.
        head: emits the D series.
        statistics: those of the training span; they are saved with the weights.

    Raises:
        ValueError: a head with shared weights on an encoder without, or one without to be trained on some series.
    """

    def __init__(
        self,
        spec: SeriesSpec,
        scaling: Units,
        encoder: Encoder,
        head: EmissionHead,
        statistics: Statistics,
    ) -> None:
        super().__init__(spec, scaling, statistics)
        if head.shared and not encoder.shared:
            raise ValueError(
                f"encoder: expected one that has a context for each series (SharedWeights) for "
                f"{type(head).__name__}, got {type(encoder).__name__}"
            )
        if encoder.sample is not None and not head.shared:
            raise ValueError(
                f"sample: expected a head with shared weights (GaussianProcess) to train on {encoder.sample} series "
                f"at a time, got {type(head).__name__}"
            )
        self.encoder, self.head = encoder, head

    @property
    def lattice(self) -> bool:
        """Whether the head draws whole numbers."""
        return self.head.lattice

    @property
    def width(self) -> int:
        """The widest activations of a decoding step, and the encoder's input."""
        return 4096 + 12 * self.encoder.context_size + 8 * self.spec.input_size

    def spread(self, counts: Tensor) -> Tensor:
        """Counts as the head takes them: as they are, if it is one of whole numbers."""
        return counts if self.head.lattice else super().spread(counts)

    def step_losses(
        self, window: Window, *, context: bool = True, head_loss: HeadLoss | None = None
    ) -> tuple[Tensor, Tensor]:
        """Loss of every step under teacher forcing.

        Arguments:
            window: with the values of the horizon, ``[B, M + C + H, D]``.
            context: whether the steps of the context count, or those of the horizon alone.
            head_loss: computes the loss of the head, ``head.loss`` if ``None``.

        Returns:
            The head's loss ``[B, T]`` and the share of series seen at each step ``[B, T]``, with T = C + H or H.
            In training, a model with shared weights may learn from some series at a time: their loss counts for all.
        """
        first, length = self.spec.history, self.spec.context_length
        series = self.encoder.subset()
        window, scale, marginals = self._in_units(window, series)
        inputs = self._inputs(window, scale)
        hidden, _ = self.encoder(inputs) if series is None else self.encoder(inputs, series=series)
        if not context:
            first, hidden = first + length, hidden[:, length:]
        target = window.values[:, first:]
        if marginals is None:
            target = self.spread(target)
        observed = None if window.observed is None else window.observed[:, first:]
        losses = (head_loss or self.head.loss)(hidden, target, scale, observed)
        weights = torch.ones_like(losses) if observed is None else observed.mean(-1)
        return losses * (self.spec.target_dim / target.shape[-1]), weights

    def loss(self, window: Window, *, context: bool = True, head_loss: HeadLoss | None = None) -> Tensor:
        """Mean loss per observed value: nats a series and step for a density head.

        Arguments:
            window: with the values of the horizon.
            context: whether the steps of the context count.
            head_loss: computes the loss of the head, ``head.loss`` if ``None``.

        Returns:
            A scalar.
        """
        losses, weights = self.step_losses(window, context=context, head_loss=head_loss)
        return (losses * weights).sum() / weights.sum().clamp_min(1e-8) / self.spec.target_dim

    def compiled_loss(self) -> WindowLoss:
        """`loss` with a compiled loss of the head; recurrent networks of torch are kernels already, and not traced."""
        return partial(self.loss, head_loss=torch.compile(self.head.loss))

    def sample(
        self,
        window: Window,
        paths: int,
        feedback: Feedback | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw joint sample paths, each step fed back into the next; see `JointForecaster.sample`."""
        return self.sampler(generator)(window, paths, feedback)

    def sampler(self, generator: torch.Generator | None) -> PathSampler:
        """`sample` for the parts of one forecast, with the memory that the head keeps."""
        return partial(self._decode, self.head.sampler(generator))

    @torch.no_grad()
    def _decode(self, draw: Sampler, window: Window, paths: int, feedback: Feedback | None) -> Tensor:
        spec = self.spec
        batch, past = window.values.shape[0], spec.history + spec.context_length
        window, scale, marginals = self._in_units(window)
        warm = Window(window.values, window.observed, window.features[:, : spec.context_length])
        _, state = self.encoder(self._inputs(warm, scale))
        state = self.encoder.repeat(state, paths)

        rows, horizon, dim = batch * paths, spec.prediction_length, spec.target_dim
        scale = scale.repeat_interleave(paths, 0)
        features = window.features[:, spec.context_length :].repeat_interleave(paths, 0)
        # Scaled values: the lags' reach into the past, then the horizon as it is drawn.
        reach = max(spec.lags)
        drawn = window.values.new_empty(rows, reach + horizon, dim)
        drawn[:, :reach] = window.values[:, past - reach :].repeat_interleave(paths, 0) / scale[:, None]
        seen = None
        if spec.missing:
            seen = drawn.new_ones(rows, reach + horizon, dim)
            if window.observed is not None:
                seen[:, :reach] = window.observed[:, past - reach :].repeat_interleave(paths, 0)
                # What the network never saw of a series in a window it was not told in training either.
                seen[:, reach:] = window.observed.amax(1, keepdim=True).repeat_interleave(paths, 0)
        inputs = drawn.new_empty(rows, 1, spec.input_size)
        ranked = []
        for step in range(horizon):
            parts = [drawn[:, reach + step - lag] for lag in spec.lags]
            if seen is not None:
                parts = [drawn[:, reach + step - lag] * seen[:, reach + step - lag] for lag in spec.lags]
                parts.append(seen[:, reach + step - 1])
            parts.append(features[:, step])
            torch.cat(parts, dim=1, out=inputs[:, 0])
            hidden, state = self.encoder(inputs, state)
            value = draw(hidden[:, 0], scale)
            if feedback is not None and marginals is not None:
                said = marginals.to_values(value.view(batch, paths, dim))
                settled = feedback(step, said.view_as(value)).view(batch, paths, dim)
                ranked.append(settled)
                # Counts are read back from where they were ranked, between two of them; what stays as it was drawn
                # keeps its score, which its value does not tell where several of the past are the same.
                score = marginals.to_normal(self.spread(settled)).reshape(rows, dim)
                value = torch.where(feedback.free(step, said, settled).view_as(value), value, score)
            elif feedback is not None:
                value = feedback(step, value)
            drawn[:, reach + step] = value / scale
        if ranked:
            return torch.stack(ranked, dim=2)
        sampled = (drawn[:, reach:] * scale[:, None]).view(batch, paths, horizon, dim)
        return sampled if marginals is None else marginals.to_values(sampled)

    def _in_units(self, window: Window, series: Tensor | None = None) -> tuple[Window, Tensor, Marginals | None]:
        """The window, or some series of it, in the units of the model, but for the scale ``[B, D]``, and the marginals
        it was ranked by.
        """
        usual = self.usual_scale
        if series is not None:
            window, usual = window.of(series), usual[series]
        first, end = self.spec.history, self.spec.history + self.spec.context_length
        observed = window.observed
        past = None if observed is None else observed[:, :end]
        if self.scaling.past:
            # Spread counts have ranks of their own, and the whole part of what is drawn between two is unbiased.
            window = replace(window, values=self.spread(window.values))
        marginals = self.scaling.marginals(window.values[:, :end], past, usual)
        if marginals is not None:
            values = marginals.to_normal(window.values)
            window = replace(window, values=values if observed is None else values * observed)
        recent = None if past is None else past[:, first:]
        scale = self.scaling.scale(window.values[:, first:end], recent, usual)
        if observed is not None and marginals is None and self.scaling.change is None and not self.spec.missing:
            # A network that is not told of gaps would read them as values of 0; a change of 0 is none.
            held, _ = filled(window, end, torch.arange(usual.shape[0], device=usual.device), season=1)
            window = replace(window, values=torch.cat([held.transpose(1, 2), window.values[:, end:]], dim=1))
        return window, scale, marginals

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
