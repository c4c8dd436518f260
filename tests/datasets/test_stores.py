"""Sums over stores, where a store ran out, opens, closes, or does not report."""

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_sales
from hemline.datasets.tables.stores import usual_shares

WEEKS = pd.date_range("2024-01-01", periods=30, freq="W-MON")
HOW = {"article": "sku", "store": "shop", "date": "week", "units": "sold", "in_stock": "shelf", "prediction_length": 4}


def table(shares=(50, 30, 20), articles=("coat", "hat")):
    """Sales that are whole multiples of the stores' shares, so that what is made up is exact."""
    rows = [
        {"sku": sku, "shop": f"s{store}", "week": week, "sold": float(share * (1 + step % 3)), "shelf": 1}
        for sku in articles
        for store, share in enumerate(shares)
        for step, week in enumerate(WEEKS)
    ]
    return pd.DataFrame(rows)


def at(rows, sku, shop, steps):
    return (rows["sku"] == sku) & (rows["shop"] == shop) & rows["week"].isin(WEEKS[steps])


def read(rows, **options):
    return from_sales(rows, **{"windows": 0, **HOW, **options})


TRUE = 100.0 * (1 + np.arange(30) % 3)


def empty(rows, sku, shop, steps):
    gone = at(rows, sku, shop, steps)
    return rows.assign(sold=rows["sold"].where(~gone, 1.0), shelf=rows["shelf"].where(~gone, 0))


def test_what_an_empty_store_would_have_sold_is_made_up_by_its_usual_share():
    data = read(empty(table(), "coat", "s1", [10, 11]))
    np.testing.assert_allclose(data.train[0].target, [TRUE, TRUE], rtol=0.01)
    assert data.facts["stores out of stock"] == (
        "in 3.3 % of article-steps: 3.3 % filled in by the usual share, 0.0 % missing; none is used in scores"
    )


def test_the_sum_is_missing_where_the_others_sell_less_than_half():
    target = read(empty(table((80, 20)), "coat", "s0", [10, 11])).train[0].target
    assert np.flatnonzero(np.isnan(target[0])).tolist() == [10, 11]
    assert not np.isnan(target[1]).any()


def test_it_is_missing_if_that_is_chosen_and_partial_if_that_is():
    rows = empty(table(), "coat", "s1", [10])
    assert np.isnan(read(rows, empty_stores="missing").train[0].target[0, 10])
    partial = read(rows, empty_stores="partial")
    assert partial.train[0].target[0, 10] == 140
    assert "stores out of stock" not in partial.facts
    with pytest.raises(ValueError, match="empty_stores: expected 'share', 'missing' or 'partial', got 'zero'"):
        read(rows, empty_stores="zero")


def test_what_is_made_up_is_learnt_from_and_never_judged():
    data = read(empty(table(), "coat", "s1", [10, 24, 28]), windows=2)
    target = [entry.target[0] for entry in (data.train[0], *data.test, data.latest)]
    train, first, second, latest = target
    assert train.shape == (22,)
    assert train[10] == pytest.approx(TRUE[10], rel=0.01)
    assert np.flatnonzero(np.isnan(first)).tolist() == [24]
    assert np.flatnonzero(np.isnan(second)).tolist() == [28]
    assert second[24] == pytest.approx(TRUE[24], rel=0.01)
    assert not np.isnan(latest).any()


def test_the_future_changes_no_past():
    """The shares by which the training span is made up come of the training span."""
    rows = empty(table(), "coat", "s1", [10, 24])
    later = rows.assign(sold=rows["sold"].where((rows["shop"] != "s1") | (rows["week"] < WEEKS[26]), 900.0))
    one, other = read(rows, windows=2), read(later, windows=2)
    np.testing.assert_array_equal(one.train[0].target, other.train[0].target)
    np.testing.assert_array_equal(one.history(0).target, other.history(0).target)
    np.testing.assert_array_equal(one.history(1).target, other.history(1).target)


def test_a_store_counts_from_its_first_row_to_its_last():
    rows = table()
    rows = rows[~((rows["shop"] == "s1") & (rows["week"] < WEEKS[6]))]
    rows = rows[~((rows["shop"] == "s2") & (rows["week"] > WEEKS[19]))]
    data = read(rows)
    expected = TRUE * np.where(np.arange(30) < 6, 0.7, np.where(np.arange(30) > 19, 0.8, 1.0))
    np.testing.assert_allclose(data.train[0].target[0], expected, rtol=1e-6)
    assert data.facts["stores out of stock"] == "never"


@pytest.mark.parametrize(("missing", "share"), [(range(10, 13), 1.0), (range(10, 14), 0.8)])
def test_a_store_that_opens_twice_was_closed_in_between_if_for_a_horizon(missing, share):
    rows = table()
    rows = rows[~((rows["shop"] == "s2") & rows["week"].isin(WEEKS[list(missing)]))]
    target = read(rows).train[0].target[0]
    np.testing.assert_allclose(target[list(missing)], share * TRUE[list(missing)], rtol=0.01)


def test_a_missing_row_is_no_sale_where_only_sales_are_listed():
    rows = table()
    target = read(rows[~at(rows, "coat", "s2", [10])], missing_rows="zero").train[0].target[0]
    assert target[10] == 0.8 * TRUE[10]
    assert target[11] == TRUE[11]


def test_counts_stay_whole_and_other_values_as_they_are():
    rows = empty(table((5, 3, 2)), "coat", "s1", [10])
    rows.loc[at(rows, "coat", "s0", [10]), "sold"] = 11.0
    assert read(rows).train[0].target[0, 10] == 21
    assert read(rows, domain="positive").train[0].target[0, 10] % 1 != 0


def test_shares_are_learnt_from_weeks_in_which_some_are_missing():
    draw = np.random.default_rng(0)
    shares = draw.dirichlet([6, 3, 1], 20)
    units = draw.poisson(200 * draw.lognormal(0, 0.5, (20, 60))[..., None] * shares[:, None]).astype(float)
    units[draw.random(units.shape) < 0.4] = np.nan
    np.testing.assert_allclose(usual_shares(units), shares, atol=0.02)


def test_an_article_without_sales_has_the_shares_of_all():
    units = np.full((2, 10, 2), np.nan)
    units[0] = [75, 25]
    np.testing.assert_allclose(usual_shares(units)[1], [0.75, 0.25])


@pytest.mark.parametrize("level", ["chain", "store"])
def test_a_new_article_in_a_table_with_stores_is_kept(level):
    rows = table().assign(eur=20.0)
    rows.loc[rows["week"] >= WEEKS[26], ["sold", "shelf"]] = np.nan
    new = rows[(rows["sku"] == "hat") & (rows["week"] >= WEEKS[26])].assign(sku="scarf")
    data = read(pd.concat([rows, new], ignore_index=True), price="eur", unseen="keep", level=level, windows=2)
    names = ("scarf",) if level == "chain" else ("scarf@s0", "scarf@s1", "scarf@s2")
    assert data.latest.item_ids[-len(names) :] == names
    assert np.isnan(data.latest.target[-len(names) :]).all()
    if level == "chain":
        assert data.latest.past_channels.values[-1].tolist() == [0] * 26


def test_an_article_that_has_ended_is_learnt_from_and_left_out_of_what_is_to_come():
    rows = table().assign(eur=20.0)
    rows.loc[rows["week"] >= WEEKS[26], ["sold", "shelf"]] = np.nan
    rows = rows[(rows["sku"] != "hat") | (rows["week"] < WEEKS[20])]
    rows = rows.assign(eur=rows["eur"].where(rows["week"] < WEEKS[15], 12.0))
    data = read(rows, price="eur", windows=2)
    assert data.ended == ("hat",)
    assert data.latest.item_ids == ("coat",)
    assert data.latest.channels.names == ("price[coat]",)
    assert data.whole.item_ids == data.train[0].item_ids == ("coat", "hat")
    np.testing.assert_array_equal(data.whole.channel("price[hat]")[15:], 12)
    np.testing.assert_array_equal(np.isnan(data.test[-1].target[1]), np.arange(26) >= 20)


@pytest.mark.parametrize(("last", "ended"), [(25, ("hat",)), (27, ())])
def test_without_covariates_an_article_has_ended_after_a_horizon_without_rows(last, ended):
    rows = table()
    data = read(rows[(rows["sku"] != "hat") | (rows["week"] <= WEEKS[last])])
    assert data.ended == ended
    assert len(data.latest.item_ids) == 2 - len(ended)


def test_an_article_that_ends_within_the_weeks_to_come_is_forecast_at_its_last_price():
    rows = table().assign(eur=20.0)
    rows.loc[rows["week"] >= WEEKS[26], ["sold", "shelf"]] = np.nan
    rows.loc[(rows["sku"] == "hat") & (rows["week"] >= WEEKS[26]), "eur"] = 12.0
    rows = rows[(rows["sku"] != "hat") | (rows["week"] < WEEKS[28])]
    data = read(rows, price="eur", windows=2)
    assert data.ended == ()
    np.testing.assert_array_equal(data.latest.channel("price[hat]")[24:], [20, 20, 12, 12, 12, 12])


@pytest.mark.parametrize(
    ("empty_stores", "counted"), [("share", [2, 2, 2]), ("missing", [2, 2, 2]), ("partial", [2, 1, 2])]
)
def test_a_store_that_ran_out_is_among_those_that_count(empty_stores, counted):
    """A network that reads how many stores there are takes the sum, which holds its share, for that of all."""
    weeks = pd.date_range("2024-01-01", periods=3, freq="W-MON")
    rows = [(store, week, 10.0, 1.0) for store in ("n", "s") for week in weeks]
    table = pd.DataFrame(rows, columns=["shop", "week", "sold", "shelf"]).assign(sku="coat")
    table.loc[(table["shop"] == "s") & (table["week"] == weeks[1]), ["sold", "shelf"]] = 0.0
    data = from_sales(table, article="sku", store="shop", date="week", units="sold", in_stock="shelf",
                      prediction_length=1, windows=0, empty_stores=empty_stores)  # fmt: skip
    assert data.latest.past_channels.values.tolist() == [counted]
