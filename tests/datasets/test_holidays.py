"""Public holidays of a country are a channel known of the future, for any frequency."""

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame, from_sales, get_dataset
from hemline.datasets.tables.holidays import holiday_shares
from hemline.forecasting import build_model

pytest.importorskip("holidays", reason="needs the extra `holidays`")

WEEKS = pd.date_range("2023-01-02", periods=110, freq="W-MON")
ROWS = pd.MultiIndex.from_product([["coat", "hat"], WEEKS], names=["sku", "week"]).to_frame(index=False)
ROWS["sold"] = np.random.default_rng(0).poisson(20, len(ROWS)).astype(float)
ARGUMENTS = {"article": "sku", "date": "week", "units": "sold", "prediction_length": 6}


def test_a_week_of_mondays_has_the_share_of_its_days():
    data = from_sales(ROWS, **ARGUMENTS, holidays="DE", windows=2)
    shares = dict(zip(WEEKS.strftime("%Y-%m-%d"), data.test[-1].channels.values[-1], strict=False))
    # The week from Monday the 25th: both days of Christmas. That from the 1st of January: New Year's Day alone.
    assert shares["2023-12-25"] == pytest.approx(2 / 7)
    assert shares["2024-01-01"] == pytest.approx(1 / 7)
    assert shares["2024-01-08"] == 0
    assert data.metadata.covariates == ("holiday_DE",)


@pytest.mark.parametrize(
    ("freq", "start", "length", "expected"),
    [
        ("D", "2024-12-24", 4, [0, 1, 1, 0]),
        ("B", "2024-12-24", 4, [0, 1, 1, 0]),
        ("h", "2024-12-24 23:00", 3, [0, 1, 1]),
        ("W-SUN", "2024-12-23", 2, [2 / 7, 1 / 7]),
        ("W-MON", "2024-12-30", 2, [1 / 7, 0]),
        ("M", "2024-12", 2, [2 / 31, 1 / 31]),
        ("Q-DEC", "2024Q4", 1, [3 / 92]),
        ("Y-DEC", "2024", 1, [9 / 366]),
    ],
)
@pytest.mark.filterwarnings("ignore:Period with BDay freq is deprecated:FutureWarning")
def test_a_step_of_any_length_has_its_share(freq, start, length, expected):
    # 3 October, 25 and 26 December are those of the last quarter; 31 October is one in some parts alone.
    shares = holiday_shares("DE", pd.Period(start, freq), length)
    assert shares == pytest.approx(expected)


def test_a_part_of_a_country_has_holidays_of_its_own():
    corpus_christi = pd.Period("2024-05-30", "D")
    assert holiday_shares("DE-BY", corpus_christi, 1) == [1]
    assert holiday_shares("DE", corpus_christi, 1) == [0]


def test_the_horizon_to_come_is_known_where_there_is_no_other_channel():
    data = from_sales(ROWS, **ARGUMENTS, holidays=["DE", "FR"])
    latest = data.latest
    assert latest.channels.length == latest.length + 6
    assert latest.channels.names == ("holiday_DE", "holiday_FR")
    model = build_model("var-responding", data.metadata).train([latest.until(latest.length)])
    assert next(model.predict([latest], num_samples=5)).samples.shape == (5, 6, 2)


def test_holidays_stand_behind_other_channels_as_far_as_those_are_known():
    priced = ROWS.assign(price=np.where(ROWS.index % 5 == 0, 8.0, 10.0))
    priced.loc[priced["week"] >= WEEKS[104], "sold"] = np.nan
    plain, data = (from_sales(priced, **ARGUMENTS, price="price", **more) for more in ({}, {"holidays": "DE"}))
    assert data.metadata.covariates == (*plain.metadata.covariates, "holiday_DE")
    for before, after in zip(
        [*plain.train, *plain.test, plain.ahead], [*data.train, *data.test, data.ahead], strict=True
    ):
        assert np.array_equal(after.channels.values[:-1], before.channels.values)
        assert np.array_equal(after.target, before.target, equal_nan=True)
    assert data.ahead.channels.length == 110


def test_a_table_of_any_series_and_a_file_take_them_too(tmp_path):
    ROWS.to_csv(tmp_path / "sales.csv", index=False)
    (tmp_path / "shop.toml").write_text(
        'table = "sales.csv"\narticle = "sku"\ndate = "week"\nunits = "sold"\nprediction_length = 6\nholidays = "DE"\n'
    )
    named = get_dataset(str(tmp_path / "shop.toml"))
    wide = from_frame(
        ROWS, item="sku", timestamp="week", target="sold", prediction_length=6, domain="count", holidays="DE"
    )
    assert named.metadata.covariates == wide.metadata.covariates == ("holiday_DE",)
    assert np.array_equal(named.test[0].channels.values, wide.test[0].channels.values)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("XX", "holidays: expected the code of a country, such as 'DE' or 'DE-BY', got 'XX'"),
        ("DE-XX", "holidays: expected one of the parts BB, .* of DE, got 'XX'"),
        ([], r"holidays: expected different countries, got \[\]"),
        (["DE", "DE"], "holidays: expected different countries"),
    ],
)
def test_what_is_no_country_is_refused(given, match):
    with pytest.raises(ValueError, match=match):
        from_sales(ROWS, **ARGUMENTS, holidays=given)


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "holidays", None)
    with pytest.raises(ValueError, match="pip install holidays"):
        from_sales(ROWS, **ARGUMENTS, holidays="DE")
