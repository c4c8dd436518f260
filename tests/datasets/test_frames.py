"""Long frames: a row an item and a date."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_frames import long_table, read


def test_a_long_frame_becomes_training_data_and_windows_at_its_end():
    data = read(long_table(), windows=2)
    assert data.metadata.freq == "D"
    assert data.metadata.season == 7
    assert data.metadata.item_ids == ("coat", "hat")
    assert data.train[0]["target"].dtype == np.float32
    assert data.train[0]["target"].flags.c_contiguous
    assert data.train[0]["start"] == pd.Period("2024-01-01", "D")
    np.testing.assert_array_equal(data.train[0]["target"], [np.arange(14), 10 + np.arange(14)])
    assert [entry["target"].shape for entry in data.test] == [(2, 17), (2, 20)]
    np.testing.assert_array_equal(data.test[1]["target"][:, :17], data.test[0]["target"])


def test_no_windows_means_everything_is_for_training():
    data = read(long_table(), windows=0)
    assert data.train[0]["target"].shape == (2, 20)
    assert data.test == []


def test_rows_in_any_order_give_the_same_data():
    table = long_table()
    shuffled = table.sample(frac=1, random_state=0)
    order = read(shuffled).metadata.item_ids
    expected = read(table).test[0]["target"][[("coat", "hat").index(item) for item in order]]
    np.testing.assert_array_equal(read(shuffled).test[0]["target"], expected)


def test_gaps_and_late_starts_are_nan():
    table = long_table().drop(index=[4, 5, 20, 21])
    target = read(table).test[0]["target"]
    assert np.argwhere(np.isnan(target)).tolist() == [[0, 4], [0, 5], [1, 0], [1, 1]]


@settings(deadline=None)  # the first frame waits for imports
@given(st.sets(st.integers(0, 19), max_size=9))
def test_what_is_left_of_a_series_stays_on_its_dates(dropped):
    table = long_table(items=("coat",)).drop(index=sorted(dropped - {0, 1, 18, 19}))
    target = read(table, freq="D", windows=0).train[0]["target"][0]
    kept = ~np.isnan(target)
    np.testing.assert_array_equal(target[kept], np.arange(20)[kept])
    assert kept.sum() == len(table)


def test_one_series_is_a_dataset_of_one():
    data = read(long_table(items=("coat",)))
    assert data.metadata.target_dim == 1
    assert data.test[0]["target"].shape == (1, 20)


@pytest.mark.parametrize("windows", [1, 3])
def test_a_horizon_longer_than_the_history_is_refused(windows):
    with pytest.raises(
        ValueError, match=rf"prediction_length: expected a history before {windows} windows of 20 steps"
    ):
        read(long_table(), prediction_length=20, windows=windows)


def test_a_horizon_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="prediction_length: expected a whole number from 1 to 100000, got 0"):
        read(long_table(), prediction_length=0)


def test_negative_windows_are_refused():
    with pytest.raises(ValueError, match="windows: expected a whole number from 0"):
        read(long_table(), windows=-1)


def test_an_empty_frame_is_refused():
    with pytest.raises(ValueError, match="expected rows, the frame has none"):
        read(long_table().head(0))


@pytest.mark.parametrize(
    ("argument", "column"),
    [("timestamp", "day"), ("item", "sku"), ("target", "sales"), ("covariates", ["cost"])],
)
def test_an_unknown_column_is_refused_with_the_known_ones(argument, column):
    with pytest.raises(ValueError, match=rf"{argument}: expected one of the columns date, article, units, got"):
        read(long_table(), **{argument: column})


def test_duplicate_rows_are_named():
    table = pd.concat([long_table(), long_table().iloc[[3, 25]]], ignore_index=True)
    with pytest.raises(
        ValueError,
        match=r"expected one row an item and date, got 2 more: 3 and 40 \(item 'coat', 2024-01-04.*25 and 41",
    ):
        read(table)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("date", "yesterday", "timestamp: expected dates in 'date', got 'yesterday' in row 7"),
        ("units", "many", "'units': expected finite numbers, got 'many' in row 7"),
        ("units", np.inf, "'units': expected finite numbers, got inf in row 7"),
        ("units", 1e40, r"'units': expected finite numbers, got 1e\+40 in row 7"),
        ("article", None, "item: expected a name in every cell of 'article', got None in row 7"),
    ],
)
def test_a_cell_that_is_not_what_it_should_be_is_named(column, value, message):
    table = long_table().astype(object)
    table.loc[7, column] = value
    with pytest.raises(ValueError, match=message):
        read(table)


def test_a_series_without_any_value_is_refused():
    table = long_table().astype({"units": float})
    table.loc[table["article"] == "hat", "units"] = np.nan
    with pytest.raises(ValueError, match="expected a value of the series 'hat', got none at all"):
        read(table)


def test_a_series_that_starts_in_the_test_windows_is_refused():
    table = long_table().drop(index=range(20, 38))
    with pytest.raises(ValueError, match="'hat' before the first test window on 2024-01-18, got none"):
        read(table)


def test_test_windows_without_any_value_are_refused():
    table = long_table().astype({"units": float})
    table.loc[table["date"] >= "2024-01-15", "units"] = np.nan
    with pytest.raises(ValueError, match="expected a value of some series from 2024-01-15 on, got none"):
        read(table)


@pytest.mark.parametrize(("domain", "value"), [("count", 1.5), ("count", -1), ("positive", -0.1), ("unit", 1.1)])
def test_values_outside_the_domain_are_refused(domain, value):
    table = long_table().astype({"units": float}).assign(units=0.0)
    table.loc[22, "units"] = value
    with pytest.raises(ValueError, match=rf"domain '{domain}', got {value} in series 'hat' on 2024-01-03"):
        read(table, domain=domain)


def test_an_unknown_domain_is_refused():
    with pytest.raises(ValueError, match="domain: expected one of real, positive, unit, count"):
        read(long_table(), domain="money")


def test_a_long_frame_needs_one_target_column():
    with pytest.raises(ValueError, match="target: expected the name of one column beside item='article'"):
        read(long_table(), target=None)


@pytest.mark.parametrize("argument", ["prediction_length", "windows"])
def test_steps_and_windows_are_whole_numbers(argument):
    with pytest.raises(ValueError, match=rf"{argument}: expected a whole number from [01].*, got 2\.0"):
        read(long_table(), **{argument: 2.0})
