"""Changes and previous values of series with missing values."""

from __future__ import annotations

import numpy as np


def bridged(target: np.ndarray, season: int) -> np.ndarray:
    """The target with gaps interpolated.

    A gap holds the last value that was seen at the same place of a season; one of more than a season within a series
    the seasons before it, there and back. What lies before the first value that was seen, as of an article that was
    launched later, is mirrored at it, season by season: a constant there would say that such a series never varies. A
    series of less than two seasons has the first value at each place.

    Arguments:
        target: ``[D, T]``, NaN where missing.
        season: steps of a season.

    Returns:
        float64 ``[T, D]``, with `unseen` where nothing was seen at a place of the season.

    Example:
        >>> bridged(np.array([[np.nan, 2.0, 3.0, np.nan]]), 2)[:, 0]
        array([3., 2., 3., 2.])
        >>> bridged(np.array([[np.nan, np.nan, np.nan, 5.0, 8.0, 6.0]]), 1)[:, 0]
        array([8., 6., 8., 5., 8., 6.])
    """
    seen = np.asarray(target, dtype=np.float64)
    if np.isnan(seen).any():
        seen = np.stack([_repeated(values, season) for values in seen])
    forward = np.where(np.isnan(seen), previous_values(seen, season), seen)
    backward = forward[:, ::-1]
    filled = np.where(np.isnan(backward), previous_values(backward, season), backward)[:, ::-1]
    result = np.where(np.isnan(filled), unseen(seen, season), filled)
    for values, known in zip(result, ~np.isnan(seen), strict=True):
        _mirror(values, int(known.argmax()), season)
    return result.T


def _repeated(values: np.ndarray, season: int) -> np.ndarray:
    """A series ``[T]`` with the seasons before each long gap in it, the newest first, there and back."""
    known = np.flatnonzero(~np.isnan(values))
    gaps = known[1:][np.diff(known) > season + 1]
    values = values.copy()
    for end in gaps:
        start = int(known[known < end][-1]) + 1
        seasons = (start - int(known[0])) // season
        if seasons > 1:
            back = np.arange(end - start) // season
            turn = back % (2 * (seasons - 1))
            lender = np.arange(start, end) - season * (back + 1 + np.minimum(turn, 2 * (seasons - 1) - turn))
            values[start:end] = values[lender]
    return values


def _mirror(values: np.ndarray, first: int, season: int) -> None:
    """Fill a series before its `first` step with the seasons after it, the second one first, there and back."""
    seasons = (len(values) - first) // season
    if first and seasons > 1:
        back = -(np.arange(-first, 0) // season)
        turn = back % (2 * (seasons - 1))
        values[:first] = values[np.arange(first) + season * (back + np.minimum(turn, 2 * (seasons - 1) - turn))]


def changes(target: np.ndarray, lag: int) -> np.ndarray:
    """Changes against the last value seen `lag` steps (or a multiple of it) before.

    A gap is bridged: the change after it is measured from the last value before it.

    Arguments:
        target: ``[D, T]``, NaN where missing.
        lag: 1 for plain changes, the season for seasonal ones.

    Returns:
        ``[D, T]``, NaN where the value or every value before it is missing.

    Example:
        >>> changes(np.array([[1.0, 2.0, np.nan, 5.0]]), 1)
        array([[nan,  1., nan,  3.]])
    """
    return target - previous_values(target, lag)


def previous_values(target: np.ndarray, lag: int, steps: int = 0) -> np.ndarray:
    """The last value seen `lag` steps, or the next multiple of it, before each step.

    Arguments:
        target: ``[D, T]``, NaN where missing.
        lag: steps back.
        steps: how many steps beyond the end to answer for, at most `lag`.

    Returns:
        ``[D, T + steps]``; NaN where nothing was seen before.
    """
    dim, length = target.shape
    whole = -(-length // lag) * lag
    padded = np.full((dim, whole + lag), np.nan, dtype=target.dtype)
    padded[:, lag : lag + length] = target
    phases = padded.reshape(dim, -1, lag)
    season = np.arange(phases.shape[1])[:, None]
    last = np.maximum.accumulate(np.where(np.isnan(phases), 0, season), axis=1)
    return np.take_along_axis(phases, last, axis=1).reshape(dim, -1)[:, : length + steps]


def last_season(target: np.ndarray, season: int) -> np.ndarray:
    """The last value seen at each place of a season, in the order in which the steps to come have these places.

    Arguments:
        target: ``[D, T]``, NaN where missing.
        season: steps of a season.

    Returns:
        ``[D, season]``, with `unseen` where nothing was seen at a place.

    Example:
        >>> last_season(np.array([[1.0, 2.0, 3.0, 4.0], [np.nan, np.nan, 7.0, 8.0]]), 3)
        array([[2., 3., 4.],
               [8., 7., 8.]])
    """
    found = previous_values(target, season, steps=season)[:, -season:]
    return np.where(np.isnan(found), unseen(target, season), found)


def unseen(target: np.ndarray, season: int) -> np.ndarray:
    """Fallback for a seasonal position without observations.

    Arguments:
        target: ``[D, T]``, NaN where missing.
        season: steps of a season.

    Returns:
        ``[D, 1]``: the last value of a series that is younger than a season and has not come there yet; 0 for others,
        as of a shop that is closed on Sundays.
    """
    young = np.isnan(target[:, :-season]).all(axis=1, keepdims=True)
    return np.where(young, np.nan_to_num(previous_values(target, 1, steps=1)[:, -1:]), target.dtype.type(0))
