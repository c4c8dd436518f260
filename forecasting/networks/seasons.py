"""The past by seasons: which there are, and the same places of several of them."""

from __future__ import annotations

import torch
from torch import Tensor

from ...datasets.entries.frequency import frequency_family
from ..windows.spec import SeriesSpec

BETTER = 0.8
"""A season is followed to where it begins a step early or late if that leaves this share of the distance."""

TELLING = 16
"""Series that are compared, at most."""


def seasons_of(spec: SeriesSpec) -> tuple[int, ...]:
    """The lags that are seasons: those above 2, but of business days, whose weeks have no pattern of their own."""
    return () if frequency_family(spec.freq)[1] == "B" else tuple(lag for lag in spec.lags if lag > 2)


def past_seasons(past: Tensor, scale: Tensor, season: int, count: int) -> Tensor:
    """The last seasons, the newest first, each in step with the newest.

    Where a step was left out or came twice, a dropped holiday or an hour of a clock change, seasons before it lie a
    step off. So each is looked for where it is expected from the one after it, a step earlier and a step later, and
    taken from where the series together (`TELLING` of them), apart from their levels, are most like the newest season;
    the place that is expected has an advantage (`BETTER`).

    Arguments:
        past: ``[B, n, P]``, data units.
        scale: ``[B, n, 1]`` usual size of a change, in which distances are measured.
        season: steps of a season.
        count: number of seasons, at most as many as the past holds.

    Returns:
        ``[count, B, n, season]``.

    Example:
        >>> # The week before the last has no Monday.
        >>> week = torch.tensor([1.0, 1, 1, 1, 1, 5, 5])
        >>> past = torch.cat([week, week, week[1:], week])[None, None]
        >>> weeks = past_seasons(past, torch.ones(1, 1, 1), 7, 3)[:, 0, 0]
        >>> [[int(day) for day in week] for week in weeks]
        [[1, 1, 1, 1, 1, 5, 5], [5, 1, 1, 1, 1, 5, 5], [1, 1, 1, 1, 1, 5, 5]]
    """
    newest = past.shape[-1] - season
    looked_at = torch.linspace(0, past.shape[1] - 1, min(past.shape[1], TELLING), device=past.device).round().long()
    form = _form(past[:, looked_at, newest:]) / scale[:, looked_at]
    places, windows = torch.arange(season, device=past.device), torch.arange(len(past), device=past.device)
    shifts = torch.tensor([[0], [1], [-1]], device=past.device)
    some, found = past[:, looked_at].expand(len(shifts), -1, -1, -1), [past[..., newest:]]
    first = torch.full_like(windows, newest)
    for _ in range(1, count):
        nearby = (first - season + shifts).clamp_min(0)
        steps = (nearby[..., None, None] + places).expand(-1, -1, len(looked_at), -1)
        distance = (_form(some.gather(-1, steps)) / scale[:, looked_at] - form).abs().mean((2, 3))
        distance[0] *= BETTER
        first = nearby[distance.argmin(0), windows]
        found.append(past.gather(-1, (first[:, None, None] + places).expand(-1, past.shape[1], -1)))
    return torch.stack(found)


def _form(season: Tensor) -> Tensor:
    """A season apart from its level."""
    return season - season.mean(-1, keepdim=True)
