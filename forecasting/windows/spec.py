"""What a model needs to know of its data, inferred from the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...datasets.entries.checks import check_ahead, check_series, numbers_of, same_names
from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import frequency_family, written_date
from ...datasets.entries.gluonts_keys import KNOWN, PAST
from ...runtime.arguments.kinds import Checked, Count, Number
from ...runtime.reading.room import MOST_STEPS
from .calendar import calendar_features, frequency_lags


@dataclass(frozen=True)
class SeriesSpec(Checked):
    """The shape of a forecasting problem.

    Arguments:
        freq: pandas frequency alias.
        prediction_length: horizon H, in steps.
        context_length: steps C of the past that the encoder reads.
        target_dim: number of series D.
        lags: steps back at which past values enter, increasing.
        calendar: number of calendar features.
        covariates: number K of channels that are known of the future too.
        missing: whether the training data have missing values, so that the encoder is told of them.
        item_ids: names of the D series; their numbers where the entries carry none.
        covariate_names: names of the K channels, ``channel[item]`` or a bare ``channel`` that all series share;
            empty where the entries carry none.
        past: steps before the horizon that every window holds, if they are more than lags and context need.
        past_covariates: number P of channels known of the past alone.
        past_covariate_names: names of the P channels; empty where the entries carry none.
    """

    freq: str
    prediction_length: int
    context_length: int
    target_dim: Count
    lags: tuple[int, ...]
    calendar: Number = 0
    covariates: Number = 0
    missing: bool = False
    item_ids: tuple[str, ...] = ()
    covariate_names: tuple[str, ...] = ()
    past: int = 0
    past_covariates: Number = 0
    past_covariate_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("prediction_length", "context_length", "target_dim", "past"):
            value, least = getattr(self, name), int(name != "past")
            if not least <= value <= (MOST_STEPS if name != "target_dim" else value):
                raise ValueError(f"{name}: expected {least} to {MOST_STEPS}, got {value}")
        if not self.lags or not all(1 <= lag <= MOST_STEPS for lag in self.lags):
            raise ValueError(f"lags: expected steps from 1 to {MOST_STEPS}, got {self.lags}")
        for name, count, names in (
            ("calendar", self.calendar, ()),
            ("covariates", self.covariates, self.covariate_names),
            ("past_covariates", self.past_covariates, self.past_covariate_names),
        ):
            if names and count != len(names):
                raise ValueError(f"{name}: expected {len(names)}, as there are names, got {count}")
            if not names and not 0 <= count <= MOST_STEPS:
                raise ValueError(f"{name}: expected 0 to {MOST_STEPS} without names, got {count}")

    @property
    def history(self) -> int:
        """Steps M before the context: as far as the longest lag reaches, or the past that is asked for."""
        return max(*self.lags, self.past - self.context_length)

    @property
    def features(self) -> int:
        """Width of the calendar and covariate features together; past channels have one that says where they end."""
        return self.calendar + self.covariates + self.past_covariates + (self.past_covariates > 0)

    @property
    def input_size(self) -> int:
        """Width I of one encoder input."""
        return self.target_dim * (len(self.lags) + self.missing) + self.features

    def require(self, entry: Entry, number: int) -> None:
        """Raise where an entry to forecast is of another shape than the training data.

        Arguments:
            entry: a multivariate entry that ends where the forecast begins; its covariates reach over the horizon.
            number: of the entry, for the message.

        Raises:
            ValueError: it has another number of series or channels, another frequency or other names, its covariates do
                not cover the horizon, or imposed values have another shape.
        """
        if entry.dim != self.target_dim:
            raise ValueError(
                f"dataset: expected {self.target_dim} series as in training, got {entry.dim} in entry {number}"
            )
        if frequency_family(entry.freq) != frequency_family(self.freq):
            raise ValueError(f"dataset: expected frequency {self.freq!r} as in training, got {entry.freq!r}")
        known = (self.target_dim, self.prediction_length)
        if entry.imposed is not None and entry.imposed.shape != known:
            raise ValueError(
                f"dataset: expected imposed values {list(known)}, got {entry.imposed.shape} in entry {number}"
            )
        past, channels = entry.past_channels, entry.channels
        if len(past) != self.past_covariates:
            wanted = ", ".join(self.past_covariate_names[:3])
            raise ValueError(
                f"dataset: expected {PAST} [{self.past_covariates}, {entry.length}] "
                f"({wanted or 'without names'}), got {len(past)} channels in entry {number}"
            )
        check_series(entry, self.item_ids)
        same_names("past covariate", past.names, self.past_covariate_names)
        if not self.covariates:
            return
        needed = entry.length + self.prediction_length
        named = f" ({', '.join(self.covariate_names[:3])}, ...)" if self.covariate_names else ""
        end = written_date(entry.start, needed - 1)
        if len(channels) != self.covariates:
            raise ValueError(
                f"dataset: expected {KNOWN} [{self.covariates}, {needed}]{named} over history and "
                f"horizon, to {end}, got {len(channels)} channels in entry {number}"
            )
        check_ahead(entry, self.prediction_length, number, named)
        same_names("covariate", channels.names, self.covariate_names)


def infer_spec(
    entries: Sequence[Entry],
    *,
    freq: str,
    prediction_length: int,
    context_length: int | None = None,
    lags: tuple[int, ...] | None = None,
    past: int = 0,
) -> SeriesSpec:
    """Infer the specification from multivariate training entries.

    Arguments:
        entries: training entries, all with the same D and K.
        freq: pandas frequency alias; it has to be the one of every ``start``.
        prediction_length: horizon H, in steps.
        context_length: steps that the encoder reads; the horizon if ``None``.
        lags: steps back; by frequency if ``None``, where those which reach beyond half of the longest series
            are left out.
        past: steps before the horizon that every window is to hold at least.

    Returns:
        The specification.

    Raises:
        ValueError: the horizon is longer than the history, a lag is not positive, or the frequency of a
            ``start`` differs from `freq`.
    """
    for entry in entries:
        found = entry.freq
        if frequency_family(found) != frequency_family(freq):
            raise ValueError(f"freq: expected the frequency of the data, {found!r}, got {freq!r}")
    longest = max(entry.length for entry in entries)
    if longest <= prediction_length:
        raise ValueError(
            f"prediction_length: expected fewer steps than the history of {longest}, got {prediction_length}"
        )
    if lags is None:
        lags = tuple(lag for lag in frequency_lags(freq) if lag == 1 or lag <= longest // 2)
    if not lags or min(lags) < 1:
        raise ValueError(f"lags: expected positive steps, got {tuple(lags)}")
    first = entries[0]
    return SeriesSpec(
        freq=freq,
        prediction_length=prediction_length,
        context_length=context_length or prediction_length,
        target_dim=first.dim,
        lags=tuple(sorted(set(lags))),
        calendar=calendar_features(first.start, 1).shape[1],
        covariates=len(first.channels),
        missing=any(bool(np.isnan(entry.target).any()) for entry in entries),
        item_ids=first.item_ids or numbers_of(first.dim),
        covariate_names=first.channels.names,
        past=past,
        past_covariates=len(first.past_channels),
        past_covariate_names=first.past_channels.names,
    )
