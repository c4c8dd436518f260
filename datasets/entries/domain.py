"""The values that series and their sample paths can take: real numbers, amounts, or counts; and when there are none."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Literal

import numpy as np

from .frequency import frequency_family

DataDomain = Literal["real", "positive", "unit", "count"]
"""The values of the series of a dataset: any, from 0, from 0 to 1, or whole numbers from 0."""

Domain = Literal["real", "nonnegative", "count"]
"""The values of the paths of a model."""

CLOSED_FOR = 8
"""Weeks without a value after which a place of the week counts as closed."""

NOTHING_SOLD_FOR = 26
"""Weeks after which a weekday that had nothing but 0 counts as closed."""

_GOLDEN = (5**0.5 - 1) / 2


def closed(target: np.ndarray, freq: str, horizon: int) -> np.ndarray:
    """The steps to come on which a shop is closed: at this place of the week nothing was ever sold, and else it was.

    A place of the week is a weekday of daily data, and an hour of a weekday of hourly data. It counts as closed for a
    series that had it `CLOSED_FOR` times or more since its first value and never a value there, while at least half of
    the steps at other places have one (places that never had one left out). On a weekday on which a series had nothing
    but 0 it is closed likewise, after `NOTHING_SOLD_FOR` weeks, if at least half of the others are above 0.

    Arguments:
        target: ``[D, T]``, NaN where missing.
        freq: of the steps.
        horizon: H.

    Returns:
        bool ``[H, D]``.

    Example:
        >>> week = np.array([5.0, 6.0, 7.0, 5.0, 6.0, 9.0, np.nan])
        >>> closed(np.tile(week, 10)[None], "D", 8)[:, 0].astype(int)
        array([0, 0, 0, 0, 0, 0, 1, 0])
    """
    count, unit = frequency_family(freq)
    week, rest = divmod({"D": 7, "h": 168}.get(unit, 0), count)
    missing = np.isnan(target)
    if rest or week < 2 or target.shape[1] < CLOSED_FOR * week:
        return np.zeros((horizon, len(target)), dtype=bool)
    shut = np.zeros((len(target), week), dtype=bool)
    if missing.any():
        shut |= _shut(~missing, ~missing, week, CLOSED_FOR)
    if week == 7:
        shut |= _shut(target > 0, ~missing, week, NOTHING_SOLD_FOR)
    return np.asarray(shut[:, np.arange(horizon) % week].T)


def _shut(happened: np.ndarray, seen: np.ndarray, week: int, weeks: int) -> np.ndarray:
    """Places of the week ``[D, week]``, that of the next step first, at which nothing happened in so many weeks."""
    length = seen.shape[1]
    begun = np.logical_or.accumulate(seen, axis=1)
    often, there = (
        np.stack([steps[:, length - week + place :: -week].sum(1) for place in range(week)], axis=1)
        for steps in (happened, begun)
    )
    usual = often.sum(1) >= 0.5 * np.where(often > 0, there, 0).sum(1)
    some = (often > 0).any(1)
    return np.asarray((there >= weeks) & (often == 0) & (usual & some)[:, None])


def raised(paths: np.ndarray) -> np.ndarray:
    """The nearest paths that are nowhere below 0 and have the same means, where these are not below 0 themselves.

    To cut off what lies below 0 would raise the mean of what sells little. Here the paths above are lowered by what the
    others are raised: at each step of a series the projection onto a simplex (Duchi et al. 2008, doi
    10.1145/1390156.1390191).

    Arguments:
        paths: ``[S, ...]``.

    Returns:
        ``[S, ...]``; where the mean is below 0, all 0.

    Example:
        >>> raised(np.array([-1.0, 1.0, 3.0]))
        array([0. , 0.5, 2.5])
    """
    below = (paths < 0).any(0)
    if not below.any():
        return paths
    some = paths[:, below].astype(np.float64)
    falling = -np.sort(-some, axis=0)
    number = np.arange(1, len(paths) + 1)[:, None]
    total = np.maximum(falling.sum(0), 0)
    # How much the largest n paths are lowered, if these are the ones above 0.
    lowered = (falling.cumsum(0) - total) / number
    above = (falling > lowered).sum(0, keepdims=True).clip(min=1)
    found = paths.copy()
    found[:, below] = np.maximum(some - np.take_along_axis(lowered, above - 1, axis=0), 0)
    return found


def roundings(paths: np.ndarray, phase: np.ndarray | float = 0.5) -> np.ndarray:
    r"""What to add to values before they are rounded down, so that whole numbers have the sums of the paths.

    Rounded one by one, 0.3 units of each of a hundred articles are none at all. Here the sum of the first n values plus
    the phase u is rounded down for every n, and each value is what that adds:

    .. math:: y_n = \lfloor u + x_1 + \dots + x_n \rfloor - \lfloor u + x_1 + \dots + x_{n-1} \rfloor .

    So each value is rounded up or down, and every sum of neighbours is off by less than 1. With a phase that is uniform
    on [0, 1) each value, and so each sum, has the mean of what it is rounded from: systematic sampling (Madow 1949, doi
    10.1214/aoms/1177729988; unbiased rounding of tables: Cox 1987, doi 10.1080/01621459.1987.10478456).

    Arguments:
        paths: ``[..., N]``, at least 0; NaN counts as 0.
        phase: u, from 0 to below 1, ``[..., 1]`` or one number.

    Returns:
        float64 ``[..., N]``, from 0 to below 1; values that are whole stay as they are.

    Example:
        >>> paths = np.array([0.3, 0.3, 0.3, 0.0, 2.0, 0.3])
        >>> np.floor(paths + roundings(paths))
        array([0., 1., 0., 0., 2., 0.])
    """
    rest = np.nan_to_num(paths % 1).astype(np.float64)
    return (rest.cumsum(-1) - rest + phase) % 1


def phases(count: int, names: Sequence[str] | range, seed: Sequence[int]) -> np.ndarray:
    """Phases of `roundings` for paths of several series, each uniform on [0, 1).

    Those of a series are evenly spread over the paths, at steps of the golden ratio. They follow from its name, so that
    it is rounded alike whatever stands beside it.

    Arguments:
        count: paths S.
        names: of the D series, or their numbers.
        seed: numbers from 0.

    Returns:
        ``[S, D]``.
    """
    known = [zlib.crc32(str(name).encode()) for name in names]
    first = np.array([np.random.default_rng([*seed, name, 3]).random() for name in known])
    return np.asarray((first + _GOLDEN * np.arange(count)[:, None]) % 1)


def settled(
    paths: np.ndarray,
    domain: DataDomain | Domain,
    phase: np.ndarray,
    *,
    like: np.ndarray | None = None,
    fixed: np.ndarray | None = None,
    by: Literal["steps", "series"] = "steps",
) -> np.ndarray:
    """Paths in the units of the data, with the means that they had.

    What lies below 0 is raised and the paths above lowered in its place, step by step and series by series (`raised`);
    counts are then rounded up or down so that their sums stay (`roundings`). Both keep the mean of every value, and so
    of every sum, where it is not below 0: `raised` that of these very paths, the rounding that over its phase.

    Arguments:
        paths: ``[S, H, D]``; a series without a forecast is NaN.
        domain: ``"real"`` leaves them, ``"nonnegative"`` and ``"positive"`` give values from 0, ``"unit"`` from 0 to 1,
            ``"count"`` whole numbers from 0.
        phase: ``[S, D]``, see `phases`.
        like: ``[S, H, D]`` what says of each count how it is rounded; `paths` if ``None``. A changed future is rounded
            as the planned one, so that what did not change stays.
        fixed: bool ``[H, D]``, values that have to stay as they are; ``None`` for none.
        by: ``"steps"`` keeps the sum of each path of a series over the horizon, to less than 1; ``"series"`` the sum
            over the series at each step, for paths that were reconciled to it.

    Returns:
        ``[S, H, D]``.

    Example:
        >>> paths = np.array([[[0.6], [0.6]], [[-0.2], [0.4]]])
        >>> settled(paths, "count", phases(2, ["hat"], [0])).sum(1).tolist()
        [[1.0], [0.0]]
    """
    if domain == "real":
        return paths
    found = raised(paths)
    if domain == "unit":
        found = 1 - raised(1 - found)
    elif domain == "count" and (found % 1 > 0).any():
        told = found if like is None else raised(like)
        told = told if fixed is None else np.where(fixed, 0, told)
        if by == "series":
            rests = roundings(told, (phase[:, :1, None] + _GOLDEN * np.arange(told.shape[1])[:, None]) % 1)
        else:
            rests = roundings(told.swapaxes(1, 2), phase[..., None]).swapaxes(1, 2)
        found = np.floor(found.astype(np.float64) + rests).astype(paths.dtype)
    return found if fixed is None else np.where(fixed, paths, found)
