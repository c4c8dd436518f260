"""From cells on a grid to a dataset: what is observed, what is planned, and which series take part."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, Protocol

import numpy as np

from ...runtime.arguments.kinds import Number, Steps, check_kind
from ..entries.cuts import of_articles
from ..entries.data import Domain, ForecastData, Metadata
from ..entries.frequency import dates_of, season_length
from ..entries.splitting import split_windows
from ..entries.stamps import stamps_of
from .columns import check_domain
from .grid import Layout
from .timeline import Timeline

Fill = Literal["forward"] | None
Unseen = Literal["refuse", "keep", "drop"]
Ended = Literal["refuse", "keep"]

_SHOWN = 5
_KEPT = "unseen='keep' keeps it, for a model that forecasts series without a past, 'drop' leaves it out"


def check_span(prediction_length: int, windows: int, season: int | None) -> None:
    """Refuse a horizon, a number of test windows or a season that is none.

    Raises:
        ValueError: it is one.
    """
    check_kind("prediction_length", prediction_length, Steps)
    check_kind("windows", windows, Number)
    check_kind("season", season, Steps | None)


class Completion(Protocol):
    """Protocol of an imputation of past values."""

    def __call__(self, values: np.ndarray, ends: Sequence[int]) -> tuple[np.ndarray, np.ndarray, Mapping[str, str]]:
        """Complete values ``[D, T]``, each stretch up to one of the ends from what lies before that end alone.

        Returns:
            The values to learn from, those to judge forecasts by, and facts to describe the dataset by.
        """


def assembled(
    layout: Layout,
    values: np.ndarray,
    item_ids: tuple[str, ...],
    *,
    name: str,
    prediction_length: int,
    windows: int,
    covariates: Sequence[str],
    shared_covariates: Sequence[str],
    past_covariates: Sequence[str],
    fill_covariates: Fill,
    unseen: Unseen,
    ended: Ended,
    domain: Domain,
    season: int | None,
    absent: Mapping[str, float] | None = None,
    completion: Completion | None = None,
    read: Mapping[str, str] | None = None,
    attributes: Mapping[str, Mapping[str, str]] | None = None,
) -> ForecastData:
    """Make a dataset of the cells of a table.

    Arguments:
        layout: the table on its grid of T steps.
        values: of the series, ``[D, T]``, NaN where missing.
        item_ids: names of the D series.
        name: as in `from_frame`, and so are those that follow.
        prediction_length: the horizon H, in steps.
        windows: the number of test windows.
        covariates: columns known in the future too.
        shared_covariates: those that are the same for all items.
        past_covariates: columns known of the past alone.
        fill_covariates: what becomes of a missing covariate.
        unseen: what becomes of a series without a value before the first test window.
        ended: what becomes of an item that has ended.
        domain: the values a series can take.
        season: steps of one season; ``None`` takes the usual one of the frequency.
        absent: past covariates that have a value where an item has no row, and that value.
        completion: fills in values of the past; ``None`` takes them as they are.
        read: what was read, in words, by headings (:func:`described`).
        attributes: what series have in common: for each attribute the labels by name.

    Raises:
        ValueError: an argument is none of its choices, a value lies outside the domain or is missing where it may not.
    """
    for argument, chosen, choices in (
        ("fill_covariates", fill_covariates, (None, "forward")),
        ("unseen", unseen, ("refuse", "keep", "drop")),
        ("ended", ended, ("refuse", "keep")),
    ):
        if chosen not in choices:
            raise ValueError(f"{argument}: expected {' or '.join(map(repr, choices))}, got {chosen!r}")
    timeline = layout.timeline
    check_domain(values, domain, item_ids, timeline)
    more_is_known = not windows or bool(covariates or shared_covariates) or unseen != "refuse"
    if unseen == "refuse":
        _refuse_empty(values, item_ids)
    end = _observed_end(values, timeline, more_is_known)
    first = end - windows * prediction_length
    gone = ends = np.zeros(len(item_ids), dtype=bool)
    if ended == "keep" and layout.long:
        gone = _ended(layout, end, prediction_length, bool(covariates))
        ends = layout.last_row < timeline.length - 1
    fill_until = 0 if fill_covariates is None else first
    known, known_names = layout.channels(covariates, fill_until, timeline.length, ends)
    shared, shared_names = layout.shared_channels(shared_covariates, fill_until)
    past, past_names = layout.channels(past_covariates, fill_until, end, ends, absent or {})

    metadata = Metadata(
        name=name,
        freq=timeline.freq,
        prediction_length=prediction_length,
        item_ids=item_ids,
        domain=domain,
        season=season_length(timeline.freq) if season is None else season,
        covariates=(*known_names, *shared_names),
        past_covariates=past_names,
        attributes=attributes or {},
    )
    values, judged = values[:, :end], None
    facts: Mapping[str, str] = {}
    if completion is not None:
        judged_from = range(max(int(first), 0), end + 1, max(int(prediction_length), 1))
        values, judged, facts = completion(values, judged_from)
    data = split_windows(
        metadata, timeline.start, values, windows, np.concatenate([known, shared]), past, judged=judged
    )
    told = {name for name, is_gone in zip(item_ids, gone, strict=True) if is_gone}
    data = replace(
        data, ended=tuple(name for name in item_ids if name in told), facts={**_as_read(read or {}, layout), **facts}
    )
    if unseen == "refuse":
        _refuse_unseen(data, timeline)
    return _without_unseen(data) if unseen == "drop" else data


def _as_read(read: Mapping[str, str], layout: Layout) -> dict[str, str]:
    """What was read, in words, with the rows that are not there and the place of the dates."""
    told = dict(read)
    gaps = int((layout.last_row - layout.first_row + 1).sum()) - len(layout.codes)
    if "read" in told and gaps:
        told["read"] += f"; {gaps} steps between the first and the last row of a series have none"
    if "dates" in told:
        start = layout.timeline.start
        told["dates"] += f"; {stamps_of(start).words(dates_of(start, 1)[0], start)}"
    return told


def _ended(layout: Layout, end: int, horizon: int, planned: bool) -> np.ndarray:
    """Whether each item has ended, ``[D]``: it has no row where others have."""
    last = layout.last_row
    if planned:
        return (last < end) & (last < layout.timeline.length - 1)
    return last < min(end, layout.timeline.length - 1) - horizon + 1


def _without_unseen(data: ForecastData) -> ForecastData:
    """The dataset without the series that have no value in the training span."""
    seen = ~np.isnan(data.train[0].target).all(axis=1)
    if seen.all():
        return data
    names = data.metadata.item_ids
    left = [repr(name) for name, is_seen in zip(names, seen, strict=True) if not is_seen]
    shown = ", ".join(left[:_SHOWN]) + (f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else "")
    warnings.warn(
        f"{len(left)} series without a value in the training span are left out: {shown}", UserWarning, stacklevel=4
    )
    train, test = of_articles(data.train, seen), of_articles(data.test, seen)
    metadata = replace(
        data.metadata,
        item_ids=train[0].item_ids,
        covariates=train[0].channels.names,
        past_covariates=train[0].past_channels.names,
    )
    ahead = None if data.ahead is None else of_articles([data.ahead], seen)[0]
    return replace(data, metadata=metadata, train=train, test=test, ahead=ahead)


def _refuse_empty(values: np.ndarray, items: Sequence[str]) -> None:
    for name, any_seen in zip(items, (~np.isnan(values)).any(axis=1), strict=True):
        if not any_seen:
            raise ValueError(f"target: expected a value of the series {name!r}, got none at all; {_KEPT}")


def _observed_end(values: np.ndarray, timeline: Timeline, more_is_known: bool) -> int:
    """The number of steps up to the last one at which any series has a value."""
    seen = ~np.isnan(values)
    if not seen.any():
        raise ValueError("target: expected a value of some series, got none")
    end = timeline.length - int(seen.any(axis=0)[::-1].argmax())
    if not more_is_known and end < timeline.length:
        raise ValueError(
            f"target: expected a value of some series from {timeline.date(end)} on, got none, so the last test window "
            "cannot be judged; leave these rows out, name the covariates that are known of them, or pass windows=0"
        )
    return end


def _refuse_unseen(data: ForecastData, timeline: Timeline) -> None:
    target = data.train[0].target
    for name, seen in zip(data.metadata.item_ids, ~np.isnan(target).all(axis=1), strict=True):
        if not seen:
            raise ValueError(
                f"target: expected a value of the series {name!r} before the first test window on "
                f"{timeline.date(target.shape[1])}, got none; it starts too late to be learnt; {_KEPT}"
            )
