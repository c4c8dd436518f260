"""The units in which a model thinks: levels or changes, each divided by its recent size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ...datasets.entries.domain import Domain
from ...runtime.arguments.kinds import Checked, Positive, Steps


@dataclass(frozen=True)
class Scaling(Checked):
    """Mean scaling of the series: values, or their changes, divided by their recent mean size.

    With ``of="level"`` the model sees ``y_t / s`` with ``s`` the mean of ``|y|`` over the context, as in DeepAR
    (Salinas et al. 2020, arXiv 1704.04110, §3.3) and the published flows (Rasul et al. 2021, arXiv 2002.06103).
    With ``of="change"`` it sees ``(y_t - y_{t-lag}) / s`` with ``s`` the mean ``|y_t - y_{t-lag}|`` over the
    context: the level of the series no longer enters, and a forecast starts where the series ended.

    We differ from the published scale in one point: the mean counts `prior` further values of the size that is
    usual for the series on its training span, so that a context of zeros or of missing values never gives a
    scale of 0.

    Arguments:
        of: ``"level"`` or ``"change"``.
        lag: steps between the values of a change: 1, or the season for seasonal changes.
        prior: how many values of usual size are added to those of the context, positive.
        domain: the values that a path can take. ``"nonnegative"`` paths never fall below 0. ``"count"`` trains
            a continuous head on ``y + u`` with ``u`` uniform in [0, 1) and takes the whole part of what it
            draws, so that paths are integers, without the bias of +0.5 that the noise alone would leave
            (Theis et al. 2016, arXiv 1511.01844, §3.1).

    Example:
        >>> Scaling("change").change
        1
        >>> Scaling().scale(torch.tensor([[[2.0], [4.0]]]), None, usual=torch.tensor([3.0]))
        tensor([[3.]])
    """

    of: Literal["level", "change"] = "level"
    lag: Steps = 1
    prior: Positive = 1.0
    domain: Domain = "real"

    @property
    def change(self) -> int | None:
        """The lag of the changes, or ``None`` where the model works on levels."""
        return self.lag if self.of == "change" else None

    @property
    def past(self) -> int:
        """Steps before the horizon that every window has to hold, beside the context and the lags: none."""
        return 0

    def marginals(self, past: Tensor, observed: Tensor | None, usual: Tensor) -> None:
        """None: the values keep their distribution; see `Copula`."""
        return None

    def scale(self, context: Tensor, observed: Tensor | None, usual: Tensor) -> Tensor:
        """The scale ``s`` of every series in every window.

        Arguments:
            context: ``[B, C, D]`` levels or changes over the context, 0 where missing.
            observed: ``[B, C, D]``, 1 where seen; ``None`` where all were.
            usual: ``[D]`` mean absolute value on the training span, positive.

        Returns:
            ``[B, D]``, positive, data units.
        """
        count = context.shape[1] if observed is None else observed.sum(1)
        return (context.abs().sum(1) + self.prior * usual) / (count + self.prior)


def restore(paths: Tensor, last: Tensor) -> Tensor:
    """Turn sampled changes into levels: ``y_t = y_{t-lag} + x_t``.

    Arguments:
        paths: ``[B, S, H, D]`` changes, data units.
        last: ``[B, lag, D]`` the last values seen before each of the first `lag` steps of the horizon.

    Returns:
        ``[B, S, H, D]`` levels, data units.

    Example:
        >>> restore(torch.ones(1, 1, 3, 1), torch.tensor([[[5.0]]])).flatten()
        tensor([6., 7., 8.])
    """
    batch, count, horizon, dim = paths.shape
    lag = last.shape[1]
    seasons = -(-horizon // lag)
    padded = torch.nn.functional.pad(paths, (0, 0, 0, seasons * lag - horizon))
    summed = padded.view(batch, count, seasons, lag, dim).cumsum(2) + last[:, None, None]
    return summed.view(batch, count, seasons * lag, dim)[:, :, :horizon]
