from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_sales


def sales(**columns) -> pd.DataFrame:
    """Two articles in two stores over ten days; south charges 2 more than north."""
    rows = [
        {"sku": sku, "shop": shop, "day": day, "sold": 10 * a + step, "eur": 5.0 + 2 * b + step, "ad": float(step == 3)}
        for a, sku in enumerate(("coat", "hat"))
        for b, shop in enumerate(("north", "south"))
        for step, day in enumerate(pd.date_range("2024-05-01", periods=10))
    ]
    return pd.DataFrame(rows).assign(**columns)


def read(table, **changes):
    arguments = {"article": "sku", "store": "shop", "date": "day", "units": "sold", "price": "eur", "promotion": "ad"}
    return from_sales(table, prediction_length=2, **(arguments | changes))


def test_the_chain_sums_units_and_averages_prices_over_the_stores():
    data = read(sales())
    assert data.metadata.domain == "count"
    assert data.metadata.item_ids == ("coat", "hat")
    assert data.metadata.covariates == ("price[coat]", "price[hat]", "promo[coat]", "promo[hat]")
    assert data.metadata.past_covariates == ("stores[coat]", "stores[hat]")
    entry = data.test[0]
    np.testing.assert_array_equal(entry["target"], [2 * np.arange(10), 20 + 2 * np.arange(10)])
    np.testing.assert_array_equal(entry["feat_dynamic_real"][0], 6 + np.arange(10))
    np.testing.assert_array_equal(entry["feat_dynamic_real"][2], np.arange(10) == 3)
    np.testing.assert_array_equal(entry["past_feat_dynamic_real"], np.full((2, 10), 2))


@pytest.mark.parametrize("freq", [None, "W-MON"])
def test_stores_whose_weeks_are_dated_by_different_days_are_refused_by_name(freq):
    weeks = {"north": "W-MON", "south": "W-MON", "west": "W-THU"}
    rows = [
        {"sku": "coat", "shop": shop, "day": day, "sold": 1.0, "eur": 5.0, "ad": 0.0}
        for shop, alias in weeks.items()
        for day in pd.date_range("2024-01-01", periods=12, freq=alias)
    ]
    match = (
        r"date: expected the weeks of all stores to be dated by one weekday, got Mondays in store 'north' \(such as "
        r"2024-01-01\) and Thursdays in store 'west' \(such as 2024-01-04\)"
    )
    with pytest.raises(ValueError, match=match):
        read(pd.DataFrame(rows), freq=freq)
    stalls = read(pd.DataFrame(rows), freq="D", price=None, promotion=None)  # each is there on one day of the week
    assert np.nansum(stalls.test[0]["target"]) == 36


def test_an_article_that_has_ended_is_named_with_what_to_do():
    table = sales().query("shop == 'north'")
    table.loc[table["day"] >= "2024-05-09", "sold"] = np.nan  # two days to come
    ended = table[(table["sku"] == "coat") | (table["day"] < "2024-05-08")]
    match = (
        r"covariates: expected a value of 'price' of item 'hat' on 2024-05-08, got none "
        r"\(3 missing values in this column\); 'hat': give "
        "values up to 2024-05-10, or leave items that have ended out of the table"
    )
    for options in ({"store": None}, {}, {"store": None, "missing_rows": "zero"}):
        with pytest.raises(ValueError, match=match):
            read(ended, **options, ended="refuse")
    assert read(ended[ended["sku"] == "coat"]).latest["feat_dynamic_real"].shape == (2, 10)


def test_a_store_without_a_row_is_missing_from_the_sum_and_counted():
    data = read(sales().drop(index=14), empty_stores="partial")
    assert data.test[0]["target"][0, 4] == 4
    assert data.test[0]["past_feat_dynamic_real"][0].tolist() == [2, 2, 2, 2, 1, 2, 2, 2, 2, 2]


def test_prices_are_not_weighted_by_what_was_sold():
    table = sales()
    table.loc[10:19, "sold"] *= 100
    np.testing.assert_array_equal(read(table).test[0]["feat_dynamic_real"][0], 6 + np.arange(10))


def test_the_store_level_has_a_series_of_each_article_in_each_store():
    data = read(sales(), level="store")
    assert data.metadata.item_ids == ("coat@north", "coat@south", "hat@north", "hat@south")
    np.testing.assert_array_equal(data.test[0]["feat_dynamic_real"][1], 7 + np.arange(10))
    assert data.metadata.past_covariates == ()


def test_a_table_without_stores_is_taken_as_it_is():
    table = sales().query("shop == 'north'")
    data = read(table, store=None)
    np.testing.assert_array_equal(data.test[0]["target"], [np.arange(10), 10 + np.arange(10)])


def test_names_that_look_like_numbers_stay_names(tmp_path):
    sales().replace({"coat": "007", "hat": "008"}).to_csv(tmp_path / "sales.csv", index=False)
    assert read(tmp_path / "sales.csv").metadata.item_ids == ("007", "008")


def test_missing_rows_are_gaps_or_zeros_as_the_caller_says():
    table = sales().drop(index=[20, 21, 24, 30, 31, 34])
    gaps = read(table, price=None, promotion=None).test[0]["target"][1]
    zeros = read(table, price=None, promotion=None, missing_rows="zero").test[0]["target"][1]
    assert np.flatnonzero(np.isnan(gaps)).tolist() == [0, 1, 4]
    assert np.flatnonzero(np.isnan(zeros)).tolist() == [0, 1]
    assert zeros[4] == 0


def test_a_date_on_which_no_article_was_sold_is_zero_too():
    table = sales().query("day.dt.day not in (3, 6)")
    data = read(table, price=None, promotion=None, missing_rows="zero")
    np.testing.assert_array_equal(data.test[0]["target"][0], [0, 2, 0, 6, 8, 0, 12, 14, 16, 18])
    assert data.test[0]["past_feat_dynamic_real"][0].tolist() == [2, 2, 0, 2, 2, 0, 2, 2, 2, 2]


def test_nothing_is_known_to_be_unsold_in_weeks_to_come():
    """The hat is not in the plan: that is no sale of 0, and does not move the end of what was observed."""
    table = sales().astype({"sold": float})
    table.loc[table["day"].dt.day > 8, "sold"] = np.nan
    planned = table[~((table["sku"] == "hat") & (table["day"].dt.day > 8))]
    data = read(planned, price=None, promotion=None, missing_rows="zero", windows=0)
    assert data.train[0]["target"].shape == (2, 8)


def test_zeros_on_weeks_that_are_dated_by_another_day_than_their_first():
    table = sales()
    table["day"] = pd.Timestamp("2024-05-01") + 7 * (table["day"] - table["day"].min())
    data = read(table[table["day"].dt.day != 15], price=None, promotion=None, missing_rows="zero")
    assert data.metadata.freq == "W-WED"
    np.testing.assert_array_equal(data.test[0]["target"][0], [0, 2, 0, 6, 8, 10, 12, 14, 16, 18])


def test_a_date_without_any_store_is_a_gap_with_no_stores():
    data = read(sales().query("day.dt.day != 4"), price=None, promotion=None)
    np.testing.assert_array_equal(data.test[0]["target"][0], [0, 2, 4, np.nan, 8, 10, 12, 14, 16, 18])
    assert data.test[0]["past_feat_dynamic_real"][0].tolist() == [2, 2, 2, 0, 2, 2, 2, 2, 2, 2]


def test_stores_that_disagree_on_a_shared_covariate_are_refused():
    table = sales(holiday=0.0)
    table.loc[12, "holiday"] = 1
    with pytest.raises(ValueError, match=r"'holiday' to be the same .* got 0 and 1 on 2024-05-03"):
        read(table, shared_covariates=["holiday"])
    with pytest.raises(ValueError, match="'holiday': expected finite numbers, got 'no' in row 0"):
        read(sales(holiday="no"), shared_covariates=["holiday"])


def test_a_shared_covariate_is_taken_as_it_stands_by_any_number_of_stores():
    third = sales().query("sku == 'coat' and shop == 'north'").assign(shop="west")
    data = read(pd.concat([sales(), third], ignore_index=True).assign(holiday=0.1), shared_covariates=["holiday"])
    assert set(data.test[0]["feat_dynamic_real"][-1].tolist()) == {np.float32(0.1)}


def test_no_store_counts_none_in_a_gap():
    table = sales().drop(index=[24, 34])
    data = read(table, price=None, promotion=None)
    assert data.test[0]["past_feat_dynamic_real"][1].tolist() == [2, 2, 2, 2, 0, 2, 2, 2, 2, 2]


def test_articles_of_different_frequency_are_refused():
    table = sales()
    table = table[(table["sku"] == "coat") | (table["day"].dt.day % 2 == 1)]
    with pytest.raises(ValueError, match="expected one frequency, got item 'hat' with steps of 2"):
        read(table)


def test_a_row_of_zero_units_still_needs_its_price():
    table = sales().drop(index=[24, 34])
    with pytest.raises(ValueError, match="'price' of item 'hat' on 2024-05-05, got none"):
        read(table, missing_rows="zero")
    filled = read(table, missing_rows="zero", fill_covariates="forward")
    assert filled.test[0]["feat_dynamic_real"][1, 3:5].tolist() == [9, 9]


def test_further_columns_are_channels():
    table = sales(width=np.arange(40.0), holiday=np.tile(np.arange(10.0), 4))
    data = read(table, covariates=["width"], shared_covariates=["holiday"], promotion=None)
    assert data.metadata.covariates == ("price[coat]", "price[hat]", "width[coat]", "width[hat]", "holiday")
    np.testing.assert_array_equal(data.test[0]["feat_dynamic_real"][-1], np.arange(10))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("eur", 0.0, r"price: expected more than 0 in 'eur', got 0\.0 in row 7"),
        ("eur", -1.0, r"price: expected more than 0 in 'eur', got -1\.0 in row 7"),
        ("eur", "free", "'eur': expected finite numbers, got 'free' in row 7"),
        ("sold", -3, "units: expected at least 0 in 'sold', got -3 in row 7"),
        ("ad", 2.0, r"promotion: expected 0 to 1 in 'ad', got 2\.0 in row 7"),
        ("sku", None, "item: expected a name in every cell of 'sku', got None in row 7"),
        ("day", "soon", "timestamp: expected dates in 'day', got 'soon' in row 7"),
    ],
)
def test_a_cell_that_cannot_be_is_named(column, value, message):
    table = sales().astype(object)
    table.loc[7, column] = value
    with pytest.raises(ValueError, match=message):
        read(table)


def test_a_missing_price_is_named_with_article_and_date():
    table = sales()
    table.loc[[28, 38], "eur"] = np.nan
    with pytest.raises(ValueError, match="'price' of item 'hat' on 2024-05-09, got none"):
        read(table, fill_covariates="forward")


def test_duplicates_are_named():
    table = pd.concat([sales(), sales().loc[[7]]], ignore_index=True)
    with pytest.raises(ValueError, match=r"2 rows share article, date and store .* rows 7, 40, coat, 2024-05-08"):
        read(table)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"level": "region"}, "level: expected 'chain' or 'store', got 'region'"),
        ({"level": "store", "store": None}, "level: 'store' needs the name of the column of stores"),
        ({"missing_rows": "mean"}, "missing_rows: expected 'gap' or 'zero', got 'mean'"),
        ({"units": "units"}, "units: expected one of the columns sku, shop, day.*, got 'units'"),
        ({"price": "usd"}, "price: expected one of the columns .*, got 'usd'"),
        ({"promotion": "tv"}, "promotion: expected one of the columns .*, got 'tv'"),
        ({"covariates": ["width"]}, "covariates: expected one of the columns .*, got 'width'"),
        ({"shared_covariates": ["holiday"]}, "shared_covariates: expected one of the columns .*, got 'holiday'"),
        ({"covariates": "eur"}, "covariates: expected a sequence of column names, got the string 'eur'"),
        ({"covariates": ["eur"]}, "covariates: expected a column of one role, got 'eur', which is named by price too"),
        ({"promotion": "eur"}, "promotion: .* 'eur', which is named by price too"),
        ({"promotion": None, "covariates": ["ad", "ad"]}, "covariates: .* 'ad', which is named twice"),
        ({"price": None, "covariates": ["eur"], "shared_covariates": ["eur"]}, "shared_covariates: .* by covariates"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        read(sales(), **changes)


@pytest.mark.parametrize("argument", ["covariates", "shared_covariates"])
@pytest.mark.parametrize("name", ["article", "store", "date", "units", "price", "promo", "stores"])
def test_a_covariate_cannot_take_a_name_of_the_house(argument, name):
    with pytest.raises(ValueError, match=f"{argument}: '{name}' is a name that from_sales gives itself"):
        read(sales(**{name: 7.0}), **{argument: [name]})


def test_a_name_of_the_house_that_is_not_used_is_free_for_a_covariate():
    data = read(sales(price=7.0, promo=0.5), price=None, promotion=None, covariates=["price", "promo"])
    assert data.metadata.covariates == ("price[coat]", "price[hat]", "promo[coat]", "promo[hat]")
    assert (data.test[0]["feat_dynamic_real"][:2] == 7).all()


@pytest.mark.parametrize("freq", ["W-SUN", "7D"])
def test_weeks_as_periods_stay_the_same_weeks(freq):
    weeks = pd.period_range("2023-01-02", periods=9, freq=freq)
    sales = pd.concat([pd.DataFrame({"sku": "coat", "shop": s, "week": weeks, "sold": 1}) for s in ("north", "south")])
    data = from_sales(
        sales.reset_index(drop=True),
        article="sku",
        store="shop",
        date="week",
        units="sold",
        windows=0,
        prediction_length=2,
    )
    assert data.train[0]["start"] == weeks[0]
    assert data.train[0]["target"].shape == (1, 9)


def test_units_off_an_empty_shelf_are_missing_from_the_sum_and_from_what_is_judged():
    table = sales(shelf=1).astype({"sold": float})
    table.loc[[4, 14, 25], "shelf"] = 0  # the coat in both stores, the hat in the north
    data = read(table, in_stock="shelf", empty_stores="partial")
    entry = data.test[0]
    np.testing.assert_array_equal(entry["target"][0], [0, 2, 4, 6, np.nan, 10, 12, 14, 16, 18])
    np.testing.assert_array_equal(entry["target"][1], [20, 22, 24, 26, 28, 15, 32, 34, 36, 38])
    assert entry["past_feat_dynamic_real"][:, 4].tolist() == [0, 2]
    assert entry["past_feat_dynamic_real"][:, 5].tolist() == [2, 1]
    stores = read(table, in_stock="shelf", level="store", missing_rows="zero").test[0]["target"]
    assert np.argwhere(np.isnan(stores)).tolist() == [[0, 4], [1, 4], [2, 5]]


def test_the_shelf_of_weeks_to_come_may_be_left_open():
    table = sales(shelf=1.0).astype({"sold": float})
    table.loc[table["day"].dt.day > 8, ["sold", "shelf"]] = np.nan
    data = read(table, in_stock="shelf")
    assert data.latest["target"].shape == (2, 8)
    assert data.latest["feat_dynamic_real"].shape == (4, 10)


@pytest.mark.parametrize(("cell", "got"), [(0.5, "0.5"), (np.nan, "nan")])
def test_a_shelf_is_full_or_empty(cell, got):
    table = sales(shelf=1.0)
    table.loc[7, "shelf"] = cell
    with pytest.raises(ValueError, match=rf"in_stock: expected 0 or 1 where units are known in 'shelf', got {got}.*7"):
        read(table, in_stock="shelf")


@pytest.mark.parametrize("role", ["article", "units", "price", "in_stock"])
def test_a_column_without_a_name_is_refused(role):
    with pytest.raises(ValueError, match=rf"{role}: .*''"):
        read(sales(shelf=1), **{role: ""})
