"""Who bought what a simulated shop sold: sums are those of its table, and tastes say who."""

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import simulated_shop
from hemline.datasets.simulated.customers import Behaviour
from hemline.datasets.simulated.shop_customers import shop_customers

SHOP = simulated_shop(articles=24, weeks=40, launches=0.25, seed=2)
MADE = shop_customers(SHOP, customers=80, behaviour=Behaviour(tastes=3, choosiness=1.5), seed=1)


@pytest.fixture(scope="module")
def rows():
    bought = MADE.purchases
    return pd.DataFrame(
        {
            "Artikel": np.array(bought.item_ids)[bought.article],
            "Filiale": bought.channel,
            "Woche": SHOP.table["Woche"].min() + pd.to_timedelta(7 * ((bought.time - FIRST) // WEEK), "D"),
            "zurück": bought.returned,
            "Preis": bought.price,
        }
    )


FIRST, WEEK = np.datetime64(SHOP.table["Woche"].min(), "s"), np.timedelta64(7, "D")
KEYS = ["Artikel", "Filiale", "Woche"]


def test_purchases_sum_to_every_cell_of_the_table(rows):
    table = SHOP.table.dropna(subset="Absatz").set_index(KEYS)["Absatz"].astype(int)
    counted = rows.groupby(KEYS).size().reindex(table.index, fill_value=0)
    np.testing.assert_array_equal(counted, table)
    assert counted.sum() == len(rows)


def test_as_many_come_back_as_the_shop_took_back(rows):
    known = SHOP.table.dropna(subset="Retouren")
    back = known.assign(Woche=known["Woche"] - pd.Timedelta(weeks=1)).set_index(KEYS)["Retouren"].astype(int)
    marked = rows.groupby(KEYS)["zurück"].sum()
    back = back.reindex(marked.index).fillna(0).astype(int)
    np.testing.assert_array_equal(marked, back)
    assert 0.05 < MADE.purchases.returned.mean() < 0.2
    assert len(MADE.purchases.kept()) == (~MADE.purchases.returned).sum()


def test_prices_are_those_of_the_week_and_sizes_those_of_the_customer(rows):
    price = SHOP.table.set_index(KEYS)["Preis"]
    np.testing.assert_allclose(price.loc[pd.MultiIndex.from_frame(rows[KEYS])], rows["Preis"], rtol=1e-6)
    bought = MADE.purchases
    assert all(len(set(bought.size[bought.customer == number])) <= 1 for number in range(80))
    assert set(bought.size) == {"S", "M", "L"}


def test_units_go_to_whom_tastes_say():
    bought = MADE.purchases
    number = (bought.time - FIRST) // WEEK
    chances = np.array([MADE.chances(week) for week in range(40)])
    chance = chances[number, bought.article, bought.customer]
    mixed = chances[number, bought.article, np.random.default_rng(0).permutation(80)[bought.customer]]
    # Of what was sold, a unit goes to each customer by chance: the mean chance of who got it is the sum of squares.
    assert chance.mean() == pytest.approx((chances**2).sum(2)[number, bought.article].mean(), rel=0.03)
    assert mixed.mean() < 0.6 * chance.mean()


def test_the_same_seed_gives_the_same_purchases():
    again = shop_customers(SHOP, customers=80, behaviour=Behaviour(tastes=3, choosiness=1.5), seed=1)
    np.testing.assert_array_equal(again.purchases.customer, MADE.purchases.customer)
    other = shop_customers(SHOP, customers=80, behaviour=Behaviour(tastes=3, choosiness=1.5), seed=2)
    assert (other.purchases.customer != MADE.purchases.customer).any()


def test_a_shop_with_fewer_articles_than_tastes_is_refused():
    with pytest.raises(ValueError, match="shop: expected more than 8 articles, got 8"):
        shop_customers(simulated_shop(articles=8, weeks=20))
