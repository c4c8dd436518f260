"""Users' own data: long and wide frames, CSV, Parquet and Excel files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..encodings.attributes import attributes_of
from ..encodings.encoding import Encoding
from ..encodings.rows import WordColumns
from ..entries.data import Domain, ForecastData
from .assemble import Ended, Fill, Unseen, assembled, check_span
from .columns import Columns, as_text, described
from .foreign_frames import Frame
from .grid import Layout
from .holidays import with_holidays
from .table_files import TableFile, read_table
from .timeline import lay_out

_ONE: tuple[str, ...] = ("table",)
"""The rows of a wide table belong to no item."""


def from_frame(
    frame: Frame | TableFile,
    *,
    timestamp: str | None,
    prediction_length: int,
    target: str | Sequence[str] | None = None,
    item: str | None = None,
    freq: str | None = None,
    windows: int = 1,
    covariates: Sequence[str] = (),
    shared_covariates: Sequence[str] = (),
    past_covariates: Sequence[str] = (),
    categories: Sequence[str] = (),
    texts: Sequence[str] = (),
    attributes: Sequence[str] = (),
    fill_covariates: Fill = None,
    unseen: Unseen = "refuse",
    ended: Ended = "refuse",
    domain: Domain = "real",
    season: int | None = None,
    holidays: str | Sequence[str] | None = None,
    encoding: Encoding | None = None,
    name: str | None = None,
) -> ForecastData:
    """Make a dataset of a table.

    A **long** table has a row for each item and date: name its ``item`` and ``target`` columns. A **wide**
    table has a row for each date and a column for each series: leave ``item`` out; ``target`` may list the
    columns, else every numeric column is a series that is not named as something else.

    Dates become periods of one frequency; forecasts write them as the table does: weeks by its weekday, months by their
    first, last or fifteenth day, days and hours by its time of day, in its time zone. A column of periods is written by
    their first days, weeks by their last. A date for which an item has no row is a gap: NaN.
    Duplicate rows and rows of a second frequency are refused, never averaged or dropped. The training data are
    what lies before the first of the ``windows`` consecutive test windows, which do not overlap and end with the
    last observed target; with ``windows=0`` everything is for training. Rows after that target are the known
    future: there the channels of ``latest`` reach beyond its target.

    Arguments:
        frame: a frame of pandas, polars, pyarrow, DuckDB or another library with the Arrow interface, or the path of a
            ``.csv``, ``.csv.gz``, ``.parquet`` or ``.xlsx`` file.
        timestamp: the column of dates; ``None`` takes the index of the frame.
        prediction_length: the horizon H, in steps.
        target: the column of values (long), or the columns of the series (wide).
        item: the column that names the item of each row (long).
        freq: a pandas frequency alias of any version; ``None`` takes that of a column of periods, and infers it
            from dates.
        windows: the number of test windows.
        covariates: columns known in the future too. In a long table each becomes a channel of every item,
            ``column[item]``; in a wide table the column's name is the channel's, so a column may be called
            ``price[item]``.
        shared_covariates: columns known in the future that are the same for all items of a date; each
            becomes one channel under its bare name.
        past_covariates: columns known of the past alone, channels as for ``covariates``; the target may be one.
        categories: categorical columns, such as a campaign or a brand: one-hot encoded with a reference level. One
            that is a covariate too is known as that; any other describes an item where it never changes within one
            (`Entry.static_cat`), is shared where all items of a date have the same, and else is a covariate. Its
            channels are ``campaign:sale[item]``; an empty cell is the level ``"none"``.
        texts: columns of free text, such as a title, likewise: a few components of their words, ``title:1[item]``,
            or of `Entry.static_real`.
        attributes: columns that say what items have in common, such as a category: the same in all rows of an item that
            have one. They are those of `Metadata`, for totals (``forecast.aggregate("category")``) and their scores.
        fill_covariates: ``None`` refuses a missing covariate; ``"forward"`` carries an item's last value into
            gaps before the first test window. Missing values in test windows are refused always. Before an
            item's first row, where its target is missing too, its first value stands.
        unseen: ``"refuse"`` a series without a value before the first test window; ``"keep"`` it, for a model that
            forecasts series without a past, such as ``cold-start``: its rows of dates to come say that it is launched;
            ``"drop"`` leaves it out, with a warning, for a model that needs a past.
        ended: what becomes of an item of a long table that has ended: one without a row at the end, in any of the last
            H steps or, where there are covariates, after its last observed one. ``"refuse"`` wants its covariates up to
            the end; ``"keep"`` has its past learnt and judged, its last covariates carried on, and the item left out of
            `latest`, from which the time to come is forecast. One that ends within the time to come stays there.
        domain: the values a series can take; values outside it are refused.
        season: steps of one season; ``None`` takes the usual one of the frequency.
        holidays: codes of countries, ``"DE"`` or ``"DE-BY"``, whose public holidays become a channel known of the
            future: the share of a step's days that are holidays (extra ``holidays``).
        encoding: how categories and texts become numbers (`Entry.encoding`, or that of a predictor), so that a later
            table is read as the one of the training; ``None`` learns it from what lies before the test windows.
        name: the name of the dataset; ``None`` takes the file's name, or ``"frame"``.

    Returns:
        The dataset; items of a long table are in the order of their first rows.

    Raises:
        FileNotFoundError: the path does not exist.
        ValueError: a column, a date, a value or a frequency is not as described, a date lies at another place of its
            step than most or far from all others, or a column is named in two roles; the message names the column
            and the rows.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({
        ...     "week": ["2024-01-07", "2024-01-14", "2024-01-28", "2024-01-07", "2024-01-14", "2024-01-21"],
        ...     "article": ["coat", "coat", "coat", "hat", "hat", "hat"],
        ...     "units": [3, 4, 6, 9, 8, 9],
        ... })
        >>> data = from_frame(table, timestamp="week", item="article", target="units", prediction_length=1)
        >>> data.metadata.freq, data.metadata.item_ids
        ('W-SUN', ('coat', 'hat'))
        >>> data.test[0].target.tolist()
        [[3.0, 4.0, nan, 6.0], [9.0, 8.0, 9.0, nan]]
    """
    if frame is None:
        raise ValueError("frame: expected a table or the path of one, got None")
    check_span(prediction_length, windows, season)
    series = [target] if isinstance(target, str) else list(target or ())
    words = WordColumns(categories, texts, encoding)
    numbers = words.left_out_of([*series, *covariates, *shared_covariates, *past_covariates])
    table, source = read_table(frame, [item, timestamp, *words.columns, *attributes], numbers)
    if item is not None and not isinstance(target, str):
        raise ValueError(f"target: expected the name of one column beside item={item!r}, got {target!r}")
    columns = Columns(table, source)
    roles = {
        "timestamp": [timestamp] if timestamp else [],
        "item": [item] if item else [],
        "target": series,
        "covariates": covariates,
        "shared_covariates": shared_covariates,
        "past_covariates": past_covariates,
    }
    roles |= words.roles({name: roles[name] for name in ("covariates", "shared_covariates", "past_covariates")})
    columns.require_roles(roles)
    read = columns.dates(timestamp)
    if item is None:
        series = series or columns.wide_targets([name for names in roles.values() for name in names])
        codes, items = np.zeros(len(table), dtype=int), _ONE
        item_ids = as_text("target", series)
    else:
        codes, items = columns.items(item)
        item_ids = items
    columns.require_roles({"attributes": attributes})
    told = attributes_of(table, attributes, None if item is None else np.array(items, dtype=object)[codes])
    freq = columns.freq(timestamp) if freq is None else freq
    timeline = lay_out(read.dates, codes, items, list(table.index), freq)
    encoded = words.encoded(
        table,
        None if item is None else np.array(items, dtype=object)[codes],
        read.dates,
        np.any([~np.isnan(columns.numbers(column)) for column in series], axis=0),
        windows * prediction_length,
        {"item": covariates, "shared": shared_covariates, "past": past_covariates},
    )
    columns = Columns(table.assign(**encoded.columns), source) if encoded.columns else columns
    layout = Layout(columns, timeline, codes, items, long=item is not None)
    data = assembled(
        layout,
        np.concatenate([layout.grid(column) for column in series]),
        item_ids,
        name=name or (Path(source).name.split(".")[0] if source else "frame"),
        prediction_length=prediction_length,
        windows=windows,
        covariates=[*words.left_out_of(covariates), *encoded.of("item")],
        shared_covariates=[*words.left_out_of(shared_covariates), *encoded.of("shared")],
        past_covariates=[*words.left_out_of(past_covariates), *encoded.of("past")],
        fill_covariates=fill_covariates,
        unseen=unseen,
        ended=ended,
        domain=domain,
        season=season,
        read=described(len(table), source, read),
        attributes=told,
    )
    data = encoded.joined_to(data)
    return data if holidays is None else with_holidays(data, holidays)
