"""Dates as users have them: read as what they are, or refused in one line that names the row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame, from_sales
from hemline.datasets.entries.frequency import dates_of

ROWS = 40


def read(dates, **settings):
    table = pd.DataFrame({"date": dates, "units": np.arange(float(len(dates)))})
    return from_frame(table, timestamp="date", target="units", prediction_length=2, windows=0, **settings)


def written(data) -> list[str]:
    entry = data.latest
    return [str(date) for date in dates_of(entry.start, entry.length)]


@pytest.mark.parametrize("kind", [str, int, float, "string"])
@pytest.mark.parametrize(
    ("form", "freq", "told"),
    [
        ("%Y%m%d", "D", "D"),
        ("%Y%m", "MS", "ME"),
        ("%Y", "YS", "YE-DEC"),
        ("%Y%m%d%H%M", "h", "h"),
        ("%Y%m%d%H%M%S", "5s", "5s"),
    ],
)
def test_digits_are_read_by_their_number(form, freq, told, kind):
    dates = pd.date_range("2010-01-01", periods=ROWS, freq=freq)
    data = read(pd.Series(dates.strftime(form)).astype("int64" if kind is float else "string").astype(kind))
    assert data.metadata.freq == told
    np.testing.assert_array_equal(data.latest.target, [np.arange(ROWS)])
    assert written(data) == [str(date) for date in dates]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            ["20101", "20102", "20103"],
            r"'date', got numbers such as 20101; of digits alone are read years \(2024\), months",
        ),
        (["1704067200", "1704153600", "1704240000"], "got numbers such as 1704067200"),
        (
            ["201001", "201002", "201013"],
            "of 6 digits, months .weeks are written as 2024-W05., such as 202401, got '201013' in row 2",
        ),
        (["310124", "010224", "020224"], "of 6 digits, months .*, such as 202401, got '310124' in row 0"),
        (
            ["20240101", "20240102", "20240132"],
            "of 8 digits, days in the order year, month, day, got '20240132' in row 2",
        ),
        (["20240101", "202402", "20240103"], "of 8 digits, as in the first row, got '202402' in row 1"),
        (["2024-01-01", "202402", "2024-03-01"], "written alike, got '202402' in row 1"),
        ([1001.0, 1002.5, 1003.0], "got numbers such as 1001.0"),
        ([1, 2, 3], "got numbers such as 1"),
        ([True, False, True], "got a column of bool"),
        (["2020-W52", "2020-W53", "2021-W53"], r"ISO weeks such as 2024-W01 .*, got '2021-W53' in row 2"),
        (["2020-W52", "2020-W53", "2021-01-04"], r"ISO weeks .*, got '2021-01-04' in row 2"),
    ],
)
def test_what_is_no_date_is_refused_by_its_row(cells, message):
    with pytest.raises(ValueError, match=message):
        read(cells)


@pytest.mark.parametrize(
    ("cells", "freq", "form"),
    [
        (pd.date_range("2024-01-01", periods=9, freq="W-MON"), "W", "dates; Mondays"),
        (pd.date_range("2024-01-01 06:00", periods=9), None, "dates; days at 06:00"),
        (
            pd.date_range("2024-01-01 00:30", periods=9, freq="h", tz="UTC"),
            None,
            "dates; steps from 00:30 on, UTC (steps counted in UTC)",
        ),
        (
            pd.date_range("2024-01-01", periods=9, freq="ME").strftime("%d.%m.%Y"),
            None,
            "text with the day first, such as '31.01.2024'; last day of the month",
        ),
        (
            pd.date_range("2024-01-13", periods=9).strftime("%m/%d/%Y"),
            None,
            "text with the month first, such as '01/13/2024'; days",
        ),
        (
            pd.date_range("2024-01-15", periods=9, freq="D").strftime("%Y-%m-%d"),
            None,
            "text of ISO 8601, such as '2024-01-15'; days",
        ),
        (
            [f"2024{month:02d}" for month in range(1, 10)],
            None,
            "months of 6 digits, such as 202401; first day of the month",
        ),
        (
            [f"2024-W{week:02d}" for week in range(1, 10)],
            None,
            "ISO weeks such as '2024-W01', by their Mondays; Mondays",
        ),
        (pd.period_range("2024Q1", periods=9, freq="Q"), None, "periods; first day of month 1 of 3"),
    ],
)
def test_what_was_read_is_told_in_words(cells, freq, form):
    data = read(cells, freq=freq)
    assert data.facts == {"read": "9 rows", "dates": form}
    gaps = from_frame(
        pd.DataFrame({"date": [1, 2, 5, 3, 4], "item": list("aaabb"), "units": 1.0}).assign(
            date=lambda table: pd.Timestamp("2024-01-01") + pd.to_timedelta(table["date"], unit="D")
        ),
        timestamp="date",
        item="item",
        target="units",
        prediction_length=1,
        windows=0,
    )
    assert gaps.facts["read"] == "5 rows; 2 steps between the first and the last row of a series have none"


def test_forms_of_iso_8601_may_be_mixed():
    cells = ["2024-01-01", "2024-01-02 00:00:00", "20240103", "2024-01-04T00:00", "2024-01-05T00:00:00.000"]
    assert written(read(cells)) == [f"2024-01-0{day} 00:00:00" for day in range(1, 6)]
    assert written(read(["2024-01", "2024-02-01", "2024-03"]))[-1] == "2024-03-01 00:00:00"


def test_weeks_go_on_through_a_year_of_53():
    mondays = pd.date_range("2019-12-30", periods=110, freq="W-MON")
    weeks = [f"{year}-W{week:02d}" for year, week, _ in mondays.map(lambda date: tuple(date.isocalendar()))]
    assert "2020-W53" in weeks
    for cells in (weeks, mondays, [week.replace("-", "") + "1" for week in weeks]):
        data = read(cells)
        np.testing.assert_array_equal(data.latest.target, [np.arange(110)])
        assert written(data) == [str(date) for date in mondays]


def test_half_months_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"freq: half months \('SMS', 'SME'\) are of no one length"):
        read(pd.date_range("2024-01-01", periods=ROWS, freq="SMS"))
    with pytest.raises(ValueError, match=r"freq: expected a pandas frequency alias .* got 'SMS'"):
        read(pd.date_range("2024-01-01", periods=ROWS, freq="SMS"), freq="SMS")


@pytest.mark.parametrize(
    ("freq", "given", "moved"),
    [
        ("W-MON", None, "1D"),
        ("W-MON", "W", "2D"),
        ("D", None, "1h"),
        ("h", "h", "10min"),
        ("MS", None, "3D"),
        ("QE", "Q", "-2D"),
    ],
)
def test_a_date_at_another_place_of_its_step_is_refused_by_its_row(freq, given, moved):
    dates = pd.date_range("2024-01-01 06:30", periods=ROWS, freq=freq).to_series()
    dates.iloc[7] += pd.Timedelta(moved)
    message = rf"one place of their steps .* such as \w+day {dates.iloc[0]}; got \w+ {dates.iloc[7]} in row 7 \(1 such"
    with pytest.raises(ValueError, match=message):
        read(dates.to_numpy(), freq=given)


def test_dates_at_any_place_are_read_as_periods_as_advised():
    days = pd.date_range("2024-01-01", periods=ROWS, freq="MS") + pd.to_timedelta(np.arange(ROWS) % 5, unit="D")
    with pytest.raises(ValueError, match=r"\.dt\.to_period\('M'\)"):
        read(days)
    assert written(read(days.to_series().dt.to_period("M")))[1] == "2024-02-01 00:00:00"


@pytest.mark.parametrize(("freq", "year"), [("W-MON", 2042), ("D", 2014), ("h", 2025), ("MS", 1924), ("B", 1994)])
def test_a_mistyped_year_that_leaves_most_of_the_grid_empty_is_found(freq, year):
    dates = pd.date_range("2024-01-01", periods=ROWS, freq=freq).to_series()
    dates.iloc[4] = dates.iloc[4].replace(year=year)
    if freq == "B":
        dates.iloc[4] = pd.Timestamp(f"{year}-01-03")
    with pytest.raises(ValueError, match=rf"row 4 \({dates.iloc[4]}\) lies \d+ steps .* is the year mistyped\?"):
        read(dates.to_numpy(), freq=freq if freq in ("B", "W-MON") else None)


@pytest.mark.parametrize(("freq", "rows", "years"), [("D", 700, 1), ("MS", 60, 2), ("h", 9000, -1), ("D", 700, -1)])
def test_a_year_that_is_mistyped_by_little_is_found_by_the_gap_that_it_leaves(freq, rows, years):
    dates = pd.date_range("2022-01-01", periods=rows, freq=freq).to_series()
    at = rows - 20 if years > 0 else 30
    right = dates.iloc[at]
    dates.iloc[at] = right + pd.DateOffset(years=years)
    with pytest.raises(ValueError, match=rf"row {at} \({dates.iloc[at]}\) stands alone, and {right} is missing"):
        read(dates.to_numpy())
    # A row that stands alone where nothing is missing is a row.
    whole = pd.date_range("2022-01-01", periods=rows, freq=freq)
    assert read(whole.append(pd.DatetimeIndex([dates.iloc[at]]))).latest.length > rows


def hours_of_autumn(zone="Europe/Berlin"):
    return pd.date_range("2024-10-25", periods=96, freq="h", tz=zone)


@pytest.mark.parametrize(
    ("zone", "named"), [("Europe/Paris", "Europe/Berlin"), ("America/Chicago", "America/New_York")]
)
def test_the_hour_that_the_end_of_daylight_saving_time_repeats_is_named(zone, named):
    hours = pd.date_range("2024-10-25", periods=24 * 14, freq="h", tz=zone).tz_localize(None)
    with pytest.raises(ValueError, match=rf"got 1 more: .* end of daylight-saving time repeats, as in {named}: name"):
        read(hours)
    table = pd.DataFrame({"at": hours, "sku": "coat", "sold": 1})
    with pytest.raises(ValueError, match=rf"share article and date .* daylight-saving time repeats, as in {named}"):
        from_sales(table, article="sku", date="at", units="sold", prediction_length=1)
    twice = pd.DatetimeIndex(["2024-05-01 02:00", "2024-05-01 02:00", "2024-05-01 03:00"])
    with pytest.raises(ValueError, match=r"got 1 more: 0 and 1 \(item 'table', 2024-05-01 02:00:00\)$"):
        read(twice)


def test_hours_of_a_zone_go_on_through_the_night_in_which_clocks_are_put_back():
    hours = hours_of_autumn()
    data = read(hours)
    np.testing.assert_array_equal(data.latest.target, [np.arange(96)])
    assert written(data) == [str(hour) for hour in hours]
    assert written(read(hours.tz_localize(None).tz_localize("Europe/Berlin", ambiguous="infer"))) == written(data)
    assert data.latest.until("2024-10-27 01:00").length == 50


def test_days_of_a_zone_are_those_of_its_calendar():
    days = pd.date_range("2024-03-25", periods=20, tz="Europe/Berlin")
    data = read(days)
    assert data.latest.start == pd.Period("2024-03-25", "D")
    assert written(data) == [str(day) for day in days]


def test_a_zone_written_as_text_is_read():
    assert written(read(["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00+00:00"]))[-1] == (
        "2024-01-03 00:00:00+00:00"
    )


def test_several_zones_are_refused():
    hours = hours_of_autumn()
    with pytest.raises(
        ValueError, match=r"one time zone in 'date', got several UTC offsets \('2024-10-25T00:00:00\+02:00' in row 0"
    ):
        read([hour.isoformat() for hour in hours])
    objects = pd.Series([*hours[:3], *hours[3:].tz_convert("UTC")], dtype=object)
    with pytest.raises(ValueError, match=r"several UTC offsets \(Europe/Berlin in row 0, UTC in row 3\)"):
        read(objects)
    with pytest.raises(ValueError, match=r"several UTC offsets \(Europe/Berlin in row 0, None in row 3\)"):
        read(pd.Series([*hours[:3], *hours[3:].tz_localize(None)], dtype=object))
    with pytest.raises(
        ValueError, match=r"several UTC offsets \('2024-01-01' in row 0, '2024-01-02T00:00Z' in row 1\)"
    ):
        read(["2024-01-01", "2024-01-02T00:00Z"])


@pytest.mark.parametrize("missing_rows", ["gap", "zero"])
@pytest.mark.parametrize(
    ("freq", "zone"), [("W-MON", None), ("ME", None), ("BMS", None), ("D", "Europe/Berlin"), ("h", "Europe/Berlin")]
)
def test_sums_of_stores_keep_the_dates_of_their_rows(freq, zone, missing_rows):
    dates = pd.date_range("2022-10-20 06:00", periods=110, freq=freq, tz=zone)
    rows = pd.MultiIndex.from_product([["coat", "hat"], ["north", "south"], dates], names=["sku", "shop", "at"])
    table = rows.to_frame(index=False).assign(sold=np.arange(440) % 7).drop(index=[5, 9, 119])
    settings = {"article": "sku", "store": "shop", "date": "at", "units": "sold", "empty_stores": "partial"}
    data = from_sales(table, **settings, prediction_length=3, windows=0, missing_rows=missing_rows)
    assert written(data) == [str(date) for date in dates]
    sums = table.groupby(["sku", "at"])["sold"].sum().unstack("at")  # NaN where no store has a row
    sums = sums.fillna(0.0) if missing_rows == "zero" else sums
    np.testing.assert_array_equal(data.latest.target, sums)
