"""Sample paths within the domain of a series: counts are whole numbers, amounts are not negative."""

from __future__ import annotations

import numpy as np

from ...datasets.entries.domain import Domain


def within(paths: np.ndarray, domain: Domain, sums_of: np.ndarray | None = None) -> np.ndarray:
    """Paths with their nearest values in a domain.

    Arguments:
        paths: of any shape.
        domain: ``"real"``, ``"nonnegative"``, or ``"count"`` for whole numbers from 0.
        sums_of: of the same shape, the series last; counts are rounded up or down so that these would keep their sums
            (`roundings`). A changed future is rounded as the planned one, so that what did not change stays.

    Example:
        >>> within(np.array([-1.2, 0.4, 2.7]), "nonnegative"), within(np.array([-1.2, 0.4, 2.7]), "count")
        (array([0. , 0.4, 2.7]), array([0., 0., 3.]))
    """
    if domain == "real":
        return paths
    settled = np.maximum(paths, 0)
    if domain != "count":
        return settled
    return np.rint(settled) if sums_of is None else np.floor(settled + roundings(np.maximum(sums_of, 0)))


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
    if (paths >= 0).all():
        return paths
    falling = -np.sort(-paths.astype(np.float64), axis=0)
    number = np.arange(1, len(paths) + 1).reshape(-1, *[1] * (paths.ndim - 1))
    total = np.maximum(falling.sum(0), 0)
    # How much the largest n paths are lowered, if these are the ones above 0.
    lowered = (falling.cumsum(0) - total) / number
    above = (falling > lowered).sum(0, keepdims=True).clip(min=1)
    return np.maximum(paths - np.take_along_axis(lowered, above - 1, axis=0), 0).astype(paths.dtype)


def roundings(paths: np.ndarray) -> np.ndarray:
    """What to add to values before they are rounded down, so that whole numbers have the sums of the paths.

    Rounded one by one, 0.3 units of each of a hundred articles are none at all. Here the sum of the first d values is
    rounded for every d, and each value is what that adds.

    Arguments:
        paths: ``[..., D]``, at least 0.

    Returns:
        ``[..., D]``, from 0 to below 1; values that are whole stay as they are.

    Example:
        >>> paths = np.array([0.3, 0.3, 0.3, 0.0, 2.0, 0.3])
        >>> np.floor(paths + roundings(paths))
        array([0., 1., 0., 0., 2., 0.])
    """
    before = paths.cumsum(-1, dtype=np.float64) - paths
    return (before + 0.5) % 1
