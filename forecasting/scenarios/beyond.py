"""Changed futures beyond all that was: told in words, and refused where no question can be meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...datasets.entries.channels import ChannelName
from ...datasets.entries.unseen import range_in_words
from .future import Future
from .notation import SALES, Change

FAR = 1000
"""How many times beyond all values so far a change is a slip of the pen."""

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class _Row:
    """A channel, or the sales of an article, that a future sets.

    Arguments:
        name: such as ``price[coat]``.
        was: values seen and planned.
        would: those over the horizon; of sales those that are imposed.
    """

    name: str
    was: np.ndarray
    would: np.ndarray

    @property
    def is_sales(self) -> bool:
        return ChannelName.parse(self.name).kind == SALES


def unseen_values(
    planned: Future,
    future: Future,
    item_ids: Sequence[str],
    names: Sequence[str],
    target: np.ndarray,
    room: float = 0.02,
) -> tuple[str, ...]:
    """Which channels and sales a change takes beyond all that they were in the past and in the plan, in words.

    What a model says of such values it has not seen: it goes on as it was within them. Sales below all that were seen
    are those of an article that sells out, which is what is asked most.

    Arguments:
        planned: the planned future.
        future: the changed one.
        item_ids: names of the D series.
        names: of the K channels.
        target: ``[D, T]`` the past, NaN where missing.
        room: how far beyond, as a share of the range of the values seen, is not told yet.

    Returns:
        A sentence a channel, and one an article whose sales are set.
    """
    said = []
    for row in _changed_rows(planned, future, item_ids, names, target):
        low, high = (row.was.min(), row.was.max()) if len(row.was) else (0.0, 0.0)
        apart = room * (high - low) + 1e-6 * max(abs(low), abs(high))
        below = (row.would < low - apart) & (not row.is_sales)
        beyond = row.would[below | (row.would > high + apart)]
        if len(beyond):
            what = "the sales of others" if row.is_sales else "sales"
            said.append(f"{range_in_words(row.name, low, high, beyond)}: how {what} answer to that was never seen")
    return tuple(said)


def require_sensible(
    planned: Future,
    future: Future,
    changes: Sequence[Change],
    item_ids: Sequence[str],
    names: Sequence[str],
    target: np.ndarray,
) -> None:
    """Refuse a slip of the pen: values a thousand times beyond all that a channel, or the sales of an article, were.

    What was always 0 is measured by the others of its kind, such as the promotions of other articles.

    Arguments:
        planned: the planned future.
        future: that of all changes together.
        changes: what changes.
        item_ids: names of the D series.
        names: of the K channels.
        target: ``[D, T]`` the past, NaN where missing.

    Raises:
        ValueError: a value is; the message names the changes that lead there.
    """
    for row in _changed_rows(planned, future, item_ids, names, target):
        least, most = (row.was.min(), row.was.max()) if len(row.was) else (0.0, 0.0)
        size = max(abs(least), abs(most)) or _size_of_kind(row, planned, names, target) or 1.0
        far = np.abs(row.would) > FAR * size
        if least > 0 and not row.is_sales:
            far |= row.would * FAR < least
        if far.any():
            by = "; ".join(f"'{change}'" for change in changes if change.row == row.name)
            raise ValueError(
                f"{row.name}: expected a value within {FAR:,} times of those so far, {least:.4g} to {most:.4g}, got "
                f"{row.would[far][0]:.4g} by {by}"
            )


def require_held(future: Future, changes: Sequence[Change], names: Sequence[str]) -> None:
    """Refuse values that no network can hold, such as 1e300.

    Raises:
        ValueError: a change sets one.
    """
    held = dict(zip(names, future.covariates, strict=True)) if names and future.covariates is not None else {}
    wrong = {name for name, values in held.items() if not (np.abs(values) <= _LARGEST).all()}
    for change in changes:
        if change.row in wrong or (change.channel == SALES and change.value > _LARGEST):
            raise ValueError(f"{change.row}: expected values up to {_LARGEST:.2g}, got '{change}'")


def _changed_rows(
    planned: Future, future: Future, item_ids: Sequence[str], names: Sequence[str], target: np.ndarray
) -> Iterator[_Row]:
    horizon = planned.imposed.shape[1]
    # A model that reads no channels names none, whatever the data hold.
    if names and planned.covariates is not None and future.covariates is not None:
        for name, before, after in zip(names, planned.covariates, future.covariates, strict=True):
            if (before != after).any():
                yield _Row(name, before, after[-horizon:])
    for place, name in enumerate(item_ids):
        set_to, plan = future.imposed[place], planned.imposed[place]
        new = ~np.isnan(set_to) & (set_to != plan)
        if new.any():
            was = np.concatenate([target[place].astype(np.float64), plan])
            yield _Row(str(ChannelName(SALES, name)), was[~np.isnan(was)], set_to[new])


def _size_of_kind(row: _Row, planned: Future, names: Sequence[str], target: np.ndarray) -> float:
    """The largest value of all channels of a kind, or of all sales."""
    if row.is_sales:
        sizes = np.abs(target[~np.isnan(target)])
    else:
        kind = ChannelName.parse(row.name).kind
        assert planned.covariates is not None
        same = [ChannelName.parse(name).kind == kind for name in names]
        sizes = np.abs(planned.covariates[same])
    return float(sizes.max(initial=0.0))
