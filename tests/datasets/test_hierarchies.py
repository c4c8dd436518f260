"""Hierarchies: labels, totals that agree at every level, and bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from gluonts.model.forecast import SampleForecast
from hemline.datasets import Entry, Hierarchy, aggregate, from_frame, from_sales, get_dataset, simulated_sales
from hemline.datasets.entries.channels import Channels
from hemline.datasets.hierarchies.totals import totals_of
from hemline.evaluation.runs.identity import digest, fingerprint
from hemline.forecasting import RandomWalkPredictor
from hypothesis import given, settings
from hypothesis import strategies as st

ITEMS = ("coat", "jacket", "hat", "cap")
SHOP = Hierarchy(
    ITEMS,
    {"region": ("north", "north", "north", "south"), "category": ("warm", "warm", "head", "head")},
)
ARTICLES = pd.DataFrame({"sku": ["cap", "hat", "coat", "jacket"], "category": ["head", "head", "warm", "warm"]})


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1.0, 1e3, 1e-3]))
def test_totals_of_paths_agree_to_the_last_digit(seed, size):
    rng = np.random.default_rng(seed)
    paths = (size * rng.lognormal(sigma=2, size=(6, 3, 4))).astype(np.float32)
    drawn = SampleForecast(paths, pd.Period("2024-01-01", "W"))
    total = aggregate(drawn, SHOP).samples[..., 0]
    for by in ("region", "category", ("region", "category")):
        np.testing.assert_array_equal(aggregate(drawn, SHOP, by).samples.sum(-1), total)


def test_crossed_levels_have_labels_of_both():
    assert SHOP.labels(("region", "category")) == ("north / warm", "north / head", "south / head")
    names, matrix = SHOP.aggregates()
    assert names == ("total", "region=north", "region=south", "category=warm", "category=head")
    np.testing.assert_array_equal(matrix @ np.arange(4), [6, 3, 3, 1, 5])


def test_what_holds_the_same_series_is_one_aggregate():
    alike = Hierarchy(("a", "b"), {"brand": ("x", "x"), "line": ("y", "z")})
    assert alike.aggregates()[0] == ("total", "line=y", "line=z")


def test_a_chain_and_its_stores_are_tied():
    stores = Hierarchy.of_stores(["coat@north", "hat@north", "coat@south"])
    assert stores.labels("article") == ("coat", "hat")
    assert stores.matrix("article").tolist() == [[1, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize("library", ["pandas", "polars", "csv"])
def test_a_table_of_articles_is_read_by_name(library, tmp_path):
    table = {"pandas": ARTICLES, "polars": pl.from_pandas(ARTICLES), "csv": tmp_path / "articles.csv"}[library]
    if library == "csv":
        ARTICLES.to_csv(table, index=False)
    found = Hierarchy.from_frame(table, ITEMS, item="sku", levels=["category"])
    assert found.attributes == {"category": ("warm", "warm", "head", "head")}
    assert found.of_items(["hat", "coat"]).attributes == {"category": ("head", "warm")}


def test_an_article_that_is_not_sold_adds_nothing_and_a_gap_is_missing():
    target = np.array([[1.0, 2.0, np.nan, 4.0], [np.nan, np.nan, 5.0, 6.0], [7.0, 8.0, np.nan, np.nan]])
    channels = Channels(
        np.array([[1.0] * 4, [3.0] * 4, [5.0] * 4, [0.0, 1.0, 0.0, 0.0]]),
        ("price[a]", "price[b]", "price[c]", "holiday"),
    )
    entry = Entry(pd.Period("2024-01-01", "D"), target, item_ids=("a", "b", "c"), channels=channels)
    total = totals_of(entry, ["ab", "all"], np.array([[1.0, 1, 0], [1, 1, 1]]), ended_after=2)
    np.testing.assert_array_equal(total.target, [[1, 2, np.nan, 10], [8, 10, np.nan, 10]])
    assert total.channels.names == ("price[ab]", "price[all]", "holiday")
    np.testing.assert_array_equal(total.channels.values[:, 0], [2, 3, 0])
    # A gap of one step at the end is no end of the series.
    np.testing.assert_array_equal(
        totals_of(entry, ["all"], np.ones((1, 3)), ended_after=3).target, [[8, 10, np.nan, np.nan]]
    )


BAD = {
    "levels: expected one of sku, category; got 'colour'": dict(levels=["colour"]),
    "item: expected one of sku, category; got 'name'": dict(item="name"),
    "table: expected a row for every series, got none for 'sock'": dict(items=("coat", "sock")),
    "attributes: expected a label of 'category' for every series, got none for 'hat'": dict(
        table=ARTICLES.assign(category=["head", None, "warm", "warm"])
    ),
    "table: expected one 'category' for 'cap', got 'head' and 'warm': an article has one parent": dict(
        table=pd.concat([ARTICLES, pd.DataFrame({"sku": ["cap"], "category": ["warm"]})])
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_tables_are_one_line(message):
    given_ = {"table": ARTICLES, "item": "sku", "levels": ["category"], "items": ITEMS, **BAD[message]}
    table, items = given_.pop("table"), given_.pop("items")
    with pytest.raises(ValueError, match="^" + message.replace("(", "\\(")):
        Hierarchy.from_frame(table, items, **given_)


def test_a_label_with_two_parents_is_refused_in_a_tree():
    with pytest.raises(ValueError, match="nested: expected one 'region' for category 'head', got 'north' and 'south'"):
        Hierarchy(ITEMS, SHOP.attributes, nested=("region", "category"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((("a", "a"),), "item_ids: expected names of series, each once, got 'a' twice"),
        (((),), "item_ids: expected names of series, each once, got none"),
        ((("a", "b"), {"total": ("x", "y")}), "attributes: expected another name than 'total'"),
        ((("a", "b"), {"brand": ("x",)}), "attributes: expected a label of 'brand' for each of 2 series, got 1"),
        ((("a", "b"), {}, ("brand",)), "nested: expected one of total; got 'brand'"),
    ],
)
def test_a_hierarchy_that_is_none_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Hierarchy(*arguments)


def test_unknown_levels_and_other_forecasts_are_refused():
    drawn = SampleForecast(np.ones((2, 3, 5)), pd.Period("2024-01-01", "W"))
    with pytest.raises(ValueError, match="forecast: expected joint paths"):
        aggregate(drawn, SHOP)
    with pytest.raises(ValueError, match="by: expected one of total, region, category; got 'colour'"):
        SHOP.labels("colour")
    with pytest.raises(ValueError, match="item_ids: expected names such as 'article@store', got 'coat'"):
        Hierarchy.of_stores(["coat"])
    with pytest.raises(ValueError, match="hierarchy: expected attributes for every series, got none for 'sock'"):
        SHOP.of_items(["sock"])


def sales_rows() -> pd.DataFrame:
    """Three articles in two stores, four days; a category an article, a region a store."""
    rows = [
        {"sku": sku, "shop": shop, "day": day, "sold": number + day.day, "category": category, "region": region}
        for number, (sku, category) in enumerate((("coat", "warm"), ("jacket", "warm"), ("hat", "head")))
        for shop, region in (("kiel", "north"), ("ulm", "south"))
        for day in pd.date_range("2024-05-01", periods=4)
    ]
    return pd.DataFrame(rows)


ROLES = {"article": "sku", "store": "shop", "date": "day", "units": "sold", "prediction_length": 1}


def test_attributes_of_a_table_are_those_of_its_entries_and_forecasts(tmp_path):
    data = from_sales(sales_rows(), **ROLES, attributes=["category"])
    assert data.metadata.attributes == {"category": {"coat": "warm", "jacket": "warm", "hat": "head"}}
    entry = data.history(-1)
    assert entry.of_series(["hat"]).attributes is entry.attributes
    (forecast,) = RandomWalkPredictor(1).predict([entry], num_samples=20)
    totals = forecast.aggregate("category")
    assert totals.item_ids == ("warm", "head")
    np.testing.assert_array_equal(totals.samples[..., 0], forecast.samples[..., :2].sum(-1))
    np.testing.assert_array_equal(totals.samples.sum(-1), forecast.aggregate().samples[..., 0])
    with pytest.raises(ValueError, match="by: expected one of total, category; got 'brand'"):
        forecast.aggregate("brand")
    # The same of a description of the table.
    sales_rows().to_csv(tmp_path / "rows.csv", index=False)
    described = "\n".join(f"{key} = {value!r}" for key, value in ROLES.items())
    (tmp_path / "shop.toml").write_text(f"table = 'rows.csv'\nattributes = ['category']\n{described}\n")
    assert get_dataset(str(tmp_path / "shop.toml")).metadata.attributes == data.metadata.attributes


def test_chain_and_stores_of_one_table_are_tied():
    stores = from_sales(sales_rows(), **ROLES, level="store", attributes=["category", "region"])
    chain = from_sales(sales_rows(), **ROLES)
    tied = Hierarchy.of_attributes(stores.metadata.item_ids, stores.metadata.attributes, nested=("region", "store"))
    assert tied.levels == ("total", "article", "store", "category", "region")
    assert tied.labels("article") == chain.metadata.item_ids
    summed = tied.matrix("article") @ stores.test[-1].target
    np.testing.assert_array_equal(summed, chain.test[-1].target)
    with pytest.raises(ValueError, match="nested: expected one 'article' for store 'kiel'"):
        Hierarchy.of_attributes(stores.metadata.item_ids, stores.metadata.attributes, nested=("article", "store"))


def test_data_without_attributes_are_known_as_before():
    with_them, without = (from_sales(sales_rows(), **ROLES, attributes=chosen) for chosen in (["category"], []))
    assert fingerprint(with_them) != fingerprint(without)
    data = simulated_sales(articles=2, weeks=104, windows=1)
    # What a run was known by before there were attributes.
    metadata = {name: value for name, value in vars(data.metadata).items() if name != "attributes"}
    train, test = (
        [{**entry.of_domain("real"), "start": str(entry.start)} for entry in entries]
        for entries in (data.train, data.test)
    )
    assert fingerprint(data) == digest({"metadata": {"type": "Metadata", **metadata}, "train": train, "test": test})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attributes": ["brand"]}, "attributes: .*'brand'"),
        ({"attributes": "category"}, "attributes: expected a sequence of column names, got the string 'category'"),
        (
            {"attributes": ["region"]},
            "attributes: expected one 'region' for 'coat', got 'north' and 'south'.*one parent",
        ),
        ({"attributes": ["empty"]}, "attributes: expected a label of 'empty' for every item, got none for 'hat'"),
    ],
)
def test_wrong_attributes_are_one_line(change, message):
    rows = sales_rows().assign(empty=lambda table: table["category"].where(table["sku"] != "hat"))
    with pytest.raises(ValueError, match=message) as caught:
        from_sales(rows, **ROLES, **change)
    assert "\n" not in str(caught.value)


def test_a_wide_table_has_no_attributes():
    table = pd.DataFrame({"day": pd.date_range("2024-05-01", periods=4), "coat": 1.0, "category": "warm"})
    with pytest.raises(ValueError, match="attributes: expected a table with a row an item and date"):
        from_frame(table, timestamp="day", target=["coat"], prediction_length=1, attributes=["category"])
