"""Laws of the dates of steps: everything that shows a date shows the one that the user's table has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame
from hemline.datasets.entries.frequency import dates_of, normalize_freq, to_dates, to_period
from hemline.evaluation import plot_forecast
from hemline.evaluation.runs.rows import history_rows
from hemline.evaluation.runs.windows import windows_of
from hemline.forecasting import Outcome, SeasonalNaivePredictor
from hemline.forecasting.paths.table import forecast_frame
from matplotlib.dates import date2num

STEPS, HORIZON = 30, 3

TOLD = ["h", "15min", "s", "D", "3D", "7D", "B", "W-MON", "W-SUN", "2W-WED"]
TOLD += ["MS", "QS", "QS-FEB", "QS-MAR", "YS", "YS-MAR", "YS-APR"]
"""Frequencies that are told from a table, as pandas names its dates."""

ENDS = {"ME": "MS", "QE": "QS", "QE-JAN": "QS-FEB", "YE": "YS", "YE-MAR": "YS-APR"}
"""What writes last days, and what writes the first days of the same spans."""


def table_dates(freq: str, steps: int = STEPS) -> pd.DatetimeIndex:
    return pd.date_range("2010-01-06", periods=steps, freq=freq)


def sales_table(freq: str, **columns) -> pd.DataFrame:
    return pd.DataFrame({"date": table_dates(freq), "units": np.arange(float(STEPS))}).assign(**columns)


def read(table: pd.DataFrame, **settings):
    return from_frame(table, timestamp="date", target="units", prediction_length=HORIZON, windows=0, **settings)


@pytest.mark.parametrize("given", [False, True], ids=["told", "given"])
@pytest.mark.parametrize("freq", TOLD)
def test_a_dataset_gives_the_dates_of_its_table_back(freq, given):
    entry = read(sales_table(freq), freq=freq if given else None).train[0]
    assert dates_of(entry["start"], STEPS).equals(table_dates(freq))


@pytest.mark.parametrize(("freq", "written"), ENDS.items())
def test_months_quarters_and_years_are_written_by_their_first_day(freq, written):
    entry = read(sales_table(freq)).train[0]
    dates = dates_of(entry["start"], STEPS)
    assert pd.infer_freq(dates).split("-")[0] == written.split("-")[0]
    assert (dates + pd.tseries.frequencies.to_offset(freq)).equals(table_dates(freq))


@pytest.mark.parametrize("freq", [*TOLD, *ENDS, "2MS", "2QS"])
def test_a_date_leads_back_to_its_period(freq):
    start = to_period("2010-01-06", freq)
    assert [to_period(date, freq) for date in dates_of(start, 4)] == [start + step * start.freq for step in range(4)]


@pytest.mark.parametrize("freq", TOLD)
def test_a_forecast_begins_with_the_next_date_of_the_table_wherever_it_is_shown(freq):
    data = read(sales_table(freq))
    forecast = next(iter(SeasonalNaivePredictor(HORIZON).predict(data.train)))
    ahead = table_dates(freq, STEPS + HORIZON)[STEPS:]
    assert list(forecast_frame(forecast, data.metadata.item_ids)["timestamp"]) == list(ahead)
    assert list(Outcome("plan", forecast.samples, data.metadata.item_ids, forecast.start_date).dates) == list(ahead)
    lines = {line.get_label(): line for line in plot_forecast(forecast, data.train[0]).axes[0].get_lines()}
    assert np.allclose(date2num(lines["median forecast"].get_xdata()), date2num(ahead))
    assert date2num(lines["observed"].get_xdata())[-1] == date2num(table_dates(freq))[-1]


@pytest.mark.parametrize("freq", TOLD)
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
    with pytest.raises(ValueError, match=f"'price' is missing on {shown} "):
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
