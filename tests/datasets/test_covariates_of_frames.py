"""Columns that become channels: known of the future, of the past alone, and gaps in them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from small_frames import long_table, read


def test_known_future_columns_become_channels_of_each_item():
    table = long_table(price=np.arange(40.0), holiday=np.tile(np.arange(20.0), 2))
    data = read(table, covariates=["price"], shared_covariates=["holiday"], past_covariates=["units"])
    assert data.metadata.covariates == ("price[coat]", "price[hat]", "holiday")
    assert data.metadata.past_covariates == ("units[coat]", "units[hat]")
    known = data.test[0]["feat_dynamic_real"]
    assert known.dtype == np.float32
    np.testing.assert_array_equal(known, [np.arange(20), np.arange(20, 40), np.arange(20)])
    assert data.train[0]["feat_dynamic_real"].shape == (3, 17)
    np.testing.assert_array_equal(data.train[0]["past_feat_dynamic_real"], data.train[0]["target"])


@pytest.mark.parametrize("fill", [None, "forward"])
def test_a_missing_future_value_names_column_item_and_date(fill):
    table = long_table(price=1.0)
    table.loc[38, "price"] = np.nan
    with pytest.raises(ValueError, match="'price' of item 'hat' on 2024-01-19, got none"):
        read(table, covariates=["price"], fill_covariates=fill)


def test_gaps_in_the_past_of_a_covariate_are_filled_only_when_asked():
    table = long_table(price=np.arange(40.0)).drop(index=[25, 26])
    with pytest.raises(ValueError, match="'price' of item 'hat' on 2024-01-06, got none"):
        read(table, covariates=["price"])
    known = read(table, covariates=["price"], fill_covariates="forward").test[0]["feat_dynamic_real"]
    np.testing.assert_array_equal(known[1, 3:9], [23, 24, 24, 24, 27, 28])


def test_before_its_first_row_an_item_has_its_first_covariate():
    table = long_table(price=np.arange(40.0)).drop(index=[20, 21, 22])
    known = read(table, covariates=["price"]).test[0]["feat_dynamic_real"]
    np.testing.assert_array_equal(known[1, :5], [23, 23, 23, 23, 24])


def test_a_shared_column_that_differs_between_items_is_refused():
    table = long_table(holiday=0.0)
    table.loc[26, "holiday"] = 1
    with pytest.raises(ValueError, match=r"'holiday' to be the same .* got 0 and 1 on 2024-01-07"):
        read(table, shared_covariates=["holiday"])


def test_rows_after_the_last_target_are_the_known_future():
    table = long_table(price=np.arange(40.0)).astype({"units": float})
    table.loc[table["date"] > "2024-01-17", "units"] = np.nan
    entry = read(table, covariates=["price"], windows=0).train[0]
    assert entry["target"].shape == (2, 17)
    assert entry["feat_dynamic_real"].shape == (2, 20)
    table.loc[39, "price"] = np.nan
    with pytest.raises(ValueError, match="'price' of item 'hat' on 2024-01-20, got none"):
        read(table, covariates=["price"], windows=0, fill_covariates="forward")


def test_rows_after_the_last_target_leave_the_test_windows_as_they_are():
    table = long_table(price=np.arange(40.0)).astype({"units": float})
    table.loc[table["date"] > "2024-01-17", "units"] = np.nan
    data = read(table, covariates=["price"], windows=2)
    past = read(table.dropna(), covariates=["price"], windows=2)
    for entry, same in zip([*data.train, *data.test], [*past.train, *past.test], strict=True):
        np.testing.assert_array_equal(entry["target"], same["target"])
        np.testing.assert_array_equal(entry["feat_dynamic_real"], same["feat_dynamic_real"])
    assert data.latest["target"].shape == (2, 17)
    assert data.latest["feat_dynamic_real"].shape == (2, 20)
    assert past.ahead is None
    assert past.latest is past.test[-1]
    assert "feat_dynamic_real" not in data.without_covariates().latest


def test_a_string_is_not_a_list_of_columns():
    with pytest.raises(ValueError, match="covariates: expected a sequence of column names"):
        read(long_table(), covariates="units")


def test_an_unknown_way_to_fill_is_refused():
    with pytest.raises(ValueError, match="fill_covariates: expected None or 'forward', got 'mean'"):
        read(long_table(), fill_covariates="mean")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"covariates": ["units"]},
            "covariates: expected a column of one role, got 'units', which is named by target too",
        ),
        ({"covariates": ["date"]}, "covariates: .* 'date', which is named by timestamp too"),
        ({"covariates": ["price", "price"]}, "covariates: .* 'price', which is named twice"),
        ({"covariates": ["price"], "shared_covariates": ["price"]}, "shared_covariates: .* by covariates too"),
        ({"covariates": ["price"], "past_covariates": ["price"]}, "past_covariates: .* by covariates too"),
        ({"past_covariates": ["units", "units"]}, "past_covariates: .* 'units', which is named twice"),
        ({"item": "units"}, "target: .* 'units', which is named by item too"),
    ],
)
def test_a_column_with_two_roles_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        read(long_table(price=1.0), **changes)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pd.date_range("2024-01-01", periods=40), r"datetime64\[ns\]"),
        (pd.timedelta_range("1h", periods=40), r"timedelta64\[ns\]"),
        (np.full(40, 1 + 1j), "complex128"),
    ],
)
def test_a_covariate_that_is_no_number_is_refused(column, kind):
    with pytest.raises(ValueError, match=rf"'price': expected finite numbers, got a column of {kind}"):
        read(long_table(price=column), covariates=["price"])
