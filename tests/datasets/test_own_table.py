"""A table of one's own under the name of the TOML file that describes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import ForecastData, from_sales, get_dataset
from hemline.datasets.commands import app
from typer.testing import CliRunner

SHOP = {"article": "sku", "date": "day", "units": "sold", "price": "eur", "prediction_length": 2, "windows": 2}
SERIES = {"item": "sku", "timestamp": "day", "target": "sold", "covariates": ["eur"], "prediction_length": 2}


def sales() -> pd.DataFrame:
    days = np.tile(pd.date_range("2024-05-01", periods=20), 2)
    return pd.DataFrame({"sku": np.repeat(["007", "coat"], 20), "day": days, "sold": np.arange(40.0), "eur": 5.0})


def describe(folder: Path, keys: dict, table: str = "sales.csv", name: str = "shop.toml") -> str:
    sales().to_csv(folder / "sales.csv", index=False)
    lines = [f"{key} = {value!r}" for key, value in {"table": table, **keys}.items()]
    (folder / name).write_text("\n".join(lines))
    return str(folder / name)


def same(one: ForecastData, other: ForecastData) -> None:
    assert one.metadata == other.metadata
    for mine, yours in zip([*one.train, *one.test], [*other.train, *other.test], strict=True):
        np.testing.assert_array_equal(mine["target"], yours["target"])
        np.testing.assert_array_equal(mine["feat_dynamic_real"], yours["feat_dynamic_real"])


def test_the_file_holds_the_arguments_of_from_sales(tmp_path):
    data = get_dataset(describe(tmp_path, SHOP))
    same(data, from_sales(sales(), **SHOP, name="shop"))
    assert data.metadata.name == "shop"
    assert data.metadata.item_ids == ("007", "coat")


def test_without_an_article_it_holds_those_of_from_frame(tmp_path):
    data = get_dataset(describe(tmp_path, SERIES))
    assert data.metadata.covariates == ("eur[007]", "eur[coat]")
    assert data.metadata.domain == "real"


def test_the_table_lies_beside_the_file_or_in_the_data_folders(tmp_path, monkeypatch):
    beside, apart = tmp_path / "beside", tmp_path / "apart"
    beside.mkdir()
    apart.mkdir()
    named = describe(beside, SHOP)
    (beside / "sales.csv").rename(apart / "sales.csv")
    with pytest.raises(FileNotFoundError, match=r"shop\.toml: expected 'sales.csv' in one of .*found it in none"):
        get_dataset(named)
    monkeypatch.setenv("HEMLINE_DATA", str(apart))
    same(get_dataset(named), get_dataset(describe(beside, SHOP)))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (SHOP | {"shop": "x"}, r"shop\.toml \(with 'article', so for from_sales\): expected the keys .*, got 'shop'"),
        (SERIES | {"store": "x"}, r"without 'article', so for from_frame\): expected the keys .*, got 'store'"),
        (SERIES | {"name": "x"}, "expected the keys .*, got 'name'"),
        ({**SHOP, "units": None}, "expected the key 'units', got table, article, date"),
        (SHOP | {"windows": "2"}, r"shop\.toml: windows: expected a whole number, got '2'"),
        (SHOP | {"price": ["eur"]}, r"price: expected a text, got \['eur'\]"),
        (SHOP | {"covariates": "eur"}, "covariates: expected a list of texts, got 'eur'"),
        (SHOP | {"missing_rows": "none"}, "missing_rows: expected 'gap' or 'zero', got 'none'"),
        (SERIES | {"target": 3}, "target: expected a text or a list of texts, got 3"),
        (SHOP | {"date": "tag"}, r"expected one of the columns .*sales\.csv', got 'tag'"),
    ],
)
def test_a_key_that_is_wrong_is_named_with_what_was_expected(keys, message, tmp_path):
    named = describe(tmp_path, {key: value for key, value in keys.items() if value is not None})
    with pytest.raises(ValueError, match=message):
        get_dataset(named)


def test_a_file_that_is_no_description_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.toml: expected a TOML file that describes a table"):
        get_dataset(str(tmp_path / "none.toml"))
    (tmp_path / "bad.toml").write_text("table = sales")
    with pytest.raises(ValueError, match=r"bad\.toml: not TOML"):
        get_dataset(str(tmp_path / "bad.toml"))
    with pytest.raises(ValueError, match=r"or a \.toml file that describes a table; got 'sales\.csv'"):
        get_dataset("sales.csv")
    with pytest.raises(ValueError, match=r"not called as a known dataset, got .*dominicks_oj\.toml"):
        get_dataset(describe(tmp_path, SHOP, name="dominicks_oj.toml"))
    with pytest.raises(ValueError, match="names its table itself"):
        get_dataset(describe(tmp_path, SHOP), tmp_path)


def test_describe_takes_the_file(tmp_path):
    shown = CliRunner().invoke(app, ["describe", describe(tmp_path, SHOP)], catch_exceptions=False).output
    assert "price (2)" in shown
    assert "not set" not in shown


def test_describe_names_the_weekdays_on_which_a_shop_is_closed(tmp_path):
    days = pd.date_range("2024-01-01", periods=200)
    rows = [(day, item, 5) for item in "ab" for day in days[days.dayofweek < (6 if item == "a" else 7)]]
    pd.DataFrame(rows, columns=["day", "item", "units"]).to_csv(tmp_path / "daily.csv", index=False)
    words = ["describe", str(tmp_path / "daily.csv"), "--timestamp", "day", "--item", "item", "--target", "units"]
    shown = CliRunner().invoke(app, words, catch_exceptions=False).output
    assert "closed" not in shown  # a bare file may hold any numbers
    keys = {"article": "item", "date": "day", "units": "units", "prediction_length": 7}
    shown = CliRunner().invoke(app, ["describe", describe(tmp_path, keys, "daily.csv")], catch_exceptions=False).output
    assert "Sundays (50 % of series)" in shown
