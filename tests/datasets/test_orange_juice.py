from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import dominicks_oj, get_dataset
from hemline.datasets.benchmarks.orange_juice import OJ_BRANDS

DATA = os.environ.get("HEMLINE_DATA")
needs_oj = pytest.mark.skipif(DATA is None, reason="needs retail_dominicks_oj in a folder of HEMLINE_DATA")


def oj_table() -> pd.DataFrame:
    """Three stores of all brands over thirty weeks, priced by brand, week and store; one store-week is missing."""
    rows = [
        {"store": store, "brand": brand, "week": week, "logmove": np.log(64.0 * brand), "deal": week % 2, "feat": 0.5}
        | {f"price{other}": 0.01 * other + 0.001 * week + 0.1 * store for other in range(1, 12)}
        for store in (2, 5, 8)
        for brand in range(1, 12)
        for week in range(40, 70)
        if (store, week) != (5, 66)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def oj(tmp_path):
    path = tmp_path / "retail_dominicks_oj" / "derived_yx.csv.gz"
    path.parent.mkdir()
    oj_table().to_csv(path, index=False)
    return path


def test_orange_juice_is_ounces_at_the_brand_s_own_price(oj, tmp_path, monkeypatch):
    monkeypatch.setenv("HEMLINE_DATA", str(tmp_path))
    data = get_dataset("dominicks_oj")
    assert data.metadata.item_ids == OJ_BRANDS
    assert data.metadata.freq == "W-WED"
    assert data.metadata.archive is None
    assert data.train[0]["start"].start_time == pd.Timestamp("1990-06-14")
    assert [entry["target"].shape[1] for entry in data.test] == [14, 22, 30]
    target, known = data.test[-1]["target"], data.test[-1]["feat_dynamic_real"]
    np.testing.assert_allclose(target[:, 0], 3 * 64 * np.arange(1, 12), rtol=1e-6)
    np.testing.assert_allclose(known[:11, 3], 0.01 * np.arange(1, 12) + 0.043 + 0.5, rtol=1e-5)
    np.testing.assert_array_equal(known[11], np.arange(40, 70) % 2)
    np.testing.assert_allclose(target[:, 26], 2 * 64 * np.arange(1, 12), rtol=1e-6)
    assert data.test[-1]["past_feat_dynamic_real"][0, 25:28].tolist() == [3, 2, 3]


def test_the_store_level_fills_prices_of_missing_weeks_but_not_ounces(oj):
    data = dominicks_oj(oj, level="store", windows=1)
    assert data.metadata.target_dim == 33
    row = data.metadata.item_ids.index("tropicana_64@5")
    assert np.flatnonzero(np.isnan(data.test[0]["target"][row])).tolist() == [26]
    np.testing.assert_allclose(data.test[0]["feat_dynamic_real"][row, 26], 0.04 + 0.066 + 0.5, rtol=1e-5)


def test_a_table_of_other_brands_is_refused(oj):
    table = oj_table()
    table.loc[0, "brand"] = 12
    table.to_csv(oj, index=False)
    with pytest.raises(ValueError, match="expected the brands 1 to 11"):
        dominicks_oj(oj)
    oj_table().drop(columns="price7").to_csv(oj, index=False)
    with pytest.raises(ValueError, match=r"path: expected one of the columns .*, got 'price7'"):
        dominicks_oj(oj)


def test_without_the_file_the_error_says_how_to_provide_it():
    with pytest.raises(FileNotFoundError, match=r"dominicks_oj was not found; tried: HEMLINE_DATA \(not set\)\. .*put"):
        dominicks_oj()


@needs_oj
def test_own_prices_lower_the_real_orange_juice_sales(monkeypatch):
    monkeypatch.setenv("HEMLINE_DATA", str(DATA))
    data = dominicks_oj()
    target = np.log(data.test[-1]["target"])
    price = np.log(data.test[-1]["feat_dynamic_real"][:11])
    assert target.shape == (11, 121)
    slopes = [np.polyfit(p - p.mean(), y - y.mean(), 1)[0] for p, y in zip(price, target, strict=True)]
    assert max(slopes) < -1
