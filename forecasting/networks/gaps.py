"""The past of a window without gaps, and what of it was seen."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..windows.tensor import Window


def mean_of_seen(values: Tensor, seen: Tensor) -> Tensor:
    """The mean over the last axis of what was seen; of all, where nothing was."""
    seen = seen | ~seen.any(-1, keepdim=True)
    return (values * seen).sum(-1) / seen.sum(-1)


def filled(window: Window, length: int, series: Tensor, season: int) -> tuple[Tensor, Tensor | None]:
    """The past of some series without gaps, as `bridged` fills them, and what of it was seen.

    A gap holds the last value seen at the same place of a season, the steps before the first value those after it,
    season by season, there and back.

    Arguments:
        window: values ``[B, >= length, D]``.
        length: steps of the past P.
        series: ``[n]`` numbers.
        season: steps of a season.

    Returns:
        ``[B, n, P]``, 0 where a series was never seen; and bool ``[B, n, P]``, ``None`` where all was seen.
    """
    values = window.values[:, :length, series].transpose(1, 2)
    if window.observed is None:
        return values, None
    seen = window.observed[:, :length, series].transpose(1, 2) > 0
    if bool(seen.all()):
        return values, None
    step = torch.arange(length, device=values.device)
    first = torch.where(seen, step, length - 1).amin(-1, keepdim=True)
    # Whole seasons after the first value, the second one before it first: a season there repeated says nothing varies.
    back = -torch.div(step - first, season, rounding_mode="floor")
    turns = (2 * (torch.div(length - first, season, rounding_mode="floor") - 1)).clamp_min(0)
    turn = back % turns.clamp_min(1)
    lender = torch.where((back > 0) & (turns > 0), step + season * (back + torch.minimum(turn, turns - turn)), step)
    last = _last_seen(seen, season)
    next_one = length - 1 - _last_seen(seen.flip(-1), season).flip(-1)
    source = torch.where(last >= 0, last, torch.where(next_one < length, next_one, -1))
    source = source.gather(-1, lender)
    # At a place of the season that was never seen: the last value of all before it, or the first one.
    nearest = torch.where(seen, step, -1).cummax(-1).values
    source = torch.where(source < 0, torch.where(nearest < 0, first, nearest), source)
    return values.gather(-1, source) * seen.any(-1, keepdim=True), seen


def _last_seen(seen: Tensor, season: int) -> Tensor:
    """The last step ``[..., P]``, up to each, that was seen at the same place of a season; -1 for none."""
    length = seen.shape[-1]
    steps = torch.where(seen, torch.arange(length, device=seen.device), -1)
    padded = nn.functional.pad(steps, (0, -length % season), value=-1)
    phases = padded.unflatten(-1, (-1, season)).cummax(-2).values
    return phases.flatten(-2)[..., :length]
