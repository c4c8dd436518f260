from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame
from hemline.datasets.tables.columns import Columns
from hypothesis import given
from hypothesis import strategies as st


def long_table(items=("coat", "hat"), dates=None, **columns) -> pd.DataFrame:
    dates = pd.date_range("2024-01-01", periods=20, freq="D") if dates is None else pd.DatetimeIndex(dates)
    rows = [
        {"date": date, "article": item, "units": 10 * number + step}
        for number, item in enumerate(items)
        for step, date in enumerate(dates)
    ]
    return pd.DataFrame(rows).assign(**columns)


def read(table, **changes):
    settings = {"timestamp": "date", "item": "article", "target": "units", "prediction_length": 3} | changes
    return from_frame(table, **settings)


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


def test_a_wide_frame_equals_the_long_one():
    wide = long_table().pivot(index="date", columns="article", values="units")
    by_index = from_frame(wide, timestamp=None, prediction_length=3)
    by_column = from_frame(wide.reset_index(), timestamp="date", prediction_length=3)
    for data in (by_index, by_column):
        np.testing.assert_array_equal(data.test[0]["target"], read(long_table()).test[0]["target"])
        assert data.metadata.item_ids == ("coat", "hat")


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_a_file_is_read_like_the_frame_it_holds(tmp_path, ending):
    table, path = long_table(items=("007", "008")), tmp_path / f"sales{ending}"
    table.to_parquet(path) if ending == ".parquet" else table.to_csv(path, index=False)
    data = read(path)
    np.testing.assert_array_equal(data.test[0]["target"], read(table).test[0]["target"])
    assert data.metadata.name == "sales"
    assert data.metadata.item_ids == ("007", "008")


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


@given(st.sets(st.integers(0, 19), max_size=9))
def test_what_is_left_of_a_series_stays_on_its_dates(dropped):
    table = long_table(items=("coat",)).drop(index=sorted(dropped - {0, 1, 18, 19}))
    target = read(table, freq="D", windows=0).train[0]["target"][0]
    kept = ~np.isnan(target)
    np.testing.assert_array_equal(target[kept], np.arange(20)[kept])
    assert kept.sum() == len(table)


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


def test_one_series_is_a_dataset_of_one():
    data = read(long_table(items=("coat",)))
    assert data.metadata.target_dim == 1
    assert data.test[0]["target"].shape == (1, 20)


@pytest.mark.parametrize("windows", [1, 3])
def test_a_horizon_longer_than_the_history_is_refused(windows):
    with pytest.raises(ValueError, match=rf"prediction_length: {windows} windows of 20 steps leave no history"):
        read(long_table(), prediction_length=20, windows=windows)


def test_a_horizon_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="prediction_length: expected a whole number from 1 to 100000, got 0"):
        read(long_table(), prediction_length=0)


def test_negative_windows_are_refused():
    with pytest.raises(ValueError, match="windows: expected a whole number from 0"):
        read(long_table(), windows=-1)


def test_an_empty_csv_is_refused(tmp_path):
    path = tmp_path / "empty.csv"
    path.touch()
    with pytest.raises(ValueError, match=r"empty\.csv' cannot be read as a table"):
        read(path)
    path.write_text("date,article,units\n")
    with pytest.raises(ValueError, match=r"expected rows, '.*empty\.csv' has none"):
        read(path)


def test_an_empty_frame_is_refused():
    with pytest.raises(ValueError, match="expected rows, the frame has none"):
        read(long_table().head(0))


def test_a_path_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.csv' does not exist"):
        read(tmp_path / "absent.csv")


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "table.ods").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"unknown ending, expected \.csv, \.csv\.gz, \.parquet or \.xlsx"):
        read(tmp_path / "table.ods")


def test_a_csv_whose_rows_end_with_a_comma_is_refused_and_not_read_one_column_aside(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(
        "date,until,article,units\n" + "".join(f"2024-01-0{n},2024-01-0{n + 1},5,{n},\n" for n in range(1, 8))
    )
    with pytest.raises(ValueError, match="more cells than its header, which has 4; is there a ',' at their ends"):
        from_frame(path, timestamp="date", prediction_length=1)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_csv_with_other_separators_is_refused_by_the_one_it_has(tmp_path, mark):
    path = tmp_path / "export.csv"
    rows = [f"{day:%d.%m.%Y}{mark}coat{mark}3,50" for day in pd.date_range("2024-01-01", periods=5)]
    path.write_text("\n".join([f"date{mark}article{mark}units", *rows]), encoding="utf-8-sig")
    with pytest.raises(ValueError, match=rf"separated by {re.escape(repr(mark))}, expected ','.*decimal = ','"):
        read(path)


def test_a_csv_in_another_encoding_is_refused_with_the_way_to_read_it(tmp_path):
    path = tmp_path / "export.csv"
    path.write_bytes("date,article,units\n2024-01-01,Jäckchen,3\n".encode("cp1252"))
    with pytest.raises(ValueError, match=r"it is no UTF-8 .*encoding=\.\.\."):
        read(path)


def test_the_ending_of_a_file_may_be_in_capitals(tmp_path):
    long_table().to_csv(tmp_path / "EXPORT.CSV", index=False)
    assert read(tmp_path / "EXPORT.CSV").metadata.item_ids == read(long_table()).metadata.item_ids


@pytest.mark.parametrize("ending", [".parquet", ".csv.gz"])
def test_a_damaged_file_is_refused(tmp_path, ending):
    path = tmp_path / f"table{ending}"
    path.write_bytes(b"no table at all")
    with pytest.raises(ValueError, match="cannot be read as a table"):
        read(path)


@pytest.mark.parametrize(
    ("argument", "column"),
    [("timestamp", "day"), ("item", "sku"), ("target", "sales"), ("covariates", ["cost"])],
)
def test_an_unknown_column_is_refused_with_the_known_ones(argument, column):
    with pytest.raises(ValueError, match=rf"{argument}: no column .*; there are date, article, units"):
        read(long_table(), **{argument: column})


def test_duplicate_rows_are_named():
    table = pd.concat([long_table(), long_table().iloc[[3, 25]]], ignore_index=True)
    with pytest.raises(ValueError, match=r"2 duplicate rows: 3 and 40 \(item 'coat', 2024-01-04.*25 and 41"):
        read(table)


def test_two_items_of_different_frequency_are_refused():
    daily = long_table(items=("coat",))
    weekly = long_table(items=("hat",), dates=pd.date_range("2024-01-01", periods=5, freq="W"))
    with pytest.raises(ValueError, match=r"mixed frequencies: item 'hat' has steps of 7.*rows 20, 21, 22"):
        read(pd.concat([daily, weekly], ignore_index=True))
    hourly = long_table(items=("hat",), dates=pd.date_range("2024-01-01", periods=12, freq="h"))
    with pytest.raises(ValueError, match=r"mixed frequencies: rows 20 and 21 of item 'hat' both lie in the 'D'"):
        read(pd.concat([daily, hourly], ignore_index=True))


def test_a_month_among_weeks_is_refused():
    weekly = long_table(items=("coat",), dates=pd.date_range("2024-01-07", periods=30, freq="W"))
    monthly = long_table(items=("hat",), dates=pd.date_range("2024-01-07", periods=6, freq="ME"))
    with pytest.raises(ValueError, match=r"item 'hat' has steps of 4 or more .*rows 30, 31, 32"):
        read(pd.concat([weekly, monthly], ignore_index=True))


def test_a_series_that_changes_its_frequency_is_refused():
    dates = pd.date_range("2024-01-01", periods=40, freq="D").append(pd.date_range("2024-02-18", periods=10, freq="W"))
    with pytest.raises(ValueError, match=r"mixed frequencies: item 'coat' has steps of 7.*rows 39, 40"):
        read(long_table(items=("coat",), dates=dates))


def test_a_wide_frame_with_two_frequencies_is_refused():
    dates = pd.date_range("2024-01-01", periods=40, freq="h").append(pd.date_range("2024-01-03", periods=10, freq="D"))
    wide = pd.DataFrame({"coat": np.arange(50.0)}, index=dates)
    with pytest.raises(ValueError, match="mixed frequencies"):
        from_frame(wide, timestamp=None, prediction_length=3)


def test_dates_between_the_steps_are_named():
    dates = [*pd.date_range("2024-01-01", periods=10, freq="2h"), pd.Timestamp("2024-01-02 01:00")]
    with pytest.raises(ValueError, match=r"steps of '2h'.*row 10 lie between: 2024-01-02 01:00"):
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


def test_dates_that_are_numbers_are_refused():
    with pytest.raises(ValueError, match="expected dates in 'date', got numbers such as 5"):
        read(long_table().assign(date=5))


def test_a_series_without_any_value_is_refused():
    table = long_table().astype({"units": float})
    table.loc[table["article"] == "hat", "units"] = np.nan
    with pytest.raises(ValueError, match="the series 'hat' has no value at all"):
        read(table)


def test_a_series_that_starts_in_the_test_windows_is_refused():
    table = long_table().drop(index=range(20, 38))
    with pytest.raises(ValueError, match="'hat' has no value before the first test window on 2024-01-18"):
        read(table)


def test_test_windows_without_any_value_are_refused():
    table = long_table().astype({"units": float})
    table.loc[table["date"] >= "2024-01-15", "units"] = np.nan
    with pytest.raises(ValueError, match="no series has a value from 2024-01-15 on"):
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


@pytest.mark.parametrize("fill", [None, "forward"])
def test_a_missing_future_value_names_column_item_and_date(fill):
    table = long_table(price=1.0)
    table.loc[38, "price"] = np.nan
    with pytest.raises(ValueError, match="'price' of item 'hat' is missing on 2024-01-19"):
        read(table, covariates=["price"], fill_covariates=fill)


def test_gaps_in_the_past_of_a_covariate_are_filled_only_when_asked():
    table = long_table(price=np.arange(40.0)).drop(index=[25, 26])
    with pytest.raises(ValueError, match="'price' of item 'hat' is missing on 2024-01-06"):
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
    with pytest.raises(ValueError, match="'price' of item 'hat' is missing on 2024-01-20"):
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


def test_a_long_frame_needs_one_target_column():
    with pytest.raises(ValueError, match="target: expected the name of one column beside item='article'"):
        read(long_table(), target=None)


def test_a_frame_without_numbers_has_no_series():
    with pytest.raises(ValueError, match="no numeric column is left to be a series"):
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


def test_an_unknown_way_to_fill_is_refused():
    with pytest.raises(ValueError, match="fill_covariates: expected None or 'forward', got 'mean'"):
        read(long_table(), fill_covariates="mean")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"covariates": ["units"]}, "covariates: expected a column of one role, but 'units' is named by target too"),
        ({"covariates": ["date"]}, "covariates: .* 'date' is named by timestamp too"),
        ({"covariates": ["price", "price"]}, "covariates: .* 'price' is named twice"),
        ({"covariates": ["price"], "shared_covariates": ["price"]}, "shared_covariates: .* by covariates too"),
        ({"covariates": ["price"], "past_covariates": ["price"]}, "past_covariates: .* by covariates too"),
        ({"past_covariates": ["units", "units"]}, "past_covariates: .* 'units' is named twice"),
        ({"item": "units"}, "target: .* 'units' is named by item too"),
    ],
)
def test_a_column_with_two_roles_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        read(long_table(price=1.0), **changes)


def test_a_series_named_twice_is_refused():
    wide = long_table().pivot(index="date", columns="article", values="units")
    with pytest.raises(ValueError, match=r"target: .* 'hat' is named twice"):
        from_frame(wide, timestamp=None, target=["hat", "hat"], prediction_length=3)


def test_labels_that_read_the_same_are_refused():
    with pytest.raises(ValueError, match="item: expected names that differ, but two labels read '1'"):
        read(long_table(items=(1, "1")))
    wide = pd.DataFrame(np.ones((20, 2)), index=pd.date_range("2024-01-01", periods=20), columns=[1, "1"])
    with pytest.raises(ValueError, match="target: expected names that differ, but two labels read '1'"):
        from_frame(wide, timestamp=None, prediction_length=3)


@pytest.mark.parametrize("target", [None, [0, 1]])
def test_columns_labelled_by_numbers_become_series_with_names(target):
    table = pd.DataFrame(np.arange(60.0).reshape(20, 3), index=pd.date_range("2024-01-01", periods=20))
    data = from_frame(table, timestamp=None, target=target, covariates=[2], prediction_length=3)
    assert data.metadata.item_ids == ("0", "1")
    assert data.metadata.covariates == ("2",)
    np.testing.assert_array_equal(data.test[0]["target"], table[[0, 1]].T)


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


def test_an_index_of_two_levels_is_no_timestamp():
    with pytest.raises(ValueError, match="timestamp: expected the name of a column, or None and an index of dates"):
        from_frame(long_table().set_index(["article", "date"]), timestamp=None, prediction_length=1)


def test_columns_of_two_levels_are_refused():
    wide = long_table().pivot(index="date", columns="article", values=["units"])
    with pytest.raises(ValueError, match="frame: expected one label a column, got 2 levels"):
        from_frame(wide, timestamp=None, prediction_length=1)


@pytest.mark.parametrize("argument", ["prediction_length", "windows"])
def test_steps_and_windows_are_whole_numbers(argument):
    with pytest.raises(ValueError, match=rf"{argument}: expected a whole number from [01].*, got 2\.0"):
        read(long_table(), **{argument: 2.0})


def test_an_item_of_a_file_may_be_called_na_but_not_be_empty(tmp_path):
    table, path = long_table(items=("NA", "EU")), tmp_path / "regions.csv"
    table.to_csv(path, index=False)
    assert read(path).metadata.item_ids == ("NA", "EU")
    table.replace("NA", "").to_csv(path, index=False)
    with pytest.raises(ValueError, match="item: expected a name in every cell of 'article'"):
        read(path)


def test_a_column_that_a_file_has_twice_is_refused(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("date,coat,coat\n2024-01-01,1,2\n2024-01-02,3,4\n")
    with pytest.raises(ValueError, match="target: 2 columns are called 'coat'"):
        from_frame(path, timestamp="date", prediction_length=1)
