from __future__ import annotations

import warnings

import pandas as pd
import pytest
from gluonts.time_feature import get_lags_for_frequency, time_features_from_frequency_str
from hemline.datasets.entries.frequency import normalize_freq, season_length, to_period
from pandas.tseries.frequencies import to_offset

ALIASES = {
    "H": "h",
    "1H": "h",
    "h": "h",
    "T": "min",
    "30T": "30min",
    "30min": "30min",
    "S": "s",
    "L": "ms",
    "U": "us",
    "N": "ns",
    "D": "D",
    "1D": "D",
    "B": "B",
    "W": "W-SUN",
    "W-MON": "W-MON",
    "2W": "2W-SUN",
    "M": "ME",
    "ME": "ME",
    "MS": "ME",
    "3M": "3ME",
    "Q": "QE-DEC",
    "Q-NOV": "QE-NOV",
    "QS": "QE-DEC",
    "QS-FEB": "QE-JAN",
    "A": "YE-DEC",
    "A-JUN": "YE-JUN",
    "Y": "YE-DEC",
    "AS": "YE-DEC",
    "YS-APR": "YE-MAR",
    "BM": "ME",
    "BMS": "ME",
    "BQE-JAN": "QE-JAN",
    "BQS-FEB": "QE-JAN",
    "2BYS-APR": "2YE-MAR",
}


@pytest.mark.parametrize(("alias", "expected"), ALIASES.items())
def test_an_alias_of_any_pandas_version_is_understood(alias, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert normalize_freq(alias) == expected
        assert to_offset(expected).freqstr == expected
        assert normalize_freq(expected) == expected


@pytest.mark.parametrize("alias", ["H", "30T", "D", "B", "W", "M"])
def test_gluonts_knows_lags_and_features_of_what_comes_out(alias):
    lags = get_lags_for_frequency(normalize_freq(alias))
    assert len(lags) > 7
    assert time_features_from_frequency_str(normalize_freq(alias))


@pytest.mark.parametrize("alias", ["", "fortnight", "0D", "-1D", "SMS", "WOM-1MON", "C", "1.5h", "W-XYZ", None, 7])
def test_an_unknown_frequency_is_refused(alias):
    with pytest.raises(ValueError, match=r"freq: expected a pandas frequency alias .* got"):
        normalize_freq(alias)


@pytest.mark.parametrize(
    ("freq", "date", "first", "last"),
    [
        ("M", "2024-05-17", "2024-05-01", "2024-05-31"),
        ("W-WED", "2024-05-17", "2024-05-16", "2024-05-22"),
        ("QS-FEB", "2024-05-17", "2024-05-01", "2024-07-31"),
        ("H", "2024-05-17 13:45", "2024-05-17", "2024-05-17"),
    ],
)
def test_a_date_lies_in_its_period(freq, date, first, last):
    period = to_period(date, freq)
    assert period.start_time.normalize() == pd.Timestamp(first)
    assert period.end_time.normalize() == pd.Timestamp(last)
    assert period.freq.freqstr == normalize_freq(freq)


@pytest.mark.parametrize(("freq", "season"), [("15min", 96), ("7h", 1), ("2D", 1), ("6h", 4), ("2W", 26), ("2ME", 6)])
def test_the_season_is_counted_in_steps(freq, season):
    assert season_length(freq) == season
