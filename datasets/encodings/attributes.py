"""What articles have in common: the columns of a table that say the category, the brand or the region of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd


def attributes_of(table: pd.DataFrame, names: Sequence[str], items: np.ndarray | None) -> dict[str, Mapping[str, str]]:
    """The label of each item in some columns, which is the same in all its rows that have one.

    Arguments:
        table: with these columns.
        names: those of attributes.
        items: the name of the item of each row; ``None`` in a wide table.

    Returns:
        For each attribute the labels by item.

    Raises:
        ValueError: the table is wide, or an item has no label, or two.
    """
    if not names:
        return {}
    if items is None:
        raise ValueError(
            f"attributes: expected a table with a row an item and date, got a wide one beside {names[0]!r}"
        )
    found: dict[str, Mapping[str, str]] = {}
    for name in names:
        rows = pd.DataFrame({"item": items, "label": table[name].to_numpy(dtype=object)})
        missing = pd.isna(rows["label"])
        rows["label"] = rows["label"].astype(str).str.strip()
        told = rows[~missing & (rows["label"] != "")].drop_duplicates()
        unlabelled = rows.loc[~rows["item"].isin(told["item"]), "item"]
        if len(unlabelled):
            raise ValueError(
                f"attributes: expected a label of {name!r} for every item, got none for {unlabelled.iloc[0]!r}"
            )
        twice = told.loc[told["item"].duplicated(), "item"]
        if len(twice):
            both = told.loc[told["item"] == twice.iloc[0], "label"]
            raise ValueError(
                f"attributes: expected one {name!r} for {twice.iloc[0]!r}, got {both.iloc[0]!r} and {both.iloc[1]!r}: "
                "an item has one parent"
            )
        found[str(name)] = dict(zip(told["item"], told["label"], strict=True))
    return found
