"""Long tables of purchases: a row a purchase, in the layouts in which shops and competitions give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal

import numpy as np
import pandas as pd

from ...runtime.arguments.kinds import check_kind, checked
from ...runtime.folders import find_named
from ...runtime.toml_files import check_keys, read_description
from ..tables.columns import Columns
from ..tables.dates import read_dates
from ..tables.foreign_frames import Frame
from ..tables.table_files import TableFile, TableFormat, read_table
from .purchases import Purchases

LAYOUTS: dict[str, dict[str, str]] = {
    "hm": {
        "customer": "customer_id",
        "article": "article_id",
        "time": "t_dat",
        "price": "price",
        "channel": "sales_channel_id",
    },
    "online-retail": {
        "customer": "CustomerID",
        "article": "StockCode",
        "time": "InvoiceDate",
        "price": "UnitPrice",
        "quantity": "Quantity",
    },
    "online-retail-ii": {
        "customer": "Customer ID",
        "article": "StockCode",
        "time": "InvoiceDate",
        "price": "Price",
        "quantity": "Quantity",
    },
    "plain": {"customer": "customer", "article": "article", "time": "time"},
}
"""Columns by layout: of the competition of H&M (Kaggle, 2022), of UCI's Online Retail and its second edition, and
those that are called as the arguments are. What a table of the plain layout has beside them is read too."""

ROLES = ("customer", "article", "time", "price", "channel", "quantity", "size", "returned")
_NEEDED = ROLES[:3]
Anonymous = Literal["refuse", "drop"]


@checked
def read_purchases(
    frame: Frame | TableFile | str,
    *,
    customer: str | None = None,
    article: str | None = None,
    time: str | None = None,
    price: str | None = None,
    channel: str | None = None,
    quantity: str | None = None,
    size: str | None = None,
    returned: str | None = None,
    anonymous: Anonymous = "refuse",
) -> Purchases:
    """Read a long table of purchases, a row a purchase.

    The layout is known by its columns (`LAYOUTS`) where no column is named. A row with a quantity below 0 is a return:
    it marks the latest purchase of that article by that customer before it as returned, and is no purchase itself.

    Arguments:
        frame: a frame of pandas or of another library, a ``.csv``, ``.csv.gz``, ``.parquet`` or ``.xlsx`` file, or a
            ``.toml`` file with the key ``table``, the other arguments, and how cells are written.
        customer: the column of the customer's name.
        article: the column of the article's name.
        time: the column of the date, or date and time of day.
        price: the column of the price, money a unit.
        channel: the column that says where it was bought.
        quantity: the column of the units, whole or not; below 0 where they came back.
        size: the column of the size.
        returned: the column that says whether it came back, 1 or 0.
        anonymous: whether rows without a customer are refused, or dropped.

    Returns:
        The purchases, in the order of time; customers and articles in the order of their first rows.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the table has none of the layouts, a column is missing, a cell is empty or no date or number, a
            price is below 0, or no row is left.

    Example:
        >>> rows = {"t_dat": ["2020-09-01", "2020-09-03"], "customer_id": ["ada", "eva"], "article_id": ["a", "b"]}
        >>> read_purchases(pd.DataFrame({**rows, "price": [0.02, 0.05], "sales_channel_id": [1, 2]}))
        Purchases(rows=2, customers=2, articles=2, first='2020-09-01', last='2020-09-03')
    """
    named = {
        "customer": customer,
        "article": article,
        "time": time,
        "price": price,
        "channel": channel,
        "quantity": quantity,
        "size": size,
        "returned": returned,
    }
    given = {role: column for role, column in named.items() if column is not None}
    if isinstance(frame, str) and frame.endswith(".toml"):
        return _described(frame, given)
    names = [layout.get(role) for layout in LAYOUTS.values() for role in ("customer", "article", "channel", "time")]
    names += [given.get(role) for role in ("customer", "article", "channel", "size", "time")] + ["size", "channel"]
    table, source = read_table(frame, list(dict.fromkeys(names)), [])
    columns = Columns(table, source)
    roles = _roles(given, columns)
    columns.require_roles({role: [column] for role, column in roles.items()})
    return _rows(columns, roles, anonymous)


def _described(address: str, given: Mapping[str, str]) -> Purchases:
    described: dict[str, Any] = dict(read_description(address))
    written = [each.name for each in fields(TableFormat)]
    check_keys(address, described, ["table", *ROLES, "anonymous", *written], ["table"])
    for key in ("table", *ROLES):
        if key in described:
            check_kind(f"{address}: {key}", described[key], str)
    table = find_named(described.pop("table"), address)
    try:
        form = TableFormat(**{key: described.pop(key) for key in written if key in described})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{address}: {error}") from error
    return read_purchases(TableFile(table, form), **{**described, **given})


def _roles(given: Mapping[str, str], columns: Columns) -> dict[str, str]:
    """The column of each role: those named, else those of a layout that the table has."""
    if given:
        for role in _NEEDED:
            if role not in given:
                raise ValueError(f"{role}: expected the name of its column beside {', '.join(given)}, got none")
        return dict(given)
    there = set(map(str, columns.table.columns))
    for name, layout in LAYOUTS.items():
        if {layout[role] for role in _NEEDED} <= there:
            known = layout if name != "plain" else {role: role for role in ROLES}
            return {role: column for role, column in known.items() if column in there}
    layouts = "; ".join(", ".join(layout[role] for role in _NEEDED) for layout in LAYOUTS.values())
    got = ", ".join(map(str, columns.table.columns[:30]))
    raise ValueError(f"customer: expected the columns of one layout{columns.where} ({layouts}), got {got}")


def _rows(columns: Columns, roles: Mapping[str, str], anonymous: Anonymous) -> Purchases:
    table = columns.table.reset_index(drop=True)
    if anonymous == "drop":
        table = table[table[roles["customer"]].notna()].reset_index(drop=True)
        if table.empty:
            raise ValueError(f"customer: expected rows with a name in {roles['customer']!r}{columns.where}, got none")
    columns = Columns(table, columns.where[5:-1] if columns.where else None)
    for role in ("customer", "article"):
        columns.refuse(table[roles[role]].isna(), f"{role}: expected a name", roles[role])
    when = _times(table[roles["time"]], roles["time"], columns)
    numbers = {role: columns.numbers(roles[role]) for role in ("price", "quantity", "returned") if role in roles}
    for role, wrong, expected in (
        ("price", lambda cells: cells < 0, "no money below 0"),
        ("quantity", lambda cells: (cells == 0) | np.isnan(cells), "a number that is not 0"),
        ("returned", lambda cells: (cells != 0) & (cells != 1), "1 or 0"),
    ):
        if role in numbers:
            columns.refuse(pd.Series(wrong(numbers[role])), f"{role}: expected {expected}", roles[role])
    customers, who = _names(table[roles["customer"]])
    articles, what = _names(table[roles["article"]])
    order = np.argsort(when, kind="stable")
    words = [role for role in ("channel", "size") if role in roles]
    texts = {role: table[roles[role]].astype(str).to_numpy(object)[order] for role in words}
    units = numbers["quantity"][order] if "quantity" in numbers else None
    back = numbers["returned"][order] > 0 if "returned" in numbers else None
    who, what = who[order], what[order]
    stays = np.ones(len(order), dtype=bool)
    if units is not None and (units < 0).any():
        stays = units > 0
        marked = _came_back(who, what, units)
        back = marked if back is None else back | marked
        if not stays.any():
            raise ValueError(f"quantity: expected some rows above 0{columns.where}, got {len(stays)} returns alone")
    found = Purchases(
        customers,
        articles,
        who,
        what,
        when[order],
        price=numbers["price"][order].astype(np.float32) if "price" in numbers else None,
        quantity=None if units is None else units.astype(np.float32),
        channel=texts.get("channel"),
        size=texts.get("size"),
        returned=back,
    )
    return found if stays.all() else found.rows(stays)


def _names(cells: pd.Series) -> tuple[tuple[str, ...], np.ndarray]:
    codes, names = pd.factorize(cells.map(_as_name) if cells.dtype.kind != "O" else cells.astype(str))
    return tuple(map(str, names)), codes.astype(np.int32)


def _as_name(cell: object) -> str:
    """A name that is a number, as a customer is called whose column has gaps elsewhere: 17850 and not 17850.0."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _times(cells: pd.Series, column: str, columns: Columns) -> np.ndarray:
    """Times of rows; each distinct cell is read once, since most stand in many rows."""
    columns.refuse(cells.isna(), "time: expected a date", column)
    codes, distinct = pd.factorize(cells)
    first = np.full(len(distinct), -1)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    unique = pd.Series(distinct, index=first)

    def refuse(wrong: pd.Series, raw: pd.Series, expected: str) -> None:
        if wrong.any():
            row = wrong.index[wrong][0]
            told = expected.replace("timestamp:", "time:")
            raise ValueError(f"{told}{columns.where}, got {raw[row]!r} in row {row} ({int(wrong.sum())} such cells)")

    try:
        dates = read_dates(unique, column, refuse).dates
    except ValueError as error:
        raise ValueError(str(error).replace("timestamp:", "time:")) from error
    plain = dates.tz_localize(None) if dates.tz is not None else dates
    found: np.ndarray = plain.to_numpy().astype("datetime64[s]")[codes]
    return found


def _came_back(who: np.ndarray, what: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Whether each row was returned later: a return marks the latest row of its customer and article before it."""
    marked, open_rows = np.zeros(len(units), dtype=bool), dict[tuple[int, int], list[int]]()
    concerned = set(zip(who[units < 0].tolist(), what[units < 0].tolist(), strict=True))
    for row, pair in enumerate(zip(who.tolist(), what.tolist(), strict=True)):
        if pair not in concerned:
            continue
        if units[row] > 0:
            open_rows.setdefault(pair, []).append(row)
        elif open_rows.get(pair):
            marked[open_rows[pair].pop()] = True
    return marked
