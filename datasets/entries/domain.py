"""The values that series and their sample paths can take: real numbers, amounts that are not negative, or counts."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Literal

import numpy as np

DataDomain = Literal["real", "positive", "unit", "count"]
"""The values of the series of a dataset: any, from 0, from 0 to 1, or whole numbers from 0."""

Domain = Literal["real", "nonnegative", "count"]
"""The values of the paths of a model."""

_GOLDEN = (5**0.5 - 1) / 2


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
