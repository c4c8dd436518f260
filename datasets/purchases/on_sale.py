"""When an article could be bought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .purchases import Purchases, in_seconds

WEEK = np.timedelta64(7, "D")
_NEVER, _EVER = np.datetime64("1970-01-01", "s"), np.datetime64("2262-01-01", "s")


@dataclass(frozen=True, eq=False)
class OnSale:
    """The time in which each article is in the shop.

    Arguments:
        item_ids: the names of the n articles.
        begin: datetime64[s] ``[n]``, from when on.
        end: datetime64[s] ``[n]``, before when; far in the future for one that stays.

    Raises:
        ValueError: an article leaves before it comes.

    Example:
        >>> shop = OnSale(("coat", "hat"), np.array(["2024-01-01", "2024-03-01"], dtype="datetime64[s]"))
        >>> shop.at(np.datetime64("2024-02-01")).tolist()
        [True, False]
    """

    item_ids: tuple[str, ...]
    begin: np.ndarray
    end: np.ndarray | None = None

    def __post_init__(self) -> None:
        begin = np.asarray(self.begin).astype("datetime64[s]")
        end = np.full(len(begin), _EVER) if self.end is None else np.asarray(self.end).astype("datetime64[s]")
        if not len(self.item_ids) == len(begin) == len(end):
            raise ValueError(f"begin: expected a time for each of {len(self.item_ids)} articles, got {len(begin)}")
        if (wrong := end < begin).any():
            at = int(wrong.argmax())
            raise ValueError(
                f"end: expected no time before {begin[at]}, when {self.item_ids[at]!r} comes, got {end[at]}"
            )
        object.__setattr__(self, "begin", begin)
        object.__setattr__(self, "end", end)

    @classmethod
    def seen_in(cls, purchases: Purchases, gone_after: np.timedelta64 = 8 * WEEK) -> OnSale:
        """What purchases say of it: from the first one on, to the last one where that is long ago.

        Arguments:
            purchases: the purchases; an article that nobody bought comes when they end.
            gone_after: an article of which nothing was bought for so long before the end of the purchases is gone.
        """
        n = len(purchases.item_ids)
        if not len(purchases):
            return cls(purchases.item_ids, np.full(n, _NEVER))
        latest = purchases.time[-1]
        begin, end = np.full(n, latest), np.full(n, _NEVER)
        np.minimum.at(begin, purchases.article, purchases.time)
        np.maximum.at(end, purchases.article, purchases.time)
        gone = (end < latest - gone_after) & (end >= begin)
        return cls(purchases.item_ids, begin, np.where(gone, end + np.timedelta64(1, "s"), _EVER))

    @property
    def leaves(self) -> np.ndarray:
        """datetime64[s] ``[n]``, before when each article is on sale."""
        assert self.end is not None
        return self.end

    def at(self, time: np.datetime64 | np.ndarray) -> np.ndarray:
        """Whether each article is on sale at some times: bool ``[n]``, or ``[T, n]`` for times ``[T]``."""
        when = np.asarray(time).astype("datetime64[s]")[..., None]
        found: np.ndarray = (self.begin <= when) & (when < self.leaves)
        return found

    def weeks(self, begin: np.datetime64, end: np.datetime64) -> np.ndarray:
        """For how many weeks each article is on sale between two times, float64 ``[n]``."""
        first = np.maximum(self.begin, in_seconds(begin))
        last = np.minimum(self.leaves, in_seconds(end))
        weeks: np.ndarray = np.maximum((last - first) / WEEK, 0.0)
        return weeks

    def of_items(self, item_ids: Sequence[str]) -> OnSale:
        """That of some articles; one that is not known comes when the latest of the others did."""
        place = {item: number for number, item in enumerate(self.item_ids)}
        code = np.array([place.get(item, -1) for item in item_ids], dtype=np.int64)
        known, late = code >= 0, self.begin.max() if len(self.begin) else _NEVER
        end = np.where(known, self.leaves[code], _EVER)
        return OnSale(tuple(item_ids), np.where(known, self.begin[code], late), end)
