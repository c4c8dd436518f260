"""Paths of many series whose sum follows a forecast of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...datasets.entries.domain import Domain, phases, settled


def to_totals(
    paths: np.ndarray, totals: np.ndarray, shares: Sequence[int] | None = None, fixed: np.ndarray | None = None
) -> np.ndarray:
    r"""Reconcile paths: at each step their sum follows the distribution of given totals.

    The path with the r-th smallest sum gets the r-th smallest total, so that the order of the paths, and with it
    their course over time, stays; what is missing or too much is shared out in proportion to the size of each value:

    .. math:: x'_d = x_d + (t - \textstyle\sum_e x_e)\, \frac{|x_d|}{\sum_e |x_e|}.

    Values of one sign keep their shares of the sum, and what is 0 stays 0. Reconciling ranked paths is that of Jeon,
    Panagiotelis and Petropoulos (2019, arXiv 1808.02635); the shares are those of the top-down approach
    (Gross and Sohl 1990, doi 10.1002/for.3980090304), here each path's own.

    Arguments:
        paths: ``[S, H, D]``.
        totals: ``[S, H]``, in any order.
        shares: how many of the paths, one group behind the other, come from each of several forecasts. A path is
            ranked within its group, so that each of them has the whole range of the totals; ``None`` for one group.
        fixed: bool ``[H, D]``, values that have to stay as they are; ``None`` for none.

    Returns:
        ``[S, H, D]``. A path that has nothing to scale at a step, all of it 0 or fixed, stays as it is there.

    Example:
        >>> to_totals(np.array([[[1.0, 3.0]], [[2.0, 0.0]]]), np.array([[8.0], [5.0]]))
        array([[[2., 6.]],
        <BLANKLINE>
               [[5., 0.]]])
    """
    return corrected(paths, corrections(paths, totals, shares, fixed), fixed)


def corrections(
    paths: np.ndarray, totals: np.ndarray, shares: Sequence[int] | None = None, fixed: np.ndarray | None = None
) -> np.ndarray:
    """Relative corrections of each path by which its sum follows the totals.

    Arguments:
        paths: ``[S, H, D]``.
        totals: ``[S, H]``; see `to_totals`, which has the same arguments.
        shares: sizes of the groups in which paths are ranked.
        fixed: bool ``[H, D]``, values that have to stay as they are.

    Returns:
        ``[S, H]``, 0 where a path has nothing to scale.

    Example:
        >>> corrections(np.array([[[1.0, 3.0]], [[2.0, 0.0]]]), np.array([[8.0], [5.0]]))
        array([[1. ],
               [1.5]])
    """
    sums = paths.sum(-1)
    groups = np.split(sums, np.cumsum(shares)[:-1]) if shares is not None else [sums]
    levels = np.concatenate([(_ranks(group) + 0.5) / len(group) for group in groups if len(group)])
    missing = np.take_along_axis(np.sort(totals, axis=0), _ranks(levels), axis=0) - sums
    whole = _sizes(paths, fixed).sum(-1)
    return np.where(whole > 0, missing, 0) / np.where(whole > 0, whole, 1)


def corrected(paths: np.ndarray, share: np.ndarray, fixed: np.ndarray | None = None) -> np.ndarray:
    """Paths after relative corrections.

    Arguments:
        paths: ``[S, H, D]``.
        share: ``[S, H]``, as `corrections` finds them.
        fixed: bool ``[H, D]``, values that have to stay as they are; ``None`` for none.

    Returns:
        ``[S, H, D]``.
    """
    return paths + share[..., None] * _sizes(paths, fixed)


def mixed_totals(sums: Sequence[np.ndarray], weights: Sequence[float], count: int) -> np.ndarray:
    """The totals of a mixture of forecasts, at evenly spread levels.

    All paths of every forecast say where the levels lie, not as many of them as its weight is worth: so the totals
    have no noise from which paths were taken.

    Arguments:
        sums: for each of J forecasts ``[S_j, H]``.
        weights: ``[J]``, not negative, 1 in all.
        count: totals S that are asked for.

    Returns:
        ``[S, H]``, rising: the quantiles at (s + 1/2) / S, between neighbours by a straight line.

    Example:
        >>> mixed_totals([np.array([[1.0], [3.0]]), np.array([[9.0]])], [0.5, 0.5], 4)[:, 0]
        array([1., 3., 7., 9.])
    """
    values = np.concatenate([each for each, weight in zip(sums, weights, strict=True) if weight])
    shares = np.concatenate([np.full(len(x), w / len(x)) for x, w in zip(sums, weights, strict=True) if w])
    order = values.argsort(0, kind="stable")
    levels = (np.arange(count) + 0.5) / count * shares.sum()
    found = np.empty((count, values.shape[1]))
    for step, places in enumerate(order.T):
        middles = shares[places].cumsum() - shares[places] / 2
        found[:, step] = np.interp(levels, middles, values[places, step])
    return found


def _sizes(paths: np.ndarray, fixed: np.ndarray | None) -> np.ndarray:
    """What a share is of: the size ``[S, H, D]`` of every value that may change."""
    return np.abs(paths) if fixed is None else np.where(fixed, 0, np.abs(paths))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0 along the first axis, equal values in their order."""
    return values.argsort(0, kind="stable").argsort(0, kind="stable")


def summed(drawn: Mapping[str, np.ndarray], truth: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Paths ``[W, S, H, 1]`` and truth ``[W, H, 1]`` of the sum of those series that are known at a step.

    Arguments:
        drawn: for each model the paths ``[W, S, H, D]``.
        truth: ``[W, H, D]``, NaN where missing.
    """
    missing = np.isnan(truth)
    sums = {name: np.where(missing[:, None], 0.0, paths).sum(-1, keepdims=True) for name, paths in drawn.items()}
    return sums, np.where(missing.all(-1, keepdims=True), np.nan, np.nansum(truth, axis=-1, keepdims=True))


def reconciled(drawn: Mapping[str, np.ndarray], weights: Sequence[float], domain: Domain) -> dict[str, np.ndarray]:
    """Each model's paths, reconciled to the mixture's forecast of the sum.

    Arguments:
        drawn: for each of J models the paths ``[W, S, H, D]`` of W windows.
        weights: ``[J]`` of the models in the forecast of the sum.
        domain: the values that a path can take.
    """
    models = list(drawn.values())
    windows, count = models[0].shape[:2]
    totals = [mixed_totals([paths[window].sum(-1) for paths in models], weights, count) for window in range(windows)]
    told = {
        name: np.stack([to_totals(*each) for each in zip(paths, totals, strict=True)]) for name, paths in drawn.items()
    }
    phase = phases(count, range(models[0].shape[-1]), [0])
    return {
        name: np.stack([settled(each, domain, phase, by="series") for each in paths]) for name, paths in told.items()
    }
