"""Windows by index: one tensor a dataset, features computed once, batches gathered from it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ...datasets.entries.channels import Channels, items_of
from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import written_date
from .calendar import calendar_features
from .gaps import changes
from .spec import SeriesSpec


@dataclass(frozen=True)
class Window:
    """A batch of windows, in the model's units (levels or changes, see `Scaling`).

    Arguments:
        values: ``[B, M + C + H, D]`` (``[B, M + C, D]`` where the horizon is to be forecast); missing values
            are 0.
        observed: the same shape, 1 where a value was seen; ``None`` where all were.
        features: ``[B, C + H, F]`` calendar features and standardised covariates. Channels known of the past alone
            stand one step late, as the last values do, and are 0 from the second step of the horizon on; a
            last feature is 1 as far as they are known.
    """

    values: Tensor
    observed: Tensor | None
    features: Tensor

    def to(self, device: torch.device) -> Window:
        """The same windows on a device."""
        observed = None if self.observed is None else self.observed.to(device)
        return Window(self.values.to(device), observed, self.features.to(device))

    def of(self, series: Tensor) -> Window:
        """The same windows of some of the series, ``[n]`` numbers."""
        observed = None if self.observed is None else self.observed[..., series]
        return Window(self.values[..., series], observed, self.features)


@dataclass(frozen=True)
class Statistics:
    """Scale of the series, and mean and standard deviation of the covariates, over the training span.

    Arguments:
        scale: ``[D]`` mean absolute value of every series, in the model's units; never 0.
        covariate_mean: ``[K + P]`` in the units of the covariate, known-future channels first; of a channel of one
            series over the steps from its first value on, because before it there was no price.
        covariate_std: ``[K + P]`` likewise; 1 where a covariate never varies.
    """

    scale: Tensor
    covariate_mean: Tensor
    covariate_std: Tensor


class SeriesTensor:
    """Multivariate entries as one tensor ``[T, D]`` with their features, ready to gather windows from.

    Every entry is padded in front by the history and the context, so that a window may start before the data;
    several entries lie one behind the other and no window crosses from one into the next.

    Arguments:
        entries: in data units, as `as_multivariate` reads them.
        spec: the shape of the problem.
        change: lag of the changes that the model works on, ``None`` for the values themselves.
        statistics: those of the training span; measured on `entries` if ``None``.
        future: whether the horizon lies beyond the end of ``target`` (to forecast) or inside it (to train).
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        spec: SeriesSpec,
        *,
        change: int | None,
        statistics: Statistics | None = None,
        future: bool = False,
    ) -> None:
        self.spec = spec
        self.pad = spec.history + spec.context_length
        self.unknown = change or 0
        self.gaps = future or any(bool(np.isnan(entry.target).any()) for entry in entries)
        ahead = spec.prediction_length if future else 0
        values, features, covariates, past = [], [], [], []
        self.first: list[int] = []
        self.lengths: list[int] = []
        self.starts = [entry.start for entry in entries]
        offset = 0
        for entry in entries:
            target = entry.target.astype(np.float32, copy=False)
            if change is not None:
                target = changes(target, change)
            length = target.shape[1]
            self.first.append(offset + self.pad)
            self.lengths.append(length)
            offset += self.pad + length + ahead
            values.append(np.pad(target.T, ((self.pad, ahead), (0, 0)), constant_values=np.nan))
            features.append(calendar_features(entry.start - self.pad, self.pad + length + ahead))
            if spec.covariates:
                channels = entry.channels.values[:, : length + ahead].astype(np.float32, copy=False)
                covariates.append(np.pad(channels.T, ((self.pad, 0), (0, 0)), mode="edge"))
            if spec.past_covariates:
                channels = entry.past_channels.values[:, :length].astype(np.float32, copy=False)
                # One step late: what is known when a step is forecast is the value before it.
                past.append(np.pad(channels.T, ((self.pad + 1, ahead), (0, 0)), mode="edge")[:-1])
        stacked = np.concatenate(values)
        seen = ~np.isnan(stacked)
        self.statistics = statistics or _measure(stacked, seen, entries, spec)
        # No window can tell a missing value from a change of 0, or a level of 0, but by the mask.
        self.values = torch.from_numpy(np.where(seen, stacked, np.float32(0)))
        self.observed = torch.from_numpy(seen.astype(np.float32))
        parts = [torch.from_numpy(np.concatenate(features))]
        if spec.covariates:
            raw = torch.from_numpy(np.concatenate(covariates))
            parts.append(self._standard(raw, slice(None, spec.covariates)))
        self.features = torch.cat(parts, dim=1)
        self.past = None
        if spec.past_covariates:
            lagged = torch.from_numpy(np.concatenate(past))
            self.past = self._standard(lagged, slice(spec.covariates, None)).nan_to_num(nan=0.0)

    def _standard(self, raw: Tensor, channels: slice) -> Tensor:
        return (raw - self.statistics.covariate_mean[channels]) / self.statistics.covariate_std[channels]

    def to(self, device: torch.device) -> SeriesTensor:
        """Move the data to `device`, where windows are gathered from then on."""
        self.values, self.features = self.values.to(device), self.features.to(device)
        self.observed = self.observed.to(device)
        self.past = None if self.past is None else self.past.to(device)
        return self

    @property
    def bytes(self) -> int:
        """Memory that the data take on a device."""
        tensors = (self.values, self.features, self.observed, self.past)
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors if tensor is not None)

    def ordinals(self, rows: Tensor) -> Tensor:
        """The ordinals ``[N]`` of the periods at some rows, by which pandas counts them.

        Arguments:
            rows: int64 ``[N]`` row numbers.
        """
        first = torch.tensor(self.first)
        entry = torch.searchsorted(first, rows, right=True) - 1
        begins = torch.tensor([start.ordinal for start in self.starts])
        return begins[entry] + (rows - first[entry]) * self.starts[0].freq.n

    def training_starts(self, skip_last: int = 0) -> Tensor:
        """Every step at which a horizon may start, with as much history as the data allow.

        Windows with their whole past inside the data are preferred; where the data are too short for one,
        windows with a padded past take their place.

        Arguments:
            skip_last: steps at the end of each entry that stay out (the validation span).

        Returns:
            int64 ``[N]`` row numbers.
        """
        horizon = self.spec.prediction_length
        ranges = []
        for first, length in zip(self.first, self.lengths, strict=True):
            last = length - skip_last - horizon
            if last < 1:
                continue
            earliest = min(self.pad + self.unknown, max(1, last - horizon))
            ranges.append(torch.arange(first + earliest, first + last + 1))
        if not ranges:
            raise ValueError(
                f"training_data: expected more than {skip_last + horizon} steps "
                f"(horizon {horizon}, validation span {skip_last}), got {max(self.lengths)}"
            )
        return torch.cat(ranges)

    def validation_starts(self, span: int) -> Tensor:
        """Starts of the windows whose horizon lies in the last `span` steps of an entry.

        Arguments:
            span: steps at the end of each entry.

        Returns:
            int64 ``[N]`` row numbers, consecutive horizons first, at most one a step; none of an entry that is no
            longer than the horizon.

        Raises:
            ValueError: no entry is longer than the horizon.
        """
        horizon = self.spec.prediction_length
        ranges = []
        for first, length in zip(self.first, self.lengths, strict=True):
            if length <= horizon:
                continue
            earliest = max(1, length - span)
            ranges.append(torch.arange(first + earliest, first + length - horizon + 1))
        if not ranges:
            raise ValueError(
                f"validation_data: expected more steps than the horizon of {horizon}, got {max(self.lengths)}"
            )
        return torch.cat(ranges)

    def forecast_starts(self) -> Tensor:
        """The first step beyond the end of every entry, int64 ``[N]`` row numbers."""
        ends = [first + length for first, length in zip(self.first, self.lengths, strict=True)]
        return torch.tensor(ends)

    def date(self, row: int) -> str:
        """The date of a row, as its table writes it."""
        number = bisect_right(self.first, row) - 1
        return written_date(self.starts[number], row - self.first[number])

    def windows(self, starts: Tensor) -> Windows:
        """The windows whose horizon starts at `starts`, int64 ``[N]`` row numbers."""
        return Windows(self, starts, self._masked(starts))

    def _masked(self, starts: Tensor) -> bool:
        """Whether some window holds a gap, or begins before its entry does."""
        first = torch.tensor(self.first, device=starts.device)
        before = first[torch.searchsorted(first, starts.contiguous(), right=True) - 1]
        return self.gaps or bool((starts < before + self.pad + self.unknown).any())

    def gather(self, starts: Tensor, *, horizon: bool = True, masked: bool | None = None) -> Window:
        """Gather the windows whose horizon starts at `starts`.

        Arguments:
            starts: int64 ``[B]`` row numbers.
            horizon: whether the values of the horizon are part of the window.
            masked: whether the windows say which values were seen; where some were not, if ``None``.

        Returns:
            The batch, on the device of the data.
        """
        context, ahead = self.spec.context_length, self.spec.prediction_length
        masked = self._masked(starts) if masked is None else masked
        starts = starts.to(self.values.device)
        steps = torch.arange(-self.pad, ahead, device=starts.device)
        index = starts[:, None] + steps
        inside = index if horizon else index[:, : self.pad]
        recent = index[:, self.pad - context :]
        features = self.features[recent]
        if self.past is not None:
            known = (steps[self.pad - context :] <= 0).to(features.dtype)[None, :, None].expand(len(starts), -1, 1)
            features = torch.cat([features, self.past[recent] * known, known], dim=2)
        return Window(
            values=self.values[inside],
            observed=self.observed[inside] if masked else None,
            features=features,
        )


@dataclass(frozen=True)
class Windows:
    """Windows of one dataset, from which batches are gathered.

    Arguments:
        series: the dataset.
        starts: int64 ``[N]`` rows at which their horizons start.
        masked: whether batches say which values were seen: all of them do, or none.
    """

    series: SeriesTensor
    starts: Tensor
    masked: bool

    def only(self, starts: Tensor) -> Windows:
        """Some of the windows, int64 ``[n]`` row numbers."""
        return replace(self, starts=starts)

    def at(self, starts: Tensor) -> Window:
        """The batch of the windows at some of the starts, int64 ``[B]`` row numbers."""
        return self.series.gather(starts, masked=self.masked)


def _measure(stacked: np.ndarray, seen: np.ndarray, entries: Sequence[Entry], spec: SeriesSpec) -> Statistics:
    """The statistics of entries and their values ``[T, D]`` in the model's units."""
    size = np.where(seen, np.abs(stacked), 0).sum(0, dtype=np.float64) / np.maximum(seen.sum(0), 1)
    usual = float(size[size > 0].mean()) if (size > 0).any() else 1.0
    scale = np.where(size > 0, size, usual).astype(np.float32)
    known = _while_there(entries, [entry.channels for entry in entries]) if spec.covariates else []
    if spec.past_covariates:
        known += _while_there(entries, [entry.past_channels for entry in entries])
    mean = np.array([values.mean(dtype=float) if len(values) else 0 for values in known], dtype=np.float32)
    std = np.array([values.std(dtype=float) if len(values) else 0 for values in known], dtype=np.float32)
    return Statistics(
        scale=torch.from_numpy(scale),
        covariate_mean=torch.from_numpy(mean),
        covariate_std=torch.from_numpy(np.where(std > 0, std, 1).astype(np.float32)),
    )


def _while_there(entries: Sequence[Entry], channels: Sequence[Channels]) -> list[np.ndarray]:
    """The known values of each channel over the targets of entries, those of one series from its first value on."""
    names = channels[0].names or ("",) * len(channels[0])
    found: list[list[np.ndarray]] = [[] for _ in names]
    for entry, each in zip(entries, channels, strict=True):
        seen = ~np.isnan(entry.target)
        begins = dict(zip(entry.item_ids, np.where(seen.any(1), seen.argmax(1), entry.length), strict=False))
        values = each.values[:, : entry.length].astype(np.float32, copy=False)
        for kept, owner, row in zip(found, items_of(names), values, strict=True):
            row = row[begins.get(owner or "", 0) :]
            kept.append(row[~np.isnan(row)])
    return [np.concatenate(kept) for kept in found]
