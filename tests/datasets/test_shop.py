"""The simulated shop: its table is what the truth says, and loads by its description."""

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import get_dataset, simulated_shop
from hemline.datasets.commands import app
from hemline.datasets.pictures.source import open_source
from typer.testing import CliRunner

pytestmark = pytest.mark.filterwarnings("ignore:.*left out:UserWarning")


@pytest.fixture(scope="module")
def shop():
    return simulated_shop()


@pytest.fixture(scope="module")
def written(shop, tmp_path_factory):
    return shop.write(tmp_path_factory.mktemp("shop"))


def on_grid(shop, column):
    """A column ``[T, D, S]``, NaN where there is no row."""
    table, truth = shop.table, shop.truth
    cells = np.full(truth.demand.shape, np.nan)
    week = (table["Woche"] - table["Woche"].min()).dt.days // 7
    article = pd.Index(truth.sales.articles).get_indexer(table["Artikel"])
    cells[week, article, pd.Index(truth.stores).get_indexer(table["Filiale"])] = table[column].astype(float)
    return cells


def test_the_same_seed_gives_the_same_table(shop):
    pd.testing.assert_frame_equal(shop.table, simulated_shop().table)
    assert not shop.table["Absatz"].equals(simulated_shop(seed=1).table["Absatz"])


def test_full_shelves_sell_the_demand_and_empty_ones_less(shop):
    sold, demand, full = on_grid(shop, "Absatz")[:112], shop.truth.demand[:112], shop.truth.in_stock[:112]
    there = ~np.isnan(demand)
    np.testing.assert_array_equal(sold[full & there], demand[full & there])
    assert (sold[~full & there] <= 0.7 * demand[~full & there]).all()
    assert 0.02 < (~full[there]).mean() < 0.04
    np.testing.assert_array_equal(on_grid(shop, "Bestand")[:112][there], full[there])
    assert (there & ~full).any(axis=-1).sum() > 2 * (there & ~full).all(axis=-1).sum()  # in single stores, as a rule


def test_articles_and_stores_have_rows_while_they_are_there(shop):
    truth, rows = shop.truth, ~np.isnan(on_grid(shop, "Preis"))
    np.testing.assert_array_equal(rows, truth.on_sale[:, :, None] & truth.open[:, None, :])
    assert (~truth.open).sum() == 28
    assert (truth.launch > 0).sum() == 15
    assert (truth.launch >= 112).sum() >= 1
    assert (truth.end < 112).sum() == 9
    assert shop.table.loc[shop.table["Woche"] >= "2025-02-24", "Absatz"].isna().all()
    assert shop.table.loc[shop.table["Woche"] < "2025-02-24", "Absatz"].notna().all()


def test_some_articles_are_promoted_for_the_first_time_at_the_end(shop):
    first, price, promo = shop.truth.first_promotion, on_grid(shop, "Preis"), on_grid(shop, "Aktion")
    late = np.flatnonzero((first >= 104) & (first < 120))
    assert len(late) >= 5
    for article in late:
        before = slice(None, first[article])
        assert np.nansum(promo[before, article]) == 0
        assert np.nanmin(price[before, article], initial=np.inf) >= 0.9 * shop.truth.sales.list_price[article]


def test_returns_follow_what_was_sold_the_week_before(shop):
    sold, back = on_grid(shop, "Absatz"), on_grid(shop, "Retouren")
    pairs = ~np.isnan(sold[:-1]) & ~np.isnan(back[1:])
    assert (back[1:][pairs] <= sold[:-1][pairs]).all()
    old = shop.truth.launch < 100
    share = (np.where(pairs, back[1:], 0).sum((0, 2)) / np.maximum(np.where(pairs, sold[:-1], 0).sum((0, 2)), 1))[old]
    np.testing.assert_allclose(share, shop.truth.returned[old], atol=0.03)


def test_demand_has_the_planted_mean_and_is_shared_as_planted(shop):
    truth, weeks = shop.truth, np.arange(28, 56)
    always = truth.on_sale[weeks].all(axis=0)
    price, promo = (on_grid(shop, column)[weeks, :, 0] for column in ("Preis", "Aktion"))
    price, promo = np.where(np.isnan(price), truth.sales.list_price, price), np.nan_to_num(promo)
    expected = (truth.sales.expected_units(price, promo, weeks) * np.exp(truth.sales.shocks[weeks]))[:, always]
    demand = truth.demand[weeks][:, always]
    np.testing.assert_array_equal(truth.sales.demand[weeks][:, always], demand.sum(axis=-1))
    np.testing.assert_allclose(demand.sum() / expected.sum(), 1, atol=0.01)
    means = expected[:, :, None] * truth.shares[always]
    alpha = truth.sales.dispersion[always][:, None]
    np.testing.assert_allclose(np.mean((demand - means) ** 2 / (means + alpha * means**2)), 1, atol=0.1)


def test_it_loads_by_its_description(written, shop):
    with pytest.warns(UserWarning, match="series without a value in the training span are left out: '"):
        data = get_dataset(str(written))
    late = int((shop.truth.launch >= 88).sum())
    assert data.metadata.target_dim == 60 - late
    assert (data.metadata.freq, data.metadata.domain, len(data.test)) == ("W-MON", "count", 3)
    gone = {name for name, end in zip(shop.truth.sales.articles, shop.truth.end, strict=True) if end < 112}
    assert set(data.ended) == gone
    assert gone.isdisjoint(data.latest.item_ids)
    assert gone < set(data.whole.item_ids)
    assert data.latest.channels.length == 120


def test_new_articles_are_kept_if_asked_for(shop, tmp_path):
    data = get_dataset(str(shop.write(tmp_path, unseen="keep", photos=False)))
    assert data.metadata.target_dim == 60
    assert np.isnan(data.train[0].target).all(axis=1).sum() == (shop.truth.launch >= 88).sum()
    assert not (tmp_path / "fotos").exists()


def test_the_photos_are_a_catalogue(written):
    catalogue = open_source(str(written.parent / "artikel.toml")).catalogue
    assert len(catalogue.articles) == 60


def test_the_command_writes_it_and_describe_says_what_became_of_empty_stores(tmp_path):
    runner = CliRunner(env={"COLUMNS": "160"})
    done = runner.invoke(app, ["shop", str(tmp_path / "s"), "--articles", "8", "--weeks", "60"], catch_exceptions=False)
    assert "8 articles in 3 stores over 60 weeks" in done.output
    told = runner.invoke(app, ["describe", str(tmp_path / "s" / "shop.toml")], catch_exceptions=False).output
    assert "filled in by the usual share" in told
    assert "ended" in told


@pytest.mark.parametrize(
    ("name", "value"),
    [("articles", 0), ("weeks", 8), ("stores", 0), ("stockouts", 0.5), ("launches", 0.6), ("taken", 0.5)],
)
def test_what_cannot_be_simulated_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=rf"{name}: expected .* got {value}"):
        simulated_shop(**{name: value})


def test_launches_take_what_is_planted_and_nothing_else_changes(shop):
    taking = simulated_shop(taken=0.3)
    truth, before = taking.truth, shop.truth
    assert not before.taken.any()
    np.testing.assert_array_equal(truth.launch, before.launch)
    np.testing.assert_array_equal(taking.table["Preis"], shop.table["Preis"])
    styles = np.array(truth.sales.styles)
    assert (truth.taken[styles[:, None] != styles] == 0).all()
    assert (np.diag(truth.taken) == 0).all()
    assert -0.3 < truth.launch_effect("dress_1", of="dress_2") == np.expm1(truth.taken[0, 1]) < 0
    # What is asked for is less by what rivals on sale take, but for the counts that are drawn.
    factor = np.nanmean(truth.demand, axis=(0, 2)) / np.nanmean(before.demand, axis=(0, 2))
    there = before.on_sale
    planted = np.array([np.exp(there[there[:, a]] @ truth.taken[a]).mean() for a in range(len(styles))])
    assert np.corrcoef(factor, planted)[0, 1] > 0.9
    assert factor.mean() == pytest.approx(planted.mean(), abs=0.03)
    with pytest.raises(ValueError, match=r"of: expected one of dress_1, .*; got 'hat'"):
        truth.launch_effect("dress_1", of="hat")
