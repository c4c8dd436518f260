"""Covariate columns of a table as channels on a regular grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..entries.channels import names_of
from .columns import Columns
from .timeline import Timeline

_SHOWN = 5


class Layout:
    """The cells of a table on the grid of a timeline.

    Arguments:
        columns: the table.
        timeline: the grid of T steps, and where each row lies on it.
        codes: the item of each row, as an index into ``items``, ``[rows]``.
        items: the names of the items.
        long: whether a channel belongs to an item, ``column[item]``, or is a column of its own name.
    """

    def __init__(
        self, columns: Columns, timeline: Timeline, codes: np.ndarray, items: tuple[str, ...], long: bool
    ) -> None:
        self.columns, self.timeline, self.codes, self.items, self.long = columns, timeline, codes, items, long
        first, last = np.full(len(items), timeline.length), np.full(len(items), -1)
        np.minimum.at(first, codes, timeline.positions)
        np.maximum.at(last, codes, timeline.positions)
        self.first_row, self.last_row = first, last

    def grid(self, column: str) -> np.ndarray:
        """The values of a column.

        Arguments:
            column: its name.

        Returns:
            ``[items, T]``, NaN where there is no row.
        """
        cells = np.full((len(self.items), self.timeline.length), np.nan)
        cells[self.codes, self.timeline.positions] = self.columns.numbers(column)
        return cells

    def channels(
        self,
        columns: Sequence[str],
        fill_until: int,
        end: int,
        ended: np.ndarray,
        absent: Mapping[str, float] | None = None,
    ) -> tuple[np.ndarray, tuple[str, ...]]:
        """Channels that each item has for itself.

        Arguments:
            columns: the columns.
            fill_until: before this step a gap takes the item's last value.
            end: the number of steps for which values are needed.
            ended: which items end early, bool ``[items]``: after their last row its value stands.
            absent: the value of a column where an item has no row.

        Returns:
            ``[K, end]`` and the K names; before an item's first row its first value stands.

        Raises:
            ValueError: a value is missing; the message names column, item and date.
        """
        names: list[str] = []
        rows = [np.empty((0, end))]
        for column in columns:
            owners = self.items if self.long else ("",)
            cells = self.grid(column)[:, :end]
            if absent and column in absent:
                rows.append(np.where(np.isnan(cells), absent[column], cells))
            else:
                ends = np.where(ended, self.last_row, end) if self.long else np.full(1, end)
                rows.append(self._complete(cells, column, owners, (self.first_row, ends), fill_until))
            names += names_of(column, owners) if self.long else (str(column),)
        return np.concatenate(rows), tuple(names)

    def shared_channels(self, columns: Sequence[str], fill_until: int) -> tuple[np.ndarray, tuple[str, ...]]:
        """Channels that all items share.

        Arguments:
            columns: the columns; on each date the rows that have a value agree.
            fill_until: before this step a gap takes the last value.

        Returns:
            ``[K, T]`` and the K names.

        Raises:
            ValueError: items disagree, or a date has no value; the message names column and date.
        """
        rows = [np.empty((0, self.timeline.length))]
        for column in columns:
            cells = self.grid(column)
            seen = ~np.isnan(cells)
            low = np.where(seen, cells, np.inf).min(axis=0)
            high = np.where(seen, cells, -np.inf).max(axis=0)
            different = np.flatnonzero(low < high)
            if len(different):
                at = int(different[0])
                raise ValueError(
                    f"shared_covariates: expected {column!r} to be the same for all items of a date, got "
                    f"{low[at]:g} and {high[at]:g} on {self.timeline.date(at)}"
                )
            merged = np.where(seen.any(axis=0), low, np.nan)[None]
            whole = np.zeros(1, dtype=int), np.full(1, self.timeline.length)
            rows.append(self._complete(merged, column, ("",), whole, fill_until))
        return np.concatenate(rows), tuple(str(column) for column in columns)

    def _complete(
        self,
        cells: np.ndarray,
        column: str,
        owners: Sequence[str],
        rows: tuple[np.ndarray, np.ndarray],
        fill_until: int,
    ) -> np.ndarray:
        """Fill what may be filled, outside the first and last rows too, and refuse what is missing after that."""
        steps = np.arange(cells.shape[1])
        first_row, last_row = rows
        seen = ~np.isnan(cells)
        latest = np.maximum.accumulate(np.where(seen, steps, 0), axis=1)
        carried = np.take_along_axis(cells, latest, axis=1)
        opening = np.take_along_axis(cells, seen.argmax(axis=1)[:, None], axis=1)
        result = np.where(steps < first_row[:, None], opening, cells)
        may_be_filled = (steps < fill_until) | (steps > last_row[:, None])
        result = np.where(np.isnan(result) & may_be_filled, carried, result)
        missing = np.argwhere(np.isnan(result))
        if len(missing):
            row, at = (int(index) for index in missing[0])
            owner = f" of item {owners[row]!r}" if owners[row] else ""
            raise ValueError(
                f"covariates: expected a value of {column!r}{owner} on {self.timeline.date(at)}, got none "
                f"({len(missing)} missing values in this column){self._ended(result, owners)}"
            )
        return result

    def _ended(self, cells: np.ndarray, owners: Sequence[str]) -> str:
        """What to do about items that have no value in the last step, where others have."""
        ended = [repr(owner) for owner, missing in zip(owners, np.isnan(cells[:, -1]), strict=True) if missing]
        if not 0 < len(ended) < len(owners):
            return ""
        shown = ", ".join(ended[:_SHOWN]) + (f" and {len(ended) - _SHOWN} more" if len(ended) > _SHOWN else "")
        last = self.timeline.date(cells.shape[1] - 1)
        return f"; {shown}: give values up to {last}, or leave items that have ended out of the table"
