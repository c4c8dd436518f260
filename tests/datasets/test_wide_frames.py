"""Frames with a column a series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame
from small_frames import long_table, read


def test_a_wide_frame_equals_the_long_one():
    wide = long_table().pivot(index="date", columns="article", values="units")
    by_index = from_frame(wide, timestamp=None, prediction_length=3)
    by_column = from_frame(wide.reset_index(), timestamp="date", prediction_length=3)
    for data in (by_index, by_column):
        np.testing.assert_array_equal(data.test[0]["target"], read(long_table()).test[0]["target"])
        assert data.metadata.item_ids == ("coat", "hat")


def test_a_wide_frame_with_two_frequencies_is_refused():
    dates = pd.date_range("2024-01-01", periods=40, freq="h").append(pd.date_range("2024-01-03", periods=10, freq="D"))
    wide = pd.DataFrame({"coat": np.arange(50.0)}, index=dates)
    with pytest.raises(ValueError, match="expected one frequency"):
        from_frame(wide, timestamp=None, prediction_length=3)


def test_covariates_of_a_wide_frame_keep_their_names():
    wide = pd.DataFrame(
        {"coat": np.arange(20.0), "price[coat]": 5.0, "holiday": 0.0},
        index=pd.date_range("2024-01-01", periods=20, freq="D"),
    )
    data = from_frame(
        wide,
        timestamp=None,
        prediction_length=3,
        covariates=["price[coat]"],
        shared_covariates=["holiday"],
    )
    assert data.metadata.item_ids == ("coat",)
    assert data.metadata.covariates == ("price[coat]", "holiday")


def test_a_frame_without_numbers_has_no_series():
    with pytest.raises(ValueError, match="expected a numeric column to be a series, got none"):
        from_frame(pd.DataFrame({"date": ["2024-01-01"], "note": ["x"]}), timestamp="date", prediction_length=1)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1", "2", "many", "4", "5"], "'hat': expected finite numbers, got 'many' in row 2"),
        (
            ["1,5", "2,5", "3,5", "4,5", "5,5"],
            r"'hat': .* got '1,5' in row 0.*; in a TOML file decimal = ',' reads such",
        ),
        (["1,500", "2,500", "3", "4", "5"], "'hat': .* got '1,500' in row 0.*; in a TOML file .* reads such"),
    ],
)
def test_a_series_of_a_wide_frame_is_not_lost_for_a_cell(cells, message):
    wide = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=5), "coat": 1.0, "hat": cells})
    with pytest.raises(ValueError, match=message):
        from_frame(wide, timestamp="date", prediction_length=1)
    notes = wide.assign(hat=["a", "b", None, "7", "c"])
    assert from_frame(notes, timestamp="date", prediction_length=1).metadata.item_ids == ("coat",)
    codes = wide.assign(hat=["001", "002", "003", "004", None])
    assert from_frame(codes, timestamp="date", prediction_length=1).metadata.item_ids == ("coat",)


def test_a_plain_index_is_no_timestamp():
    with pytest.raises(ValueError, match="timestamp: expected the name of a column, or None and an index of dates"):
        from_frame(long_table(), timestamp=None, prediction_length=1)


def test_a_series_named_twice_is_refused():
    wide = long_table().pivot(index="date", columns="article", values="units")
    with pytest.raises(ValueError, match=r"target: .* 'hat', which is named twice"):
        from_frame(wide, timestamp=None, target=["hat", "hat"], prediction_length=3)


def test_labels_that_read_the_same_are_refused():
    with pytest.raises(ValueError, match="item: expected names that differ, got two labels that read '1'"):
        read(long_table(items=(1, "1")))
    wide = pd.DataFrame(np.ones((20, 2)), index=pd.date_range("2024-01-01", periods=20), columns=[1, "1"])
    with pytest.raises(ValueError, match="target: expected names that differ, got two labels that read '1'"):
        from_frame(wide, timestamp=None, prediction_length=3)


@pytest.mark.parametrize("target", [None, [0, 1]])
def test_columns_labelled_by_numbers_become_series_with_names(target):
    table = pd.DataFrame(np.arange(60.0).reshape(20, 3), index=pd.date_range("2024-01-01", periods=20))
    data = from_frame(table, timestamp=None, target=target, covariates=[2], prediction_length=3)
    assert data.metadata.item_ids == ("0", "1")
    assert data.metadata.covariates == ("2",)
    np.testing.assert_array_equal(data.test[0]["target"], table[[0, 1]].T)


def test_an_index_of_two_levels_is_no_timestamp():
    with pytest.raises(ValueError, match="timestamp: expected the name of a column, or None and an index of dates"):
        from_frame(long_table().set_index(["article", "date"]), timestamp=None, prediction_length=1)


def test_columns_of_two_levels_are_refused():
    wide = long_table().pivot(index="date", columns="article", values=["units"])
    with pytest.raises(ValueError, match="frame: expected one label a column, got 2 levels"):
        from_frame(wide, timestamp=None, prediction_length=1)
