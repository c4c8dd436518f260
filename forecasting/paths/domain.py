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
