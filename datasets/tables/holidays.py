"""Public holidays of a country as a channel: what share of each step they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ..entries.channels import Channels
from ..entries.data import ForecastData
from ..entries.entry import Entry
from ..entries.frequency import periods


def with_holidays(data: ForecastData, countries: str | Sequence[str]) -> ForecastData:
    """A dataset with a channel for the holidays of each country, known of the future.

    Where a dataset has no other channel, `latest` knows the holidays of the horizon to come.

    Arguments:
        data: the dataset.
        countries: codes of ISO 3166, with a part of the country where it has holidays of its own: ``"DE"``,
            ``"DE-BY"``, ``["DE", "AT"]``.

    Raises:
        ValueError: a country or its part is not known, or the package ``holidays`` is not installed.
    """
    chosen = [countries] if isinstance(countries, str) else list(countries)
    names = tuple(f"holiday_{country.replace('-', '_')}" for country in chosen)
    if not chosen or len(set(names)) < len(names):
        raise ValueError(f"holidays: expected different countries, got {chosen}")

    def added(entry: Entry, length: int) -> Entry:
        rows = np.stack([holiday_shares(country, entry.start, length) for country in chosen])
        known = entry.channels.values if entry.channels else np.empty((0, length), dtype=np.float32)
        channels = Channels(np.concatenate([known, rows]).astype(np.float32), (*entry.channels.names, *names))
        return entry.with_(channels=channels)

    def as_long(entry: Entry) -> Entry:
        return added(entry, entry.channels.length if entry.channels else entry.length)

    metadata, whole = data.metadata, data.whole
    ahead = None if data.ahead is None else as_long(whole)
    if data.ahead is None and not metadata.covariates:
        ahead = added(whole, whole.length + metadata.prediction_length)
    return replace(
        data,
        metadata=replace(metadata, covariates=(*metadata.covariates, *names)),
        train=[as_long(entry) for entry in data.train],
        test=[as_long(entry) for entry in data.test],
        ahead=ahead,
    )


def holiday_shares(country: str, start: pd.Period, length: int) -> np.ndarray:
    """The share of the days of each step that are public holidays ``[T]``: 0 or 1 where a step is a day or shorter.

    A week that is dated by a Monday begins with it, any other one ends on the day by which it is dated.

    Arguments:
        country: as in `with_holidays`.
        start: the first step.
        length: steps T.

    Example:
        >>> holiday_shares("DE", pd.Period("2024-12-23", "W-SUN"), 2).round(3).tolist()
        [0.286, 0.143]
    """
    steps = periods(start, length)
    # pandas has weeks end on the day by which they are called; those that a table dates by Mondays begin with them.
    later = pd.Timedelta(days=6 if start.freqstr == "W-MON" else 0)
    first, last = steps[0].start_time.normalize() + later, steps[-1].end_time.normalize() + later
    days = pd.date_range(first, last, freq="D")
    free = np.isin(days, pd.DatetimeIndex(_dates(country, range(first.year, last.year + 1))))
    # Sums up to each day, so that a step is a difference of two.
    counted = np.concatenate([[0], free.cumsum()])
    begins = (steps.start_time.normalize() + later - first).days.to_numpy()
    ends = (steps.end_time.normalize() + later - first).days.to_numpy() + 1
    return np.asarray((counted[ends] - counted[begins]) / (ends - begins))


def _dates(country: str, years: range) -> list[pd.Timestamp]:
    """The holidays of a country in some years."""
    try:
        import holidays
    except ModuleNotFoundError as error:
        raise ValueError(
            "holidays: expected the package holidays to be installed, got none; pip install holidays"
        ) from error
    code, _, part = country.partition("-")
    known = holidays.list_supported_countries()
    if code not in known:
        raise ValueError(f"holidays: expected the code of a country, such as 'DE' or 'DE-BY', got {country!r}")
    if part and part not in known[code]:
        raise ValueError(
            f"holidays: expected one of the parts {', '.join(known[code]) or '(none)'} of {code}, got {part!r}"
        )
    found = holidays.country_holidays(code, subdiv=part or None, years=years)
    return [pd.Timestamp(day) for day in found]
