"""What a dataset holds, as tables for a terminal."""

from __future__ import annotations

from collections import Counter

import numpy as np
from rich.table import Table

from ..runtime.display.numbers import percent
from .entries.channels import kinds_of
from .entries.data import ForecastData
from .entries.domain import closed
from .entries.entry import Entry
from .entries.frequency import dates_of, step_word, written_date


def summary(data: ForecastData, is_file: bool) -> Table:
    """The size, span, gaps and channels of a dataset.

    Arguments:
        data: the dataset.
        is_file: whether it is a bare file, which has no horizon.
    """
    metadata, train = data.metadata, data.train[0]
    whole = (data.test or data.train)[-1]
    target = whole.target
    first = whole.start
    table = Table(title=metadata.name, show_header=False)
    table.add_column(style="bold")
    table.add_column()
    facts = {
        "series (D)": f"{metadata.target_dim}",
        "steps (T)": f"{target.shape[1]}, of them {train.length} for training",
        "frequency": metadata.freq,
        "first, last": f"{written_date(first)}, {written_date(first, target.shape[1] - 1)}",
        **_ahead(data),
        "horizon (H)": "not set" if is_file else f"{metadata.prediction_length}",
        "test windows": f"{len(data.test)}",
        "season": f"{metadata.season}",
        "domain": metadata.domain,
        "missing": percent(np.isnan(target).mean(), 2),
        "zeros": percent((target == 0).mean(), 2),
        **_closed(whole),
        "covariates": _channels(metadata.covariates),
        "past covariates": _channels(metadata.past_covariates),
        **({"ended": f"{len(data.ended)} series"} if data.ended else {}),
        **data.facts,
        "published archive": "exact, checksums verified" if metadata.archive else "no",
    }
    for name, value in facts.items():
        table.add_row(name, value)
    return table


def _ahead(data: ForecastData) -> dict[str, str]:
    """How far the channels are known after the last observed step, where they are."""
    if data.ahead is None:
        return {}
    seen, known = data.ahead.length, data.ahead.channels.length
    if known <= seen:
        return {}
    return {"known future": f"{known - seen} steps, to {written_date(data.ahead.start, known - 1)}"}


def _closed(entry: Entry) -> dict[str, str]:
    """The weekdays on which series are closed, whose forecasts are 0."""
    if entry.domain == "real" or step_word(entry.freq) != "day":
        return {}
    share = closed(entry.target, entry.freq, 7).mean(1)
    days = dates_of(entry.start, entry.length + 7)[-7:].day_name()
    told = [f"{day}s ({percent(part)} of series)" for day, part in zip(days, share, strict=True) if part]
    return {"closed": ", ".join(told)} if told else {}


def series(data: ForecastData, count: int) -> Table:
    """The level, spread, gaps and zeros of the first `count` series."""
    target = (data.test or data.train)[-1].target
    shown = min(count, len(target))
    table = Table(title=f"series ({shown} of {len(target)})")
    table.add_column("series", overflow="fold")
    for heading in ("mean", "std", "min", "median", "max", "missing", "zeros"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, values in zip(data.metadata.item_ids[:shown], target[:shown], strict=True):
        seen = values[~np.isnan(values)]
        found = (seen.mean(), seen.std(), seen.min(), np.median(seen), seen.max()) if len(seen) else ()
        numbers = [_number(number) for number in found] or ["-"] * 5  # an article that is yet to be launched
        shares = (np.isnan(values).mean(), (values == 0).mean())
        table.add_row(name, *numbers, *(percent(share, 1) for share in shares))
    return table


def _number(value: float) -> str:
    """Four digits that count, short enough for seven columns in a narrow terminal."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):.4g}{unit}"
    return f"{value:.4g}"


def _channels(names: tuple[str, ...]) -> str:
    """The kinds of channels, each with how many series have it."""
    kinds = Counter(kinds_of(names))
    return ", ".join(f"{kind} ({count})" if count > 1 else kind for kind, count in kinds.items()) or "none"
