"""Sales tables of shops: a row for each article, store and date."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from ..encodings.attributes import attributes_of
from ..encodings.encoding import Encoding, Role
from ..encodings.rows import EncodedRows, WordColumns
from ..entries.data import Domain, ForecastData
from ..entries.frequency import normalize_freq
from .assemble import Ended, Fill, Unseen, assembled, check_span
from .columns import Columns, described
from .dates import ReadDates
from .foreign_frames import Frame
from .grid import Layout
from .holidays import with_holidays
from .returns import Returns, without_returns
from .row_checks import clock_change
from .stores import PartUnits, StoreSums, refuse_weekdays, sold_off_empty, summed
from .table_files import TableFile, read_table
from .timeline import Timeline, lay_out, on_every_step

Level = Literal["chain", "store"]
EmptyStores = Literal["share", "missing", "partial"]


def from_sales(
    frame: Frame | TableFile,
    *,
    article: str,
    date: str,
    units: str,
    prediction_length: int,
    store: str | None = None,
    size: str | None = None,
    level: Level = "chain",
    price: str | None = None,
    promotion: str | None = None,
    in_stock: str | None = None,
    covariates: Sequence[str] = (),
    shared_covariates: Sequence[str] = (),
    categories: Sequence[str] = (),
    texts: Sequence[str] = (),
    attributes: Sequence[str] = (),
    returned: str | None = None,
    returns: Returns = "refuse",
    missing_rows: Literal["gap", "zero"] = "gap",
    fill_covariates: Fill = None,
    empty_stores: EmptyStores = "share",
    unseen: Unseen = "refuse",
    ended: Ended = "keep",
    freq: str | None = None,
    windows: int = 1,
    season: int | None = None,
    domain: Domain = "count",
    holidays: str | Sequence[str] | None = None,
    encoding: Encoding | None = None,
    name: str | None = None,
) -> ForecastData:
    """Make a dataset of a long sales table: a row for each article, store and date.

    The channels get the names that scenarios use: ``price[article]`` and ``promo[article]``, whatever their
    columns are called. On the chain level the units of the stores are summed and every other column is
    averaged over the stores that have a row, each counting the same: weights by sales would let demand into
    the price. The number of stores that count in the sum is kept as the past-only channel ``stores[article]``.

    A store counts in the sum of an article from its first row there to its last, but not while it has none for H
    steps or more. Where the units of a store that counts are not known, because it ran out or has no row, its usual
    share is made up, if the others usually sell at least half of the article; else the sum is missing. The share is
    learnt from what lies before the end of the training span, or of the test window in which it is made up. What is
    made up is learnt from, and never judged: test windows hold the sums of full shelves alone.

    Arguments:
        frame: a frame of pandas, polars, pyarrow, DuckDB or another library with the Arrow interface, or the path of a
            ``.csv``, ``.csv.gz``, ``.parquet`` or ``.xlsx`` file.
        article: the column that names the article.
        date: the column of dates.
        units: the column of units sold, at least 0.
        prediction_length: the horizon H, in steps.
        store: the column that names the store; ``None`` where the table has no stores.
        size: the column that names the size of which an article has several; ``None`` where rows are of whole articles.
            Units of sizes are summed as those of stores are, and `ForecastData.sizes` has their shares.
        level: ``"chain"`` makes a series of each article, ``"store"`` of each article in each store, called
            ``article@store``.
        price: the column of prices, money a unit, above 0.
        promotion: the column of promotions, 0 … 1.
        in_stock: the column that is 1 where the article was on the shelf and 0 where it ran out. What was sold off an
            empty shelf is no demand: these units are missing, from the sum over the stores too, and from what
            forecasts are judged by. May be empty where the units are.
        covariates: further columns of an article that are known in the future.
        shared_covariates: further columns known in the future that are the same for all rows of a date.
        categories: categorical columns, as in :func:`from_frame`; over stores the share of each level is taken.
        texts: columns of free text, as in :func:`from_frame`.
        attributes: columns that say what articles have in common, as in :func:`from_frame`; on the level of stores, of
            each article in a store, so that a region may be one. There ``article`` and ``store`` are attributes anyhow.
        returned: the column of units that came back, at least 0, with ``returns="net"`` or ``"drop"``.
        returns: what becomes of units that came back: ``"refuse"`` takes rows of negative units for errors; ``"net"``
            takes them, and those of `returned`, off the units of the same article, store and date, which may leave less
            than 0 (``domain="real"``); ``"drop"`` leaves them out.
        missing_rows: ``"gap"`` takes a missing row as a missing value; ``"zero"`` as a row of 0 units, from
            the first row of the series with units on, for tables that list only what was sold. A step at which no
            article has a row counts as missing too.
        fill_covariates: as in :func:`from_frame`.
        empty_stores: ``"share"`` makes up what a store that ran out, or has no row, would have sold; ``"missing"``
            takes the sum as missing; ``"partial"`` takes what the others sold as the sum, which is judged too.
        unseen: what becomes of articles that were not sold before the first test window, as in :func:`from_frame`.
        ended: what becomes of articles that have ended, as in :func:`from_frame`.
        freq: as in :func:`from_frame`.
        windows: the number of test windows.
        season: steps of one season; ``None`` takes the usual one of the frequency.
        domain: the values a series can take.
        holidays: countries, as in :func:`from_frame`.
        encoding: as in :func:`from_frame`.
        name: the name of the dataset.

    Returns:
        The dataset.

    Raises:
        FileNotFoundError: the path does not exist.
        ValueError: a column is unknown, has two roles or a name of the house (``article``, ``date``, ``units``,
            ``stores`` …), rows are duplicates, units are negative, a price is not above 0, a promotion not in
            0 … 1, a cell of ``in_stock`` neither 0 nor 1, or rows of a date disagree on a shared covariate; the
            message names the rows. Stores that are summed date their weeks by different weekdays.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({
        ...     "sku": ["coat", "coat", "coat"] * 2,
        ...     "shop": ["north"] * 3 + ["south"] * 3,
        ...     "day": ["2024-05-01", "2024-05-02", "2024-05-03"] * 2,
        ...     "sold": [3, 4, 5, 1, 0, 2],
        ...     "eur": [50.0, 40.0, 50.0, 50.0, 50.0, 50.0],
        ... })
        >>> data = from_sales(table, article="sku", store="shop", date="day", units="sold", price="eur",
        ...                   prediction_length=1)
        >>> data.test[0].target.tolist(), data.test[0].channels.values.tolist()
        ([[4.0, 4.0, 7.0]], [[50.0, 45.0, 50.0]])
        >>> data.metadata.covariates
        ('price[coat]',)
    """
    check_span(prediction_length, windows, season)
    if level not in ("chain", "store"):
        raise ValueError(f"level: expected 'chain' or 'store', got {level!r}")
    if level == "store" and store is None:
        raise ValueError("level: 'store' needs the name of the column of stores, got store=None")
    if missing_rows not in ("gap", "zero"):
        raise ValueError(f"missing_rows: expected 'gap' or 'zero', got {missing_rows!r}")
    if returns not in get_args(Returns):
        raise ValueError(f"returns: expected 'refuse', 'net' or 'drop', got {returns!r}")
    if returned is not None and returns == "refuse":
        raise ValueError(f"returns: expected 'net' or 'drop' beside returned={returned!r}, got 'refuse'")
    if empty_stores not in get_args(EmptyStores):
        raise ValueError(f"empty_stores: expected 'share', 'missing' or 'partial', got {empty_stores!r}")
    single = {"article": article, "store": store, "size": size, "date": date, "units": units, "price": price}
    single |= {"promotion": promotion, "in_stock": in_stock, "returned": returned}
    several = {"covariates": covariates, "shared_covariates": shared_covariates}
    named = {role: name for role, name in single.items() if name is not None}
    numbers = [name for role, name in named.items() if role not in ("article", "store", "size", "date")]
    words = WordColumns(categories, texts, encoding)
    numbers += words.left_out_of([*covariates, *shared_covariates])
    table, source = read_table(frame, [article, store, size, date, *words.columns, *attributes], numbers)
    held_out = windows * prediction_length
    sales, told, read, encoded = _checked(Columns(table, source), named, several, returns, words, held_out, level)
    covariates = [*words.left_out_of(covariates), *encoded.of("item")]
    Columns(table, source).require_roles({"attributes": attributes})
    common = attributes_of(table, attributes, _series_of(table, named, level))
    shared_covariates = [*words.left_out_of(shared_covariates), *encoded.of("shared")]
    freq = Columns(table, source).freq(date) if freq is None else freq
    chain = store is not None and level == "chain"
    if chain and (freq is None or normalize_freq(freq).partition("-")[0] == "W"):
        refuse_weekdays(sales)

    channels = [*(["price"] if price else []), *(["promo"] if promotion else []), *covariates]
    if level == "store":
        sales["article"] = sales["article"] + "@" + sales.pop("store")
    parts = [role for role in ("store", "size") if role in sales]
    by_part = sales
    if parts:
        sales = summed(sales, channels, shared_covariates)
    zero = missing_rows == "zero"
    timeline = _timeline(sales, freq, together=zero)
    completion, sizes = None, None
    if parts:
        grid = PartUnits.of(by_part, parts, sales, timeline, zero)
        if empty_stores != "partial":
            share, whole = empty_stores == "share", domain == "count"
            completion = StoreSums(grid, prediction_length, share, whole)
        if chain:
            sales["stores"] = grid.stores(prediction_length, empty_stores == "partial", zero)
        if size is not None:
            sizes = grid.size_shares(max(grid.observed - held_out, 1))
    if zero:
        sales = on_every_step(sales, timeline, bool(channels or shared_covariates), ended == "keep")
        timeline = _timeline(sales, timeline.freq, together=False)
    codes, articles = pd.factorize(sales["article"])
    layout = Layout(Columns(sales, source), timeline, codes, tuple(articles), long=True)
    data = assembled(
        layout,
        layout.grid("units"),
        tuple(articles),
        name=name or (os.path.basename(source).split(".")[0] if source else "sales"),
        prediction_length=prediction_length,
        windows=windows,
        covariates=channels,
        shared_covariates=shared_covariates,
        past_covariates=["stores"] if chain else [],
        fill_covariates=fill_covariates,
        unseen=unseen,
        ended=ended,
        domain=domain,
        season=season,
        absent={"stores": 0.0},
        completion=completion,
        read=described(len(table), source, read),
        attributes=common,
    )
    data = encoded.joined_to(replace(data, facts={**data.facts, **told}, sizes=sizes))
    return data if holidays is None else with_holidays(data, holidays)


def _series_of(table: pd.DataFrame, named: dict[str, str], level: Level) -> np.ndarray:
    """The name of the series of each row."""
    parts = [table[named[role]].astype(str) for role in (("article", "store") if level == "store" else ("article",))]
    return np.asarray(parts[0] if len(parts) == 1 else parts[0] + "@" + parts[1], dtype=object)


def _checked(
    columns: Columns,
    single: dict[str, str],
    several: dict[str, Sequence[str]],
    returns: Returns,
    words: WordColumns,
    held_out: int,
    level: Level,
) -> tuple[pd.DataFrame, dict[str, str], ReadDates, EncodedRows]:
    """The columns of a sales table under their house names, each cell looked at, as what dates and words were read.

    Units off empty shelves are missing. Between the two, in words, what was sold off them and what came back.
    """
    roles = {role: [column] for role, column in single.items()} | several
    columns.require_roles(roles | words.roles(several))
    house = {"promo" if role == "promotion" else role for role in single}
    for argument, names in several.items():
        for name in names:
            if name in house | {"stores"}:
                raise ValueError(f"{argument}: {name!r} is a name that from_sales gives itself; rename this column")
    sales = pd.DataFrame(index=columns.table.index)
    for role in ("article", "store", "size"):
        if role in single:
            codes, labels = columns.items(single[role])
            sales[role] = np.array(labels, dtype=object)[codes]
    told: dict[str, str] = {}
    read = columns.dates(single["date"])
    sales["date"] = read.dates
    for role in ("units", "price", "promotion", "in_stock", "returned"):
        if role in single:
            sales["promo" if role == "promotion" else role] = columns.numbers(single[role])
    for name in words.left_out_of([name for names in several.values() for name in names]):
        sales[name] = columns.numbers(name)
    items = sales["article"] + "@" + sales["store"] if "store" in sales and level == "store" else sales["article"]
    named: dict[Role, Sequence[str]] = {"item": several["covariates"], "shared": several["shared_covariates"]}
    known = sales["units"].notna().to_numpy()
    encoded = words.encoded(columns.table, items.to_numpy(), read.dates, known, held_out, named)
    sales = sales.assign(**encoded.columns)
    if returns == "refuse":
        advice = "; returns='net' or 'drop' takes them for units that came back"
        columns.refuse(sales["units"] < 0, "units: expected at least 0", single["units"], advice)
    if "returned" in single:
        columns.refuse(sales["returned"] < 0, "returned: expected at least 0", single["returned"])
    if "price" in single:
        columns.refuse(sales["price"] <= 0, "price: expected more than 0", single["price"])
    if "promotion" in single:
        columns.refuse((sales["promo"] < 0) | (sales["promo"] > 1), "promotion: expected 0 to 1", single["promotion"])
    if "in_stock" in single:
        stock = sales.pop("in_stock")
        unknown = ~stock.isin([0, 1]) & (stock.notna() | sales["units"].notna())
        columns.refuse(unknown, "in_stock: expected 0 or 1 where units are known", single["in_stock"])
        told["sold while out of stock"] = sold_off_empty(sales["units"], stock, single["in_stock"])
        sales.loc[stock == 0, "units"] = np.nan
    keys = [role for role in ("article", "date", "store", "size") if role in single]
    if returns != "refuse":
        sales, told["returns"] = without_returns(sales, keys, returns)
    twice = sales[sales.duplicated(keys, keep=False)]
    if len(twice):
        same = twice[(twice[keys] == twice[keys].iloc[0]).all(axis=1)]
        why = clock_change(pd.DatetimeIndex(sales["date"]), pd.DatetimeIndex(twice["date"]))
        raise ValueError(
            f"date: {len(twice)} rows share {', '.join(keys[:-1])} and {keys[-1]} with another; first: rows "
            f"{', '.join(map(str, same.index))}, {', '.join(str(part) for part in same[keys].iloc[0])}{why}"
        )
    return sales, {heading: said for heading, said in told.items() if said}, read, encoded


def _timeline(sales: pd.DataFrame, freq: str | None, together: bool) -> Timeline:
    """The grid of the rows. A table that lists only what was sold tells its steps by all articles together."""
    if together:
        dates, first, of = np.unique(sales["date"], return_index=True, return_inverse=True)
        codes, rows = np.zeros(len(dates), dtype=int), list(sales.index[first])
        timeline = lay_out(pd.DatetimeIndex(dates), codes, ("table",), rows, freq)
        return replace(timeline, positions=timeline.positions[of])
    codes, articles = pd.factorize(sales["article"])
    return lay_out(pd.DatetimeIndex(sales["date"]), codes, list(articles), list(sales.index), freq)
