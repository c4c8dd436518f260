"""Dominick's orange juice: a chain's weekly sales with prices, the worked example of a sales table."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd

from ..entries.data import ForecastData
from ..tables.columns import Columns
from ..tables.sales_table import Level, from_sales
from ..tables.table_files import read_table
from .further_sets import locate_file

OJ_BRANDS = (
    "tropicana_premium_64",
    "tropicana_premium_96",
    "floridas_natural_64",
    "tropicana_64",
    "minute_maid_64",
    "minute_maid_96",
    "citrus_hill_64",
    "tree_fresh_64",
    "florida_gold_64",
    "dominicks_64",
    "dominicks_128",
)
"""The brands 1 … 11 of the orange juice data, each with the ounces of its package."""

OJ_FILES = ("retail_dominicks_oj/derived_yx.csv.gz", "derived_yx.csv.gz")

_OJ_WEEK_1 = pd.Timestamp("1989-09-14")


def dominicks_oj(
    path: str | os.PathLike[str] | None = None,
    level: Level = "chain",
    prediction_length: int = 8,
    windows: int = 3,
) -> ForecastData:
    """Weekly sales of refrigerated orange juice at Dominick's in Chicago: 11 brands, 83 stores, 121 weeks.

    The target is ounces, so that packages of 64, 96 and 128 ounces compare. Every row of the table carries the
    prices per ounce of all 11 brands; a brand's own is taken. Whole store-weeks are missing, about 4 per cent.
    On the chain level ounces are summed over the stores that reported, whose number is the past-only channel
    ``stores``; in a missing store-week the store level has NaN ounces and the chain's mean price, deal and
    feature, which are set by the chain. Week 1 of the retailer's calendar began on Thursday 1989-09-14, and
    the table has its weeks 40 … 160.

    Source: the data ``orangeJuice`` of the R package bayesm, from the Dominick's database of the James M. Kilts
    Center, University of Chicago Booth School of Business; A. L. Montgomery, "Creating micro-marketing pricing
    strategies using supermarket scanner data", Marketing Science 16 (1997).

    Arguments:
        path: the file ``derived_yx.csv.gz``, or the data folder in which it lies; ``None`` searches
            ``HEMLINE_DATA``.
        level: ``"chain"`` has 11 series, ``"store"`` one of each brand in each store (913).
        prediction_length: the horizon H, in weeks.
        windows: the number of test windows.

    Returns:
        The dataset, with the channels ``price[…]`` (dollars an ounce), ``deal[…]`` (in-store coupon) and
        ``feat[…]`` (feature advertisement, 0 … 1).

    Raises:
        FileNotFoundError: the file is nowhere.
        ValueError: the file is not this table, or the windows leave no history.
    """
    source = locate_file("dominicks_oj", OJ_FILES, path)
    raw, _ = read_table(source)
    prices = [f"price{brand}" for brand in range(1, len(OJ_BRANDS) + 1)]
    Columns(raw, str(source)).require("path", ["store", "brand", "week", "logmove", *prices, "deal", "feat"])
    raw = raw.sort_values(["brand", "store", "week"], ignore_index=True)
    brand = raw["brand"].to_numpy() - 1
    if not np.isin(brand, np.arange(len(OJ_BRANDS))).all():
        raise ValueError(f"path: expected the brands 1 to {len(OJ_BRANDS)} in {str(source)!r}, got others")
    sales = pd.DataFrame(
        {
            "brand": np.array(OJ_BRANDS)[brand],
            "store": raw["store"],
            "week": _OJ_WEEK_1 + pd.to_timedelta(7 * (raw["week"] - 1) + 6, unit="D"),
            "ounces": np.exp(raw["logmove"]),
            "price": raw[prices].to_numpy()[np.arange(len(raw)), brand],
            "deal": raw["deal"],
            "feat": raw["feat"],
        }
    )
    if level == "store":
        sales = _with_missing_store_weeks(sales)
    return from_sales(
        sales,
        article="brand",
        store="store",
        date="week",
        units="ounces",
        price="price",
        covariates=("deal", "feat"),
        level=level,
        prediction_length=prediction_length,
        windows=windows,
        freq="W-WED",
        empty_stores="partial",  # as in the scores that are published here: what the stores reported
        domain="positive",
        name="dominicks_oj",
    )


def _with_missing_store_weeks(sales: pd.DataFrame) -> pd.DataFrame:
    """Add the store-weeks that were not reported, with the chain's mean price and promotions."""
    keys = ["brand", "store", "week"]
    full = pd.MultiIndex.from_product([pd.unique(sales[key]) for key in keys], names=keys)
    filled = sales.set_index(keys).reindex(full).reset_index()
    channels = ["price", "deal", "feat"]
    chain = filled.groupby(["brand", "week"])[channels].transform("mean")
    filled[channels] = filled[channels].fillna(chain)
    return filled
