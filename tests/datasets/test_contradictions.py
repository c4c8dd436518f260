"""Tables that contradict themselves: shelves that are empty and sell, sizes that run out, categories that change."""

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame, from_sales, get_dataset, simulated_sales, simulated_shop
from hemline.datasets.commands import app
from hemline.forecasting import build_model, load_predictor
from typer.testing import CliRunner

WEEKS = pd.date_range("2024-01-01", periods=30, freq="W-MON")
HOW = {"article": "sku", "date": "week", "units": "sold", "prediction_length": 4, "windows": 1}
SHARES = {"S": 0.5, "M": 0.3, "L": 0.2}


def table(stores=("north",), sizes=(None,)):
    """Each article sells 40, 60 or 80 units in each store, split by size."""
    rows = [
        {"sku": sku, "shop": shop, "size": size, "week": week, "sold": (40.0 + 20 * (step % 3)) * SHARES.get(size, 1)}
        for sku in ("coat", "hat")
        for shop in stores
        for size in sizes
        for step, week in enumerate(WEEKS)
    ]
    return pd.DataFrame(rows).assign(shelf=1)


def test_units_off_an_empty_shelf_are_not_known_and_said(tmp_path):
    """A delivery where the shelf was empty may be any part of what was asked for: it is neither learnt nor judged."""
    rows = table()
    at = (rows["sku"] == "coat") & rows["week"].isin(WEEKS[[3, -2]])
    rows.loc[at, "shelf"] = 0
    data = from_sales(rows, in_stock="shelf", **HOW)
    assert np.flatnonzero(np.isnan(data.test[0].target[0])).tolist() == [3, 28]
    assert np.isnan(data.train[0].target).sum() == 1
    assert not np.isnan(data.test[0].target[1]).any()
    rows.drop(columns=["shop", "size"]).to_csv(tmp_path / "sales.csv", index=False)
    (tmp_path / "shop.toml").write_text(
        'table = "sales.csv"\narticle = "sku"\ndate = "week"\nunits = "sold"\nin_stock = "shelf"\n'
        "prediction_length = 4\n"
    )
    said = CliRunner(env={"COLUMNS": "160"}).invoke(app, ["describe", str(tmp_path / "shop.toml")]).output
    assert "100 units, 2.8 % of all, in 2 rows; treated as missing" in said


def test_a_shelf_column_that_says_the_opposite_is_one_line():
    rows = table()
    rows.loc[8::9, "shelf"] = 0
    rows.loc[rows["week"] == WEEKS[-1], "shelf"] = 0
    turned = rows.assign(shelf=1 - rows["shelf"])
    with pytest.warns(UserWarning, match=r"in_stock: 8[0-9] % of all units .* 'shelf' says .* empty.*invert"):
        from_sales(turned, in_stock="shelf", **HOW)
    with pytest.raises(ValueError, match="in_stock: expected some rows with a full shelf, 1 in 'shelf', got 0 in all"):
        from_sales(rows.assign(shelf=0), in_stock="shelf", **HOW)
    with pytest.raises(ValueError, match="in_stock: expected 0 or 1 where units are known in 'shelf', got 12 in row 0"):
        from_sales(rows.assign(shelf=12 * rows["shelf"]), in_stock="shelf", **HOW)


@pytest.mark.filterwarnings("ignore:.*left out:UserWarning")
def test_the_usual_stock_outs_of_a_shop_are_no_contradiction(tmp_path):
    shop = simulated_shop(articles=8, weeks=60, stockouts=0.2)
    assert "treated as missing" in get_dataset(str(shop.write(tmp_path, photos=False))).facts["sold while out of stock"]


@pytest.mark.parametrize("stores", [("north",), ("north", "south")])
@pytest.mark.parametrize("level", ["chain", "store"])
def test_sizes_are_summed_to_the_article_and_have_their_shares(stores, level):
    rows = table(stores, tuple(SHARES))
    named = {} if len(stores) == 1 else {"store": "shop", "level": level}
    data = from_sales(rows, size="size", **named, **HOW)
    summed = rows.groupby(["sku", *(["shop"] if named and level == "store" else []), "week"], sort=False)["sold"].sum()
    np.testing.assert_allclose(data.test[0].target.ravel(), summed.to_numpy())
    assert list(data.sizes.columns) == ["item_id", "size", "share"]
    # Ten units that are shared as those of all articles are make no difference here.
    assert set(data.sizes["item_id"]) == set(data.metadata.item_ids)
    np.testing.assert_allclose(data.sizes["share"], data.sizes["size"].map(SHARES), atol=1e-6)
    channels = data.metadata.past_covariates
    assert channels == (("stores[coat]", "stores[hat]") if named and level == "chain" else ())
    if channels:
        assert set(data.test[0].past_channels.values.ravel()) == {2.0}


def test_a_size_that_ran_out_is_made_up_by_its_usual_share():
    rows = table(("north", "south"), tuple(SHARES))
    gone = (rows["size"] == "L") & (rows["shop"] == "north") & (rows["week"] == WEEKS[5])
    rows.loc[gone, ["sold", "shelf"]] = 0.0
    data = from_sales(rows, size="size", store="shop", in_stock="shelf", **HOW)
    assert data.train[0].target[0, 5] == 2 * (40 + 20 * (5 % 3))
    assert "filled in by the usual share" in data.facts["stores out of stock"]
    assert set(data.train[0].past_channels.values.ravel()) == {2.0}


def test_shares_of_sizes_are_learnt_before_the_test_windows():
    rows = table(sizes=tuple(SHARES))
    before = from_sales(rows, size="size", **HOW).sizes
    late = rows["week"].isin(WEEKS[-4:])
    rows.loc[late & (rows["size"] == "L"), "sold"] = 5000.0
    pd.testing.assert_frame_equal(from_sales(rows, size="size", **HOW).sizes, before)


def test_the_same_size_twice_is_refused_by_row():
    rows = table(sizes=("S", "M"))
    again = pd.concat([rows, rows.iloc[[7]]], ignore_index=True)
    with pytest.raises(ValueError, match=r"date: 2 rows share article, date and size with another; first: rows 7, 120"):
        from_sales(again, size="size", **HOW)
    with pytest.raises(ValueError, match="date: 120 rows share article and date with another"):
        from_sales(rows, **HOW)


def test_a_table_without_sizes_has_no_table_of_them():
    assert from_sales(table(), **HOW).sizes is None


def test_a_category_that_changes_over_time_is_a_channel_that_changes():
    rows = table()
    rows["group"] = np.where((rows["sku"] == "coat") & (rows["week"] >= WEEKS[10]), 2.0, 1.0)
    found = from_sales(rows, covariates=["group"], **HOW).test[0]
    assert found.channel("group[coat]").tolist() == [1.0] * 10 + [2.0] * 20
    assert set(found.channel("group[hat]")) == {1.0}
    with pytest.raises(
        ValueError, match=r"shared_covariates: .* the same for all items of a date, got 1 and 2 on 2024-03-11"
    ):
        from_sales(rows, shared_covariates=["group"], **HOW)
    words = rows.assign(group=rows["group"].map({1.0: "knit", 2.0: "outdoor"}))
    with pytest.raises(ValueError, match=r"'group': expected finite numbers, got 'knit' in row 0"):
        from_sales(words, covariates=["group"], **HOW)
    with pytest.raises(ValueError, match=r"'group': expected finite numbers, got 'knit' in row 0"):
        from_frame(words, item="sku", timestamp="week", target="sold", covariates=["group"], prediction_length=4)


SALES = simulated_sales(articles=4, weeks=110, seed=3, windows=0)


def of_categories(steps, *categories):
    return SALES.latest.until(steps, 8).with_(static_cat=np.array(categories)[:, None])


def test_an_article_that_changes_its_category_is_known_after_an_update(tmp_path):
    """To a category that there was or a new one, also where the one that it leaves is empty then."""
    settings = {"train": {"max_epochs": 1, "batches_per_epoch": 2, "batch_size": 8}}
    fitted = build_model("deepar", SALES.metadata, settings).train([of_categories(90, 0, 1, 2, 3)])
    fitted.serialize(tmp_path / "kept")
    fitted = load_predictor(tmp_path / "kept")
    moved = of_categories(91, 0, 1, 2, 7)
    with pytest.raises(ValueError, match=r"a category below 4 in place 0 .*got 7 for series 'dress_4'.*update"):
        next(fitted.predict([moved], num_samples=2))
    for entry in (of_categories(91, 0, 1, 2, 2), moved, of_categories(91, 0, 0, 0, 0)):
        fitted = fitted.update([entry])
        assert np.isfinite(next(fitted.predict([entry], num_samples=2)).samples).all()
