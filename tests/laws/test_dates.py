"""Laws of the dates of steps: everything that shows a date shows the one that the user's table has."""

from __future__ import annotations

import pickle
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame, simulated_sales
from hemline.datasets.entries.frequency import dates_of, normalize_freq, to_dates, to_period
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.datasets.entries.stamps import DatedPeriod, Stamps
from hemline.evaluation import plot_forecast
from hemline.evaluation.runs.identity import fingerprint
from hemline.evaluation.runs.rows import history_rows
from hemline.evaluation.runs.windows import windows_of
from hemline.forecasting import MODELS, Outcome, SeasonalNaivePredictor
from hemline.forecasting.paths.table import forecast_frame
from hypothesis import assume, given
from hypothesis import strategies as st
from matplotlib.dates import date2num
from pandas._libs.tslibs.offsets import prefix_mapping
from pandas.tseries.frequencies import to_offset

STEPS, HORIZON = 30, 3

ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
"""Zones with daylight-saving time and without, one of them by half an hour."""

TOLD = ["h", "15min", "s", "D", "3D", "7D", "B", "W-MON", "W-SUN", "2W-WED"]
TOLD += ["MS", "QS", "QS-FEB", "QS-MAR", "YS", "YS-MAR", "YS-APR"]
"""Frequencies that are told from a table, as pandas names its dates."""

LASTS = ["ME", "QE", "QE-JAN", "YE", "YE-MAR", "2ME", "BMS", "BME", "BQS-FEB", "BQE-NOV", "BYE", "BYS-JUL"]
"""Frequencies that are dated by a last day, or by a business day."""

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
ANY = [f"{count}{unit}" for unit in ("D", "h", "min", "s", "ms") for count in ("", 2, 5, 6, 24, 60, 90)]
ANY += ["B", "2B", *(f"{count}W-{day}" for day in WEEKDAYS for count in ("", 2, 3))]
ANY += ["MS", "ME", "2MS", "3ME", "6MS", "BMS", "BME", "2BME"]
ANY += [
    f"{kind}-{month}" for month in MONTHS for kind in ("QS", "QE", "BQS", "BQE", "YS", "YE", "BYS", "BYE", "2QS", "2YE")
]
ANY += ["us", "7us", "ns", "37min", "168h", "30D", "91D", "365D", "3B", "5B", "4W-MON", "13W-SAT", "52W-MON"]
ANY += ["4MS", "5ME", "18MS", "7QS-FEB", "3BQE-NOV", "3YS-APR", "2BYE-MAR"]
"""Every frequency of pandas whose steps are periods."""
UNTOLD = {"2B", "3B", "24h", "365D", *(freq for freq in ANY if freq.endswith(("ms", "us", "ns")))}
"""What no table tells: steps of business days, 24 hours that are no day, and what is shorter than a second."""

NO_PERIODS = {
    "C": pd.offsets.CustomBusinessDay(holidays=["2010-01-18", "2010-02-15"]),
    "CBME": pd.offsets.CustomBusinessMonthEnd(holidays=["2010-03-31"]),
    "CBMS": pd.offsets.CustomBusinessMonthBegin(holidays=["2010-02-01"]),
    "RE": pd.offsets.FY5253(weekday=5, startingMonth=1, variation="last"),
    "REQ": pd.offsets.FY5253Quarter(weekday=5, startingMonth=1, qtr_with_extra_week=1, variation="last"),
    "SME": pd.offsets.SemiMonthEnd(),
    "SMS": pd.offsets.SemiMonthBegin(day_of_month=10),
    "WOM": pd.offsets.WeekOfMonth(week=2, weekday=4),
    "LWOM": pd.offsets.LastWeekOfMonth(weekday=4),
    "Easter": pd.offsets.Easter(),
    "bh": pd.offsets.BusinessHour(),
    "cbh": pd.offsets.CustomBusinessHour(holidays=["2010-01-18"]),
}
"""Offsets of pandas whose steps are no periods: by holidays, fiscal weeks, half months, feasts and opening hours."""


def table_dates(freq: str, steps: int = STEPS) -> pd.DatetimeIndex:
    return pd.date_range("2010-01-06", periods=steps, freq=freq)


def sales_table(freq: str, **columns) -> pd.DataFrame:
    return pd.DataFrame({"date": table_dates(freq), "units": np.arange(float(STEPS))}).assign(**columns)


def read(table: pd.DataFrame, **settings):
    return from_frame(table, timestamp="date", target="units", prediction_length=HORIZON, windows=0, **settings)


@pytest.mark.parametrize("given", [False, True], ids=["told", "given"])
@pytest.mark.parametrize("freq", [*TOLD, *LASTS])
def test_a_dataset_gives_the_dates_of_its_table_back(freq, given):
    entry = read(sales_table(freq), freq=freq if given else None).train[0]
    assert dates_of(entry["start"], STEPS).equals(table_dates(freq))


@given(
    freq=st.sampled_from(ANY),
    first=st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)),
    time=st.sampled_from(["0s", "7h30min", "6h", "23h59min59s", "250ms"]),
    zone=st.sampled_from(
        [None, None, "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
    ),
    steps=st.integers(6, 30),
    horizon=st.integers(1, 5),
    given_freq=st.booleans(),
    kept=st.floats(0.7, 1.0),
    seed=st.integers(0, 9),
)
def test_the_dates_that_come_out_are_those_that_come_next_in_the_table(
    freq, first, time, zone, steps, horizon, given_freq, kept, seed
):
    """Whatever the frequency, the time of day, the zone and the gaps; and every value stays where it was."""
    begin = pd.Timestamp(first).floor("min") if freq[-1] in "hns" else pd.Timestamp(first).normalize()
    dates = pd.date_range(begin, periods=steps + horizon, freq=freq) + pd.Timedelta(time)
    if zone is not None:
        short = isinstance(to_offset(freq), pd.offsets.Tick) and not freq.endswith("D")
        dates = dates.tz_localize("UTC").tz_convert(zone) if short else dates.tz_localize(zone)
    draw = np.random.default_rng(seed)
    row = np.flatnonzero(draw.random(steps) < kept) if given_freq else np.arange(steps)
    row = np.union1d(row, [0, 1, steps - 2, steps - 1])
    order = draw.permutation(len(row))
    table = pd.DataFrame({"date": dates[row[order]], "units": 1.0 + row[order]})
    assume(given_freq or freq not in UNTOLD)
    # If all first business days are first days, or Mondays some weeks apart, the table does not tell which is meant.
    days, business = (dates[:steps] - pd.Timedelta(time)).day, freq.lstrip("2")[:2] in ("BM", "BQ", "BY")
    other = set(days) <= {1, 28, 29, 30, 31} or len(set(np.diff(dates[:steps].tz_localize(None)))) == 1
    assume(given_freq or not (business and other))
    data = from_frame(
        table, timestamp="date", target="units", prediction_length=horizon, windows=0, freq=freq if given_freq else None
    )
    values = np.full(steps, np.nan)
    values[row] = 1.0 + row
    np.testing.assert_array_equal(data.latest.target[0], values.astype(np.float32))
    drawn = next(iter(SeasonalNaivePredictor(horizon).predict([data.latest])))
    assert list(forecast_frame(drawn, data.metadata.item_ids)["timestamp"]) == list(dates[steps:])
    assert dates_of(data.latest.start, steps).equals(dates[:steps])
    assert dates_of(pickle.loads(pickle.dumps(data.latest.start)) + 2, 1)[0] == dates[2]
    assert data.latest.until(dates[2]).length == 3


def test_every_offset_of_pandas_is_asked_for():
    asked = {to_offset(freq).name.partition("-")[0] for freq in ANY} | set(NO_PERIODS) | {"LWOM", "Easter"}
    assert asked == {*map(str, prefix_mapping), "LWOM", "Easter"}


def dates_without_periods(name):
    return pd.date_range("2010-01-06", periods=STEPS + HORIZON, freq=NO_PERIODS[name])


@pytest.mark.parametrize("name", NO_PERIODS)
@pytest.mark.parametrize("given", [False, True], ids=["told", "given"])
def test_steps_that_are_no_periods_are_refused_in_one_line(name, given):
    if name == "C" and not given:
        return  # days without holidays are business days with gaps: the next test
    table = pd.DataFrame({"date": dates_without_periods(name)[:STEPS], "units": np.arange(float(STEPS))})
    with pytest.raises(ValueError, match=r"^(freq|timestamp): [^\n]+$"):
        read(table, freq=NO_PERIODS[name].freqstr if given else None)


def test_business_days_go_on_over_holidays():
    dates = dates_without_periods("C")
    data = read(pd.DataFrame({"date": dates[:STEPS], "units": np.arange(float(STEPS))}))
    drawn = next(iter(SeasonalNaivePredictor(HORIZON).predict([data.latest])))
    assert list(forecast_frame(drawn, data.metadata.item_ids)["timestamp"]) == list(dates[STEPS:])
    assert np.flatnonzero(np.isnan(data.latest.target[0])).tolist() == [8, 28]  # 18 January and 15 February
    assert np.nansum(data.latest.target) == sum(range(STEPS))


@pytest.mark.parametrize("freq", [*TOLD, *LASTS, "2MS", "2QS"])
def test_a_date_leads_back_to_its_period(freq):
    start = to_period("2010-01-06", freq)
    assert [to_period(date, freq) for date in dates_of(start, 4)] == [start + step * start.freq for step in range(4)]


@pytest.mark.parametrize("freq", [*TOLD, *LASTS])
def test_a_forecast_begins_with_the_next_date_of_the_table_wherever_it_is_shown(freq):
    data = read(sales_table(freq))
    forecast = next(iter(SeasonalNaivePredictor(HORIZON).predict(data.train)))
    ahead = table_dates(freq, STEPS + HORIZON)[STEPS:]
    assert list(forecast_frame(forecast, data.metadata.item_ids)["timestamp"]) == list(ahead)
    assert list(Outcome("plan", forecast.samples, data.metadata.item_ids, forecast.start_date).dates) == list(ahead)
    lines = {line.get_label(): line for line in plot_forecast(forecast, data.train[0]).axes[0].get_lines()}
    # The fan opens from the last date of the history.
    assert np.allclose(date2num(lines["median forecast"].get_xdata())[1:], date2num(ahead))
    assert date2num(lines["observed"].get_xdata())[-1] == date2num(table_dates(freq))[-1]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "pool" else name for name in MODELS]
)
def test_every_model_goes_on_with_the_dates_of_its_table(name, trained_shortly):
    if name.startswith("auto-"):
        pytest.importorskip("statsforecast", reason="needs the extra `classical`")
    sales = simulated_sales(articles=3, weeks=120, windows=1)
    history = sales.history(-1)
    mondays = history.with_(start=DatedPeriod.of(history.start, Stamps()))
    drawn = next(iter(trained_shortly(name, sales).predict([mondays], num_samples=3)))
    ahead = pd.date_range(history.start.start_time, periods=120, freq="W-MON")[-8:]
    assert list(forecast_frame(drawn, history.item_ids)["timestamp"].unique()) == list(ahead)


@pytest.mark.parametrize("freq", [*TOLD, *LASTS])
def test_scores_are_stored_under_the_dates_of_the_table(freq):
    windows = windows_of(read(sales_table(freq)).train, HORIZON)
    stored = history_rows(windows, ["units"])
    assert list(stored.loc[stored["item_id"] == "units", "timestamp"]) == list(table_dates(freq)[-5 * HORIZON :])


@pytest.mark.parametrize(
    ("freq", "shown"), [("W-MON", "2010-01-25"), ("MS", "2010-04-01"), ("h", "2010-01-06 02:00:00")]
)
def test_a_message_names_the_date_of_the_row(freq, shown):
    price = np.ones(STEPS)
    price[2] = np.nan
    with pytest.raises(ValueError, match=f"'price' on {shown}, got none "):
        read(sales_table(freq, price=price), covariates=["price"])


@pytest.mark.parametrize(
    "freq", ["h", "D", "7D", "B", "W-SUN", "W-MON", "2W-TUE", "M", "3M", "Q", "Q-JAN", "Y", "Y-MAR"]
)
@pytest.mark.filterwarnings("ignore:.*B.* is deprecated:FutureWarning")
def test_a_column_of_periods_keeps_its_periods(freq):
    periods = pd.period_range("2023-01-04", periods=STEPS, freq=freq)
    data = read(pd.DataFrame({"date": periods, "units": np.arange(float(STEPS))}))
    assert data.metadata.freq == normalize_freq(freq)
    assert data.train[0]["start"] == periods[0]
    assert data.train[0]["target"].shape == (1, STEPS)
    assert dates_of(periods[0], STEPS).equals(to_dates(periods))


def test_entries_of_single_series_keep_their_dates_when_they_are_grouped():
    begins = [DatedPeriod.of(pd.Period(date, "W-SUN"), Stamps()) for date in ("2024-01-08", "2024-01-01")]
    rows = [{"start": begin, "target": [1.0, 2.0, 3.0]} for begin in begins]
    (entry,) = as_multivariate(rows)
    assert list(dates_of(entry.start, 4)) == list(pd.date_range("2024-01-01", periods=4, freq="W-MON"))


def test_a_dataset_with_other_dates_is_another_one():
    table = sales_table("W-MON")
    data, plain = read(table, freq="W"), read(table.assign(date=table["date"] + pd.Timedelta(days=6)), freq="W")
    assert data.train[0].start == plain.train[0].start
    assert fingerprint(data) != fingerprint(plain)
    assert fingerprint(data) == fingerprint(read(table, freq="W-SUN"))
