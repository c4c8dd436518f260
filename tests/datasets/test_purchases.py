"""Purchases: long tables, their layouts, time-ordered cuts, baskets, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import read_purchases
from hemline.datasets.purchases.on_sale import OnSale
from hemline.datasets.purchases.purchases import Purchases

DAYS = np.array(["2024-01-01", "2024-01-01", "2024-01-03", "2024-02-01"], dtype="datetime64[s]")


def four(**columns) -> Purchases:
    return Purchases(
        ("ada", "eva"), ("coat", "hat", "sock"), np.array([0, 1, 0, 0]), np.array([0, 1, 2, 1]), DAYS, **columns
    )


def frame(**changes) -> pd.DataFrame:
    rows = {
        "customer": ["ada", "eva", "ada"],
        "article": ["007", "NA", "007"],
        "time": ["2024-01-03", "2024-01-01", "2024-01-02"],
    }
    return pd.DataFrame({**rows, **changes})


def test_rows_come_in_the_order_of_time_with_names_as_they_are_written(tmp_path):
    frame().to_csv(tmp_path / "rows.csv", index=False)
    bought = read_purchases(str(tmp_path / "rows.csv"))
    assert bought.item_ids == ("007", "NA")
    assert bought.customers == ("ada", "eva")
    assert [str(day)[:10] for day in bought.time] == ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert bought.matrix(counts=True).toarray().tolist() == [[2, 0], [0, 1]]


def test_the_layout_of_the_competition_is_known_by_its_columns():
    rows = {
        "t_dat": ["2020-09-02", "2020-09-01"],
        "customer_id": ["b", "a"],
        "article_id": ["0108", "0109"],
    }
    bought = read_purchases(pd.DataFrame({**rows, "price": [0.05, 0.03], "sales_channel_id": [2, 1]}))
    assert bought.item_ids == ("0108", "0109")
    assert bought.price.tolist() == pytest.approx([0.03, 0.05])
    assert bought.channel.tolist() == ["1", "2"]


def test_a_return_in_a_row_of_its_own_marks_the_purchase_before_it():
    rows = {
        "InvoiceNo": ["1", "2", "3", "C4"],
        "StockCode": ["a", "a", "b", "a"],
        "Quantity": [2, 1, 1, -1],
        "InvoiceDate": ["2010-12-01 08:26", "2010-12-02 08:26", "2010-12-02 09:00", "2010-12-05 10:00"],
        "UnitPrice": [2.5, 2.5, 3.0, 2.5],
        "CustomerID": [17850.0, 17850.0, np.nan, 17850.0],
    }
    with pytest.raises(ValueError, match="customer: expected a name in 'CustomerID', got nan in row 2"):
        read_purchases(pd.DataFrame(rows))
    bought = read_purchases(pd.DataFrame(rows), anonymous="drop")
    assert bought.customers == ("17850",)
    assert bought.returned.tolist() == [False, True]
    assert len(bought.kept()) == 1
    assert bought.matrix(counts=True).toarray().tolist() == [[1]]


def test_named_columns_and_a_description(tmp_path):
    rows = frame().rename(columns={"customer": "Kunde", "article": "Artikel", "time": "Tag"})
    rows.assign(Preis="3,50").to_csv(tmp_path / "rows.csv", index=False, sep=";")
    (tmp_path / "own.toml").write_text(
        'table = "rows.csv"\nsep = ";"\ndecimal = ","\n'
        'customer = "Kunde"\narticle = "Artikel"\ntime = "Tag"\nprice = "Preis"\n'
    )
    assert read_purchases(str(tmp_path / "own.toml")).price.tolist() == [3.5, 3.5, 3.5]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"customer": ["ada", None, "eva"]}, "customer: expected a name in 'customer', got None in row 1"),
        ({"article": ["coat", "hat", None]}, "article: expected a name in 'article', got None in row 2"),
        ({"time": ["2024-01-01", "soon", "2024-01-02"]}, "time: expected dates in 'time', got 'soon' in row 1"),
        ({"time": ["2024-01-01", None, "2024-01-02"]}, "time: expected a date in 'time', got None in row 1"),
        ({"price": [1.0, -2.0, 1.0]}, "price: expected no money below 0 in 'price', got -2.0 in row 1"),
        ({"price": [1.0, "x", 1.0]}, "'price': expected finite numbers, got 'x' in row 1"),
        ({"quantity": [1, 0, 1]}, "quantity: expected a number that is not 0 in 'quantity', got 0 in row 1"),
        ({"quantity": [-1, -1, -2]}, "quantity: expected some rows above 0, got 3 returns alone"),
        ({"returned": [0, 1, 2]}, "returned: expected 1 or 0 in 'returned', got 2 in row 2"),
    ],
)
def test_bad_cells_are_refused_by_row(changes, error):
    with pytest.raises(ValueError, match=error):
        read_purchases(frame(**changes))


def test_a_table_of_no_layout_is_refused():
    with pytest.raises(
        ValueError, match=r"customer: expected the columns of one layout .*customer_id, article_id, t_dat"
    ):
        read_purchases(pd.DataFrame({"who": ["a"], "what": ["b"]}))
    with pytest.raises(ValueError, match="article: expected the name of its column beside customer, got none"):
        read_purchases(frame(), customer="customer")


def test_names_that_occur_twice_and_times_that_run_backwards_are_refused():
    with pytest.raises(ValueError, match="item_ids: expected each once, got 'coat' twice"):
        Purchases(("ada",), ("coat", "coat"), np.array([0]), np.array([0]), DAYS[:1])
    with pytest.raises(ValueError, match="time: expected ascending times, got 2024-01-01T00:00:00 after 2024-02-01"):
        Purchases(("ada",), ("coat",), np.zeros(2), np.zeros(2), DAYS[[3, 0]])
    with pytest.raises(ValueError, match="article: expected numbers from 0 to 0, got 0 to 3"):
        Purchases(("ada",), ("coat",), np.zeros(2), np.array([0, 3]), DAYS[:2])


def test_a_cut_in_time_leaves_the_names_and_loses_no_row():
    whole = four()
    before, after = whole.between(None, "2024-01-03"), whole.between("2024-01-03")
    assert len(before) == 2
    assert len(before) + len(after) == len(whole)
    assert before.item_ids == after.item_ids == whole.item_ids
    assert before.time.max() < np.datetime64("2024-01-03") <= after.time.min()


def test_baskets_are_what_was_bought_at_once_or_within_a_gap():
    baskets = four().baskets()
    assert baskets.customer.tolist() == [0, 0, 0, 1]
    sessions = four().baskets(np.timedelta64(2, "D"))
    assert sessions.customer.tolist() == [0, 0, 1]
    assert [str(day)[:10] for day in sessions.time] == ["2024-01-01", "2024-02-01", "2024-01-01"]
    assert sessions.basket.tolist() == [0, 0, 1, 2]
    assert sessions.order.tolist() == [0, 2, 3, 1]


def test_a_return_is_no_sign_of_taste():
    bought = four(returned=np.array([False, False, True, False]))
    assert bought.matrix().toarray().tolist() == [[1, 1, 0], [0, 1, 0]]


def test_the_time_on_sale_is_read_off_purchases():
    shop = OnSale.seen_in(four(), gone_after=np.timedelta64(14, "D"))
    assert shop.at(np.datetime64("2024-01-02")).tolist() == [False, True, False]
    assert shop.at(np.datetime64("2024-02-01")).tolist() == [False, True, False]
    weeks = shop.weeks(np.datetime64("2024-01-01"), np.datetime64("2024-01-15"))
    assert weeks == pytest.approx([0, 2, 0], abs=1e-4)
    assert shop.of_items(["hat", "new"]).at(np.datetime64("2024-01-04")).tolist() == [True, True]
    with pytest.raises(ValueError, match="end: expected no time before 2024-01-03T00:00:00, when 'coat' comes"):
        OnSale(("coat",), DAYS[2:3], DAYS[:1])
