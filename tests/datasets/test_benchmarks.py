from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from gluonts.dataset.multivariate_grouper import MultivariateGrouper
from hemline.datasets import DATASETS, get_dataset
from hemline.datasets.benchmarks.archives import Row
from hemline.datasets.benchmarks.grouper import group_train, group_windows
from hemline.datasets.benchmarks.load import UnverifiedDataWarning, load_benchmark
from hemline.datasets.benchmarks.published import BENCHMARKS
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = os.environ.get("HEMLINE_DATA")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr("hemline.datasets.benchmarks.download.sleep", lambda seconds: None)


@pytest.fixture
def listed(tiny, monkeypatch):
    """The tiny benchmark under a name that `get_dataset` knows."""
    card = replace(DATASETS["exchange_rate_nips"], name="tiny", load=lambda path: load_benchmark(tiny, path))
    monkeypatch.setitem(DATASETS, "tiny", card)
    return tiny


def test_a_benchmark_is_downloaded_checked_and_grouped(listed, cache, published):
    data = get_dataset("tiny")
    assert data.metadata.archive == "tiny"
    assert data.metadata.item_ids == ("1", "2", "3")
    np.testing.assert_array_equal(data.train[0]["target"], [target for _, target in published.train[1:]])
    np.testing.assert_array_equal(data.test[0]["target"], [target for _, target in published.test[1:4]])
    np.testing.assert_array_equal(data.test[1]["target"], [target for _, target in published.test[5:8]])
    assert data.train[0]["start"] == pd.Period("2020-01-01 00:00", "h")
    assert data.train[0]["item_id"] == "tiny"
    for entry in (*data.train, *data.test):
        assert entry["target"].dtype == np.float32
        assert entry["target"].flags.c_contiguous
    assert [path.name for path in cache.iterdir()] == ["tiny.tar.gz"]


def test_the_second_call_reads_the_cache(listed, server):
    get_dataset("tiny")
    get_dataset("tiny")
    assert len(server.ranges) == 1


def test_a_wrong_checksum_of_the_archive_is_refused(listed, server, cache, published):
    server.files["/tiny.tar.gz"] = published.tar_gz({f"t/{name}": c for name, c in published.members.items()})
    with pytest.raises(ValueError, match=r"wrong checksum of tiny\.tar\.gz from http.*: expected SHA-256 .* got SHA"):
        get_dataset("tiny")
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("fault", ["changed", "added", "missing"])
def test_a_wrong_checksum_of_a_file_inside_is_refused(tiny, server, cache, published, fault):
    files = {f"tiny/{name}": content for name, content in published.members.items()}
    if fault == "changed":
        files["tiny/test/test.json"] = files["tiny/test/test.json"].replace(b"36.0", b"36.5")
    elif fault == "added":
        files["tiny/test/more.json"] = files["tiny/test/test.json"]
    else:
        files["tiny/test/data.json"] = files.pop("tiny/test/test.json")
    server.files["/tiny.tar.gz"] = published.tar_gz(files)
    with pytest.raises(ValueError, match=r"wrong checksum of test/\w+\.json in tiny\.tar\.gz from http"):
        load_benchmark(replace(tiny, archive=None))
    assert list(cache.iterdir()) == []


def test_a_truncated_download_is_refused(tiny, server, cache, archive_bytes):
    server.files["/tiny.tar.gz"] = archive_bytes[:-20]
    with pytest.raises(ValueError, match="truncated or damaged"):
        load_benchmark(replace(tiny, archive=None))
    assert list(cache.iterdir()) == []


def test_no_network_is_one_clear_error(listed, server, cache, tmp_path, monkeypatch):
    server.close()
    monkeypatch.setenv("HEMLINE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError) as caught:
        get_dataset("tiny")
    message = str(caught.value)
    for part in (
        "tiny was not found",
        f"{tmp_path / 'nowhere'} (HEMLINE_DATA)",
        f"{cache / 'tiny.tar.gz'} (cache)",
        f"{server.url}/tiny.tar.gz (no connection)",
        "Put tiny.tar.gz, or its unpacked folder tiny, into a folder named by HEMLINE_DATA",
    ):
        assert part in message
    assert not cache.exists()


def test_the_error_says_when_no_folder_was_named(listed, server):
    server.close()
    with pytest.raises(FileNotFoundError, match=r"tried: HEMLINE_DATA \(not set\);"):
        get_dataset("tiny")


def test_a_missing_archive_is_a_clear_error(listed, server):
    del server.files["/tiny.tar.gz"]
    with pytest.raises(FileNotFoundError, match=r"tiny\.tar\.gz \(HTTP 404 Not Found\)"):
        get_dataset("tiny")


def unpack(folder, published) -> None:
    for name, content in published.members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("form", ["archive", "folder", "series"])
def test_data_folders_come_before_the_network(listed, server, tmp_path, monkeypatch, archive_bytes, published, form):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    place = second / "series" if form == "series" else second
    place.mkdir(parents=True)
    if form == "folder":
        unpack(place / "tiny", published)
    else:
        (place / "tiny.tar.gz").write_bytes(archive_bytes)
    monkeypatch.setenv("HEMLINE_DATA", f"{first}{os.pathsep}{second}")
    assert get_dataset("tiny").metadata.archive == "tiny"
    assert server.ranges == []


@pytest.mark.parametrize("given_as", ["file", "its folder", "unpacked"])
def test_a_path_comes_before_everything(listed, server, tmp_path, monkeypatch, archive_bytes, published, given_as):
    monkeypatch.setenv("HEMLINE_DATA", str(tmp_path / "data"))
    unpack(tmp_path / "mine" / "copy", published)
    (tmp_path / "mine" / "tiny.tar.gz").write_bytes(archive_bytes)
    path = {"file": "mine/tiny.tar.gz", "its folder": "mine", "unpacked": "mine/copy"}[given_as]
    assert get_dataset("tiny", tmp_path / path).metadata.archive == "tiny"
    assert server.ranges == []


def test_a_path_that_does_not_exist_is_refused(listed, server, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path: expected tiny\.tar\.gz or tiny, but '.*absent' does not exist"):
        get_dataset("tiny", tmp_path / "absent")
    assert server.ranges == []


def test_a_copy_of_unknown_bytes_is_used_with_a_warning(listed, tmp_path, published):
    unpack(tmp_path / "copy", published)
    file = tmp_path / "copy" / "train" / "train.json"
    file.write_bytes(file.read_bytes().replace(b"30.0", b"30.5"))
    with pytest.warns(UnverifiedDataWarning, match="copy: not the published bytes of tiny"):
        data = get_dataset("tiny", tmp_path / "copy")
    assert data.metadata.archive is None
    assert data.train[0]["target"][2, 0] == 30.5


def test_a_changed_file_in_the_cache_is_refused(listed, cache, published):
    get_dataset("tiny")
    files = {f"tiny/{name}": content.replace(b"30.0", b"30.5") for name, content in published.members.items()}
    (cache / "tiny.tar.gz").write_bytes(published.tar_gz(files))
    with pytest.raises(ValueError, match="wrong checksum, the cached file was changed; remove it"):
        get_dataset("tiny")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": 5}, "expected 5 train series, got 4"),
        ({"windows": 3}, "expected 12 test series, got 8"),
        ({"freq": "D"}, "expected frequency 'D', got '1H'"),
    ],
)
def test_an_archive_of_something_else_is_refused(tiny, tmp_path, archive_bytes, change, message):
    (tmp_path / "tiny.tar.gz").write_bytes(archive_bytes)
    with pytest.raises(ValueError, match=message):
        load_benchmark(replace(tiny, **change), tmp_path)


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"name: expected one of simulated_sales, exchange_rate_nips, .* got 'm5'"):
        get_dataset("m5")


def test_every_benchmark_is_listed_with_its_protocol():
    published = {
        "exchange_rate_nips": (8, "B", 30, 5, (1, 2)),
        "solar_nips": (137, "h", 24, 7, (1, 24, 168)),
        "electricity_nips": (370, "h", 24, 7, (1, 24, 168)),
        "traffic_nips": (963, "h", 24, 7, (1, 24, 168)),
        "taxi_30min": (1214, "30min", 24, 56, (1, 4, 12, 24, 48)),
        "wiki-rolling_nips": (2000, "D", 30, 5, (1, 7, 14)),
        "wiki2000_nips": (2000, "D", 30, 5, (1, 7, 14)),
    }
    for name, protocol in published.items():
        b = BENCHMARKS[name]
        assert (b.target_dim, b.freq, b.prediction_length, b.windows, b.lags) == protocol
        assert b.members or b.archive
        card = DATASETS[name]
        assert (card.target_dim, card.freq, card.prediction_length, card.windows) == protocol[:4]


STARTS = st.integers(0, 5)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(STARTS, st.integers(1, 6)), min_size=1, max_size=5), st.integers(1, 5))
def test_training_rows_are_grouped_as_gluonts_groups_them(spans, dim):
    rows, entries = _rows(spans)
    dim = min(dim, len(rows))
    ours = group_train(rows, "h", dim, "x")
    theirs = next(iter(MultivariateGrouper(max_target_dim=dim)(entries)))
    np.testing.assert_allclose(ours["target"], theirs["target"], rtol=1e-6)
    assert ours["start"] == theirs["start"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(STARTS, min_size=3, max_size=3), min_size=1, max_size=4), st.integers(1, 3))
def test_test_windows_are_grouped_as_gluonts_groups_them(starts, dim):
    spans = [(start, 7 + 2 * window - start) for window, group in enumerate(starts) for start in group]
    rows, entries = _rows(spans)
    ours = group_windows(rows, "h", dim, len(starts), "x")
    theirs = list(MultivariateGrouper(num_test_dates=len(starts), max_target_dim=dim)(entries))
    assert len(ours) == len(theirs)
    for mine, published in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine["target"], published["target"])
        assert mine["start"] == published["start"]


def _rows(spans):
    values = [np.arange(1, length + 1, dtype=np.float32) + 100 * row for row, (_, length) in enumerate(spans)]
    dates = [pd.Period("2020-01-01", "h") + start for start, _ in spans]
    rows = [Row(str(date.start_time), target) for date, target in zip(dates, values, strict=True)]
    return rows, [{"start": date, "target": target} for date, target in zip(dates, values, strict=True)]


def test_short_histories_of_another_year_stay_short():
    train = group_train([Row("2015-01-01", np.arange(48, dtype=np.float32))], "30min", 1, "taxi")
    rows = [Row("2016-01-05 12:00:00", np.arange(4 + 2 * window, dtype=np.float32)) for window in range(3)]
    windows = group_windows(rows, "30min", 1, 3, "taxi")
    assert train["target"].shape == (1, 48)
    assert [entry["target"].shape for entry in windows] == [(1, 4), (1, 6), (1, 8)]
    assert windows[0]["start"] == pd.Period("2016-01-05 12:00", "30min")


def test_a_late_start_is_counted_in_steps_of_the_frequency():
    rows = [Row("2020-01-01 00:00", np.ones(4)), Row("2020-01-01 01:00", np.ones(2))]
    assert group_windows(rows, "30min", 2, 1, "x")[0]["target"].tolist() == [[1, 1, 1, 1], [0, 0, 1, 1]]


def test_series_of_one_window_that_end_apart_are_refused():
    rows = [Row("2020-01-01", np.zeros(3)), Row("2020-01-01", np.zeros(4))]
    with pytest.raises(ValueError, match="series of test window 0 to end together, got lengths from 3 to 4"):
        group_windows(rows, "h", 2, 1, "x")


@pytest.mark.skipif(DATA is None, reason="needs the exchange_rate_nips archive in a folder of HEMLINE_DATA")
def test_the_exchange_archive_is_the_published_one(monkeypatch):
    monkeypatch.setenv("HEMLINE_DATA", str(DATA))
    data = get_dataset("exchange_rate_nips")
    assert data.metadata.archive == "exchange_rate_nips"
    assert data.train[0]["target"].shape == (8, 6071)
    assert data.train[0]["start"] == pd.Period("1990-01-01", "B")
    assert [entry["target"].shape[1] for entry in data.test] == [6101, 6131, 6161, 6191, 6221]
    np.testing.assert_array_equal(data.test[0]["target"][:, :6071], data.train[0]["target"])
