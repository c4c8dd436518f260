"""The future of an entry: its planned channels, and the changes that scenarios make to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...datasets.entries.channels import PROMO, ChannelName, items_of, kinds_of
from .notation import SALES, Change

BASELINE = "baseline"


@dataclass(frozen=True)
class Future:
    """What a model is told of the steps to come.

    Arguments:
        covariates: ``[K, T + H]`` history and horizon, units of each channel; ``None`` where there are none.
        imposed: ``[D, H]`` sales that are set, NaN where free.
    """

    covariates: np.ndarray | None
    imposed: np.ndarray

    def changed(self, change: Change, item_ids: Sequence[str], names: Sequence[str]) -> Future:
        """The future after one change.

        Arguments:
            change: what changes.
            item_ids: names of the D series.
            names: names of the K channels.

        Raises:
            ValueError: the article, the channel or the steps are not the model's, or a channel that was always
                positive, such as a price, would not be, or a promotion, or what else was always 0 or 1, would be
                beyond 0 to 1, or a share of nothing be added; the message names what is known.
        """
        if change.article is not None and change.article not in item_ids:
            raise ValueError(f"article: expected one of {some(item_ids)}; got {change.article!r} in '{change}'")
        horizon = self.imposed.shape[1]
        steps = change.steps(horizon)
        if change.channel == SALES:
            imposed = self.imposed.copy()
            imposed[list(item_ids).index(str(change.article)), steps] = change.value
            return Future(self.covariates, imposed)
        if self.covariates is None or change.row not in names:
            raise ValueError(f"channel: {_unknown(change, names)}")
        covariates, row = self.covariates.copy(), list(names).index(change.row)
        ahead = covariates[row, covariates.shape[1] - horizon :]
        if change.relative and change.value and not ahead[steps].any():
            raise ValueError(f"{change.row}: expected a value to set, as the plan has 0 there, got '{change}'")
        ahead[steps] = ahead[steps] * (1 + change.value) if change.relative else change.value
        so_far = self.covariates[row]
        if (so_far > 0).all() and not (ahead > 0).all():
            raise ValueError(f"{change.row}: expected more than 0, as at every step so far, got '{change}'")
        share = np.isin(so_far, (0, 1)).all() or change.channel == PROMO
        if share and (so_far == 0).any() and _within(so_far) and not _within(ahead):
            raise ValueError(f"{change.row}: expected 0 to 1, as at every step so far, got '{change}'")
        return Future(covariates, self.imposed)


def _within(values: np.ndarray) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())


def _unknown(change: Change, names: Sequence[str]) -> str:
    if not names:
        return f"the model, or a member of it, has seen no covariates, only sales can be imposed; got '{change}'"
    kinds = zip(kinds_of(names), items_of(names), strict=True)
    known = dict.fromkeys(kind if item is None else str(ChannelName(kind, "article")) for kind, item in kinds)
    return f"the model knows {', '.join(known)} and sales[article]; got '{change}'"


def some(names: Sequence[str], limit: int = 30) -> str:
    """Names for a message, and how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
