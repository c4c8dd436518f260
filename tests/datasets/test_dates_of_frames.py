"""Which frequency the dates of a frame have, and which dates are refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame
from hemline.datasets.tables.columns import Columns
from small_frames import long_table, read


@pytest.mark.parametrize(
    ("dates", "freq"),
    [
        (pd.date_range("2024-01-01", periods=24, freq="h"), "h"),
        (pd.date_range("2024-01-01", periods=24, freq="15min"), "15min"),
        (pd.date_range("2024-01-01", periods=24, freq="B"), "B"),
        (pd.date_range("2024-01-01", periods=24, freq="W-WED"), "W-WED"),
        (pd.date_range("2024-01-01", periods=24, freq="28D"), "4W-MON"),
        (pd.date_range("2024-01-01", periods=24, freq="MS"), "ME"),
        (pd.date_range("2024-01-01", periods=24, freq="ME"), "ME"),
        (pd.date_range("2024-01-01", periods=24, freq="QS"), "QE-DEC"),
        (pd.date_range("2024-04-01", periods=24, freq="QE"), "QE-DEC"),
        (pd.date_range("2024-01-01", periods=24, freq="QS-FEB"), "QE-OCT"),
        (pd.date_range("2024-01-01", periods=24, freq="QE-JAN"), "QE-OCT"),
        (pd.date_range("2024-02-15", periods=24, freq="QS-FEB") + pd.Timedelta(days=14), "QE-DEC"),
        (pd.date_range("1990-01-01", periods=24, freq="YS"), "YE-DEC"),
        (pd.date_range("1990-01-01", periods=24, freq="YS-APR"), "YE-MAR"),
        (pd.date_range("1990-01-01", periods=24, freq="YE-MAR"), "YE-MAR"),
        (pd.date_range("2024-01-01", periods=24, freq="3D"), "3D"),
        (pd.date_range("2024-01-01", periods=24, freq="2MS"), "2ME"),
        (pd.date_range("2024-01-01", periods=24, freq="2ME"), "2ME"),
        (pd.date_range("2023-01-15", periods=24, freq="MS")[::6] + pd.Timedelta("14D"), "6ME"),
    ],
)
def test_the_frequency_is_told_from_the_dates(dates, freq):
    data = read(long_table(dates=dates))
    assert data.metadata.freq == freq
    assert not np.isnan(data.test[0]["target"]).any()


def test_a_missing_period_is_refused_by_row():
    table = pd.DataFrame({"date": pd.period_range("2024-01-01", periods=20, freq="W"), "units": 1.0})
    table.loc[7, "date"] = pd.NaT
    with pytest.raises(ValueError, match="timestamp: expected periods in 'date', got NaT in row 7"):
        read(table, item=None)


def test_an_old_alias_is_understood():
    hours = pd.date_range("2024-01-01", periods=20, freq="h")
    assert read(long_table(dates=hours), freq="H").metadata.freq == "h"


def test_two_items_of_different_frequency_are_refused():
    daily = long_table(items=("coat",))
    weekly = long_table(items=("hat",), dates=pd.date_range("2024-01-01", periods=5, freq="W"))
    with pytest.raises(ValueError, match=r"expected one frequency, got item 'hat' with steps of 7.*rows 20, 21, 22"):
        read(pd.concat([daily, weekly], ignore_index=True))
    hourly = long_table(items=("hat",), dates=pd.date_range("2024-01-01", periods=12, freq="h"))
    with pytest.raises(ValueError, match=r"expected one frequency, got rows 20 and 21 of item 'hat' both in the 'D'"):
        read(pd.concat([daily, hourly], ignore_index=True))


def test_a_month_among_weeks_is_refused():
    weekly = long_table(items=("coat",), dates=pd.date_range("2024-01-07", periods=30, freq="W"))
    monthly = long_table(items=("hat",), dates=pd.date_range("2024-01-07", periods=6, freq="ME"))
    with pytest.raises(ValueError, match=r"item 'hat' with steps of 4 or more .*rows 30, 31, 32"):
        read(pd.concat([weekly, monthly], ignore_index=True))


def test_a_series_that_changes_its_frequency_is_refused():
    dates = pd.date_range("2024-01-01", periods=40, freq="D").append(pd.date_range("2024-02-18", periods=10, freq="W"))
    with pytest.raises(ValueError, match=r"expected one frequency, got item 'coat' with steps of 7.*rows 39, 40"):
        read(long_table(items=("coat",), dates=dates))


def test_dates_between_the_steps_are_named():
    dates = [*pd.date_range("2024-01-01", periods=10, freq="2h"), pd.Timestamp("2024-01-02 01:00")]
    with pytest.raises(ValueError, match=r"steps of '2h'.*row 10 between: 2024-01-02 01:00"):
        read(long_table(items=("coat",), dates=dates))


def test_a_weekend_among_business_days_is_refused():
    with pytest.raises(ValueError, match=r"business days .* no rows 5, 6, .* weekend"):
        read(long_table(), freq="B")


def test_a_frequency_that_cannot_be_told_is_asked_for():
    with pytest.raises(ValueError, match="freq: cannot be told from one date an item"):
        read(long_table(dates=["2024-01-01"]))


def test_an_unknown_frequency_is_refused():
    with pytest.raises(ValueError, match=r"freq: expected a pandas frequency alias .* got 'fortnight'"):
        read(long_table(), freq="fortnight")


def test_dates_that_are_numbers_are_refused():
    with pytest.raises(ValueError, match="expected dates in 'date', got numbers such as 5"):
        read(long_table().assign(date=5))


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y %H:%M", "%m/%d/%Y", "%Y/%m/%d"])
def test_dates_written_as_text_are_read_in_one_order(form):
    table = long_table(dates=pd.date_range("2024-01-05", periods=20))
    data = read(table.assign(date=table["date"].dt.strftime(form)))
    assert data.train[0]["start"] == pd.Period("2024-01-05", "D")
    np.testing.assert_array_equal(data.test[0]["target"], read(table).test[0]["target"])


def test_dates_with_points_have_the_day_first():
    wide = pd.DataFrame({"date": [f"01.{month:02d}.2022" for month in range(1, 13)], "coat": 1.0})
    assert from_frame(wide, timestamp="date", prediction_length=1).metadata.freq == "ME"


@pytest.mark.parametrize(
    ("dates", "first"),
    [
        (["01/02/2022", "01/03/2022", "01/04/2022"], "01/02/2022"),
        (["01-01-2022", "01-02-2022", "01-03-2022"], "01-02-2022"),
        (["13/01/2022", "01/14/2022"], "13/01/2022"),
    ],
)
def test_dates_that_may_be_read_by_day_or_month_are_refused(dates, first):
    wide = pd.DataFrame({"date": dates, "coat": 1.0})
    with pytest.raises(ValueError, match=rf"read in one way in 'date', got '{first}'; .*pd\.to_datetime"):
        from_frame(wide, timestamp="date", prediction_length=1)


def test_dates_that_both_orders_read_alike_are_taken():
    wide = pd.DataFrame({"date": ["01/01/2022", "02/02/2022", "03/03/2022"], "coat": 1.0})
    assert Columns(wide).dates("date").dates.strftime("%d.%m").tolist() == ["01.01", "02.02", "03.03"]


def test_dates_beyond_the_reach_of_pandas_are_refused():
    far = np.array(["2024-01-01", "2024-01-02", "9999-12-31"], dtype="datetime64[s]")
    with pytest.raises(ValueError, match=r"timestamp: cannot read the dates in 'date' .*9999-12-31"):
        from_frame(pd.DataFrame({"date": far, "coat": 1.0}), timestamp="date", prediction_length=1)
