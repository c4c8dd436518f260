"""A file is read like the frame that it holds, or refused by what is wrong with it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame
from small_frames import long_table, read


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_a_file_is_read_like_the_frame_it_holds(tmp_path, ending):
    table, path = long_table(items=("007", "008")), tmp_path / f"sales{ending}"
    table.to_parquet(path) if ending == ".parquet" else table.to_csv(path, index=False)
    data = read(path)
    np.testing.assert_array_equal(data.test[0]["target"], read(table).test[0]["target"])
    assert data.metadata.name == "sales"
    assert data.metadata.item_ids == ("007", "008")


def test_an_empty_csv_is_refused(tmp_path):
    path = tmp_path / "empty.csv"
    path.touch()
    with pytest.raises(ValueError, match=r"empty\.csv' cannot be read as a table"):
        read(path)
    path.write_text("date,article,units\n")
    with pytest.raises(ValueError, match=r"expected rows, '.*empty\.csv' has none"):
        read(path)


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
    with pytest.raises(ValueError, match=r"target: expected one column 'coat'.*, got 2"):
        from_frame(path, timestamp="date", prediction_length=1)
