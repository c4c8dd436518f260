from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import DATASETS, get_dataset
from hemline.datasets.benchmarks.further_sets import TABLES, load_table

DATA = os.environ.get("HEMLINE_DATA")
ROWS = 200

COLUMNS = {
    "electricity_ecl203": [*map(str, range(202)), "OT"],
    "pems_sf_daily": ["Total", "y1", *(f"Bottom{lane}" for lane in range(1, 201))],
    "pems_sf_267d": ["Total", "y1", *(f"Bottom{lane}" for lane in range(1, 201))],
    "solar_florida": [f"DA_{plant}" for plant in range(216)],
    "taxi_manhattan": [f"zone_{zone}" for zone in range(67)],
    "wiki2_daily": ["Total", "de", "de_AAC", "de_AAC_AAG", *(f"de_AAC_AAG_{page:03d}" for page in range(150))],
}


def write(folder, name):
    """A table of the right form in which series d has the values d, d + 1, …"""
    table, columns = TABLES[name], COLUMNS[name]
    frame = pd.DataFrame(np.arange(ROWS)[:, None] + np.arange(len(columns)), columns=columns)
    if table.timestamp is not None:
        frame.insert(0, table.timestamp, pd.date_range("2016-01-01", periods=ROWS, freq=table.freq))
    path = folder / table.files[0]
    path.parent.mkdir(parents=True)
    frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read_with_its_protocol(name, tmp_path, monkeypatch):
    path = write(tmp_path, name)
    table = TABLES[name]
    monkeypatch.setenv("HEMLINE_DATA", str(tmp_path))
    data = get_dataset(name)
    metadata, card = data.metadata, DATASETS[name]
    assert metadata.archive is None
    assert (metadata.name, metadata.target_dim, metadata.freq) == (name, card.target_dim, card.freq)
    assert (metadata.prediction_length, len(data.test)) == (card.prediction_length, card.windows)
    assert not any("Total" in item or item == "de" for item in metadata.item_ids)
    lengths = [data.train[0]["target"].shape[1], *(entry["target"].shape[1] for entry in data.test)]
    assert np.diff(lengths).tolist() == [table.prediction_length] * table.windows
    assert lengths[-1] == ROWS
    np.testing.assert_array_equal(np.diff(data.test[-1]["target"]), 1)
    np.testing.assert_array_equal(get_dataset(name, path).test[-1]["target"], data.test[-1]["target"])


def test_a_table_with_other_series_is_refused(tmp_path):
    path = write(tmp_path, "taxi_manhattan")
    pd.read_csv(path).drop(columns="zone_3").to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"taxi_manhattan: expected 67 columns called like .* got 66"):
        get_dataset("taxi_manhattan", path)


def test_rows_beyond_those_that_count_are_not_read(tmp_path):
    path = write(tmp_path, "pems_sf_267d")
    table = replace(TABLES["pems_sf_267d"], rows=150)
    assert load_table(table, path).test[-1]["target"].shape == (200, 150)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_is_nowhere_is_one_clear_error(name, tmp_path, monkeypatch):
    monkeypatch.setenv("HEMLINE_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=rf"{name} was not found; tried: .* It has no public address here: put"):
        get_dataset(name)


@pytest.mark.skipif(DATA is None, reason="needs the tables in a folder of HEMLINE_DATA")
@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("electricity_ecl203", 1000),
        ("pems_sf_daily", 366),
        ("pems_sf_267d", 267),
        ("solar_florida", 3650),
        ("taxi_manhattan", 4416),
        ("wiki2_daily", 366),
    ],
)
def test_the_real_table_has_its_size_and_no_gaps(name, steps, monkeypatch):
    monkeypatch.setenv("HEMLINE_DATA", str(DATA))
    data = get_dataset(name)
    assert data.test[-1]["target"].shape == (DATASETS[name].target_dim, steps)
    assert not np.isnan(data.test[-1]["target"]).any()
